//! Rate cards as files: bytes of CSV or XLSX become rows with their place, and rows become bytes.
//!
//! A file is taken whole or not at all: every cell that cannot be read is named with sheet, row and
//! column, and what was expected. Nothing here opens a file, knows a contract or prices anything.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

mod columns;
mod csv_file;
mod error;
mod rows;
mod xlsx_file;

pub use error::{CardError, CardProblem};

use domain::rate::RateRow;
use rules::card::cell::{DateOrder, DecimalMark};
use rules::card::lint::Placed;

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most rows of a card.
pub const ROWS_MAX: usize = 50_000;
/// The most columns of a sheet.
pub const COLUMNS_MAX: usize = 64;
/// The largest workbook once it is unpacked, in bytes.
pub const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most errors that are told of one file.
pub const ERRORS_MAX: usize = 100;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text with a comma, semicolon or tabulator between cells.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The form that a file's name says it has.
    pub fn of(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending)?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
}

/// What is said for the whole file, for cells that could mean two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The sign before decimals.
    pub decimal_mark: Option<DecimalMark>,
    /// What stands first in a date.
    pub date_order: Option<DateOrder>,
}

/// The rows of a file. `name` is what messages call it.
pub fn read(
    name: &str,
    format: Format,
    bytes: &[u8],
    options: ReadOptions,
) -> Result<Vec<Placed>, CardProblem> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(CardProblem::file(
            name,
            format!("is larger than {FILE_BYTES_MAX} bytes; split the card"),
        ));
    }
    let sheet = match format {
        Format::Csv => csv_file::read(name, bytes)?,
        Format::Xlsx => xlsx_file::read(name, bytes)?,
    };
    rows::read(&sheet, options)
}

/// Rows as a file.
pub fn write(format: Format, rows: &[&RateRow]) -> Result<Vec<u8>, CardProblem> {
    match format {
        Format::Csv => csv_file::write(rows),
        Format::Xlsx => xlsx_file::write(rows),
    }
}
