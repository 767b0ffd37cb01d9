//! Reads how many tests ran from the closing lines of nextest and of cargo's own runner.

use std::fmt;
use std::ops::AddAssign;

/// Tests that ran, by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Count {
    /// What the line reports; nothing, when it is no closing line.
    pub(super) fn of_line(line: &str) -> Self {
        if let Some((_, rest)) = line
            .trim_start()
            .strip_prefix("Summary [")
            .and_then(|r| r.split_once(']'))
        {
            let run = number_before(rest, "test");
            let passed = number_before(rest, "passed");
            // Failed, timed out, could not be started: whatever ran and did not pass.
            let failed = run.saturating_sub(passed);
            return Self {
                passed,
                failed,
                skipped: number_before(rest, "skipped"),
            };
        }
        // Indented, it is what nextest repeats from a failed test's own output.
        if line.starts_with("test result: ") {
            return Self {
                passed: number_before(line, "passed"),
                failed: number_before(line, "failed"),
                skipped: number_before(line, "ignored"),
            };
        }
        Self::default()
    }
}

/// The number that stands before the first word with that beginning.
fn number_before(text: &str, word: &str) -> u64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [n, w] if w.starts_with(word) => n.split('/').next().and_then(|n| n.parse().ok()),
            _ => None,
        })
        .unwrap_or(0)
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn reads_the_closing_lines_of_both_runners() {
        let cases = [
            (
                "     Summary [   0.004s] 10 tests run: 9 passed, 1 failed, 2 skipped",
                (9, 1, 2),
            ),
            (
                "     Summary [   1.004s] 1 test run: 1 passed, 0 skipped",
                (1, 0, 0),
            ),
            (
                "Summary [ 61.0s] 4 tests run: 2 passed (1 slow), 2 timed out, 3 skipped",
                (2, 2, 3),
            ),
            (
                "Summary [ 9.0s] 4/9 tests run: 3 passed, 1 failed, 0 skipped",
                (3, 1, 0),
            ),
            (
                "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured",
                (3, 1, 2),
            ),
            (
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured",
                (0, 0, 0),
            ),
            ("a test may print: 7 passed, 0 failed", (0, 0, 0)),
        ];
        for (line, (passed, failed, skipped)) in cases {
            assert_eq!(
                Count::of_line(line),
                Count {
                    passed,
                    failed,
                    skipped
                },
                "{line}"
            );
        }
    }
}
