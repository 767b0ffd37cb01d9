//! XLSX: workbooks of spreadsheet programs.
//!
//! A workbook stores numbers as binary floats. The shortest decimal that means the same float is what
//! a person typed, up to fifteen digits: 187.1234 comes out as 187.1234. No arithmetic is done with
//! floats; they are printed and read as text. Dates are whole numbers of days.

use crate::columns::Column;
use crate::error::CardProblem;
use crate::rows::{Cell, Sheet, letters};
use crate::{COLUMNS_MAX, ROWS_MAX, UNPACKED_BYTES_MAX};
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use domain::decimal::Micro;
use domain::rate::RateRow;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use rules::card::cell::{write_code, write_rate};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::io::{Cursor, Read};

/// The sheet that is taken where there are several.
const SHEET: &str = "Rates";

pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Sheet, CardProblem> {
    check_unpacked(name, bytes)?;
    let broken = |error: calamine::XlsxError| {
        CardProblem::file(name, format!("is not a readable workbook: {error}"))
    };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheet_name = sheet_name(name, &book)?;
    let since_1904 = book.has_1904_epoch();
    let mut sheet = Sheet {
        file: name.to_owned(),
        name: Some(sheet_name.clone()),
        ..Sheet::default()
    };
    let mut cells = book.worksheet_cells_reader(&sheet_name).map_err(broken)?;
    while let Some(cell) = cells.next_cell_with_formula().map_err(broken)? {
        let (row, column) = (
            u64::from(cell.pos.0) + 1,
            usize::try_from(cell.pos.1).unwrap_or(usize::MAX),
        );
        let value = if cell.formula.is_some() {
            let what = "a formula, whose result may change; paste its value instead";
            Some(Cell::Refused(what.to_owned()))
        } else {
            value(&cell.value, since_1904)
        };
        let Some(value) = value else {
            continue;
        };
        if column >= COLUMNS_MAX {
            let what = format!(
                "{}{row} stands beyond column {}",
                letters(column.min(20_000)),
                letters(COLUMNS_MAX - 1)
            );
            return Err(CardProblem::file(name, what));
        }
        sheet.lines.entry(row).or_default().insert(column, value);
        if sheet.lines.len() > ROWS_MAX + 1 {
            let what = format!("has more than {ROWS_MAX} rows; split the card");
            return Err(CardProblem::file(name, what));
        }
    }
    Ok(sheet)
}

/// A small file may unpack to more than the machine holds, so that it is unpacked into nothing first.
fn check_unpacked(name: &str, bytes: &[u8]) -> Result<(), CardProblem> {
    let broken = |error: &dyn std::fmt::Display| {
        CardProblem::file(name, format!("is not a readable workbook: {error}"))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| broken(&error))?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|error| broken(&error))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            let what = format!("unpacks to more than {UNPACKED_BYTES_MAX} bytes; split the card");
            CardProblem::file(name, what)
        })?;
    }
    Ok(())
}

/// The one sheet that can be seen, or of several the one that is called for rates.
fn sheet_name<R: Read + std::io::Seek>(name: &str, book: &Xlsx<R>) -> Result<String, CardProblem> {
    let seen: Vec<&str> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.as_str())
        .collect();
    if let [only] = seen.as_slice() {
        return Ok((*only).to_owned());
    }
    let rates = seen.iter().find(|sheet| sheet.eq_ignore_ascii_case(SHEET));
    rates.map(|sheet| (*sheet).to_owned()).ok_or_else(|| {
        let what = format!(
            "has {} sheets ({}); call the one that holds the card '{SHEET}'",
            seen.len(),
            seen.join(", ")
        );
        CardProblem::file(name, what)
    })
}

/// What stands in a cell; none = nothing.
fn value(value: &DataRef<'_>, since_1904: bool) -> Option<Cell> {
    let text = |text: &str| {
        let text = text.trim();
        (!text.is_empty()).then(|| Cell::Text(text.to_owned()))
    };
    match value {
        DataRef::Empty => None,
        DataRef::Int(number) => Some(Cell::Number(number.to_string())),
        DataRef::Float(number) if number.is_finite() => Some(Cell::Number(number.to_string())),
        DataRef::Float(_) => Some(Cell::Refused("not a finite number".to_owned())),
        DataRef::String(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(_) => Some(Cell::Refused("true or false".to_owned())),
        DataRef::DateTime(day) if day.is_datetime() => {
            Some(serial_day(&day.as_f64().to_string(), since_1904))
        }
        DataRef::DateTime(_) | DataRef::DurationIso(_) => {
            Some(Cell::Refused("a length of time".to_owned()))
        }
        DataRef::DateTimeIso(iso) => text(iso.trim_end_matches("T00:00:00")),
        DataRef::Error(error) => Some(Cell::Refused(format!("the spreadsheet's error {error}"))),
    }
}

/// The day of a serial number of days.
fn serial_day(serial: &str, since_1904: bool) -> Cell {
    let Ok(number) = serial.parse::<i32>() else {
        return Cell::Refused("a date with a time of day; expected a day alone".to_owned());
    };
    // Spreadsheets believe that 1900 was a leap year: days before March 1900 are off by one.
    let (first, least) = if since_1904 {
        (date(1904, 1, 1), 0)
    } else {
        (date(1899, 12, 30), 61)
    };
    match first.checked_add(number.days()) {
        Ok(day) if number >= least => Cell::Day(day),
        Ok(_) | Err(_) => Cell::Refused("a date that spreadsheets do not agree on".to_owned()),
    }
}

pub(crate) fn write(rows: &[&RateRow]) -> Result<Vec<u8>, CardProblem> {
    book(rows).map_err(|error| CardProblem::file("the card", format!("does not write: {error}")))
}

fn book(rows: &[&RateRow]) -> Result<Vec<u8>, XlsxError> {
    let columns: Vec<Column> = Column::ALL
        .into_iter()
        .filter(|c| c.is_used(rows))
        .collect();
    let mut book = Workbook::new();
    // Without it the writer would ask the wall clock, and equal cards would make unequal files.
    let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&always));
    let sheet = book.add_worksheet();
    sheet.set_name(SHEET)?;
    sheet.set_freeze_panes(1, 0)?;
    let formats = Formats {
        heading: Format::new().set_bold(),
        code: Format::new().set_num_format("@"),
        rate: Format::new().set_num_format("0.00##"),
        day: Format::new().set_num_format("yyyy-mm-dd"),
    };
    for (at, column) in (0_u16..).zip(&columns) {
        sheet.set_column_width(at, 14)?;
        sheet.write_string_with_format(0, at, column.name(), &formats.heading)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (at, column) in (0_u16..).zip(&columns) {
            write_cell(sheet, (line, at), *column, row, &formats)?;
        }
    }
    book.save_to_buffer()
}

struct Formats {
    heading: Format,
    code: Format,
    rate: Format,
    day: Format,
}

fn write_cell(
    sheet: &mut Worksheet,
    (line, at): (u32, u16),
    column: Column,
    row: &RateRow,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let day = match column {
        Column::Rate => {
            if let Some(number) = as_float(row.rate) {
                sheet.write_number_with_format(line, at, number, &formats.rate)?;
            } else {
                sheet.write_string_with_format(line, at, write_rate(row.rate), &formats.code)?;
            }
            return Ok(());
        }
        Column::From => Some(row.from),
        Column::To => row.to,
        Column::Recorded => row.recorded,
        Column::Customer
        | Column::Contract
        | Column::Project
        | Column::Task
        | Column::Practice
        | Column::Worker
        | Column::Role
        | Column::ServiceItem
        | Column::Currency
        | Column::Origin => {
            if let Some(code) = column.code(row) {
                sheet.write_string_with_format(line, at, write_code(code), &formats.code)?;
            }
            return Ok(());
        }
    };
    if let Some(day) = day {
        write_day(sheet, (line, at), day, formats)?;
    }
    Ok(())
}

fn write_day(
    sheet: &mut Worksheet,
    (line, at): (u32, u16),
    day: Date,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let parts = (
        u16::try_from(day.year()),
        u8::try_from(day.month()),
        u8::try_from(day.day()),
    );
    match parts {
        // Earlier days are text: spreadsheets do not agree on them.
        (Ok(year), Ok(month), Ok(of_month)) if day >= date(1900, 3, 1) => {
            let cell = ExcelDateTime::from_ymd(year, month, of_month)?;
            sheet.write_datetime_with_format(line, at, cell, &formats.day)?;
        }
        _ => {
            sheet.write_string_with_format(line, at, day.to_string(), &formats.code)?;
        }
    }
    Ok(())
}

/// The float that means exactly this rate when it is read back; none = it has to be written as text.
fn as_float(rate: Micro) -> Option<f64> {
    let text = rate.to_string();
    let number: f64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
