//! Rows that can and cannot be read.

use super::*;
use proptest::prelude::*;

const GOOD: &str = r#"{"id":"7","user_id":"u1","project_id":"p1","task_id":"t1",
    "activity_id":"consulting","date":"2026-10-05","hours":"0.67","narrative":"Review",
    "approved":true,"billable":true,"billing_status":"posted","erp_reference":"D7","new":[1]}"#;

fn row(text: &str) -> Row {
    Row {
        text: text.to_owned(),
        mended: false,
    }
}

fn read_text(text: &str) -> Read {
    entry(&row(text), SourceResolution::HundredthHour)
}

#[test]
fn hours_are_whole_minutes_and_unknown_fields_are_tolerated() {
    let entry = read_text(GOOD).unwrap();
    assert_eq!(entry.fields.recorded_seconds, 40 * 60);
    assert_eq!(entry.shown_status.as_deref(), Some("Posted"));
    assert_eq!(entry.shown_reference.as_deref(), Some("D7"));
    assert_eq!(entry.raw, GOOD.as_bytes());
}

#[test]
fn a_bad_row_says_why_and_where() {
    // what to replace, by what, code, id known, day known
    let table = [
        ("\"0.67\"", "\"-1.00\"", Code::HoursInvalid, true, true),
        ("\"0.67\"", "\"25\"", Code::HoursInvalid, true, true),
        ("\"0.67\"", "\"0.001\"", Code::HoursInvalid, true, true),
        ("\"0.67\"", "0.67", Code::RecordUnreadable, true, true),
        ("2026-10-05", "2026-02-30", Code::DateInvalid, true, false),
        ("2026-10-05", "2999-01-01", Code::DateInvalid, true, true),
        (
            "\"id\":\"7\"",
            "\"id\":7",
            Code::RecordUnreadable,
            false,
            true,
        ),
        (
            "\"id\":\"7\"",
            "\"id\":\"\"",
            Code::RecordUnreadable,
            false,
            true,
        ),
        ("\"u1\"", "\"\"", Code::RecordUnreadable, true, true),
        ("Review", "a\\u0000b", Code::TextRefused, true, true),
        ("\"approved\":true,", "", Code::RecordUnreadable, true, true),
    ];
    for (from, to, code, id, day) in table {
        let bad = read_text(&GOOD.replace(from, to)).unwrap_err();
        assert_eq!(bad.problem.code, code, "{from} -> {to}");
        assert_eq!(bad.source_ref.is_some(), id, "{from} -> {to}");
        assert_eq!(bad.work_date.is_some(), day, "{from} -> {to}");
    }
    let broken = Row {
        text: GOOD.replace("Review", "\u{fffd}"),
        mended: true,
    };
    let bad = entry(&broken, SourceResolution::HundredthHour).unwrap_err();
    assert_eq!(bad.problem.code, Code::TextRefused);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _read = read_text(&text);
        let _page = crate::reference_rest::wire::page(&bytes);
    }

    #[test]
    fn no_edit_of_a_row_makes_the_reader_panic(at in 0_usize..300, with in "\\PC{0,6}") {
        let mut text: Vec<char> = GOOD.chars().collect();
        let at = at.min(text.len() - 1);
        text.splice(at..=at, with.chars());
        let text: String = text.into_iter().collect();
        if let Ok(entry) = read_text(&text) {
            prop_assert!(entry.fields.recorded_seconds > 0);
        }
    }
}
