//! Rules about the text of files: where SQL stands, how long a file is, what must not be left.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use crate::command::{command, run_captured};

const LONGEST: usize = 600;
const VAGUE_NAMES: &[&str] = &["utils", "helpers", "common"];
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "ALTER TABLE ",
    "DROP TABLE ",
];
/// Text that is written by hand; pictures, databases and the like are not looked into.
const TEXT: &[&str] = &[
    "rs", "toml", "md", "py", "rb", "sql", "json", "jsonl", "yml", "yaml", "xml", "cfg", "csv",
    "txt", "snap", "html", "css", "js", "sh", "",
];

/// Written in two halves, so that this file keeps the rules it states.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
const BANNED_LIBRARY: &str = concat!("aws", "-lc");

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let list = [
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ];
    let names = run_captured(command("git", list).current_dir(root))
        .context("the list of files comes from git")?;
    for name in names.split('\0').filter(|n| !n.is_empty()) {
        let path = Path::new(name);
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if !TEXT.contains(&extension) && name != "Cargo.lock" {
            continue;
        }
        // A file deleted from the folder may still be listed; one that is no text has no rules.
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        findings.extend(check_file(name, &text));
    }
    Ok(findings)
}

fn check_file(name: &str, text: &str) -> Vec<Finding> {
    if name == "Cargo.lock" {
        let banned = text.contains(BANNED_LIBRARY);
        let message = format!("{BANNED_LIBRARY} is in the tree: the crypto provider is ring");
        return banned
            .then(|| Finding::new(name, message))
            .into_iter()
            .collect();
    }
    let mut findings = Vec::new();
    let extension = Path::new(name).extension().and_then(|e| e.to_str());
    let rust = extension == Some("rs");
    if rust {
        let lines = text.lines().count();
        if lines > LONGEST {
            let message = format!("{lines} lines: more than one subject, so more than one file");
            findings.push(Finding::new(name, message));
        }
        if name
            .split(['/', '.'])
            .any(|part| VAGUE_NAMES.contains(&part))
        {
            findings.push(Finding::new(
                name,
                "the name says nothing: name the subject",
            ));
        }
    }
    let product = name.starts_with("crates/") && !name.starts_with("crates/store/");
    if product && extension == Some("sql") {
        findings.push(Finding::new(name, "SQL lives in crates/store only"));
    }
    for (number, line) in text.lines().enumerate() {
        let mut found = |message: &str| {
            findings.push(Finding::new(format!("{name}:{}", number + 1), message));
        };
        if is_unfinished(line) {
            found("unfinished: do it, or write an issue and say what holds today");
        }
        if names_machine_path(line) {
            found("a path of one machine");
        }
        if rust && product && has_sql(line) {
            found("SQL lives in crates/store only");
        }
        if rust && is_vague_module(line) {
            found("a module named so holds anything: name the subject");
        }
    }
    findings
}

/// A word that marks work left undone. A currency without a code is a word too, outside comments.
fn is_unfinished(line: &str) -> bool {
    let comment = ["//", "#", "--", "/*"]
        .iter()
        .filter_map(|c| line.find(c))
        .min();
    UNFINISHED.iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|t| t.chars().next_back());
            let after = line.get(at + word.len()..).and_then(|t| t.chars().next());
            let alone = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let counts = !word.starts_with('X') || comment.is_some_and(|c| c < at);
            counts && alone(before) && alone(after)
        })
    })
}

fn names_machine_path(line: &str) -> bool {
    MACHINE_PATHS.iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            let before = line.get(..at).and_then(|t| t.chars().next_back());
            before.is_none_or(|c| c.is_whitespace() || "\"'`(=:<[".contains(c))
        })
    })
}

/// SQL in capitals anywhere in code, or in small letters at the beginning of a literal.
fn has_sql(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    SQL.iter().any(|word| {
        let capitals = code.match_indices(word).any(|(at, _)| {
            let before = code.get(..at).and_then(|t| t.chars().next_back());
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        });
        // "select a contract" is English; with a table it is not.
        let small = code.contains(&format!("\"{}", word.to_lowercase()))
            && (!word.starts_with("SELECT") || code.contains(" from "));
        capitals || small
    })
}

fn is_vague_module(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).any(|pair| match pair {
        ["mod", name] => VAGUE_NAMES.contains(&name.trim_end_matches([';', '{'])),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::{BANNED_LIBRARY, MACHINE_PATHS, UNFINISHED, check_file};

    fn count(name: &str, text: &str) -> usize {
        check_file(name, text).len()
    }

    #[test]
    fn sql_stands_in_the_store_only() {
        let text = concat!("let q = \"SEL", "ECT id FROM item\";");
        assert_eq!(count("crates/pipeline/src/a.rs", text), 1);
        assert_eq!(count("crates/store/src/a.rs", text), 0);
        assert_eq!(
            count("crates/pipeline/src/a.rs", "// SELECT stands in a comment"),
            0
        );
        assert_eq!(
            count("crates/pipeline/src/a.rs", "\"select a contract\""),
            0
        );
        assert_eq!(count("crates/pipeline/src/a.sql", ""), 1);
    }

    #[test]
    fn nothing_is_left_unfinished() {
        for word in UNFINISHED {
            assert_eq!(
                count("crates/rules/src/a.rs", &format!("// {word}: later")),
                1,
                "{word}"
            );
            assert_eq!(count("docs/a.md", &format!("a{word}b")), 0, "{word}");
        }
        let no_currency = format!("Currency::parse(\"{}\")", concat!("XX", "X"));
        assert_eq!(count("crates/rules/src/a.rs", &no_currency), 0);
    }

    #[test]
    fn no_path_of_one_machine() {
        for path in MACHINE_PATHS {
            assert_eq!(
                count("docs/a.md", &format!("see `{path}main`")),
                1,
                "{path}"
            );
            assert_eq!(
                count("docs/a.md", &format!("/rest/project{path}7")),
                0,
                "{path}"
            );
        }
    }

    #[test]
    fn files_have_one_subject() {
        assert_eq!(count("crates/rules/src/a.rs", &"\n".repeat(600)), 0);
        assert_eq!(count("crates/rules/src/a.rs", &"\n".repeat(601)), 1);
        assert_eq!(count("crates/rules/src/helpers.rs", ""), 1);
        assert_eq!(
            count(
                "crates/rules/src/a.rs",
                concat!("pub(crate) mod ", "utils;")
            ),
            1
        );
    }

    #[test]
    fn the_crypto_provider_is_ring() {
        assert_eq!(
            count("Cargo.lock", &format!("name = \"{BANNED_LIBRARY}-sys\"")),
            1
        );
        assert_eq!(count("Cargo.lock", "name = \"ring\""), 0);
    }
}
