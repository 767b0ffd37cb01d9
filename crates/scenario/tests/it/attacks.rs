//! Files that somebody wrote in bad faith or in a hurry: an answer or a precise refusal, never a panic
//! and never a wrong number.

use counterfoil_scenario::outcome::ScenarioOutcome;
use counterfoil_scenario::{play, read};
use fuzz::{Finding, Fuzz, Seen};
use std::path::Path;

fn file(contract: &str, events: &str) -> String {
    format!(
        "version = 1\n[[worker]]\ncode = \"ada\"\n[[contract]]\nid = \"K1\"\ncustomer = \"C\"\n\
         projects = [\"P\"]\nkind = \"time_and_materials\"\ncurrency = \"EUR\"\n{contract}\n\
         [[rate]]\nrate = \"100\"\ncurrency = \"EUR\"\nfrom = \"2000-01-01\"\n{events}"
    )
}

fn entry(id: &str, more: &str) -> String {
    format!(
        "[[event]]\nentry = {{ id = \"{id}\", worker = \"ada\", project = \"P\", \
         date = \"2026-03-02\", {more} }}\n"
    )
}

fn outcome(text: &str) -> Result<ScenarioOutcome, String> {
    let whole = |error: read::ReadError| format!("{error}; expected {}", error.expected);
    play(&read::read(text).map_err(whole)?).map_err(whole)
}

fn refused(text: &str, says: &str) {
    let told = outcome(text).unwrap_err();
    assert!(told.contains(says), "'{told}' does not say '{says}'");
}

#[test]
fn contracts_that_cannot_work_are_named_with_their_line() {
    let cases = [
        (
            "from = \"2026-03-01\"\nto = \"2026-03-01\"",
            "covers no day",
        ),
        (
            "increment = { step_minutes = 0, rounding = \"up\" }",
            "0 minutes",
        ),
        ("quantity_decimals = 9", "decimals are 9"),
        (
            "[[contract.limit]]\nid = \"L\"\namount = \"10\"\nopening_used = \"11\"",
            "opening_used 11 is more",
        ),
        (
            "[[contract.limit]]\nid = \"L\"\namount = \"10\"\n[[contract.limit]]\nid = \"L\"\namount = \"9\"",
            "L",
        ),
        ("[contract.retainer]\nid = \" \"", "its id is empty"),
        (
            "[contract.milestones]\nprice = \"10\"\nmilestones = []",
            "milestones",
        ),
        (
            "unit = \"month\"\n[contract.overtime]\nterms = { rule = { form = \"california\" }, zone = \"UTC\" }",
            "overtime is of hours",
        ),
        (
            "[contract.retainer]\nid = \"R\"\n[[contract.limit]]\nid = \"L\"\namount = \"10\"\npolicy = \"bill_to_cap\"",
            "cannot be drawn",
        ),
    ];
    for (terms, says) in cases {
        refused(&file(terms, ""), says);
        let told = outcome(&file(terms, "")).unwrap_err();
        assert!(told.starts_with("line 4: "), "{told}");
    }
}

#[test]
fn conditions_that_cannot_be_used_are_named_with_their_place() {
    for (condition, says) in [
        (
            "when = 'minuts > 60'",
            "when, column 1: `minuts` is no name",
        ),
        (
            "when = 'minutes > 1.5'",
            "column 11: numbers with a decimal point",
        ),
        ("when = 'minutes'", "comes to a whole number"),
        (
            "billable_when = '[1, 2].all(x, x > 0)'",
            "loops are not taken",
        ),
        ("hold_when = 'amount > 5'", "not compared by signs"),
        (
            "hold_when = 'amount.more_than(money(\"5 USD\"))'",
            "a contract in EUR",
        ),
        (
            "group_by = 'minutes / (weekday - 1)'",
            "nothing is divided by zero",
        ),
    ] {
        let text = file(&format!("conditions = {{ {condition} }}"), "");
        refused(&text, says);
        assert!(outcome(&text).unwrap_err().starts_with("line 4: "));
    }
}

#[test]
fn a_condition_without_an_answer_stops_its_entry_and_no_other() {
    let text = vec!["task"; 30].join(" + ");
    let worked = entry("e1", "hours = \"1\"")
        + &entry("e2", "hours = \"2\", task = \"A-LONG-CODE-OF-A-TASK\"");
    let out = outcome(&file(
        &format!("conditions = {{ group_by = '{text}' }}"),
        &worked,
    ))
    .unwrap();
    let stopped: Vec<(&str, &str)> = out
        .exceptions
        .iter()
        .map(|e| (e.item.as_str(), e.code))
        .collect();
    assert_eq!(stopped, [("e2", "CONDITION_FAILED")]);
    let facts = &out.exceptions[0].facts;
    assert!(
        facts.contains("`group_by` of contract K1") && facts.contains("200 characters"),
        "{facts}"
    );
    assert_eq!(out.totals[0].billed.to_string(), "EUR 100.00");
}

#[test]
fn nobody_confirms_what_no_condition_holds() {
    let confirm = "[[event]]\nconfirm = { id = \"e\" }\n";
    let worked = entry("e", "hours = \"1\"");
    refused(&file("", confirm), "no condition holds an entry e");
    let hold = "conditions = { hold_when = 'minutes > 60' }";
    refused(
        &file(hold, &(worked.clone() + confirm)),
        "no condition holds an entry e",
    );
    let longer = entry("e", "hours = \"2\"");
    let twice = longer.clone() + confirm + confirm;
    refused(&file(hold, &twice), "no condition holds an entry e");
    let out = outcome(&file(hold, &(longer + confirm))).unwrap();
    assert_eq!(out.totals[0].billed.to_string(), "EUR 200.00");
    // What it comes to is told of the exception, and nothing is billed meanwhile.
    let out = outcome(&file(hold, &entry("e", "hours = \"2\""))).unwrap();
    assert!(
        out.exceptions[0].facts.contains("minutes 120"),
        "{:?}",
        out.exceptions
    );
    assert!(out.charges.is_empty());
}

/// A contract F without projects, of which K1 may be part.
fn framed(frame: &str, contract: &str, events: &str) -> String {
    let text = file(contract, events);
    let own = format!(
        "[[contract]]\nid = \"F\"\nprojects = []\nkind = \"time_and_materials\"\n{frame}\n[[rate]]"
    );
    text.replacen("[[rate]]", &own, 1)
}

#[test]
fn contracts_that_cannot_be_part_of_each_other_are_named_with_their_line() {
    let plain = "customer = \"C\"\ncurrency = \"EUR\"";
    let part = "parent = \"F\"";
    let cut = format!(
        "{plain}\n[[contract.limit]]\nid = \"L\"\namount = \"10\"\npolicy = \"bill_to_cap\""
    );
    for (frame, contract, line, says) in [
        (
            plain,
            "parent = \"G\"",
            4,
            "part of contract G, which does not exist",
        ),
        (plain, "parent = \"K1\"", 4, "in a circle: K1 -> K1"),
        (
            "customer = \"C\"\ncurrency = \"EUR\"\nparent = \"K1\"",
            part,
            4,
            "in a circle",
        ),
        (
            "customer = \"C\"\ncurrency = \"USD\"",
            part,
            4,
            "is in EUR, but F",
        ),
        (
            "customer = \"D\"\ncurrency = \"EUR\"",
            part,
            4,
            "with customer C, but F",
        ),
        (
            "currency = \"EUR\"",
            part,
            4,
            "but F, of which it is part, is with nobody",
        ),
        (
            &format!("{plain}\nretainer = {{ id = \"R\" }}"),
            part,
            4,
            "`retainer` does not count",
        ),
        (
            &cut,
            &format!("{part}\n[contract.retainer]\nid = \"R\""),
            4,
            "cannot be drawn",
        ),
        (
            plain,
            &format!("{part}\n[[contract.limit]]\nid = \" \"\namount = \"1\""),
            4,
            "empty id",
        ),
    ] {
        let text = framed(frame, contract, "");
        refused(&text, says);
        let told = outcome(&text).unwrap_err();
        assert!(told.starts_with(&format!("line {line}: ")), "{told}");
    }
}

#[test]
fn a_change_order_does_not_change_what_a_contract_is_part_of() {
    let plain = "customer = \"C\"\ncurrency = \"EUR\"";
    let now = |parent: &str, currency: &str| {
        format!(
            "[[event]]\ncontract = {{ id = \"K1\", customer = \"C\", projects = [\"P\"], \
             kind = \"time_and_materials\", currency = \"{currency}\"{parent} }}\n"
        )
    };
    let part = ", parent = \"F\"";
    let leaves = framed(plain, "parent = \"F\"", &now("", "EUR"));
    refused(&leaves, "changes what it is part of");
    refused(
        &framed(plain, "", &now(part, "EUR")),
        "changes what it is part of",
    );
    let dollars = framed(plain, "parent = \"F\"", &now(part, "USD"));
    refused(&dollars, "K1 is in USD, but F");
    assert!(outcome(&framed(plain, "parent = \"F\"", &now(part, "EUR"))).is_ok());
    // Nothing waits where nothing is limited.
    let release = "[[event]]\nrelease_held = { contract = \"K1\" }\n";
    refused(
        &framed(plain, "parent = \"F\"", release),
        "without that account",
    );
}

#[test]
fn the_limit_that_cuts_is_told_with_its_contract() {
    let plain = "customer = \"C\"\ncurrency = \"EUR\"";
    let cap = |amount: &str| format!("[[contract.limit]]\nid = \"CAP\"\namount = \"{amount}\"");
    let frame = format!("{plain}\n{}", cap("500"));
    let part = format!("parent = \"F\"\n{}", cap("300"));
    let out = outcome(&framed(&frame, &part, &entry("e", "hours = \"8\""))).unwrap();
    let steps = &out.charges[0].explanation;
    let of = |rule: &str| steps.iter().find(|step| step.rule() == rule).unwrap();
    let (own, outer) = (
        of("limit CAP of contract K1"),
        of("limit CAP of contract F"),
    );
    assert!(
        own.inputs()
            .ends_with("policy: bill what fits, hold the rest"),
        "{own:?}"
    );
    assert!(
        outer.inputs().contains("another limit leaves no more"),
        "{outer:?}"
    );
    assert!(own.result().contains("left EUR 0.00"), "{own:?}");
    assert!(outer.result().contains("left EUR 200.00"), "{outer:?}");
}

#[test]
fn names_are_given_once() {
    let twice = file("", "").replace(
        "[[rate]]",
        "[[contract]]\nid = \"K1\"\nprojects = []\nkind = \"internal\"\ncurrency = \"EUR\"\n[[rate]]",
    );
    refused(&twice, "two contracts are called K1");
    refused(
        &file("", "[[worker]]\ncode = \"ada\"\n"),
        "two workers are called ada",
    );
    let periods = "[[period]]\nname = \"a\"\nfirst = \"2026-01-01\"\nlast = \"2026-01-31\"\n\
                   [[period]]\nname = \"b\"\nfirst = \"2026-01-31\"\nlast = \"2026-02-28\"\n";
    refused(&file("", periods), "share a day");
    let again = entry("e", "hours = \"1\"") + &entry("e", "hours = \"1\"");
    refused(&file("", &again), "is there already");
}

#[test]
fn events_that_cannot_happen_are_named() {
    let cap = "[[contract.limit]]\nid = \"L\"\namount = \"1000\"";
    let worked = entry("e", "hours = \"4\"");
    let cases = [
        ("", "edit = { id = \"x\" }", "no entry x to edit"),
        ("", "delete = { id = \"x\" }", "no entry x to delete"),
        (
            "",
            "release_held = { contract = \"K1\" }",
            "without that account",
        ),
        ("", "release_held = { contract = \"K9\" }", "no contract K9"),
        (
            "",
            "issue = { document = \"K1 2026-04\" }",
            "there are: K1 2026-03",
        ),
        ("", "pay = { document = \"K1 2026-03\" }", "is draft"),
        (
            "",
            "credit = { id = \"e\", quantity = \"1\" }",
            "counts nothing",
        ),
        (
            cap,
            "credit = { id = \"e\", quantity = \"5\" }",
            "more than the 4",
        ),
        (
            cap,
            "credit = { id = \"e\", quantity = \"-1\" }",
            "credits nothing",
        ),
        (
            cap,
            "credit = { id = \"x\", quantity = \"1\" }",
            "nothing is billed",
        ),
        (
            cap,
            "contract = { id = \"K1\", customer = \"C\", projects = [\"P\"], kind = \
             \"time_and_materials\", currency = \"EUR\", limit = [{ id = \"L\", amount = \"399\" }] }",
            "EUR 400.00 is billed or reserved already",
        ),
        (
            cap,
            "contract = { id = \"K1\", customer = \"C\", projects = [\"P\"], kind = \
             \"time_and_materials\", currency = \"USD\", limit = [{ id = \"L\", amount = \"1000\" }] }",
            "its accounts count in EUR",
        ),
        (
            "",
            "on = \"2025-01-01\"\ndelete = { id = \"e\" }",
            "before the event",
        ),
        (
            "",
            "period = { name = \"2026-03\", open = false }\ndelete = { id = \"e\" }",
            "says",
        ),
    ];
    for (terms, event, says) in cases {
        let first = "[[event]]\non = \"2026-03-02\"\n".to_owned()
            + worked.trim_start_matches("[[event]]\n");
        refused(&file(terms, &format!("{first}[[event]]\n{event}\n")), says);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused_or_become_an_exception() {
    refused(
        &file("", &entry("e", "hours = \"24.0003\"")),
        "no whole seconds",
    );
    refused(&file("", &entry("e", "minutes = 1441")), "at most 24 hours");
    refused(&file("", &entry("e", "minutes = 0")), "more than 0");
    refused(
        &file("", &entry("e", "minutes = 4294967295")),
        "at most 24 hours",
    );
    refused(
        &file("", &entry("e", "hours = \"1\", minutes = 60")),
        "gives it twice",
    );
    refused(
        &file("", &entry("e", "hours = \"9999999999999999\"")),
        "line",
    );
    let huge = file("", &entry("e", "hours = \"24\"")).replace("\"100\"", "\"9000000000000\"");
    let told = outcome(&huge).unwrap();
    let amount = told.charges[0].amount.to_string();
    assert_eq!(amount, "EUR 216000000000000.00");
    // As many of these as no sum can hold: refused, and no number is wrapped around.
    let on = |n: u32| format!("date = \"20{:02}-{:02}-01\"", n / 12, n % 12 + 1);
    let many: String = (0..500)
        .map(|n| entry(&n.to_string(), "hours = \"24\"").replace("date = \"2026-03-02\"", &on(n)))
        .collect();
    let huge = file("", &many).replace("\"100\"", "\"9000000000000\"");
    let told = outcome(&huge).unwrap_err();
    assert!(told.contains("can be represented"), "{told}");
}

/// Two rates of equal right: no price is taken from either of them, and both are named.
#[test]
fn rates_that_overlap_are_an_exception_and_no_price() {
    let again = "[[rate]]\nrate = \"90\"\ncurrency = \"EUR\"\nfrom = \"2026-01-01\"\n";
    let told = outcome(&file(
        "",
        &(again.to_owned() + &entry("e", "hours = \"1\"")),
    ))
    .unwrap();
    assert!(told.charges.is_empty(), "{:?}", told.charges);
    assert!(told.documents.is_empty());
    let facts = &told.exceptions[0].facts;
    assert!(facts.contains("equal right"), "{facts}");
    assert!(facts.contains("90") && facts.contains("100"), "{facts}");
}

#[test]
fn a_month_fee_and_milestone_that_cannot_be_printed_are_refused() {
    let schedule = "[contract.schedule]\ninstalments = [{ id = \"x\", date = \"2026-03-01\", \
                    amount = \"9000000000000\" }]";
    let event = "[[event]]\non = \"2026-03-02\"\nfees_due = { contract = \"K1\" }\n";
    let told = outcome(&file(schedule, event)).unwrap();
    assert_eq!(told.totals[0].billed.to_string(), "EUR 9000000000000.00");
    assert_eq!(told.documents[0].lines[0].unit, "one");
    assert_eq!(told.documents[0].lines[0].text, "fee x");
}

#[test]
fn strange_text_is_only_text() {
    let strange = "\\u202e\\u0000\\u001b[31m/straight/../{{ 7 * 7 }}';--";
    let text = file(
        "",
        &entry(
            strange,
            &format!("hours = \"1\", narrative = \"{strange}\""),
        ),
    );
    let told = outcome(&text).unwrap();
    assert_eq!(told.charges.len(), 1);
    let line = &told.documents[0].lines[0].text;
    assert!(line.contains("{{ 7 * 7 }}"), "{line}");
    assert!(!line.chars().any(char::is_control), "{line:?}");
}

/// Names that accounts know tiers by are told apart from entries that are called so.
#[test]
fn an_entry_called_like_a_tier_of_another_is_itself() {
    let cap = "[[contract.limit]]\nid = \"L\"\namount = \"300\"";
    let events = entry("e", "hours = \"2\"") + &entry("e/straight", "hours = \"2\"");
    let told = outcome(&file(cap, &events)).unwrap();
    let billed: Vec<(String, String)> = told
        .charges
        .iter()
        .filter(|c| c.disposition == "bill")
        .map(|c| (c.item.clone(), c.quantity.to_string()))
        .collect();
    let expected = [("e", "2"), ("e/straight", "1")];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(item, quantity)| ((*item).to_owned(), (*quantity).to_owned()))
        .collect();
    assert_eq!(billed, expected);
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let nested = format!("version = 1\nx = {}", "[".repeat(10_000));
    assert!(outcome(&nested).is_err());
    let json = "{\"version\":".repeat(10_000);
    assert!(outcome(&json).is_err());
}

fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios");
    let mut seeds: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    seeds.sort();
    seeds
}

/// Whatever stands in a file: read and played, or refused; and a total is what its charges are.
#[test]
fn fuzz_scenario() -> Result<(), Finding> {
    let mut fuzz = Fuzz::new("scenario", env!("CARGO_MANIFEST_DIR"))
        .costly(4)
        .words([
            "[[event]]",
            "9000000000000",
            "-1",
            "9999-12-31",
            "\"1e9\"",
            "[[contract.limit]]",
        ]);
    for seed in seeds() {
        fuzz = fuzz.seed(seed);
    }
    fuzz.run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let told = match read::read(&text).and_then(|read| play(&read)) {
            Ok(told) => told,
            Err(error) => return Ok(Seen::refused(&error)),
        };
        for total in &told.totals {
            let own = told.charges.iter().filter(|c| c.contract == total.contract);
            let sum: i128 = own.map(|c| i128::from(c.amount.amount_minor)).sum();
            if sum != i128::from(total.billed.amount_minor) {
                return Err(format!(
                    "{} of {}, charges {sum}",
                    total.billed, total.contract
                ));
            }
        }
        let kind = format!("{} charges", told.charges.len().min(9));
        Ok(Seen::read(kind, &told))
    })
}

/// One event more than is taken, in few enough bytes to be read.
#[test]
fn too_many_events_are_refused_before_any_is_looked_at() {
    let events = vec![r#"{"on":"2026-03-02"}"#; 100_001].join(",");
    let told = outcome(&format!("{{\"version\":1,\"event\":[{events}]}}")).unwrap_err();
    assert!(told.contains("100001 events are too many"), "{told}");
    assert!(told.contains("at most 100000"), "{told}");
}
