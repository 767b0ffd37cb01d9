//! What a run found: the input, what went wrong, and how to see it again.

use std::fmt;
use std::path::PathBuf;

/// A broken law, or a run that could not begin. A test returns it, so that `Debug` is what a
/// person reads.
pub struct Finding {
    pub(crate) target: &'static str,
    pub(crate) what: String,
    pub(crate) input: Vec<u8>,
    pub(crate) file: Option<PathBuf>,
}

/// Bytes of the input that a message shows.
const SHOWN_BYTES: usize = 300;

impl Finding {
    pub(crate) fn of_set_up(target: &'static str, what: impl Into<String>) -> Self {
        Self {
            target,
            what: what.into(),
            input: Vec::new(),
            file: None,
        }
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.input.get(..SHOWN_BYTES).unwrap_or(&self.input);
        writeln!(f, "target {}: {}", self.target, self.what)?;
        writeln!(
            f,
            "input of {} bytes, beginning with: {}",
            self.input.len(),
            start.escape_ascii()
        )?;
        match &self.file {
            Some(file) => write!(
                f,
                "again: cargo xtask fuzz --target {} --replay {}",
                self.target,
                file.display()
            ),
            None => write!(f, "the input could not be written to a file"),
        }
    }
}
