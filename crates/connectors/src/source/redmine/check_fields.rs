//! Whether the custom fields are there and fit: from their definitions where the key may read
//! them, else from what records show. Pure.

use super::config::{FieldRef, RedmineConfig};
use super::wire::{CustomValue, FieldDefinition};
use connector_sdk::check::{CheckLine, Verdict};
use domain::status::BillingStatus;
use serde::Deserialize;

const SUBJECT: &str = "custom fields";

/// What one field has to be.
struct Need<'a> {
    which: &'a FieldRef,
    /// Redmine's name of the kind of record that carries it.
    on: &'static str,
    formats: &'static [&'static str],
    values: Vec<String>,
    /// What fails without it.
    loss: &'static str,
}

fn needs(config: &RedmineConfig) -> Vec<Need<'_>> {
    let words = BillingStatus::ALL.map(|status| status.words().to_owned());
    let fields = &config.fields;
    let need = |which, on, formats, values, loss| Need {
        which,
        on,
        formats,
        values,
        loss,
    };
    [
        need(
            &fields.approval,
            "time_entry",
            &["list", "string"],
            config.approved_values.clone(),
            "no entry can be seen to be approved",
        ),
        need(
            &fields.billable,
            "time_entry",
            &["bool"],
            vec![],
            "nobody can mark time as not billable (set fields.billable = 0 if all is)",
        ),
        need(
            &fields.billing_status,
            "time_entry",
            &["list", "string"],
            words.to_vec(),
            "people cannot see what became of their time",
        ),
        need(
            &fields.erp_reference,
            "time_entry",
            &["string", "text"],
            vec![],
            "people cannot see the ERP's reference",
        ),
        need(
            &fields.erp_project,
            "project",
            &["string", "text", "list"],
            vec![],
            "projects are only known from the crosswalk",
        ),
        need(
            &fields.erp_customer,
            "project",
            &["string", "text", "list"],
            vec![],
            "customers are only known from the contracts",
        ),
        need(
            &fields.erp_task,
            "issue",
            &["string", "text", "list"],
            vec![],
            "tasks are only known from the crosswalk",
        ),
    ]
    .into_iter()
    .filter(|need| need.which.is_used())
    .collect()
}

fn line(verdict: Verdict, found: String, hint: String) -> CheckLine {
    CheckLine::with_hint(verdict, SUBJECT, found, hint)
}

/// Names come twice in Redmine: 'ERP' may be a field of projects and of issues.
fn page_words(on: &str) -> &str {
    match on {
        "time_entry" => "Spent time",
        "project" => "Projects",
        _ => "Issues",
    }
}

fn missing(need: &Need<'_>) -> CheckLine {
    let page = page_words(need.on);
    line(
        Verdict::Bad,
        format!("There is no {} for {page}: {}.", need.which, need.loss),
        format!(
            "Add it in Administration, Custom fields, {page}, or name the right one in fields."
        ),
    )
}

/// Judge the definitions, which only an administrator's key may read.
pub(super) fn definition_lines(
    config: &RedmineConfig,
    definitions: &[FieldDefinition],
) -> Vec<CheckLine> {
    let mut lines: Vec<CheckLine> = needs(config)
        .iter()
        .flat_map(|need| {
            let found = definitions
                .iter()
                .find(|d| d.customized_type == need.on && need.which.means(d.id, &d.name));
            match found {
                Some(definition) => judge(need, definition),
                None => vec![missing(need)],
            }
        })
        .collect();
    if lines.is_empty() {
        let found = "All custom fields are there, of the right kind and with the needed values.";
        lines.push(CheckLine::good(SUBJECT, found));
    }
    lines
}

fn judge(need: &Need<'_>, definition: &FieldDefinition) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    let page = page_words(need.on);
    if !need.formats.contains(&definition.field_format.as_str()) {
        lines.push(line(
            Verdict::Bad,
            format!(
                "The {} has the format '{}', but should be '{}'.",
                need.which,
                definition.field_format,
                need.formats.join("' or '")
            ),
            format!("Make a new field of that format in Administration, Custom fields, {page}."),
        ));
    }
    if definition.multiple {
        lines.push(line(
            Verdict::Bad,
            format!("The {} takes several values.", need.which),
            "Switch off 'Multiple values' of the field.".to_owned(),
        ));
    }
    if definition.field_format == "list" {
        let lacking: Vec<&str> = need
            .values
            .iter()
            .filter(|value| {
                !definition
                    .possible_values
                    .iter()
                    .any(|p| p.value == **value)
            })
            .map(String::as_str)
            .collect();
        if !lacking.is_empty() {
            lines.push(line(
                Verdict::Bad,
                format!("The list of {} lacks: {}.", need.which, lacking.join(", ")),
                format!(
                    "Add these values, written exactly so, in Administration, Custom fields, {page}."
                ),
            ));
        }
    }
    lines
}

#[derive(Deserialize)]
struct Carrier {
    #[serde(default)]
    custom_fields: Vec<CustomValue>,
}

/// Judge by one record of each kind, where the key may not read the definitions.
pub(super) fn seen_lines(
    config: &RedmineConfig,
    entries: &[String],
    projects: &[String],
    issues: &[String],
) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    for need in needs(config) {
        let sample = match need.on {
            "time_entry" => entries,
            "project" => projects,
            _ => issues,
        };
        let Some(record) = sample
            .first()
            .and_then(|row| serde_json::from_str::<Carrier>(row).ok())
        else {
            lines.push(line(
                Verdict::Warning,
                format!(
                    "There is no record that could show the {} for {}.",
                    need.which,
                    page_words(need.on)
                ),
                "Run check again when there is one, or once with an administrator's key."
                    .to_owned(),
            ));
            continue;
        };
        if !record
            .custom_fields
            .iter()
            .any(|value| need.which.means(value.id, &value.name))
        {
            lines.push(missing(&need));
        }
    }
    if lines.is_empty() {
        lines.push(CheckLine::good(SUBJECT, "All custom fields are there."));
    }
    let words: Vec<&str> = BillingStatus::ALL.iter().map(|s| s.words()).collect();
    lines.push(line(
        Verdict::Warning,
        "The kinds and lists of the custom fields can only be read with an administrator's key."
            .to_owned(),
        format!(
            "Run check once with such a key, or compare by hand: {} needs the values {}; {} needs {}.",
            config.fields.billing_status,
            words.join(", "),
            config.fields.approval,
            config.approved_values.join(", ")
        ),
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(change: impl FnOnce(&mut Vec<serde_json::Value>)) -> Vec<FieldDefinition> {
        let list = |id: u64, name: &str, values: &[&str]| {
            serde_json::json!({"id": id, "name": name, "customized_type": "time_entry",
                "field_format": "list", "multiple": false,
                "possible_values": values.iter().map(|v| serde_json::json!({"value": v})).collect::<Vec<_>>()})
        };
        let plain = |id: u64, name: &str, on: &str, format: &str| {
            serde_json::json!({"id": id, "name": name, "customized_type": on,
                "field_format": format})
        };
        let words: Vec<&str> = BillingStatus::ALL.iter().map(|s| s.words()).collect();
        let mut all = vec![
            list(1, "Approval", &["Submitted", "Approved"]),
            plain(2, "Billable", "time_entry", "bool"),
            list(3, "Billing status", &words),
            plain(4, "ERP reference", "time_entry", "string"),
            plain(5, "ERP customer", "project", "string"),
            plain(6, "ERP project", "project", "string"),
            plain(7, "ERP task", "issue", "string"),
        ];
        change(&mut all);
        serde_json::from_value(serde_json::Value::Array(all)).unwrap()
    }

    #[test]
    fn judges_definitions() {
        let config = RedmineConfig::at("http://x");
        let check = |change: &dyn Fn(&mut Vec<serde_json::Value>), expected: &str| {
            let lines = definition_lines(&config, &definitions(change));
            assert!(lines[0].found.contains(expected), "{:?}", lines[0]);
            assert_eq!(lines.len(), 1);
        };
        check(&|_| {}, "All custom fields are there");
        check(
            &|all| drop(all.remove(6)),
            "no custom field 'ERP task' for Issues",
        );
        check(
            &|all| all[6]["customized_type"] = "project".into(),
            "for Issues",
        );
        check(
            &|all| all[1]["field_format"] = "string".into(),
            "should be 'bool'",
        );
        check(&|all| all[0]["multiple"] = true.into(), "several values");
        check(
            &|all| {
                let values = all[2]["possible_values"].as_array_mut().unwrap();
                values.retain(|v| v["value"] != "Cost only");
            },
            "lacks: Cost only",
        );
    }

    #[test]
    fn judges_by_records_where_definitions_are_hidden() {
        let config = RedmineConfig::at("http://x");
        let entry = r#"{"custom_fields":[{"id":1,"name":"Approval"},{"id":2,"name":"Billable"},
            {"id":3,"name":"Billing status"}]}"#;
        let project =
            r#"{"custom_fields":[{"id":5,"name":"ERP customer"},{"id":6,"name":"ERP project"}]}"#;
        let lines = seen_lines(&config, &[entry.to_owned()], &[project.to_owned()], &[]);
        let found: Vec<&str> = lines.iter().map(|line| line.found.as_str()).collect();
        assert_eq!(lines.len(), 3, "{found:?}");
        assert!(found[0].contains("no custom field 'ERP reference'"));
        assert!(found[1].contains("no record that could show"));
        assert!(lines[2].hint.as_deref().unwrap().contains("Cost only"));
    }
}
