//! The lab's Redmine as consultants and their manager use it.

use crate::http;
use crate::lab::Lab;
use serde_json::{Value, json};

/// Redmine with the administrator's key.
pub(crate) struct Redmine<'a>(pub(crate) &'a Lab);

/// An entry to be booked. The comment is what a test finds it by in Tryton.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) user: &'a str,
    pub(crate) project: &'a str,
    pub(crate) issue: &'a str,
    pub(crate) day: &'a str,
    pub(crate) hours: &'a str,
    pub(crate) comment: &'a str,
    pub(crate) approval: &'a str,
    pub(crate) billable: bool,
}

impl Default for Work<'_> {
    fn default() -> Self {
        Self {
            user: "ada.fox",
            project: "acme-rollout",
            issue: "Build",
            day: "",
            hours: "1.33",
            comment: "",
            approval: "Approved",
            billable: true,
        }
    }
}

impl Redmine<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/{path}", self.0.text("/redmine/url"));
        let key = self.0.text("/redmine/seed/admin/key");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, text) = http::send(method, &url, &[("X-Redmine-API-Key", key)], &body);
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Book an entry; its id.
    pub(crate) fn book(&self, work: Work<'_>) -> String {
        let seed = |path: String| self.0.at(&format!("/redmine/seed{path}")).clone();
        let project = format!("/projects/{}", work.project);
        let issue = format!("{project}/issues/{}", work.issue);
        let activity = seed(format!("{issue}/activity"));
        let activity = activity.as_str().expect("an activity");
        let entry = json!({"time_entry": {
            "project_id": seed(format!("{project}/id")),
            "issue_id": seed(format!("{issue}/id")),
            "activity_id": seed(format!("/activities/{activity}")),
            "user_id": seed(format!("/users/{}/id", work.user)),
            "spent_on": work.day, "hours": work.hours, "comments": work.comment,
            "custom_field_values": {
                "1": work.approval, "2": if work.billable { "1" } else { "0" }, "3": "Unbilled",
            },
        }});
        let (status, made) = self.call("POST", "time_entries.json", &entry);
        assert_eq!(status, 201, "{made}");
        made["time_entry"]["id"].to_string()
    }

    /// Change an entry.
    pub(crate) fn edit(&self, id: &str, changes: &Value) {
        let path = format!("time_entries/{id}.json");
        let (status, said) = self.call("PUT", &path, &json!({ "time_entry": changes }));
        assert!((200..300).contains(&status), "{status} {said}");
    }

    /// Delete an entry.
    pub(crate) fn delete(&self, id: &str) {
        let (status, _) = self.call("DELETE", &format!("time_entries/{id}.json"), &Value::Null);
        assert!((200..300).contains(&status), "{status}");
    }

    /// The entries of some days.
    pub(crate) fn entries(&self, from: &str, to: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let path = format!(
                "time_entries.json?from={from}&to={to}&limit=100&offset={}",
                all.len()
            );
            let (status, page) = self.call("GET", &path, &Value::Null);
            assert_eq!(status, 200);
            let rows = page["time_entries"].as_array().expect("a list").clone();
            let done = rows.len() < 100;
            all.extend(rows);
            if done {
                return all;
            }
        }
    }

    /// Billing status and reference that an entry shows.
    pub(crate) fn shows(&self, id: &str) -> (String, String) {
        let (status, row) = self.call("GET", &format!("time_entries/{id}.json"), &Value::Null);
        assert_eq!(status, 200);
        shown(&row["time_entry"])
    }

    /// Delete what an earlier run left on these days.
    pub(crate) fn clear(&self, from: &str, to: &str) {
        for row in self.entries(from, to) {
            self.delete(&row["id"].to_string());
        }
    }
}

/// The value of a custom field of a row.
pub(crate) fn field(row: &Value, id: i64) -> String {
    let fields = row["custom_fields"].as_array().expect("custom fields");
    let field = fields.iter().find(|field| field["id"] == id);
    let value = field.map(|field| field["value"].as_str().unwrap_or_default());
    value.unwrap_or_default().to_owned()
}

/// Billing status and reference of a row.
pub(crate) fn shown(row: &Value) -> (String, String) {
    (field(row, 3), field(row, 4))
}
