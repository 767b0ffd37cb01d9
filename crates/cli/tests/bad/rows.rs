//! Entries that cannot be: each an exception by itself, and every other entry flows.

use crate::home::Home;
use crate::hostile::{Hostile, What};
use serde_json::Value;
use twins::frame::Machine as _;
use twins::tracker::{Entry, TrackerAct};

const REVERSED: &str = "invoice \u{202e}gnp.exe\u{202c} of 日本 \u{1f680}";

fn act(home: &Home, act: &TrackerAct) -> Value {
    let done = home.tracker.with(|state| state.machine.act(act, 1));
    done.unwrap()
}

fn edit(id: &str, hours: Option<&str>, date: Option<&str>, narrative: Option<&str>) -> TrackerAct {
    TrackerAct::EditEntry {
        id: id.to_owned(),
        hours: hours.map(str::to_owned),
        date: date.map(str::to_owned),
        narrative: narrative.map(str::to_owned),
        project_id: None,
        task_id: None,
        billable: None,
    }
}

/// One more entry like another one.
fn add(home: &Home, like: &Entry, hours: &str, narrative: &str) -> String {
    act(
        home,
        &TrackerAct::AddEntry {
            user_id: like.user_id.clone(),
            project_id: like.project_id.clone(),
            task_id: like.task_id.clone(),
            activity_id: like.activity_id.clone(),
            date: like.date.clone(),
            hours: hours.to_owned(),
            narrative: narrative.to_owned(),
            approved_by: Some("u1".to_owned()),
        },
    );
    home.tracker.with(|state| {
        let last = state.machine.entries.keys().next_back();
        last.unwrap().to_string()
    })
}

fn the_one<'a>(open: &'a [Value], id: &str) -> &'a Value {
    let mut own = open.iter().filter(|row| row["source_ref"] == id);
    let one = own
        .next()
        .unwrap_or_else(|| panic!("no exception of {id}: {open:?}"));
    assert!(own.next().is_none());
    one
}

#[test]
fn impossible_entries_are_exceptions_and_the_others_flow() {
    let home = Home::new(41);
    assert_eq!(home.sync().code, Some(0));
    let (like_id, like) = home.tracker.with(|state| {
        let mut posted = state.machine.entries.iter();
        let one = posted.find(|(_, entry)| entry.billing_status.as_deref() == Some("posted"));
        one.map(|(id, entry)| (id.to_string(), entry.clone()))
            .unwrap()
    });
    let hours = ["-1", "25", "NaN", "1e9", "0.00", ""];
    let impossible: Vec<String> = hours.map(|hours| add(&home, &like, hours, "odd")).into();
    let nul = add(&home, &like, "1.11", "before\u{0}after");
    let fine = add(&home, &like, "1.17", REVERSED);
    act(&home, &edit(&like_id, None, Some("2999-01-01"), None));

    // The ERP at the same time names a currency that nobody knows.
    let meddler = Hostile::start(&home.erp_url, |_, path| {
        if path.starts_with("/v1/customers") {
            What::Rewrite("\"currency\":\"EUR\"", "\"currency\":\"ZZZ\"")
        } else {
            What::Forward
        }
    });
    home.configure(&home.tracker_url, &meddler.url);
    let said = home.sync();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert_eq!(said.json()["posted"], 1, "{said:?}");
    let open = home.exceptions();
    assert_eq!(open.len(), impossible.len() + 2, "{open:?}");
    for id in &impossible {
        let one = the_one(&open, id);
        assert_eq!(one["code"], "HOURS_INVALID", "{one}");
        assert_eq!(
            one["no_amount_because"], "the entry cannot be read",
            "{one}"
        );
    }
    assert_eq!(the_one(&open, &nul)["code"], "TEXT_REFUSED");
    // What was booked of the entry stays booked, and its money is known.
    let moved = the_one(&open, &like_id);
    assert_eq!(moved["code"], "DATE_INVALID", "{moved}");
    assert!(moved["amount"].is_string(), "{moved}");
    for one in &open {
        for words in ["sentence", "facts", "remedy", "owner"] {
            assert!(one[words].as_str().unwrap().len() > 5, "{one}");
        }
    }
    let list = home.run(&["exceptions", "list"]);
    let odd = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!list.out.contains(odd), "{list:?}");
    for id in [&fine, &nul] {
        let shown = home.run(&["exceptions", "show", id]);
        assert_eq!(shown.code, Some(0));
        assert!(!shown.out.contains(odd), "{shown:?}");
    }
    assert!(
        home.run(&["exceptions", "show", &fine])
            .out
            .contains('\u{1f680}')
    );

    // Corrected at the source, each flows by itself, once.
    home.configure(&home.tracker_url, &home.erp_url);
    for (number, id) in (1..).zip(&impossible) {
        act(&home, &edit(id, Some(&format!("1.{number}5")), None, None));
    }
    act(&home, &edit(&nul, None, None, Some("before and after")));
    act(&home, &edit(&like_id, None, Some(&like.date), None));
    let said = home.sync();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.json()["posted"], impossible.len() + 1, "{said:?}");
    home.all_is_well();
}
