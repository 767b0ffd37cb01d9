//! `counterfoil rates` as a person calls it: files in a folder, what is said, the exit code.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A folder with a configuration.
struct Desk {
    folder: TempDir,
}

/// What was said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        assert_eq!(desk.call(&["init", "."]).code, Some(0));
        desk
    }

    fn call(&self, args: &[&str]) -> Said {
        let done = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("COUNTERFOIL_CONFIG")
            .output()
            .unwrap();
        Said {
            code: done.status.code(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn configuration(&self, change: impl FnOnce(String) -> String) {
        let text = change(self.read("counterfoil.toml"));
        self.write("counterfoil.toml", &text);
    }

    /// Let the configuration name a card.
    fn name_card(&self) {
        self.configuration(|text| format!("rates_files = [\"rates.csv\"]\n{text}"));
    }
}

const NEW: &str = "contract;role;rate;currency;from\n\
                   EXAMPLE-2026;junior;98,75;EUR;01.03.2026\n\
                   EXAMPLE-2026;senior;190,00;EUR;01.03.2026\n";

#[test]
fn a_card_is_added_to_named_and_loaded() {
    let desk = Desk::new();
    desk.write("new.csv", NEW);
    let dry = desk.call(&[
        "rates",
        "import",
        "new.csv",
        "--dry-run",
        "--to",
        "rates.csv",
    ]);
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    assert!(
        dry.out
            .contains("2 rates to add, 0 are there already; nothing was written"),
        "{}",
        dry.out
    );
    assert!(!desk.path("rates.csv").exists());
    let import = [
        "rates",
        "import",
        "new.csv",
        "--to",
        "rates.csv",
        "--recorded",
        "2026-03-20",
    ];
    let said = desk.call(&import);
    assert!(
        said.out
            .contains("2 rates added to rates.csv, 0 were there already"),
        "{}",
        said.out
    );
    let card = "contract,role,rate,currency,from,to,recorded\n\
                EXAMPLE-2026,junior,98.75,EUR,2026-03-01,,2026-03-20\n\
                EXAMPLE-2026,senior,190.00,EUR,2026-03-01,,2026-03-20\n";
    assert_eq!(desk.read("rates.csv"), card);
    let again = desk.call(&import);
    assert!(
        again
            .out
            .contains("0 rates added to rates.csv, 2 were there already"),
        "{}",
        again.out
    );
    assert_eq!(desk.read("rates.csv"), card);

    desk.name_card();
    let lint = desk.call(&["--output", "json", "rates", "lint"]);
    assert_eq!(lint.code, Some(0), "{}{}", lint.out, lint.err);
    let report: Value = serde_json::from_str(&lint.out).unwrap();
    assert_eq!(report["rates"], 3);
    assert_eq!(report["errors"], 0);
}

#[test]
fn what_is_exported_lints_and_imports_as_it_was() {
    let desk = Desk::new();
    desk.write(
        "rates.csv",
        "contract,role,rate,currency,from\nEXAMPLE-2026,junior,98.75,EUR,2026-03-01\n",
    );
    desk.name_card();
    for name in ["out.csv", "out.xlsx"] {
        let said = desk.call(&["rates", "export", name]);
        assert_eq!(said.out, format!("2 bill rates written to {name}\n"));
        let refused = desk.call(&["rates", "export", name]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("is there already"), "{}", refused.err);
        assert_eq!(
            desk.call(&["rates", "export", name, "--replace"]).code,
            Some(0)
        );
        assert_eq!(desk.call(&["rates", "lint", name]).code, Some(0));
        let back = format!("back-of-{name}.csv");
        desk.call(&["rates", "import", name, "--to", &back]);
        assert_eq!(desk.read(&back), desk.read("out.csv"));
    }
}

#[test]
fn errors_end_with_code_1_and_write_nothing() {
    let desk = Desk::new();
    let line = "EXAMPLE-2026,junior,98.75,EUR,2026-03-01\n";
    let overlap = format!("contract,role,rate,currency,from\n{line}{line}");
    desk.write("overlap.csv", &overlap);
    desk.write(
        "cells.csv",
        "contract,role,rate,currency,from\nEXAMPLE-2026,=x,\"98,750\",EUR,2026-03-01\n",
    );
    for (name, says) in [
        (
            "overlap.csv",
            "error    RATE_OVERLAP: overlap.csv, line 2; overlap.csv, line 3",
        ),
        (
            "cells.csv",
            "error    cells.csv, line 2, column 2 (role): '=x' looks like a formula",
        ),
    ] {
        let lint = desk.call(&["rates", "lint", name]);
        assert_eq!(lint.code, Some(1));
        assert!(lint.out.contains(says), "{}", lint.out);
        let import = desk.call(&["rates", "import", name, "--to", "rates.csv"]);
        assert_eq!(import.code, Some(1));
        assert!(import.out.contains(says), "{}", import.out);
        assert!(!desk.path("rates.csv").exists());
    }
}

#[test]
fn a_card_is_compared_with_the_contracts_of_the_configuration() {
    let desk = Desk::new();
    desk.write("card.csv", "contract,rate,currency,from\nEXAMPLE-2025,98.75,EUR,2026-03-01\nEXAMPLE-2026,98.75,USD,2026-03-01\n");
    let lint = desk.call(&["--output", "json", "rates", "lint", "card.csv"]);
    let report: Value = serde_json::from_str(&lint.out).unwrap();
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["RATE_UNKNOWN_CODE", "RATE_CURRENCY"]);
    assert_eq!(report["findings"][1]["rows"][0]["row"], 3);
    std::fs::remove_file(desk.path("counterfoil.toml")).unwrap();
    let alone = desk.call(&["rates", "lint", "card.csv"]);
    assert_eq!(alone.code, Some(0), "{}", alone.out);
    assert!(
        alone.err.contains("contracts are not compared with"),
        "{}",
        alone.err
    );
}

#[test]
fn rates_of_the_configuration_are_found_with_their_lines() {
    let desk = Desk::new();
    desk.configuration(|text| {
        format!("{text}\n[[rate]]\ncontract = \"EXAMPLE-2026\"\nrole = \"senior\"\nrate = \"200\"\ncurrency = \"EUR\"\nfrom = \"2026-07-01\"\n")
    });
    let text = desk.read("counterfoil.toml");
    let lines: Vec<usize> = (1..)
        .zip(text.lines())
        .filter(|(_, l)| *l == "[[rate]]")
        .map(|(n, _)| n)
        .collect();
    let lint = desk.call(&["rates", "lint"]);
    assert_eq!(lint.code, Some(1));
    for line in lines {
        assert!(
            lint.out.contains(&format!("counterfoil.toml, line {line}")),
            "{}",
            lint.out
        );
    }
    // A row that is wrong by itself is told as well as the ones that are wrong together.
    desk.configuration(|text| text.replace("rate = \"200\"", "rate = \"-200\""));
    let lint = desk.call(&["rates", "lint"]);
    assert!(
        lint.out.contains("RATE_NEGATIVE") && lint.out.contains("RATE_OVERLAP"),
        "{}",
        lint.out
    );
    let export = desk.call(&["rates", "export", "out.csv"]);
    assert_eq!(export.code, Some(2), "{}", export.err);
    assert!(export.err.contains("is below zero"), "{}", export.err);
}

#[test]
fn files_that_are_not_there_or_no_card_are_refused() {
    let desk = Desk::new();
    for (args, says) in [
        (
            &["rates", "lint", "none.csv"][..],
            "none.csv cannot be read",
        ),
        (
            &["rates", "lint", "counterfoil.toml"],
            "is neither .csv nor .xlsx",
        ),
        (
            &["rates", "export", "rates.ods"],
            "is neither .csv nor .xlsx",
        ),
        (&["rates", "import", "new.csv"], "--dry-run"),
    ] {
        let said = desk.call(args);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(says), "{}", said.err);
    }
    desk.name_card();
    let said = desk.call(&["rates", "lint"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("rates.csv: cannot be read"),
        "{}",
        said.err
    );
}

#[test]
fn a_scenario_of_ten_megabytes_is_refused_before_it_is_read() {
    let desk = Desk::new();
    desk.write("huge.toml", &"# nothing\n".repeat(1 << 20));
    let said = desk.call(&["price", "huge.toml"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("at most 8388608 are read"),
        "{}",
        said.err
    );
    assert!(said.out.is_empty());
}
