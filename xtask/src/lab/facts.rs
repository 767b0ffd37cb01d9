//! Writes `lab.json`: everything a test needs to know about the running systems and their seeds.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::place::{Place, write_private};
use super::postgres::{Postgres, USER};
use super::redmine::Redmine;
use super::tryton::{self, Tryton};
use super::{logins, redmine};

/// The day all seeds are made for; tests use it as their today.
const TODAY: &str = "2026-11-23";

/// What is running; an absent system is `null` in the file.
pub(crate) struct Parts<'a> {
    pub(crate) postgres: Option<&'a Postgres>,
    pub(crate) tryton: Option<Tryton>,
    pub(crate) redmine: Option<Redmine>,
}

/// Writes the file and returns its path.
pub(crate) fn write(place: &Place, parts: &Parts<'_>) -> Result<PathBuf> {
    let tool = keep_tool(place)?;
    let command = |words: &[&str]| {
        let mut all = vec![json!(tool), json!("lab")];
        all.extend(words.iter().map(|w| json!(w)));
        all.extend([json!("--dir"), json!(place.root())]);
        Value::Array(all)
    };
    let text = serde_json::to_string_pretty(&json!({
        "format": 1,
        "today": TODAY,
        "directory": place.root(),
        "reset_command": command(&["reset"]),
        "clone_tryton_command": command(&["clone-tryton"]),
        "drop_tryton_command": command(&["drop-tryton"]),
        "postgres": parts.postgres.map(postgres),
        "tryton": parts.tryton.map(|t| tryton_facts(place, t)).transpose()?,
        "redmine": parts.redmine.map(|r| redmine_facts(place, r)).transpose()?,
    }))
    .context("writing the facts")?;
    let path = place.facts_file();
    write_private(&path, &text)?;
    Ok(path)
}

fn postgres(server: &Postgres) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "bin": server.bin,
        "test_url": server.test_url(),
    })
}

fn tryton_facts(place: &Place, server: Tryton) -> Result<Value> {
    let url = format!("http://127.0.0.1:{}", server.port);
    Ok(json!({
        "url": url,
        "version": tryton::version(place)?,
        "databases": { "key": tryton::KEY, "plain": tryton::PLAIN },
        "rpc_urls": {
            "key": format!("{url}/{}/rpc/", tryton::KEY),
            "plain": format!("{url}/{}/rpc/", tryton::PLAIN),
        },
        "key_module": tryton::KEY_MODULE,
        "key_field": "external_key",
        "logins": {
            "connector": { "login": "counterfoil", "password": logins::CONNECTOR },
            "admin": { "login": "admin", "password": logins::ADMIN },
        },
        "seed": tryton::seed_facts(place)?,
    }))
}

fn redmine_facts(place: &Place, server: Redmine) -> Result<Value> {
    Ok(json!({
        "url": format!("http://127.0.0.1:{}", server.port),
        "logins": {
            "admin": { "login": "admin", "password": logins::ADMIN },
            "connector": { "login": "counterfoil", "password": logins::CONNECTOR },
        },
        "seed": redmine::seed_facts(place)?,
    }))
}

/// A copy of this program in the lab's folder: tests call it whatever is built meanwhile.
fn keep_tool(place: &Place) -> Result<PathBuf> {
    let target = place.folder("bin")?.join("xtask");
    let source = std::env::current_exe().context("finding this program")?;
    if source != target {
        // Renamed into place, since a running program cannot be overwritten.
        let part = target.with_extension("part");
        fs::copy(&source, &part).context("copying this program")?;
        fs::rename(&part, &target).context("copying this program")?;
    }
    Ok(target)
}
