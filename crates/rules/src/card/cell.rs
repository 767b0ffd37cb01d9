//! What the text of a cell means: rates, dates and codes as people and spreadsheets write them.
//!
//! A text is taken only where it can mean one thing. `187,125` is either 187.125 or 187125, and
//! `03/04/2026` is either March or April: such a cell is refused, unless it was said for the whole
//! file which is meant. A text that a spreadsheet would compute is refused as a code.

use domain::decimal::{DecimalError, Micro};
use jiff::civil::Date;
use thiserror::Error;

/// The sign before decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

/// Whether the day or the month of a date stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// `31/12/2026`
    DayFirst,
    /// `12/31/2026`
    MonthFirst,
}

/// A text with one meaning, and what the reader had to believe for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning<T, S> {
    /// The meaning.
    pub value: T,
    /// The only way of writing in which the text means anything; none = it means the same in all.
    pub style: Option<S>,
}

/// Why the text of a cell is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CellError {
    /// No way of writing numbers gives it a meaning.
    #[error("is not a number; write it like 187.1234 or 187,1234")]
    NotANumber,
    /// Two ways of writing numbers give it two.
    #[error(
        "can mean {0} or {1}; write two or four digits after the decimal mark, or say for the whole file which mark is meant"
    )]
    AmbiguousNumber(Micro, Micro),
    /// More digits than a rate can carry.
    #[error("has more than 6 digits after the decimal mark; round it")]
    TooFine,
    /// It does not fit.
    #[error("is too large for a rate")]
    TooLarge,
    /// No way of writing dates gives it a meaning.
    #[error("is not a date; write it like 2026-03-31")]
    NotADate,
    /// Two ways of writing dates give it two.
    #[error(
        "can mean {0} or {1}; write it like 2026-03-31, or say for the whole file whether day or month come first"
    )]
    AmbiguousDate(Date, Date),
    /// A spreadsheet would compute it.
    #[error("looks like a formula; write an apostrophe before it if it is a code")]
    Formula,
    /// It holds a sign that no code holds.
    #[error("holds a line break or another control sign; write the code on one line")]
    ControlSign,
}

/// Signs that a spreadsheet takes for the beginning of a formula.
const FORMULA_SIGNS: [char; 4] = ['=', '+', '-', '@'];
/// What people set thousands apart with besides the other decimal mark: apostrophes and spaces, the
/// unbreakable ones too.
const THOUSANDS_ALWAYS: [char; 5] = ['\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}'];

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a whole number, plain or in groups of three.
fn whole_digits(text: &str, other_mark: char) -> Option<String> {
    if all_digits(text) {
        return Some(text.to_owned());
    }
    let separator = text.chars().find(|sign| !sign.is_ascii_digit())?;
    if separator != other_mark && !THOUSANDS_ALWAYS.contains(&separator) {
        return None;
    }
    let mut groups = text.split(separator);
    let head = groups.next()?;
    // Nobody writes 0.125 for one hundred and twenty-five.
    let head_fits = all_digits(head) && head.len() <= 3 && !head.starts_with('0');
    let rest_fits = groups.all(|group| all_digits(group) && group.len() == 3);
    (head_fits && rest_fits).then(|| text.replace(separator, ""))
}

/// The number as a plain decimal, where decimals stand behind a mark.
fn reading(text: &str, mark: DecimalMark) -> Option<String> {
    let (sign, other) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (minus, body) = text
        .strip_prefix('-')
        .map_or(("", text), |body| ("-", body));
    match body.split_once(sign) {
        None => whole_digits(body, other).map(|whole| format!("{minus}{whole}")),
        Some((whole, decimals)) if all_digits(decimals) => {
            whole_digits(whole, other).map(|whole| format!("{minus}{whole}.{decimals}"))
        }
        Some(_) => None,
    }
}

fn exact(plain: &str) -> Result<Micro, CellError> {
    // Zeros at the end say nothing, and too many of them would not be read.
    let short = if plain.contains('.') {
        plain.trim_end_matches('0').trim_end_matches('.')
    } else {
        plain
    };
    short.parse().map_err(|error| match error {
        DecimalError::TooFine(_) => CellError::TooFine,
        DecimalError::TooLarge(_) => CellError::TooLarge,
        DecimalError::Unreadable(_) => CellError::NotANumber,
    })
}

/// A number. `stated` says for the whole file which mark is meant.
pub fn read_number(
    text: &str,
    stated: Option<DecimalMark>,
) -> Result<Meaning<Micro, DecimalMark>, CellError> {
    let read = |mark| {
        if stated.is_none_or(|stated| stated == mark) {
            reading(text, mark)
        } else {
            None
        }
    };
    let (point, comma) = (read(DecimalMark::Point), read(DecimalMark::Comma));
    let (plain, style) = match (point, comma) {
        (None, None) => return Err(CellError::NotANumber),
        (Some(point), None) => (point, Some(DecimalMark::Point)),
        (None, Some(comma)) => (comma, Some(DecimalMark::Comma)),
        (Some(point), Some(comma)) if point == comma => (point, None),
        (Some(point), Some(comma)) => {
            return Err(CellError::AmbiguousNumber(exact(&point)?, exact(&comma)?));
        }
    };
    Ok(Meaning {
        value: exact(&plain)?,
        style,
    })
}

fn calendar(year: &str, month: &str, day: &str) -> Option<Date> {
    let fits = year.len() == 4
        && [month, day]
            .iter()
            .all(|part| (1..=2).contains(&part.len()));
    if !fits || ![year, month, day].into_iter().all(all_digits) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A date. `stated` says for the whole file what stands first where a slash or a hyphen divides. Dots
/// always stand in dates with the day first.
pub fn read_date(
    text: &str,
    stated: Option<DateOrder>,
) -> Result<Meaning<Date, DateOrder>, CellError> {
    let one = |date: Option<Date>| {
        date.map(|value| Meaning { value, style: None })
            .ok_or(CellError::NotADate)
    };
    for separator in ['-', '/', '.'] {
        let mut parts = text.split(separator);
        let (Some(a), Some(b), Some(c), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if a.len() == 4 {
            let two_digits = b.len() == 2 && c.len() == 2 && separator != '.';
            return one(calendar(a, b, c).filter(|_| two_digits));
        }
        if separator == '.' {
            return one(calendar(c, b, a));
        }
        let read = |order, date| {
            if stated.is_none_or(|stated| stated == order) {
                date
            } else {
                None
            }
        };
        let day_first = read(DateOrder::DayFirst, calendar(c, b, a));
        let month_first = read(DateOrder::MonthFirst, calendar(c, a, b));
        return match (day_first, month_first) {
            (None, None) => Err(CellError::NotADate),
            (Some(value), None) => Ok(Meaning {
                value,
                style: Some(DateOrder::DayFirst),
            }),
            (None, Some(value)) => Ok(Meaning {
                value,
                style: Some(DateOrder::MonthFirst),
            }),
            (Some(one), Some(two)) if one == two => Ok(Meaning {
                value: one,
                style: None,
            }),
            (Some(one), Some(two)) => Err(CellError::AmbiguousDate(one.min(two), one.max(two))),
        };
    }
    Err(CellError::NotADate)
}

/// A code. An apostrophe before it says that it is text whatever it looks like, and falls away.
pub fn read_code(text: &str) -> Result<String, CellError> {
    if text.chars().any(char::is_control) {
        return Err(CellError::ControlSign);
    }
    if let Some(code) = text.strip_prefix('\'') {
        return Ok(code.to_owned());
    }
    if text.starts_with(FORMULA_SIGNS) {
        return Err(CellError::Formula);
    }
    Ok(text.to_owned())
}

/// A code as it is written into a file: what a spreadsheet would compute gets an apostrophe.
pub fn write_code(code: &str) -> String {
    if code.starts_with(FORMULA_SIGNS) || code.starts_with('\'') {
        format!("'{code}")
    } else {
        code.to_owned()
    }
}

/// A rate as it is written into a file: two decimals at least, and never three, which could be read as
/// thousands.
pub fn write_rate(rate: Micro) -> String {
    let plain = rate.to_string();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let width = match decimals.len() {
        0..=2 => 2,
        3 => 4,
        more => more,
    };
    format!("{whole}.{decimals:0<width$}")
}
