//! Cards as workbooks, made as other programs make them.

use counterfoil_cards::{Format, ReadOptions, read};
use rules::card::lint::Placed;
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Formula, Workbook, Worksheet};
use std::io::Write;

fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, name) in (0_u16..).zip(["project", "rate", "currency", "from"]) {
        sheet.write_string(0, at, name).unwrap();
    }
    sheet.write_string(1, 0, "P1").unwrap();
    sheet.write_number(1, 1, 187.1234).unwrap();
    sheet.write_string(1, 2, "EUR").unwrap();
    let day = CellFormat::new().set_num_format("dd/mm/yyyy");
    let first = ExcelDateTime::from_ymd(2026, 3, 1).unwrap();
    sheet.write_datetime_with_format(1, 3, first, &day).unwrap();
    fill(sheet);
    book.save_to_buffer().unwrap()
}

fn rows(bytes: &[u8]) -> Result<Vec<Placed>, String> {
    read("rates.xlsx", Format::Xlsx, bytes, ReadOptions::default())
        .map_err(|error| error.to_string())
}

#[test]
fn numbers_and_days_come_out_exactly() {
    let floats = [
        187.1234,
        0.1,
        98.75,
        1_234_567.891,
        150.0,
        0.0001,
        33.3333,
        1.15,
    ];
    let expected = [
        "187.1234",
        "0.1",
        "98.75",
        "1234567.891",
        "150",
        "0.0001",
        "33.3333",
        "1.15",
    ];
    for (number, text) in floats.into_iter().zip(expected) {
        let bytes = book(|sheet| {
            sheet.write_number(1, 1, number).unwrap();
        });
        let rows = rows(&bytes).unwrap();
        assert_eq!(rows[0].row.rate.to_string(), text);
        assert_eq!(rows[0].row.from.to_string(), "2026-03-01");
        assert_eq!(rows[0].place.to_string(), "rates.xlsx, sheet Sheet1, row 2");
    }
}

#[test]
fn cells_of_the_wrong_kind_are_named_with_sheet_row_and_column() {
    type Fill = fn(&mut Worksheet);
    let cases: [(Fill, &str); 9] = [
        (
            |s| drop(s.write_number(1, 0, 1001)),
            "sheet Sheet1, row 2, column A (project): is the number 1001; format the cell as text",
        ),
        (
            |s| drop(s.write_string(1, 0, "+P1")),
            "column A (project): '+P1' looks like a formula",
        ),
        (
            |s| drop(s.write_formula(1, 1, Formula::new("=1+1").set_result("2"))),
            "column B (rate): is a formula, whose result may change",
        ),
        (
            |s| drop(s.write_string(1, 1, "187,125")),
            "column B (rate): '187,125' can mean 187125 or 187.125",
        ),
        (
            |s| drop(s.write_number(1, 1, 0.1 + 0.2)),
            "column B (rate): '0.30000000000000004' has more than 6 digits",
        ),
        (
            |s| drop(s.write_boolean(1, 1, true)),
            "column B (rate): is true or false; expected a rate",
        ),
        (
            |s| drop(s.write_number(1, 3, 46082)),
            "column D (from): is the number 46082; format the cell as a date",
        ),
        (
            |s| {
                let format = CellFormat::new().set_num_format("yyyy-mm-dd");
                s.write_number_with_format(1, 3, 46082.5, &format).unwrap();
            },
            "column D (from): is a date with a time of day",
        ),
        (
            |s| {
                let format = CellFormat::new().set_num_format("yyyy-mm-dd");
                s.write_number_with_format(1, 3, 60, &format).unwrap();
            },
            "column D (from): is a date that spreadsheets do not agree on",
        ),
    ];
    for (fill, says) in cases {
        let error = rows(&book(fill)).unwrap_err();
        assert!(error.contains(says), "{error}\nexpected {says}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn of_several_sheets_the_one_called_rates_is_taken() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Notes").unwrap();
    let sheet = book.add_worksheet();
    for (at, name) in (0_u16..).zip(["rate", "currency", "from"]) {
        sheet.write_string(0, at, name).unwrap();
    }
    let unnamed = book.save_to_buffer().unwrap();
    let error = rows(&unnamed).unwrap_err();
    assert!(
        error.contains("has 2 sheets (Notes, Sheet2); call the one that holds the card 'Rates'"),
        "{error}"
    );
    book.worksheet_from_index(1)
        .unwrap()
        .set_name("rates")
        .unwrap();
    let named = book.save_to_buffer().unwrap();
    assert_eq!(rows(&named), Ok(vec![]));
}

#[test]
fn a_cell_far_away_costs_nothing_and_is_refused() {
    let bytes = book(|sheet| drop(sheet.write_string(1_048_575, 16_383, "x")));
    let error = rows(&bytes).unwrap_err();
    assert!(
        error.contains("XFD1048576 stands beyond column BL"),
        "{error}"
    );
}

#[test]
fn what_is_no_workbook_or_unpacks_to_too_much_is_refused() {
    let error = rows(b"rate,currency,from\n").unwrap_err();
    assert!(error.contains("is not a readable workbook"), "{error}");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file(
            "xl/workbook.xml",
            zip::write::SimpleFileOptions::default().compression_level(Some(1)),
        )
        .unwrap();
    let zeros = vec![b' '; 1024 * 1024];
    for _ in 0..65 {
        archive.write_all(&zeros).unwrap();
    }
    let bomb = archive.finish().unwrap().into_inner();
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    let error = rows(&bomb).unwrap_err();
    assert!(error.contains("unpacks to more than"), "{error}");
}

#[test]
fn text_that_looks_like_an_escape_stays_text() {
    let bytes = book(|sheet| drop(sheet.write_string(1, 0, "_x0041_")));
    assert_eq!(
        rows(&bytes).unwrap()[0].row.key.project.as_deref(),
        Some("_x0041_")
    );
}
