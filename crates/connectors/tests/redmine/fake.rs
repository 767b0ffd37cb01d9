//! A Redmine in memory, with the habits of the real one: it pages by offset over live rows, stops
//! at 100, ignores what it does not know, and answers 401 and 404 with nothing.

use super::entry::entry_text;
use connector_sdk::async_trait;
use connector_sdk::transport::{Method, Reply, Request, Transport, TransportError};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const KEY: &str = "b6f1c9a2e4d8-a-key-of-no-one";

/// What the fake holds and how it misbehaves.
#[derive(Default)]
pub(crate) struct State {
    /// The time entries, as text, so that any nonsense can be put in; sorted by day and id.
    pub(crate) entries: Vec<(String, u64, String)>,
    next_id: u64,
    /// Whether `from` and `to` are ignored, as Redmine does with filters it does not know.
    pub(crate) ignores_filters: bool,
    /// Whether `offset` is ignored.
    pub(crate) ignores_offset: bool,
    /// Whether a new row comes before every page.
    pub(crate) restless: bool,
    /// Hides all but this many rows of the last page, but counts them.
    pub(crate) forgets_rows: usize,
    /// What was asked, as method and path with its query.
    pub(crate) asked: Vec<String>,
}

/// The transport to it.
#[derive(Default)]
pub(crate) struct Fake(Mutex<State>);

fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        headers: vec![],
        body: body.into(),
    }
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Put in a text of any kind under a new id; the text is made from the id.
    pub(crate) fn put(&self, day: &str, text: impl FnOnce(u64) -> String) -> u64 {
        let mut state = self.state();
        state.next_id += 1;
        let id = state.next_id;
        state.entries.push((day.to_owned(), id, text(id)));
        state.entries.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        self.state().entries.retain(|(_, other, _)| *other != id);
    }

    /// Replace an entry.
    pub(crate) fn replace(&self, id: u64, day: &str, text: String) {
        self.remove(id);
        let mut state = self.state();
        state.entries.push((day.to_owned(), id, text));
        state.entries.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    }

    fn list(&self, query: &str) -> Reply {
        let of = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if self.state().restless {
            self.put("2024-01-01", |id| entry_text(id, "2024-01-01", &json!({})));
        }
        let state = self.state();
        let (from, to) = (of("from").unwrap(), of("to").unwrap());
        let rows: Vec<&str> = state
            .entries
            .iter()
            .filter(|(day, _, _)| state.ignores_filters || (*day >= from && *day <= to))
            .map(|(_, _, text)| text.as_str())
            .collect();
        let limit: usize = of("limit").unwrap().parse().unwrap();
        let offset: usize = if state.ignores_offset {
            0
        } else {
            of("offset").unwrap().parse().unwrap()
        };
        let page: Vec<&str> = rows
            .iter()
            .skip(offset)
            .take(limit.min(100))
            .filter(|text| {
                let place = rows.iter().position(|row| row == *text).unwrap();
                place + state.forgets_rows < rows.len()
            })
            .copied()
            .collect();
        let body = format!(
            "{{\"time_entries\":[{}],\"total_count\":{},\"offset\":{offset},\"limit\":{limit}}}",
            page.join(","),
            rows.len()
        );
        reply(200, body)
    }

    fn one(&self, method: Method, id: &str, body: &[u8]) -> Reply {
        let mut state = self.state();
        let found = state
            .entries
            .iter_mut()
            .find(|(_, other, _)| other.to_string() == id);
        let Some((_, _, text)) = found else {
            return reply(404, "");
        };
        if method == Method::Get {
            return reply(200, format!("{{\"time_entry\":{text}}}"));
        }
        let change: Value = serde_json::from_slice(body).unwrap();
        let mut entry: Value = serde_json::from_str(text).unwrap();
        for field in change["time_entry"]["custom_fields"].as_array().unwrap() {
            for own in entry["custom_fields"].as_array_mut().unwrap() {
                if own["id"] == field["id"] {
                    own["value"] = field["value"].clone();
                }
            }
        }
        for (name, value) in change["time_entry"].as_object().unwrap() {
            if name != "custom_fields" {
                entry[name.as_str()] = value.clone();
            }
        }
        entry["updated_on"] = json!("2026-11-23T05:00:00Z");
        *text = entry.to_string();
        reply(204, "")
    }
}

#[async_trait]
impl Transport for Fake {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let path = request.url.strip_prefix("http://redmine.test/").unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.state()
            .asked
            .push(format!("{} {path}?{query}", request.method.name()));
        let key = request
            .headers
            .iter()
            .find(|(k, _)| k == "x-redmine-api-key");
        if key.is_none_or(|(_, value)| value != KEY) {
            return Ok(reply(401, ""));
        }
        let empty = |list: &str| {
            reply(
                200,
                format!("{{\"{list}\":[],\"total_count\":0,\"offset\":0,\"limit\":100}}"),
            )
        };
        Ok(match path {
            "users/current.json" => reply(
                200,
                r#"{"user":{"id":14,"login":"counterfoil","memberships":[
                    {"project":{"id":9,"name":"Build"},"roles":[{"id":6,"name":"Connector"}]}]}}"#,
            ),
            "roles/6.json" => reply(
                200,
                r#"{"role":{"id":6,"time_entries_visibility":"all","issues_visibility":"all",
                    "permissions":["view_time_entries","edit_time_entries","view_issues"]}}"#,
            ),
            "time_entries.json" if query.contains("from=") => self.list(query),
            "time_entries.json" => empty("time_entries"),
            "projects.json" => empty("projects"),
            "issues.json" => empty("issues"),
            "users.json" | "custom_fields.json" => reply(403, ""),
            other => match other
                .strip_prefix("time_entries/")
                .and_then(|rest| rest.strip_suffix(".json"))
            {
                Some(id) => self.one(request.method, id, &request.body),
                None => reply(404, "<!DOCTYPE html><html>Page not found</html>"),
            },
        })
    }
}
