//! The words and headers that every connector reads through this crate.

use counterfoil_connector_sdk::call::{CallError, WORDS_LIMIT_CHARS, words};
use fuzz::{Finding, Fuzz, Seen};

const NOW_US: i64 = 1_795_435_200_000_000;
const DAY_MS: u64 = 24 * 3_600_000;

#[test]
fn fuzz_retry_after() -> Result<(), Finding> {
    Fuzz::new("retry_after", env!("CARGO_MANIFEST_DIR"))
        .seeds([
            "7",
            "120",
            "Mon, 23 Nov 2026 12:00:30 GMT",
            "Fri, 31 Dec 9999 23:59:60 +2359",
        ])
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let wait = CallError::retry_after_ms(Some(&text), NOW_US);
            if wait.is_some_and(|ms| ms > DAY_MS) {
                return Err(format!("would wait {wait:?} ms"));
            }
            let kind = if wait.is_some() { "wait" } else { "none" };
            Ok(Seen::read(kind, &wait))
        })
}

#[test]
fn fuzz_words() -> Result<(), Finding> {
    Fuzz::new("words", env!("CARGO_MANIFEST_DIR"))
        .seeds(["Hours is invalid", "The period is closed\u{1b}[31m\r\n"])
        .run(|bytes| {
            let said = words(&String::from_utf8_lossy(bytes));
            if said.chars().count() > WORDS_LIMIT_CHARS
                || said.chars().any(|c| c.is_control() && c != '\n')
            {
                return Err("words that no terminal should be shown".to_owned());
            }
            Ok(Seen::read("words", &said))
        })
}
