//! The house rules that no compiler checks. They run as a test of this crate too.

mod arrows;
mod files;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

use crate::environment::repository;

/// One broken rule, at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Path inside the repository, with the line where there is one.
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Runs `tidy` from the command line.
pub(crate) fn run() -> Result<()> {
    let findings = check(&repository()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break a rule", findings.len());
    }
    println!("tidy: all rules hold");
    Ok(())
}

/// All findings of all rules.
fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = arrows::check(root)?;
    findings.extend(files::check(root)?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_keeps_its_rules() {
        let root = crate::environment::repository().expect("the repository's root");
        let findings = super::check(&root).expect("the rules can be checked");
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(text.is_empty(), "\n{}", text.join("\n"));
    }
}
