//! The running lab, from the file that the environment names.

use connector_sdk::clock::SystemClock;
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::SecretString;
use counterfoil_connectors::source::redmine::{Redmine, RedmineConfig};
use std::sync::Arc;

/// The facts of the lab's Redmine.
pub(crate) struct Lab(serde_json::Value);

impl Lab {
    /// The lab, if the environment says that one runs.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests find the running lab through the environment"
    )]
    pub(crate) fn running() -> Option<Self> {
        let path = std::env::var("COUNTERFOIL_LAB_JSON").ok()?;
        let text = std::fs::read_to_string(&path).expect("the lab's file cannot be read");
        let facts: serde_json::Value =
            serde_json::from_str(&text).expect("the lab's file is no JSON");
        Some(Self(facts["redmine"].clone()))
    }

    /// A fact of the seed, by JSON pointer.
    pub(crate) fn seed(&self, pointer: &str) -> &serde_json::Value {
        self.0["seed"]
            .pointer(pointer)
            .unwrap_or_else(|| panic!("the seed has no {pointer}"))
    }

    /// The address of Redmine.
    pub(crate) fn url(&self) -> &str {
        self.0["url"].as_str().expect("the lab has no address")
    }

    /// The key at a pointer of the seed.
    pub(crate) fn key(&self, pointer: &str) -> SecretString {
        SecretString::from(self.seed(pointer).as_str().expect("no key").to_owned())
    }

    /// The connector with its own key.
    pub(crate) fn connector(&self) -> Redmine {
        self.connector_with(|_| {})
    }

    /// The connector with another key.
    pub(crate) fn connector_as(&self, key: &str) -> Redmine {
        self.build(RedmineConfig::at(self.url()), &self.key(key))
    }

    /// The connector with its own key and a changed configuration.
    pub(crate) fn connector_with(&self, change: impl FnOnce(&mut RedmineConfig)) -> Redmine {
        let mut config = RedmineConfig::at(self.url());
        change(&mut config);
        self.build(config, &self.key("/connector/key"))
    }

    fn build(&self, config: RedmineConfig, key: &SecretString) -> Redmine {
        let transport = HttpTransport::new(Arc::new(SystemClock)).expect("no transport");
        Redmine::new(config, key, Arc::new(transport), Arc::new(SystemClock)).expect("no connector")
    }
}
