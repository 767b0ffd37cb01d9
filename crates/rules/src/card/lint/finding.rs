//! The kinds of findings: code, severity, remedy. A code that was published keeps its meaning.

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Rows that cannot be used, or not together.
    Error,
    /// Probably not what was meant.
    Warning,
    /// History that is worth knowing.
    Note,
}

impl Severity {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintCode {
    /// Two rows of one key and one version cover one day.
    Overlap,
    /// Days between two rows of a key have no rate.
    Gap,
    /// Rows of two keys, neither more specific, apply to one piece of work.
    Tie,
    /// More specific rows always win.
    Shadowed,
    /// Later versions took all days of a row.
    Replaced,
    /// The contract is in another currency.
    Currency,
    /// Below zero.
    Negative,
    /// Too many decimals.
    TooFine,
    /// It covers no day.
    Dates,
    /// A code that nothing has.
    UnknownCode,
    /// The key says two things that cannot both be.
    KeyContradicts,
    /// A task without its project.
    TaskWithoutProject,
    /// The rate changes by more than half.
    Jump,
    /// It was recorded in the future.
    RecordedLater,
    /// The contract covers none of its days.
    OutsideContract,
}

impl LintCode {
    /// All codes.
    pub const ALL: [Self; 15] = [
        Self::Overlap,
        Self::Gap,
        Self::Tie,
        Self::Shadowed,
        Self::Replaced,
        Self::Currency,
        Self::Negative,
        Self::TooFine,
        Self::Dates,
        Self::UnknownCode,
        Self::KeyContradicts,
        Self::TaskWithoutProject,
        Self::Jump,
        Self::RecordedLater,
        Self::OutsideContract,
    ];

    /// The stable text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Overlap => "RATE_OVERLAP",
            Self::Gap => "RATE_GAP",
            Self::Tie => "RATE_TIE",
            Self::Shadowed => "RATE_SHADOWED",
            Self::Replaced => "RATE_REPLACED",
            Self::Currency => "RATE_CURRENCY",
            Self::Negative => "RATE_NEGATIVE",
            Self::TooFine => "RATE_TOO_FINE",
            Self::Dates => "RATE_DATES",
            Self::UnknownCode => "RATE_UNKNOWN_CODE",
            Self::KeyContradicts => "RATE_KEY_CONTRADICTS",
            Self::TaskWithoutProject => "RATE_TASK_WITHOUT_PROJECT",
            Self::Jump => "RATE_JUMP",
            Self::RecordedLater => "RATE_RECORDED_LATER",
            Self::OutsideContract => "RATE_OUTSIDE_CONTRACT",
        }
    }

    /// How bad it is, unless the case is a milder one.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Overlap
            | Self::Tie
            | Self::Currency
            | Self::Negative
            | Self::TooFine
            | Self::Dates
            | Self::UnknownCode
            | Self::KeyContradicts
            | Self::TaskWithoutProject => Severity::Error,
            Self::Gap
            | Self::Shadowed
            | Self::Jump
            | Self::RecordedLater
            | Self::OutsideContract => Severity::Warning,
            Self::Replaced => Severity::Note,
        }
    }

    /// Whether a row is malformed by itself: a configuration that holds it is not loaded.
    pub const fn malformed(self) -> bool {
        match self {
            Self::Negative | Self::TooFine | Self::Dates | Self::TaskWithoutProject => true,
            Self::Overlap
            | Self::Gap
            | Self::Tie
            | Self::Shadowed
            | Self::Replaced
            | Self::Currency
            | Self::UnknownCode
            | Self::KeyContradicts
            | Self::Jump
            | Self::RecordedLater
            | Self::OutsideContract => false,
        }
    }

    /// What to do.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Overlap => {
                "end the earlier row where the later one begins, or give the newer one the day it was recorded"
            }
            Self::Gap => {
                "write a rate for these days, or let the first row end where the second begins"
            }
            Self::Tie => "add a row whose key names all that both name, or drop one of the two",
            Self::Shadowed => "drop the row, or the ones that win over it",
            Self::Replaced => {
                "nothing, if it is history: work priced before the later rows were recorded keeps it"
            }
            Self::Currency => {
                "write the rate in the currency of the contract, or name another contract"
            }
            Self::Negative => "write a rate of 0 or more; a discount is a contract's matter",
            Self::TooFine => "round the rate; ERPs store 4 decimals of it",
            Self::Dates => {
                "`to` is the first day the rate no longer holds; write a later one, or none"
            }
            Self::UnknownCode => "mend the code, or enter it in the ERP or the configuration first",
            Self::KeyContradicts => "drop from the key what does not belong to the contract",
            Self::TaskWithoutProject => "add the project",
            Self::Jump => "check for a slip of the decimal point; nothing, if it is meant",
            Self::RecordedLater => "write the day on which the rate was really entered",
            Self::OutsideContract => "mend the days of the row or of the contract",
        }
    }
}

impl Serialize for LintCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// Something that is wrong, with the rows it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: LintCode,
    /// How bad.
    pub severity: Severity,
    /// The rows, by their place in the rows that were given; the one at fault first.
    pub rows: Vec<usize>,
    /// What is wrong, in a sentence.
    pub sentence: String,
}
