//! The running lab, from the file that the environment names.

use serde_json::Value;
use std::process::Command;

/// The facts of the lab.
#[derive(Debug, Clone)]
pub(crate) struct Lab(Value);

impl Lab {
    /// The lab, if one runs with both systems.
    pub(crate) fn running() -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests find the running lab through the environment"
        )]
        let path = std::env::var("COUNTERFOIL_LAB_JSON").ok()?;
        let text = std::fs::read_to_string(path).expect("the lab's facts are readable");
        let facts: Value = serde_json::from_str(&text).expect("the lab's facts are JSON");
        let both = !facts["tryton"].is_null() && !facts["redmine"].is_null();
        both.then_some(Self(facts))
    }

    /// A fact, by JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("the lab has no {pointer}"))
    }

    /// A text, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer)
            .as_str()
            .unwrap_or_else(|| panic!("{pointer} is no text"))
    }

    /// A number, by JSON pointer.
    pub(crate) fn id(&self, pointer: &str) -> i64 {
        self.at(pointer)
            .as_i64()
            .unwrap_or_else(|| panic!("{pointer} is no number"))
    }

    /// Everything that must never be printed.
    pub(crate) fn secrets(&self) -> Vec<String> {
        [
            "/redmine/seed/connector/key",
            "/redmine/seed/admin/key",
            "/tryton/logins/connector/password",
            "/tryton/logins/admin/password",
        ]
        .iter()
        .map(|pointer| self.text(pointer).to_owned())
        .collect()
    }

    /// Run one of the lab's commands.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Result<(), String> {
        let words: Vec<&str> = self
            .at(command)
            .as_array()
            .expect("a list of words")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let output = Command::new(words[0])
            .args(&words[1..])
            .args(more)
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
