//! The parser of time entries on its own: every kind of garbage costs its own record and has the
//! right code, and no bytes at all make it panic.

use super::entry::entry_text;
use connector_sdk::call::CallError;
use connector_sdk::transport::Effect;
use counterfoil_connectors::source::redmine::errors::of_body;
use counterfoil_connectors::source::redmine::{RedmineConfig, parse_entry, parse_page};
use domain::entry::{SourceEntry, UnreadableEntry};
use domain::exception::Code;
use proptest::prelude::*;
use serde_json::{Value, json};

fn config() -> RedmineConfig {
    RedmineConfig::at("http://redmine.test")
}

fn read(text: &str) -> Result<Box<SourceEntry>, Box<UnreadableEntry>> {
    let page = format!("{{\"time_entries\":[{text}],\"total_count\":1}}");
    parse_page(page.as_bytes(), &config())
        .unwrap()
        .pop()
        .unwrap()
}

fn changed(changes: &Value) -> Result<Box<SourceEntry>, Box<UnreadableEntry>> {
    read(&entry_text(4711, "2026-11-15", changes))
}

/// The record with one field's JSON replaced by a text that may be any.
fn with_raw(field: &str, raw: &str) -> Result<Box<SourceEntry>, Box<UnreadableEntry>> {
    let marked = entry_text(4711, "2026-11-15", &json!({ field: "MARK" }));
    read(&marked.replace("\"MARK\"", raw))
}

fn custom(name: &str, value: &Value) -> Result<Box<SourceEntry>, Box<UnreadableEntry>> {
    let mut entry: Value =
        serde_json::from_str(&entry_text(4711, "2026-11-15", &json!({}))).unwrap();
    for field in entry["custom_fields"].as_array_mut().unwrap() {
        if field["name"] == name {
            field["value"] = value.clone();
        }
    }
    read(&entry.to_string())
}

#[test]
fn hours_are_read_exactly_or_refused() {
    let table = [
        ("0.67", 2400),
        ("1.33", 4800),
        ("7.99", 28_740),
        ("24", 86_400),
        ("24.0", 86_400),
        ("2.5e0", 9000),
        ("0.01", 60),
    ];
    for (hours, seconds) in table {
        let entry = with_raw("hours", hours).unwrap();
        assert_eq!(entry.fields.recorded_seconds, seconds, "{hours}");
        // The bytes are those received, not a number printed again.
        let raw = String::from_utf8(entry.raw).unwrap();
        assert!(raw.contains(&format!("\"hours\":{hours}")), "{raw}");
    }
    for hours in [
        "-1",
        "25",
        "1e9",
        "1e4294967295",
        "1e-99999999999999999999",
        "0",
        "0.0",
        "0.001",
        "-0.0",
        "24.01",
        "null",
        "true",
        "[1]",
        "\"1:20\"",
        "\"NaN\"",
        "\"1.5\"",
        "9223372036854775808",
        "0.00000000000000000000000000000000000000000000001",
    ] {
        let bad = with_raw("hours", hours).unwrap_err();
        assert_eq!(bad.problem.code, Code::HoursInvalid, "{hours}");
        assert_eq!(bad.source_ref.as_deref(), Some("4711"));
        assert_eq!(bad.work_date.unwrap().to_string(), "2026-11-15");
    }
}

#[test]
fn dates_are_believed_or_refused() {
    let table = [
        ("\"2999-01-01\"", Some("2999-01-01")),
        ("\"1999-12-31\"", Some("1999-12-31")),
        ("\"2026-02-30\"", None),
        ("\"15.11.2026\"", None),
        ("\"\"", None),
        ("null", None),
        ("20261115", None),
        ("[\"2026-11-15\"]", None),
        ("\"2026-11-15T00:00:00Z\"", None),
    ];
    for (raw, day) in table {
        let bad = with_raw("spent_on", raw).unwrap_err();
        assert_eq!(bad.problem.code, Code::DateInvalid, "{raw}");
        assert_eq!(
            bad.work_date.map(|d| d.to_string()).as_deref(),
            day,
            "{raw}"
        );
    }
}

#[test]
fn text_survives_or_is_refused() {
    for text in [
        "שלום עולם \u{202e}abc\u{202c}",
        "👩\u{200d}💻 🏳\u{fe0f}\u{200d}🌈",
        "e\u{301} ﬁ \u{feff} \u{85} 引き継ぎ",
        "line one\r\nline two\tend",
        "<script>alert('x')</script> \\ \" '; -- /* %s {{x}}",
        "\u{fffd} typed by somebody",
        "",
    ] {
        let entry = changed(&json!({ "comments": text })).unwrap();
        assert_eq!(entry.fields.narrative, text);
    }
    assert_eq!(
        changed(&json!({"comments": null}))
            .unwrap()
            .fields
            .narrative,
        ""
    );
    for text in [
        "a\u{0}b",
        "\u{1b}[31m",
        "\u{8}",
        "\u{ffff}",
        &"x".repeat(20_000),
    ] {
        let bad = changed(&json!({ "comments": text })).unwrap_err();
        assert_eq!(bad.problem.code, Code::TextRefused, "{text:.9}");
        assert!(!bad.problem.facts.contains(char::is_control));
    }
    let bad = changed(&json!({"activity": {"id": 1, "name": "a\u{0}"}})).unwrap_err();
    assert_eq!(bad.problem.code, Code::TextRefused);
}

#[test]
fn bytes_that_are_no_text_cost_their_record_only() {
    let good = entry_text(1, "2026-11-15", &json!({"comments": "fine"}));
    let bad = entry_text(2, "2026-11-15", &json!({"comments": "MARK"}));
    let page = format!("{{\"time_entries\":[{good},{bad}],\"total_count\":2}}");
    let mark = page.find("MARK").unwrap();
    let mut bytes = page.into_bytes();
    bytes[mark] = 0xff;
    let read = parse_page(&bytes, &config()).unwrap();
    assert!(read[0].is_ok());
    let record = read[1].as_ref().unwrap_err();
    assert_eq!(record.problem.code, Code::TextRefused);
    assert_eq!(record.source_ref.as_deref(), Some("2"));
}

#[test]
fn ids_are_positive_whole_numbers() {
    for (raw, id) in [
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("\"12\"", "12"),
    ] {
        assert_eq!(with_raw("id", raw).unwrap().source_ref, id);
    }
    for raw in [
        "null",
        "0",
        "-1",
        "1.5",
        "18446744073709551616",
        "\"x\"",
        "\"+1\"",
        "{}",
        "[1]",
        "1e3",
    ] {
        let bad = with_raw("id", raw).unwrap_err();
        assert_eq!(bad.problem.code, Code::RecordUnreadable, "{raw}");
        assert_eq!(bad.source_ref, None, "{raw}");
        assert_eq!(bad.work_date.unwrap().to_string(), "2026-11-15");
    }
}

#[test]
fn records_of_wrong_shape_are_unreadable() {
    for (field, raw) in [
        ("user", "null"),
        ("user", "[7]"),
        ("user", "{\"id\":\"x\"}"),
        ("user", "{}"),
        ("project", "7"),
        ("project", "null"),
        ("activity", "null"),
        ("activity", "{\"id\":1,\"name\":7}"),
        ("issue", "\"18\""),
        ("comments", "{}"),
        ("comments", "[]"),
        ("comments", "\"\\ud800\""),
        ("custom_fields", "{}"),
        ("custom_fields", "null"),
        ("custom_fields", "[]"),
        ("custom_fields", "[1,null,{\"id\":1}]"),
    ] {
        let bad = with_raw(field, raw).unwrap_err();
        assert_eq!(bad.problem.code, Code::RecordUnreadable, "{field} {raw}");
        assert_eq!(bad.source_ref.as_deref(), Some("4711"));
    }
    for text in ["null", "[]", "7", "\"text\"", "{}"] {
        let bad = read(text).unwrap_err();
        assert_eq!(bad.problem.code, Code::RecordUnreadable, "{text}");
        assert_eq!(bad.raw, text.as_bytes());
    }
    let entry = changed(&json!({"issue": null})).unwrap();
    assert_eq!(entry.fields.task_ref, None);
}

#[test]
fn approval_and_billable_are_never_guessed() {
    for (value, approved) in [
        (json!("Approved"), true),
        (json!(["Approved"]), true),
        (json!("approved"), false),
        (json!("Submitted"), false),
        (json!(""), false),
        (json!(null), false),
        (json!([]), false),
    ] {
        let entry = custom("Approval", &value).unwrap();
        assert_eq!(entry.fields.approved, approved, "{value}");
    }
    for (value, billable) in [
        (json!("1"), true),
        (json!(true), true),
        (json!(1), true),
        (json!("0"), false),
        (json!(null), false),
        (json!(""), false),
    ] {
        let entry = custom("Billable", &value).unwrap();
        assert_eq!(entry.fields.billable, billable, "{value}");
    }
    for (name, value) in [
        ("Approval", json!(["Approved", "Rejected"])),
        ("Approval", json!({"id": 1})),
        ("Billable", json!("yes")),
    ] {
        let bad = custom(name, &value).unwrap_err();
        assert_eq!(bad.problem.code, Code::RecordUnreadable, "{name} {value}");
    }
    let entry = custom("ERP reference", &json!("INV-1")).unwrap();
    assert_eq!(entry.shown_reference.as_deref(), Some("INV-1"));
    assert_eq!(entry.shown_status.as_deref(), Some("Unbilled"));
}

#[test]
fn bodies_that_are_no_page_are_classified() {
    let whole = format!(
        "{{\"time_entries\":[{}],\"total_count\":1}}",
        entry_text(1, "2026-11-15", &json!({}))
    );
    assert!(parse_page(whole.as_bytes(), &config()).is_ok());
    for end in 0..whole.len() {
        let error = parse_page(&whole.as_bytes()[..end], &config()).unwrap_err();
        let class = of_body(error, Effect::Read);
        assert!(
            matches!(class, CallError::NotExecuted { .. }),
            "{end}: {class}"
        );
    }
    for body in [
        "<html></html>",
        "nonsense",
        "{}",
        "[]",
        "{\"time_entries\":{},\"total_count\":1}",
        "{\"time_entries\":[]}",
        "{\"time_entries\":[],\"total_count\":-1}",
        "{\"time_entries\":[NaN],\"total_count\":1}",
    ] {
        let error = parse_page(body.as_bytes(), &config()).unwrap_err();
        let class = of_body(error, Effect::Read);
        assert!(
            matches!(class, CallError::Contract { .. }),
            "{body}: {class}"
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("id|name|value|.{0,4}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

const FIELDS: [&str; 8] = [
    "id",
    "project",
    "issue",
    "user",
    "activity",
    "hours",
    "spent_on",
    "custom_fields",
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_page(&body, &config());
        let _ = parse_entry(&body, &config());
    }

    #[test]
    fn damaged_pages_are_read_or_classified(at in 0_usize..600, byte in any::<u8>()) {
        let text = entry_text(1, "2026-11-15", &json!({}));
        let page = format!("{{\"time_entries\":[{text},{text}],\"total_count\":2}}");
        let mut bytes = page.into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = parse_page(&bytes, &config());
    }

    #[test]
    fn any_value_in_any_field_is_an_entry_or_a_problem(
        field in prop::sample::select(&FIELDS[..]),
        value in any_json(),
    ) {
        match changed(&json!({ field: value })) {
            Ok(entry) => {
                prop_assert!((1..=86_400).contains(&entry.fields.recorded_seconds));
            }
            Err(bad) => {
                prop_assert!(!bad.problem.facts.is_empty());
                prop_assert!(!bad.problem.facts.contains(char::is_control));
            }
        }
    }
}
