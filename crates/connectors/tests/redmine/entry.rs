//! A time entry as Redmine writes it.

use serde_json::{Value, json};

/// One entry as Redmine writes it.
pub(crate) fn entry_text(id: u64, day: &str, changes: &Value) -> String {
    let mut entry = json!({
        "id": id, "project": {"id": 9, "name": "Build"}, "issue": {"id": 18},
        "user": {"id": 8, "name": "Consultant 04"},
        "activity": {"id": 10, "name": "Consulting"}, "hours": 1.25, "comments": "Review",
        "spent_on": day, "created_on": "2026-11-23T04:35:04Z",
        "updated_on": "2026-11-23T04:35:04Z",
        "custom_fields": [
            {"id": 1, "name": "Approval", "value": "Approved"},
            {"id": 2, "name": "Billable", "value": "1"},
            {"id": 3, "name": "Billing status", "value": "Unbilled"},
            {"id": 4, "name": "ERP reference", "value": null}]
    });
    for (name, value) in changes.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry.to_string()
}
