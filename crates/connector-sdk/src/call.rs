//! What a call came to. Classified by the connector, acted on by the pipeline.

use crate::transport::{Sent, TransportError};
use domain::exception::Problem;
use thiserror::Error;

/// The most of an ERP's words that is kept, in characters.
pub const WORDS_LIMIT_CHARS: usize = 600;

/// Words of the other side, cut at the limit and freed of control characters; their lines stay.
pub fn words(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(WORDS_LIMIT_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// A call that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// Surely not executed: it never got there, or was rolled back. May be sent again.
    #[error("not executed: {words}")]
    NotExecuted {
        /// What was said.
        words: String,
        /// How long to wait before the next call, in milliseconds, if the other side said.
        retry_after_ms: Option<u64>,
    },
    /// Over the limit: not executed, and the whole account should slow down.
    #[error("over the limit: {words}")]
    Throttled {
        /// What was said.
        words: String,
        /// How long to wait, in milliseconds, if the other side said.
        retry_after_ms: Option<u64>,
    },
    /// The credentials are wrong, expired or not allowed to do this. Not executed.
    #[error("not authorised: {words}")]
    Unauthorized {
        /// What was said.
        words: String,
    },
    /// Nobody knows whether it was executed. Only a look-up may decide.
    #[error("outcome unknown: {words}")]
    Ambiguous {
        /// What was said.
        words: String,
    },
    /// The whole call was refused for a reason of business; nothing of it was executed.
    #[error("refused: {}", problem.facts)]
    Refused {
        /// The reason.
        problem: Problem,
    },
    /// The other side speaks a language the connector does not know. Never retried as if safe.
    #[error("not understood: {words}")]
    Contract {
        /// What was said.
        words: String,
    },
}

impl CallError {
    /// A transport error of a read: nothing can have changed.
    pub fn of_read(error: &TransportError) -> Self {
        Self::NotExecuted {
            words: error.detail.clone(),
            retry_after_ms: None,
        }
    }

    /// A transport error of a write.
    pub fn of_write(error: &TransportError) -> Self {
        match error.sent {
            Sent::NotSent => Self::of_read(error),
            Sent::MaybeSent => Self::Ambiguous {
                words: error.detail.clone(),
            },
        }
    }

    /// The `Retry-After` header in milliseconds: seconds or an HTTP date.
    pub fn retry_after_ms(value: Option<&str>, now_us: i64) -> Option<u64> {
        let value = value?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return seconds.checked_mul(1000).map(|ms| ms.min(24 * 3_600_000));
        }
        let at = jiff::fmt::rfc2822::parse(value)
            .ok()?
            .timestamp()
            .as_microsecond();
        let wait_us = at.saturating_sub(now_us).max(0);
        u64::try_from(wait_us / 1000)
            .ok()
            .map(|ms| ms.min(24 * 3_600_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_as_seconds_or_date() {
        let now_us = 1_795_435_200_000_000; // 2026-11-23T12:00:00Z
        assert_eq!(CallError::retry_after_ms(Some("7"), now_us), Some(7000));
        let date = "Mon, 23 Nov 2026 12:00:30 GMT";
        assert_eq!(CallError::retry_after_ms(Some(date), now_us), Some(30_000));
        let past = "Mon, 23 Nov 2026 11:00:00 GMT";
        assert_eq!(CallError::retry_after_ms(Some(past), now_us), Some(0));
        for bad in ["soon", "", "-3"] {
            assert_eq!(CallError::retry_after_ms(Some(bad), now_us), None, "{bad}");
        }
        assert_eq!(CallError::retry_after_ms(None, now_us), None);
    }

    #[test]
    fn words_are_cut_and_freed_of_control_characters() {
        assert_eq!(words(" a\u{0}b\u{1b}[31m\n"), "ab[31m");
        assert_eq!(words(&"x".repeat(2000)).len(), WORDS_LIMIT_CHARS);
    }
}
