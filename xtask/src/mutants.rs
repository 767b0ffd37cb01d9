//! `mutants`: disables one rule of pricing after the other and sees which golden case fails. A rule that
//! no case misses is a hole in the cases, or can make no difference.
//!
//! The list is `crates/rules/mutants.json`: for each rule, the text that carries it and what stands there
//! instead. The tree is copied, so that nothing of it is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command::{command, run_captured};
use crate::fuzz::target_folder;

const LIST: &str = "crates/rules/mutants.json";
/// The suites that a disabled rule is held against, in the order of their time.
const SUITES: &[&str] = &["counterfoil-rules", "counterfoil-scenario"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    /// The rule, in words.
    rule: String,
    /// Below `crates/rules/src`.
    file: String,
    /// What carries it; stands in the file once.
    take: String,
    /// What stands there instead.
    put: String,
    /// Why no case can miss it; only of a survivor.
    #[serde(default)]
    survives_because: Option<String>,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Cases of this suite fail.
    Caught(&'static str),
    Survived,
    DoesNotBuild,
}

/// Runs all mutants, or those whose rule or file contains a word.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let root = PathBuf::from(".");
    let text = fs::read_to_string(root.join(LIST)).with_context(|| format!("reading {LIST}"))?;
    let all: Vec<Mutant> = serde_json::from_str(&text).with_context(|| format!("in {LIST}"))?;
    let wanted = |mutant: &&Mutant| {
        let named = |word: &String| mutant.rule.contains(word) || mutant.file.contains(word);
        args.is_empty() || args.iter().any(named)
    };
    let folder = target_folder(&root)?.join("mutants");
    let tree = folder.join("tree");
    copy_tree(&root, &tree)?;
    if let Some(suite) = failing_suite(&tree, &folder)? {
        bail!("the cases of {suite} fail without any mutant");
    }
    let mut wrong = 0;
    for mutant in all.iter().filter(wanted) {
        let fate = fate_of(mutant, &tree, &folder)?;
        let words = match (&fate, &mutant.survives_because) {
            (Fate::Caught(suite), None) => format!("caught by {suite}"),
            (Fate::Survived, Some(why)) => format!("survives: {why}"),
            (Fate::Caught(suite), Some(_)) => format!("CAUGHT by {suite}, listed as a survivor"),
            (Fate::Survived, None) => "SURVIVES".to_owned(),
            (Fate::DoesNotBuild, _) => "DOES NOT BUILD".to_owned(),
        };
        wrong += usize::from(words.starts_with(|c: char| c.is_uppercase()));
        println!("{} ({}): {words}", mutant.rule, mutant.file);
    }
    if wrong > 0 {
        println!("{wrong} are not as the list says");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The files that are kept, as they are now.
fn copy_tree(root: &Path, tree: &Path) -> Result<()> {
    let listed = run_captured(&mut command("git", ["ls-files"]))?;
    for name in listed.lines() {
        let (from, to) = (root.join(name), tree.join(name));
        if !from.is_file() {
            continue;
        }
        let bytes = fs::read(&from).with_context(|| format!("reading {name}"))?;
        // What is as it was keeps its time, and is not built again.
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&to, bytes).with_context(|| format!("writing {}", to.display()))?;
    }
    Ok(())
}

fn fate_of(mutant: &Mutant, tree: &Path, folder: &Path) -> Result<Fate> {
    let file = tree.join("crates/rules/src").join(&mutant.file);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let times = text.matches(&mutant.take).count();
    if times != 1 {
        bail!(
            "{}: '{}' stands {times} times in {}",
            mutant.rule,
            mutant.take,
            mutant.file
        );
    }
    fs::write(&file, text.replace(&mutant.take, &mutant.put))?;
    let builds = cargo(
        tree,
        folder,
        &["check", "--quiet", "--package", "counterfoil-rules"],
    )?;
    let fate = if builds {
        failing_suite(tree, folder)?.map_or(Fate::Survived, Fate::Caught)
    } else {
        Fate::DoesNotBuild
    };
    fs::write(&file, text)?;
    Ok(fate)
}

/// The first suite with a golden case that fails.
fn failing_suite(tree: &Path, folder: &Path) -> Result<Option<&'static str>> {
    for suite in SUITES {
        let words = [
            "test",
            "--quiet",
            "--package",
            suite,
            "--test",
            "it",
            "golden",
        ];
        if !cargo(tree, folder, &words)? {
            return Ok(Some(suite));
        }
    }
    Ok(None)
}

fn cargo(tree: &Path, folder: &Path, words: &[&str]) -> Result<bool> {
    let status = command("cargo", words)
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("starting cargo")?;
    Ok(status.success())
}
