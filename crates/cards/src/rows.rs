//! From the cells of a sheet to rows: headings first, then cell by cell, and every error named.

use crate::columns::Column;
use crate::error::{CardError, CardProblem};
use crate::{ERRORS_MAX, ReadOptions};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::rate::{RateKey, RateRow, RateSource};
use jiff::civil::Date;
use rules::card::cell::{CellError, DateOrder, DecimalMark, read_code, read_date, read_number};
use rules::card::lint::{Place, Placed};
use std::collections::BTreeMap;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text, without the white space around it.
    Text(String),
    /// A number of a workbook, as the shortest decimal that means it.
    Number(String),
    /// A day of a workbook.
    Day(Date),
    /// Something that is never taken, and what it is.
    Refused(String),
}

/// The cells of a sheet. Empty cells are absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    /// The file's name.
    pub(crate) file: String,
    /// The sheet's name, in a workbook.
    pub(crate) name: Option<String>,
    /// Cells by line (counted from 1) and column (counted from 0).
    pub(crate) lines: BTreeMap<u64, BTreeMap<usize, Cell>>,
}

impl Sheet {
    fn place(&self, line: u64) -> Place {
        Place {
            file: self.file.clone(),
            sheet: self.name.clone(),
            line: Some(line),
        }
    }

    /// A column as people find it: its letter in a workbook, and its heading.
    fn column(&self, at: usize, heading: &str) -> String {
        match self.name {
            Some(_) => format!("{} ({heading})", letters(at)),
            None => format!("{} ({heading})", at + 1),
        }
    }
}

/// The letters of a column of a workbook: A to Z, then AA.
pub(crate) fn letters(at: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = at + 1;
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// The way of writing that the cells so far had, and where the first of them stood.
type Style<S> = Option<(S, u64)>;

struct Reader<'a> {
    sheet: &'a Sheet,
    options: ReadOptions,
    numbers: Style<DecimalMark>,
    dates: Style<DateOrder>,
    errors: Vec<CardError>,
}

/// The rows of a sheet, or everything that is wrong with it.
pub(crate) fn read(sheet: &Sheet, options: ReadOptions) -> Result<Vec<Placed>, CardProblem> {
    let mut reader = Reader {
        sheet,
        options,
        numbers: None,
        dates: None,
        errors: Vec::new(),
    };
    let mut lines = sheet.lines.iter().filter(|(_, cells)| !cells.is_empty());
    let Some((heading_line, headings)) = lines.next() else {
        return Err(CardProblem::file(
            &sheet.file,
            "holds no headings; the first row names the columns: rate, currency, from, and what the rate applies to",
        ));
    };
    let columns = reader.headings(*heading_line, headings);
    let mut rows = Vec::new();
    if reader.errors.is_empty() {
        for (line, cells) in lines {
            if let Some(row) = reader.row(*line, cells, &columns) {
                let place = sheet.place(*line);
                rows.push(Placed { row, place });
            }
            if reader.errors.len() >= ERRORS_MAX {
                break;
            }
        }
    }
    if reader.errors.is_empty() {
        Ok(rows)
    } else {
        Err(CardProblem {
            errors: reader.errors,
        })
    }
}

type Columns = BTreeMap<usize, Column>;

/// A row as far as it is read.
#[derive(Default)]
struct Draft {
    key: RateKey,
    rate: Option<Micro>,
    currency: Option<Currency>,
    from: Option<Date>,
    to: Option<Date>,
    recorded: Option<Date>,
    origin: RateSource,
}

impl Reader<'_> {
    fn error(&mut self, line: u64, column: Option<String>, what: String) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(CardError {
                place: self.sheet.place(line),
                column,
                what,
            });
        }
    }

    fn headings(&mut self, line: u64, cells: &BTreeMap<usize, Cell>) -> Columns {
        let mut columns = Columns::new();
        for (at, cell) in cells {
            let text = match cell {
                Cell::Text(text) | Cell::Number(text) | Cell::Refused(text) => text.clone(),
                Cell::Day(day) => day.to_string(),
            };
            match Column::of(&text) {
                Some(column) if columns.values().any(|known| *known == column) => {
                    let what = format!("'{text}' stands twice; keep one of the columns");
                    self.error(line, Some(self.sheet.column(*at, &text)), what);
                }
                Some(column) => {
                    columns.insert(*at, column);
                }
                None => {
                    let names: Vec<&str> = Column::ALL.iter().map(|c| c.name()).collect();
                    let what = format!(
                        "'{text}' is no column; expected one of {}",
                        names.join(", ")
                    );
                    self.error(line, Some(self.sheet.column(*at, &text)), what);
                }
            }
        }
        for required in Column::REQUIRED {
            if !columns.values().any(|known| *known == required) {
                let what = format!("the column '{}' is missing", required.name());
                self.error(line, None, what);
            }
        }
        columns
    }

    fn row(
        &mut self,
        line: u64,
        cells: &BTreeMap<usize, Cell>,
        columns: &Columns,
    ) -> Option<RateRow> {
        let before = self.errors.len();
        let mut draft = Draft::default();
        for (at, cell) in cells {
            let Some(column) = columns.get(at) else {
                let what = "stands under no heading".to_owned();
                self.error(line, Some(self.sheet.column(*at, "no heading")), what);
                continue;
            };
            if let Err(what) = self.cell(line, *column, cell, &mut draft) {
                self.error(line, Some(self.sheet.column(*at, column.name())), what);
            }
        }
        for (at, column) in columns {
            if Column::REQUIRED.contains(column) && !cells.contains_key(at) {
                let what = format!("is empty; every row has a {}", column.name());
                self.error(line, Some(self.sheet.column(*at, column.name())), what);
            }
        }
        if self.errors.len() > before {
            return None;
        }
        Some(RateRow {
            key: draft.key,
            rate: draft.rate?,
            currency: draft.currency?,
            from: draft.from?,
            to: draft.to,
            recorded: draft.recorded,
            origin: draft.origin,
        })
    }

    fn cell(
        &mut self,
        line: u64,
        column: Column,
        cell: &Cell,
        draft: &mut Draft,
    ) -> Result<(), String> {
        let key = &mut draft.key;
        match column {
            Column::Customer => key.customer = Some(code(cell)?),
            Column::Contract => key.contract = Some(code(cell)?),
            Column::Project => key.project = Some(code(cell)?),
            Column::Task => key.task = Some(code(cell)?),
            Column::Practice => key.practice = Some(code(cell)?),
            Column::Worker => key.worker = Some(code(cell)?),
            Column::Role => key.role = Some(code(cell)?),
            Column::ServiceItem => key.service_item = Some(code(cell)?),
            Column::Rate => draft.rate = Some(self.number(line, cell)?),
            Column::From => draft.from = Some(self.day(line, cell)?),
            Column::To => draft.to = Some(self.day(line, cell)?),
            Column::Recorded => draft.recorded = Some(self.day(line, cell)?),
            Column::Currency => {
                let text = code(cell)?;
                let currency = text.parse::<Currency>();
                draft.currency = Some(currency.map_err(|error| error.to_string())?);
            }
            Column::Origin => {
                draft.origin = match code(cell)?.to_lowercase().as_str() {
                    "card" => RateSource::Card,
                    "erp" => RateSource::Erp,
                    other => {
                        return Err(format!(
                            "'{}' is no origin; expected card or erp",
                            shown(other)
                        ));
                    }
                };
            }
        }
        Ok(())
    }

    fn number(&mut self, line: u64, cell: &Cell) -> Result<Micro, String> {
        let text = match cell {
            // A workbook says what it means: no mark to guess.
            Cell::Number(text) => {
                return read_number(text, Some(DecimalMark::Point))
                    .map(|meaning| meaning.value)
                    .map_err(|error| told(text, &error));
            }
            Cell::Text(text) => text,
            Cell::Day(day) => return Err(format!("is the date {day}; expected a rate")),
            Cell::Refused(what) => return Err(format!("is {what}; expected a rate")),
        };
        let meaning =
            read_number(text, self.options.decimal_mark).map_err(|error| told(text, &error))?;
        let words = |mark| match mark {
            DecimalMark::Point => "a decimal point",
            DecimalMark::Comma => "a decimal comma",
        };
        one_style(&mut self.numbers, meaning.style, line, words)
            .map_err(|what| told(text, &what))?;
        Ok(meaning.value)
    }

    fn day(&mut self, line: u64, cell: &Cell) -> Result<Date, String> {
        let text = match cell {
            Cell::Day(day) => return Ok(*day),
            Cell::Text(text) => text,
            Cell::Number(text) => {
                return Err(format!("is the number {text}; format the cell as a date"));
            }
            Cell::Refused(what) => return Err(format!("is {what}; expected a date")),
        };
        let meaning =
            read_date(text, self.options.date_order).map_err(|error| told(text, &error))?;
        let words = |order| match order {
            DateOrder::DayFirst => "the day first",
            DateOrder::MonthFirst => "the month first",
        };
        one_style(&mut self.dates, meaning.style, line, words).map_err(|what| told(text, &what))?;
        Ok(meaning.value)
    }
}

/// A text as it is shown in a message, cut short.
fn shown(text: &str) -> String {
    text.chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn told(text: &str, error: &dyn std::fmt::Display) -> String {
    format!("'{}' {error}", shown(text))
}

/// Every cell of a file is written in one way; a file of two ways was glued together.
fn one_style<S: Copy + PartialEq>(
    so_far: &mut Style<S>,
    style: Option<S>,
    line: u64,
    words: impl Fn(S) -> &'static str,
) -> Result<(), String> {
    match (*so_far, style) {
        (_, None) => Ok(()),
        (None, Some(style)) => {
            *so_far = Some((style, line));
            Ok(())
        }
        (Some((first, _)), Some(style)) if first == style => Ok(()),
        (Some((first, at)), Some(style)) => Err(format!(
            "has {}, row {at} has {}; write the whole file in one way",
            words(style),
            words(first)
        )),
    }
}

fn code(cell: &Cell) -> Result<String, String> {
    match cell {
        Cell::Text(text) => {
            let code = read_code(text).map_err(|error: CellError| told(text, &error))?;
            if code.trim().is_empty() {
                return Err("is empty between its signs; expected a code".to_owned());
            }
            Ok(code)
        }
        Cell::Number(text) => Err(format!(
            "is the number {text}; format the cell as text, so that a code such as 0042 stays as it is"
        )),
        Cell::Day(day) => Err(format!("is the date {day}; format the cell as text")),
        Cell::Refused(what) => Err(format!("is {what}; expected a code")),
    }
}
