//! The arrow test: which crate may depend on which, and who may reach a database or the network.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Finding;
use crate::command::{command, run_captured};

/// A crate and the crates of ours that its code may use. What is not listed is not allowed.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "server",
            "cards",
            "connectors",
            "twins",
            "scenario",
            "pipeline",
            "store",
            "connector-sdk",
            "rules",
            "domain",
        ],
    ),
    (
        "server",
        &["pipeline", "rules", "store", "connector-sdk", "domain"],
    ),
    ("pipeline", &["rules", "store", "connector-sdk", "domain"]),
    ("connectors", &["connector-sdk", "domain"]),
    ("twins", &["domain", "connector-sdk"]),
    ("cards", &["rules", "domain"]),
    ("store", &["domain"]),
    ("scenario", &["rules", "domain"]),
    ("rules", &["domain"]),
    ("connector-sdk", &["domain"]),
    ("domain", &[]),
    (
        "testkit",
        &[
            "cli",
            "server",
            "connectors",
            "twins",
            "pipeline",
            "store",
            "connector-sdk",
            "rules",
            "domain",
        ],
    ),
    (
        "bench",
        &[
            "twins",
            "pipeline",
            "store",
            "connector-sdk",
            "rules",
            "domain",
        ],
    ),
    ("chaos", &["twins", "pipeline", "connector-sdk"]),
    ("fuzz", &[]),
    ("xtask", &[]),
];

/// What a crate's tests may use on top.
const IN_TESTS: &[&str] = &["testkit", "twins", "fuzz"];

/// Libraries that only one crate may use, and that crate; testkit and tests may use all.
const RESERVED: &[(&str, &str)] = &[
    ("rusqlite", "store"),
    ("tokio-postgres", "store"),
    ("reqwest", "connector-sdk"),
    ("calamine", "cards"),
    ("csv", "cards"),
    ("rust_xlsxwriter", "cards"),
    ("zip", "cards"),
];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// Absent for an ordinary dependency, else `dev` or `build`.
    kind: Option<String>,
    /// Present where the dependency is a folder of this repository.
    path: Option<String>,
}

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut c = command("cargo", ["metadata", "--format-version", "1", "--no-deps"]);
    let text = run_captured(c.current_dir(root))?;
    let metadata: Metadata = serde_json::from_str(&text).context("reading cargo's metadata")?;
    Ok(metadata.packages.iter().flat_map(check_package).collect())
}

fn check_package(package: &Package) -> Vec<Finding> {
    let from = short(&package.name);
    let place = if from == "xtask" {
        "xtask".to_owned()
    } else {
        format!("crates/{from}")
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
        let message = "a new crate: give it its arrows in xtask/src/tidy/arrows.rs";
        return vec![Finding::new(place, message)];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let to = short(&dependency.name);
        let in_tests = dependency.kind.as_deref() == Some("dev");
        if dependency.path.is_some() {
            if !(allowed.contains(&to) || in_tests && IN_TESTS.contains(&to)) {
                let message = format!("must not depend on {to}: arrows point down only");
                findings.push(Finding::new(place.clone(), message));
            }
        } else if let Some((_, owner)) = RESERVED.iter().find(|(name, _)| *name == to)
            && !in_tests
            && from != *owner
            && from != "testkit"
        {
            let message = format!("must not use {to}: only {owner} does");
            findings.push(Finding::new(place.clone(), message));
        }
    }
    findings
}

/// The folder's name of one of our packages; other names stay as they are.
fn short(package: &str) -> &str {
    match package {
        "counterfoil" => "cli",
        name => name.strip_prefix("counterfoil-").unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Package, check_package};

    fn findings(from: &str, to: &str, kind: Option<&str>, ours: bool) -> usize {
        check_package(&Package {
            name: from.to_owned(),
            dependencies: vec![Dependency {
                name: to.to_owned(),
                kind: kind.map(str::to_owned),
                path: ours.then(String::new),
            }],
        })
        .len()
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(
            findings("counterfoil-pipeline", "counterfoil-store", None, true),
            0
        );
        assert_eq!(
            findings("counterfoil-pipeline", "counterfoil-connectors", None, true),
            1
        );
        assert_eq!(
            findings("counterfoil-domain", "counterfoil-store", None, true),
            1
        );
        assert_eq!(findings("xtask", "counterfoil-domain", None, true), 1);
    }

    #[test]
    fn only_tests_use_the_testkit() {
        assert_eq!(
            findings(
                "counterfoil-store",
                "counterfoil-testkit",
                Some("dev"),
                true
            ),
            0
        );
        assert_eq!(
            findings("counterfoil-store", "counterfoil-testkit", None, true),
            1
        );
        assert_eq!(
            findings("counterfoil", "counterfoil-testkit", Some("build"), true),
            1
        );
    }

    #[test]
    fn only_the_store_reaches_a_database() {
        assert_eq!(findings("counterfoil-store", "rusqlite", None, false), 0);
        assert_eq!(findings("counterfoil-pipeline", "rusqlite", None, false), 1);
        assert_eq!(
            findings("counterfoil-pipeline", "rusqlite", Some("dev"), false),
            0
        );
    }

    #[test]
    fn only_cards_reads_and_writes_sheets() {
        assert_eq!(findings("counterfoil-cards", "calamine", None, false), 0);
        assert_eq!(findings("counterfoil-rules", "csv", None, false), 1);
        assert_eq!(findings("counterfoil", "rust_xlsxwriter", None, false), 1);
        assert_eq!(
            findings("counterfoil-cards", "counterfoil-store", None, true),
            1
        );
    }

    #[test]
    fn an_unknown_crate_is_a_finding() {
        assert_eq!(findings("counterfoil-extra", "serde", None, false), 1);
    }
}
