//! What the cells of a rate card file mean.

use crate::table::table;
use counterfoil_rules::card::cell::{
    CellError, DateOrder, DecimalMark, read_code, read_date, read_number, write_code, write_rate,
};
use domain::decimal::Micro;

#[test]
fn numbers_that_mean_one_thing() {
    let rows = table("card_cells.md", "Numbers");
    assert!(rows.len() >= 25);
    for row in rows {
        let text = row.get("text").replace('_', " ");
        let stated = match row.get("stated") {
            "point" => Some(DecimalMark::Point),
            "comma" => Some(DecimalMark::Comma),
            "" => None,
            other => panic!("{other}"),
        };
        let value = match read_number(&text, stated) {
            Ok(meaning) => meaning.value.to_string(),
            Err(CellError::NotANumber) => "not a number".to_owned(),
            Err(CellError::AmbiguousNumber(..)) => "ambiguous".to_owned(),
            Err(CellError::TooFine) => "too fine".to_owned(),
            Err(CellError::TooLarge) => "too large".to_owned(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(value, row.get("= value"), "{text}: {}", row.get("working"));
    }
}

#[test]
fn dates_that_mean_one_thing() {
    let rows = table("card_cells.md", "Dates");
    assert!(rows.len() >= 25);
    for row in rows {
        let text = row.get("text");
        let stated = match row.get("stated") {
            "day first" => Some(DateOrder::DayFirst),
            "month first" => Some(DateOrder::MonthFirst),
            "" => None,
            other => panic!("{other}"),
        };
        let date = match read_date(text, stated) {
            Ok(meaning) => meaning.value.to_string(),
            Err(CellError::NotADate) => "not a date".to_owned(),
            Err(CellError::AmbiguousDate(..)) => "ambiguous".to_owned(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(date, row.get("= date"), "{text}: {}", row.get("working"));
    }
}

#[test]
fn codes_that_no_spreadsheet_computes() {
    let rows = table("card_cells.md", "Codes");
    assert!(rows.len() >= 25);
    for row in rows {
        let text = row.get("text");
        let code = match read_code(text) {
            Ok(code) => {
                assert_eq!(read_code(&write_code(&code)), Ok(code.clone()));
                code
            }
            Err(CellError::Formula) => "looks like a formula".to_owned(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(code, row.get("= code"), "{text}");
    }
    assert_eq!(read_code("P\n1"), Err(CellError::ControlSign));
    assert_eq!(read_code("\t=P1"), Err(CellError::ControlSign));
}

#[test]
fn rates_as_they_are_written() {
    for row in table("card_cells.md", "Rates as written") {
        let rate: Micro = row.get("rate").parse().unwrap();
        assert_eq!(write_rate(rate), row.get("= text"));
    }
}
