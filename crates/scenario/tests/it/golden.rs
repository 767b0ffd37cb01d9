//! Every file of docs/scenarios comes to what a second program works out for it: each charge that was
//! booked or reversed, what stands at the end, documents, accounts and exceptions.

use counterfoil_scenario::outcome::{ChargeLine, ScenarioOutcome};
use counterfoil_scenario::{play, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Fewer files than this, and some subject has lost its scenario.
const SCENARIOS_MIN: usize = 40;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios")
}

fn history(outcome: &ScenarioOutcome) -> Vec<String> {
    let mut lines: Vec<(usize, String)> = outcome
        .charges
        .iter()
        .map(|c| {
            let line = format!(
                "{} {} {}, {}: {} {} at {}, {}",
                c.event, c.act, c.item, c.part, c.quantity, c.unit, c.rate, c.amount
            );
            (c.event, line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What is booked and not reversed.
fn standing(outcome: &ScenarioOutcome) -> Vec<Value> {
    let mut standing: BTreeMap<(&str, &str, usize), &ChargeLine> = BTreeMap::new();
    for charge in &outcome.charges {
        // A milestone that is revised is billed or credited once more, as an amount of its own.
        let fixed = charge.part == "fixed amount";
        let event = if fixed { charge.event } else { 0 };
        let key = (charge.item.as_str(), charge.part.as_str(), event);
        if charge.act == "book" {
            assert!(standing.insert(key, charge).is_none(), "{key:?} twice");
        } else {
            assert!(standing.remove(&key).is_some(), "{key:?} was not booked");
        }
    }
    let rows = standing.values().map(|c| {
        json!({
            "item": c.item, "part": c.part, "disposition": c.disposition, "contract": c.contract,
            "quantity": c.quantity, "unit": c.unit, "rate": c.rate,
            "amount": c.amount.to_string(), "value": c.value.to_string(),
            "cost": c.cost.to_string(), "work_date": c.work_date, "posting_date": c.posting_date,
        })
    });
    rows.collect()
}

fn documents(outcome: &ScenarioOutcome) -> Vec<Value> {
    let all = outcome.documents.iter().map(|d| {
        for line in &d.lines {
            assert!(!line.text.is_empty(), "{} has a line without words", d.name);
        }
        json!({
            "name": d.name, "bill_to": d.bill_to, "state": d.state, "lines": d.lines.len(),
            "total": d.total.to_string(),
        })
    });
    all.collect()
}

fn summary(outcome: &ScenarioOutcome) -> Value {
    let accounts = outcome.accounts.iter();
    let accounts = accounts.map(|a| json!([a.contract, a.account, a.figure, a.value]));
    let exceptions = outcome.exceptions.iter();
    let exceptions = exceptions.map(|e| json!({ "item": e.item, "code": e.code }));
    json!({
        "history": history(outcome),
        "charges": standing(outcome),
        "documents": documents(outcome),
        "accounts": accounts.collect::<Vec<_>>(),
        "exceptions": exceptions.collect::<Vec<_>>(),
    })
}

/// The words that are for people only.
fn without_working(value: &mut Value) {
    for list in ["charges", "documents"] {
        for row in value[list].as_array_mut().unwrap() {
            assert!(row.as_object_mut().unwrap().remove("working").is_some());
        }
    }
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

fn played(path: &Path) -> ScenarioOutcome {
    let text = std::fs::read_to_string(path).unwrap();
    let read = read::read(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    play(&read).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_scenario_comes_to_what_a_second_program_works_out() {
    let files = files();
    assert!(files.len() >= SCENARIOS_MIN, "{} scenarios", files.len());
    let mut wrong = Vec::new();
    for path in &files {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let expected = folder().join("expected").join(format!("{stem}.json"));
        let text = std::fs::read_to_string(&expected)
            .unwrap_or_else(|e| panic!("{}: {e}", expected.display()));
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        without_working(&mut expected);
        let found = summary(&played(path));
        for part in ["history", "charges", "documents", "accounts", "exceptions"] {
            let (is, should) = (&found[part], &expected[part]);
            if is != should {
                wrong.push(differing(stem, part, should, is));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn differing(stem: &str, part: &str, should: &Value, is: &Value) -> String {
    let lines = |value: &Value| -> Vec<String> {
        let rows = value.as_array().unwrap().iter();
        rows.map(ToString::to_string).collect()
    };
    let (should, is) = (lines(should), lines(is));
    let mut told = vec![format!("{stem}, {part}:")];
    let missing = should.iter().filter(|row| !is.contains(row));
    told.extend(missing.map(|row| format!("  expected {row}")));
    let other = is.iter().filter(|row| !should.contains(row));
    told.extend(other.map(|row| format!("  found    {row}")));
    told.join("\n")
}

/// The tables are the second program's and nobody's pen changed them since.
#[test]
fn the_expected_outcomes_are_what_the_second_program_writes() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.py");
    let run = std::process::Command::new("python3")
        .arg("-B")
        .arg(script)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    let failed = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}{failed}");
}

#[test]
fn every_expected_outcome_belongs_to_a_scenario() {
    for entry in std::fs::read_dir(folder().join("expected")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let scenario = folder().join(format!("{stem}.toml"));
        assert!(scenario.exists(), "{} is for no scenario", path.display());
    }
}

#[test]
fn a_scenario_says_first_what_it_shows() {
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# "), "{}", path.display());
        assert!(text.contains("\ntitle = \""), "{}", path.display());
    }
}

#[test]
fn played_twice_a_scenario_is_the_same_to_the_byte() {
    for path in files() {
        let one = serde_json::to_string(&played(&path)).unwrap();
        let two = serde_json::to_string(&played(&path)).unwrap();
        assert_eq!(one, two, "{}", path.display());
    }
}
