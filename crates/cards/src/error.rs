//! What is said about a file that cannot be read.

use rules::card::lint::Place;
use std::fmt;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardError {
    /// Where.
    pub place: Place,
    /// The column: its letter in a workbook, its heading.
    pub column: Option<String>,
    /// What was found and what was expected.
    pub what: String,
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A file that is not taken: all that is wrong with it, up to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardProblem {
    /// What is wrong, at least one thing.
    pub errors: Vec<CardError>,
}

impl CardProblem {
    /// A file that cannot be read at all.
    pub(crate) fn file(name: &str, what: impl Into<String>) -> Self {
        Self {
            errors: vec![CardError {
                place: Place {
                    file: name.to_owned(),
                    ..Place::default()
                },
                column: None,
                what: what.into(),
            }],
        }
    }
}

impl fmt::Display for CardProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CardProblem {}
