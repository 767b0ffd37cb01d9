//! CSV: UTF-8 text, cells divided by comma, semicolon or tabulator, whichever divides the headings.

use crate::columns::Column;
use crate::error::CardProblem;
use crate::rows::{Cell, Sheet};
use crate::{COLUMNS_MAX, ROWS_MAX};
use domain::rate::RateRow;
use jiff::civil::Date;
use rules::card::cell::{write_code, write_rate};
use std::collections::BTreeMap;

const DIVIDERS: [char; 3] = [',', ';', '\t'];

pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Sheet, CardProblem> {
    let text = text_of(name, bytes)?;
    let divider = divider(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(divider).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut sheet = Sheet {
        file: name.to_owned(),
        ..Sheet::default()
    };
    for record in reader.records() {
        let record =
            record.map_err(|error| CardProblem::file(name, format!("cannot be read: {error}")))?;
        let line = line_of(text, record.position());
        let cells: BTreeMap<usize, Cell> = record
            .iter()
            .map(str::trim)
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(at, cell)| (at, Cell::Text(cell.to_owned())))
            .collect();
        if record.len() > COLUMNS_MAX {
            let what = format!("line {line} has more than {COLUMNS_MAX} columns");
            return Err(CardProblem::file(name, what));
        }
        sheet.lines.insert(line, cells);
        if sheet.lines.len() > ROWS_MAX + 1 {
            let what = format!("has more than {ROWS_MAX} rows; split the card");
            return Err(CardProblem::file(name, what));
        }
    }
    Ok(sheet)
}

/// The line a record begins on. The reader's own count begins at the empty lines before it.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else {
        return 0;
    };
    let rest = usize::try_from(position.byte()).ok();
    let rest = rest.and_then(|byte| text.get(byte..)).unwrap_or_default();
    let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    let before = rest.get(..empty).unwrap_or_default();
    let breaks = before.matches('\n').count();
    position.line() + u64::try_from(breaks).unwrap_or_default()
}

fn text_of<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, CardProblem> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(CardProblem::file(name, "is UTF-16; save it as CSV UTF-8"));
    }
    if bytes.starts_with(b"PK") {
        return Err(CardProblem::file(
            name,
            "is a workbook; give it a name that ends with .xlsx",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        CardProblem::file(
            name,
            format!("is not UTF-8 from line {line} on; save it as CSV UTF-8"),
        )
    })?;
    if text.contains('\0') {
        return Err(CardProblem::file(
            name,
            "holds a zero byte; save it as CSV UTF-8",
        ));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The sign that divides the most headings which are known.
fn divider(text: &str) -> char {
    let headings = text.lines().find(|line| !line.trim().is_empty());
    let headings = headings.unwrap_or_default();
    let known = |divider: char| {
        let cells = headings.split(divider);
        cells
            .filter(|cell| Column::of(cell.trim().trim_matches('"')).is_some())
            .count()
    };
    // The first of equals, and the comma is the first.
    let best = DIVIDERS
        .into_iter()
        .rev()
        .max_by_key(|divider| known(*divider));
    best.unwrap_or(',')
}

pub(crate) fn write(rows: &[&RateRow]) -> Result<Vec<u8>, CardProblem> {
    let columns: Vec<Column> = Column::ALL
        .into_iter()
        .filter(|c| c.is_used(rows))
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let wrong =
        |error: csv::Error| CardProblem::file("the card", format!("does not write: {error}"));
    writer
        .write_record(columns.iter().map(|column| column.name()))
        .map_err(wrong)?;
    for row in rows {
        let cells = columns.iter().map(|column| text(*column, row));
        writer.write_record(cells).map_err(wrong)?;
    }
    writer
        .into_inner()
        .map_err(|error| CardProblem::file("the card", format!("does not write: {error}")))
}

/// The text of a cell.
fn text(column: Column, row: &RateRow) -> String {
    let day = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
    match column {
        Column::Rate => write_rate(row.rate),
        Column::From => row.from.to_string(),
        Column::To => day(row.to),
        Column::Recorded => day(row.recorded),
        Column::Customer
        | Column::Contract
        | Column::Project
        | Column::Task
        | Column::Practice
        | Column::Worker
        | Column::Role
        | Column::ServiceItem
        | Column::Currency
        | Column::Origin => column.code(row).map_or_else(String::new, write_code),
    }
}
