//! What a connection's check found: one line per thing looked at.

/// How a line of a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Fine.
    Good,
    /// Works, but somebody should know.
    Warning,
    /// Does not work.
    Bad,
}

/// One line of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// What was looked at.
    pub subject: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, as a sentence.
    pub found: String,
    /// What to do, where something is to be done.
    pub hint: Option<String>,
}

impl CheckLine {
    /// A good line.
    pub fn good(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            verdict: Verdict::Good,
            found: found.into(),
            hint: None,
        }
    }

    /// A line with a hint.
    pub fn with_hint(
        verdict: Verdict,
        subject: impl Into<String>,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            found: found.into(),
            hint: Some(hint.into()),
        }
    }
}
