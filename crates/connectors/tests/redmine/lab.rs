//! The running lab, from the file that the environment names.

use connector_sdk::clock::SystemClock;
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::{ExposeSecret, SecretString};
use connector_sdk::transport::{Effect, Method, Request, Transport};
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
        Self::build(RedmineConfig::at(self.url()), &self.key(key))
    }

    /// The connector with its own key and a changed configuration.
    pub(crate) fn connector_with(&self, change: impl FnOnce(&mut RedmineConfig)) -> Redmine {
        let mut config = RedmineConfig::at(self.url());
        change(&mut config);
        Self::build(config, &self.key("/connector/key"))
    }

    /// A connector with any key.
    pub(crate) fn build(config: RedmineConfig, key: &SecretString) -> Redmine {
        let transport = HttpTransport::new(Arc::new(SystemClock)).expect("no transport");
        Redmine::new(config, key, Arc::new(transport), Arc::new(SystemClock)).expect("no connector")
    }
}

impl Lab {
    /// One call with the administrator's key, as a person at the screen would act.
    pub(crate) async fn act(
        &self,
        method: Method,
        path: &str,
        body: serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let transport = HttpTransport::new(Arc::new(SystemClock)).expect("no transport");
        let key = self.key("/admin/key");
        let reply = transport
            .send(Request {
                method,
                url: format!("{}/{path}", self.url()),
                headers: vec![
                    (
                        "x-redmine-api-key".to_owned(),
                        key.expose_secret().to_owned(),
                    ),
                    ("content-type".to_owned(), "application/json".to_owned()),
                ],
                body: if body.is_null() {
                    vec![]
                } else {
                    body.to_string().into_bytes()
                },
                effect: Effect::Write,
                timeout_ms: 60_000,
                body_limit_bytes: 1 << 20,
                send_not_after_us: None,
            })
            .await
            .expect("the lab does not answer");
        let parsed = serde_json::from_slice(&reply.body).unwrap_or_default();
        (reply.status, parsed)
    }

    /// Book an entry of our own in 2024 and answer its id.
    pub(crate) async fn book(&self, changes: serde_json::Value) -> String {
        let mut entry = serde_json::json!({
            "project_id": self.seed("/projects/acme-rollout/id"),
            "issue_id": self.seed("/projects/acme-rollout/issues/Build/id"),
            "activity_id": self.seed("/activities/Development"),
            "user_id": self.seed("/users/ada.fox/id"),
            "hours": 1.33, "comments": "connector test",
        });
        for (name, value) in changes.as_object().expect("no object") {
            entry[name] = value.clone();
        }
        let body = serde_json::json!({ "time_entry": entry });
        let (status, made) = self.act(Method::Post, "time_entries.json", body).await;
        assert_eq!(status, 201, "{made}");
        made["time_entry"]["id"].to_string()
    }

    /// Delete an entry.
    pub(crate) async fn unbook(&self, id: &str) {
        let path = format!("time_entries/{id}.json");
        let (status, _) = self
            .act(Method::Delete, &path, serde_json::Value::Null)
            .await;
        assert_eq!(status, 204);
    }
}
