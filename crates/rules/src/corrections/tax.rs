//! Tax of a correction: it follows the supply, never the day on which somebody corrects.

use domain::decimal::Micro;
use jiff::civil::Date;
use std::fmt;

/// How a line was taxed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxed {
    /// The treatment's name.
    pub treatment: String,
    /// The rate in percent.
    pub rate_percent: Micro,
    /// The day that decides about tax: that of the supply.
    pub tax_point: Date,
}

impl fmt::Display for Taxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} % {}",
            self.treatment, self.rate_percent, self.tax_point
        )
    }
}

/// How a new line is taxed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewTax {
    /// As the line it replaces: the same supply.
    Kept(Taxed),
    /// To be determined for another supply, as of this day.
    Anew(Date),
}

impl fmt::Display for NewTax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(taxed) => taxed.fmt(f),
            Self::Anew(day) => write!(f, "anew {day}"),
        }
    }
}
