//! What a person is told when something cannot be done: what happened, why, and what to do.

use crate::config::ConfigError;
use crate::out;
use pipeline::error::PassError;
use std::process::ExitCode;
use store::StoreError;

/// A command that could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: String,
    code: u8,
}

/// Something needs a person.
pub(crate) const NEEDS_A_PERSON: u8 = 3;

impl Failure {
    /// Wrong use or configuration.
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
            code: 2,
        }
    }

    /// Stopped by an error.
    pub(crate) fn stopped(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
            code: 1,
        }
    }

    /// Tell it and give the exit code.
    pub(crate) fn report(self) -> ExitCode {
        out::complain(&format!("error: {}", self.what));
        out::complain(&format!("\nhint: {}", self.hint));
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint.clone();
        Self::usage(error.to_string(), hint)
    }
}

impl From<PassError> for Failure {
    fn from(error: PassError) -> Self {
        let hint = error.hint();
        match error {
            PassError::Refused { .. } => Self::usage(error.to_string(), hint),
            _ => Self::stopped(error.to_string(), hint),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::stopped(
            error.to_string(),
            "run `counterfoil check`; if the file is damaged, restore a backup",
        )
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::stopped(
            error.to_string(),
            "check the path, its permissions and the free space",
        )
    }
}
