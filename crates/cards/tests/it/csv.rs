//! Cards as text.

use counterfoil_cards::{Format, ROWS_MAX, ReadOptions, read};
use rules::card::cell::{DateOrder, DecimalMark};
use rules::card::lint::Placed;

fn rows(text: &str) -> Result<Vec<Placed>, String> {
    stated(text, ReadOptions::default())
}

fn stated(text: &str, options: ReadOptions) -> Result<Vec<Placed>, String> {
    read("rates.csv", Format::Csv, text.as_bytes(), options).map_err(|error| error.to_string())
}

const HEAD: &str = "project,rate,currency,from,to\n";

#[test]
fn a_card_as_people_keep_it() {
    let text = "\u{feff}Project;Role;Service Item;Rate;Currency;From;To;Recorded\r\n\
                P1;senior;;\"1.187,5\";EUR;01.01.2026;;20.03.2026\r\n\
                \r\n\
                ;;CONS;90;EUR;2026-01-01;2026-07-01;\r\n";
    let rows = rows(text).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].row.words(),
        "project P1, role senior at EUR 1187.5 (from 2026-01-01, open end, recorded 2026-03-20)"
    );
    assert_eq!(rows[0].place.to_string(), "rates.csv, line 2");
    assert_eq!(
        rows[1].row.words(),
        "service item CONS at EUR 90 (from 2026-01-01, before 2026-07-01, always known)"
    );
    assert_eq!(rows[1].place.line, Some(4));
}

#[test]
fn every_wrong_cell_is_named_with_its_place() {
    let text = format!(
        "{HEAD}P1,\"187,125\",EUR,2026-01-01,\n=P2,150,EURO,03/04/2026,\nP3,,EUR,2026-02-30,soon\nP4,150,EUR,2026-01-01,,more\n"
    );
    let error = rows(&text).unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 8, "{error}");
    let expected = [
        "rates.csv, line 2, column 2 (rate): '187,125' can mean 187125 or 187.125;",
        "rates.csv, line 3, column 1 (project): '=P2' looks like a formula;",
        "rates.csv, line 3, column 3 (currency): 'EURO' is not an ISO 4217 currency",
        "rates.csv, line 3, column 4 (from): '03/04/2026' can mean 2026-03-04 or 2026-04-03;",
        "rates.csv, line 4, column 4 (from): '2026-02-30' is not a date;",
        "rates.csv, line 4, column 5 (to): 'soon' is not a date;",
        "rates.csv, line 4, column 2 (rate): is empty;",
        "rates.csv, line 5, column 6 (no heading): stands under no heading",
    ];
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\nexpected {start}");
    }
}

#[test]
fn what_is_said_for_the_whole_file_settles_cells_with_two_meanings() {
    let text = format!("{HEAD}P1,\"187,125\",EUR,03/04/2026,\n");
    let options = ReadOptions {
        decimal_mark: Some(DecimalMark::Comma),
        date_order: Some(DateOrder::DayFirst),
    };
    let rows = stated(&text, options).unwrap();
    assert_eq!(rows[0].row.rate.to_string(), "187.125");
    assert_eq!(rows[0].row.from.to_string(), "2026-04-03");
}

#[test]
fn a_file_written_in_two_ways_is_refused() {
    let numbers = format!(
        "{HEAD}P1,98.75,EUR,2026-01-01,\nP2,150,EUR,2026-01-01,\nP3,\"98,75\",EUR,2026-01-01,\n"
    );
    let error = rows(&numbers).unwrap_err();
    assert!(
        error.contains(
            "line 4, column 2 (rate): '98,75' has a decimal comma, row 2 has a decimal point"
        ),
        "{error}"
    );
    let dates = format!("{HEAD}P1,98,EUR,15/03/2026,\nP3,98,EUR,03/15/2026,\n");
    let error = rows(&dates).unwrap_err();
    assert!(
        error.contains("'03/15/2026' has the month first, row 2 has the day first"),
        "{error}"
    );
}

#[test]
fn headings_are_named_when_they_are_wrong() {
    for (text, says) in [
        ("", "holds no headings"),
        (
            "projekt,rate,currency,from\n",
            "'projekt' is no column; expected one of customer, contract",
        ),
        (
            "project,project,rate,currency,from\n",
            "'project' stands twice",
        ),
        ("project,rate,currency\n", "the column 'from' is missing"),
    ] {
        let error = rows(text).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn bytes_that_are_no_such_text_are_refused_with_a_remedy() {
    for (bytes, says) in [
        (
            &b"project,rate,currency,from\nM\xfcller,1,EUR,2026-01-01\n"[..],
            "not UTF-8 from line 2 on",
        ),
        (b"\xff\xfep\0r\0", "is UTF-16; save it as CSV UTF-8"),
        (b"PK\x03\x04", "is a workbook"),
        (b"project,rate\0", "holds a zero byte"),
    ] {
        let error = read("rates.csv", Format::Csv, bytes, ReadOptions::default()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let line = "P1,150,EUR,2026-01-01,\n";
    let most = format!("{HEAD}{}", line.repeat(ROWS_MAX));
    assert_eq!(rows(&most).unwrap().len(), ROWS_MAX);
    let more = format!("{most}{line}");
    assert!(rows(&more).unwrap_err().contains("more than 50000 rows"));
    let wide = format!("{HEAD}P1,150,EUR,2026-01-01{}\n", ",".repeat(70));
    assert!(rows(&wide).unwrap_err().contains("more than 64 columns"));
    let large = " ".repeat(9 * 1024 * 1024);
    assert!(rows(&large).unwrap_err().contains("is larger than"));
}
