//! What a person is told when something cannot be done: what happened, why, and what to do.

use crate::config::ConfigError;
use crate::out;
use pipeline::error::PassError;
use server::failed::{Failed, Kind};
use std::process::ExitCode;
use store::StoreError;

/// A command that could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: String,
    code: u8,
}

/// Wrong use or configuration.
const WRONG_USE: u8 = 2;
/// Something needs a person.
pub(crate) const NEEDS_A_PERSON: u8 = 3;

impl Failure {
    /// Wrong use or configuration.
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
            code: WRONG_USE,
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

    /// What happened.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Tell it and give the exit code.
    pub(crate) fn report(self) -> ExitCode {
        self.tell();
        ExitCode::from(self.code)
    }

    /// Tell it and go on.
    pub(crate) fn tell(&self) {
        out::complain(&format!("error: {}", self.what));
        out::complain(&format!("\nhint: {}", self.hint));
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint.clone();
        Self::usage(error.to_string(), hint)
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed.kind {
            Kind::WrongUse => Self::usage(failed.what, failed.hint),
            Kind::Stopped | Kind::Elsewhere { .. } | Kind::Fenced => {
                Self::stopped(failed.what, failed.hint)
            }
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        if failure.code == WRONG_USE {
            Self::wrong_use(failure.what, failure.hint)
        } else {
            Self::stopped(failure.what, failure.hint)
        }
    }
}

impl From<PassError> for Failure {
    fn from(error: PassError) -> Self {
        Failed::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failed::from(error).into()
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
