//! The configuration: one TOML file, unknown keys refused, secrets only by reference.

mod file;
mod place;
mod proposal;
pub(crate) mod rates;
mod secret;
mod settings;

pub(crate) use file::ConfigFile;
pub(crate) use proposal::read_proposal;
pub(crate) use rates::{RateTables, read_card};
pub(crate) use secret::{SecretRef, SecretValue};
pub(crate) use settings::settings_of;

use domain::told::brief;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A configuration that was read and can be trusted to make sense on its own.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file.
    pub(crate) file: ConfigFile,
    /// The rates of the file and of the files it names.
    pub(crate) rates: RateTables,
    /// The folder the file lies in: relative paths start there.
    pub(crate) folder: PathBuf,
    /// Contradictions that do not stop the program.
    pub(crate) warnings: Vec<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
#[error("{path}{place}: {what}")]
pub(crate) struct ConfigError {
    path: String,
    place: String,
    what: String,
    /// What to do.
    pub(crate) hint: String,
}

impl ConfigError {
    pub(crate) fn new(path: &Path, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            path: path.display().to_string(),
            place: String::new(),
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// From a check of what was read.
    fn of_complaint(path: &Path, text: &str, complaint: file::Complaint) -> Self {
        let line = complaint
            .place
            .and_then(|place| place::line_of(text, place));
        Self {
            path: path.display().to_string(),
            place: line.map_or_else(String::new, |line| format!(", line {line}")),
            what: brief(&complaint.what),
            hint: complaint.hint,
        }
    }

    /// From the TOML reader. Its snippet is not shown: a misplaced secret may stand in it.
    fn of_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map_or_else(String::new, |span| {
            format!(", line {}", place::line_at(text, span.start))
        });
        Self {
            path: path.display().to_string(),
            place,
            what: brief(&without_value(error.message())),
            hint: "every key is described in the file that `counterfoil init` writes".to_owned(),
        }
    }
}

/// A message of the TOML reader without the text that stands where another form was expected: it
/// may be a secret that was put in the wrong place.
fn without_value(message: &str) -> Cow<'_, str> {
    let parts = message
        .strip_prefix("invalid type: string ")
        .and_then(|rest| rest.rsplit_once(", expected "));
    parts.map_or(Cow::Borrowed(message), |(_, expected)| {
        Cow::Owned(format!("a text, expected {expected}"))
    })
}

/// The largest configuration that is read, in bytes.
const CONFIG_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

/// The text of a file of a size that a person writes.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    let size = std::fs::metadata(path).map_err(|error| {
        ConfigError::new(
            path,
            format!("cannot be read: {error}"),
            "write a configuration with `counterfoil init`, or name one with --config",
        )
    })?;
    if size.len() > CONFIG_LIMIT_BYTES {
        return Err(ConfigError::new(
            path,
            format!("is larger than {CONFIG_LIMIT_BYTES} bytes"),
            "check that this is the right file",
        ));
    }
    std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(
            path,
            format!("cannot be read: {error}"),
            "save it as UTF-8 text",
        )
    })
}

impl Config {
    /// Read and check a file.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_to_lint(path)?.with_usable_rates(path)
    }

    /// Read and check a file; rates are read and not checked, so that all that is wrong with them can
    /// be told.
    pub(crate) fn load_to_lint(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        let folder = path
            .parent()
            .unwrap_or_else(|| Path::new("."))
            .to_path_buf();
        Self::read(path, &text, folder)
    }

    /// Read and check a text.
    #[cfg(test)]
    pub(crate) fn parse(path: &Path, text: &str, folder: PathBuf) -> Result<Self, ConfigError> {
        Self::read(path, text, folder)?.with_usable_rates(path)
    }

    fn read(path: &Path, text: &str, folder: PathBuf) -> Result<Self, ConfigError> {
        let file: ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::of_toml(path, text, &error))?;
        let warnings = file
            .check()
            .map_err(|complaint| ConfigError::of_complaint(path, text, complaint))?;
        let rates = RateTables::read(path, text, &file, &folder)?;
        Ok(Self {
            file,
            rates,
            folder,
            warnings,
        })
    }

    /// Refuse rates that cannot be used; warn where there is more to say.
    fn with_usable_rates(mut self, path: &Path) -> Result<Self, ConfigError> {
        self.warnings.extend(self.rates.check(path, &self.file)?);
        Ok(self)
    }

    /// A path of the configuration, relative to its folder.
    pub(crate) fn path_of(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

#[cfg(test)]
mod fuzz_checks;
#[cfg(test)]
mod tests;
