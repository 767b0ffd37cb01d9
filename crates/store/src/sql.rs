//! The named statements. SQL is written once in `sql/<table>.sql`, with `?1` placeholders; a
//! statement of the same name in `sql/postgres/` replaces it there. Only this crate holds SQL.
//!
//! Four templates keep column lists in one place, the [`Table`] of a module: `{item}` its columns,
//! `{item.values}` as many placeholders, `{item.set}` its changeable columns, `{item.same}` the
//! guard of an update (key and frozen columns unchanged, version one less), `{item:column}` the
//! placeholder of one column.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::error::StoreError;

/// What the store knows of a table whose rows are audited.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name in SQL and in problems.
    pub(crate) name: &'static str,
    /// Its number in audit leaves; never reused.
    pub(crate) kind: u8,
    /// How many leading columns identify a row in the audit.
    pub(crate) keys: usize,
    /// All audited columns, in the order of parameters and of digests.
    pub(crate) columns: &'static [&'static str],
    /// Those that updates may change. `version` is one of them where rows change.
    pub(crate) mutable: &'static [&'static str],
}

impl Table {
    /// The place of `version`, or `None` where rows never change.
    pub(crate) fn version_at(&self) -> Option<usize> {
        if self.mutable.is_empty() {
            return None;
        }
        self.columns.iter().position(|column| *column == "version")
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|name| *name == column)
            .map(|at| at + 1)
    }

    fn expand(&self, what: &str) -> Option<String> {
        let list = |parts: Vec<String>, by: &str| parts.join(by);
        match what {
            "" => Some(list(
                self.columns.iter().map(|name| (*name).to_owned()).collect(),
                ", ",
            )),
            ".values" => Some(list(
                (1..=self.columns.len())
                    .map(|at| format!("?{at}"))
                    .collect(),
                ", ",
            )),
            ".set" => {
                let parts = self
                    .mutable
                    .iter()
                    .map(|name| self.position(name).map(|at| format!("{name} = ?{at}")))
                    .collect::<Option<Vec<_>>>()?;
                Some(list(parts, ", "))
            }
            ".same" => {
                let mut parts = Vec::new();
                for (at, name) in self.columns.iter().enumerate() {
                    let number = at + 1;
                    if at < self.keys {
                        parts.push(format!("{name} = ?{number}"));
                    } else if *name == "version" {
                        parts.push(format!("version + 1 = ?{number}"));
                    } else if !self.mutable.contains(name) {
                        parts.push(format!("{name} IS NOT DISTINCT FROM ?{number}"));
                    }
                }
                Some(list(parts, " AND "))
            }
            _ => {
                let at = self.position(what.strip_prefix(':')?)?;
                Some(format!("?{at}"))
            }
        }
    }
}

/// Which words the database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// The statements of one dialect, by name.
#[derive(Debug)]
pub(crate) struct Statements {
    by_name: BTreeMap<&'static str, String>,
}

const SHARED: &[&str] = &[
    include_str!("../sql/account.sql"),
    include_str!("../sql/attempt.sql"),
    include_str!("../sql/block.sql"),
    include_str!("../sql/charge.sql"),
    include_str!("../sql/counter.sql"),
    include_str!("../sql/document.sql"),
    include_str!("../sql/exception.sql"),
    include_str!("../sql/feedback.sql"),
    include_str!("../sql/item.sql"),
    include_str!("../sql/lease.sql"),
    include_str!("../sql/limit_state.sql"),
    include_str!("../sql/line_member.sql"),
    include_str!("../sql/posting.sql"),
    include_str!("../sql/refusal.sql"),
    include_str!("../sql/scan.sql"),
    include_str!("../sql/seal_key.sql"),
    include_str!("../sql/setting.sql"),
    include_str!("../sql/snapshot.sql"),
    include_str!("../sql/stray.sql"),
    include_str!("../sql/total.sql"),
    include_str!("../sql/writer.sql"),
];
const POSTGRES: &[&str] = &[include_str!("../sql/postgres/overrides.sql")];

impl Statements {
    /// The statements of `dialect`, parsed once per process.
    pub(crate) fn of(dialect: Dialect) -> Result<&'static Self, StoreError> {
        static SQLITE_SET: OnceLock<Result<Statements, String>> = OnceLock::new();
        static POSTGRES_SET: OnceLock<Result<Statements, String>> = OnceLock::new();
        let set = match dialect {
            Dialect::Sqlite => SQLITE_SET.get_or_init(|| Self::parse(SHARED, &[], dialect)),
            Dialect::Postgres => {
                POSTGRES_SET.get_or_init(|| Self::parse(SHARED, POSTGRES, dialect))
            }
        };
        set.as_ref()
            .map_err(|what| StoreError::defect(what.clone()))
    }

    /// The text of the statement `name`.
    pub(crate) fn get(&'static self, name: &str) -> Result<&'static str, StoreError> {
        self.by_name
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| StoreError::defect(format!("no statement is called {name}")))
    }

    /// All names, for the tests that prepare every statement.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_name.keys().copied()
    }

    fn parse(
        files: &[&'static str],
        overrides: &[&'static str],
        dialect: Dialect,
    ) -> Result<Self, String> {
        let mut by_name = BTreeMap::new();
        for (group, replacing) in [(files, false), (overrides, true)] {
            for (name, text) in group.iter().flat_map(|file| sections(file)) {
                let known = by_name
                    .insert(name, render(name, &text, dialect)?)
                    .is_some();
                if known != replacing {
                    return Err(format!("statement {name} is declared in the wrong place"));
                }
            }
        }
        Ok(Self { by_name })
    }
}

/// Splits a file at its `-- name: x` lines; other comment lines are dropped.
fn sections(file: &'static str) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for line in file.lines() {
        if let Some(name) = line.strip_prefix("-- name: ") {
            found.push((name.trim(), String::new()));
        } else if !line.trim_start().starts_with("--")
            && let Some((_, text)) = found.last_mut()
        {
            text.push_str(line.trim());
            text.push(' ');
        }
    }
    found
}

fn render(name: &str, text: &str, dialect: Dialect) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (template, tail) = after
            .split_once('}')
            .ok_or_else(|| format!("{name}: a template has no end"))?;
        let end = template.find(['.', ':']).unwrap_or(template.len());
        let (table, what) = template.split_at(end);
        let expanded = crate::tables::AUDITED
            .iter()
            .find(|known| known.name == table)
            .and_then(|known| known.expand(what))
            .ok_or_else(|| format!("{name}: unknown template {template}"))?;
        out.push_str(&expanded);
        rest = tail;
    }
    out.push_str(rest);
    let out = out.trim().trim_end_matches(';').to_owned();
    Ok(match dialect {
        Dialect::Sqlite => out,
        // SQLite numbers `$n` by appearance, PostgreSQL knows no `?n`: this is the only rewriting.
        Dialect::Postgres => out.replace('?', "$"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_parse_and_hold_the_same_names() {
        let sqlite = Statements::of(Dialect::Sqlite).unwrap();
        let postgres = Statements::of(Dialect::Postgres).unwrap();
        assert_eq!(
            sqlite.names().collect::<Vec<_>>(),
            postgres.names().collect::<Vec<_>>()
        );
        assert!(
            postgres
                .names()
                .all(|name| !postgres.get(name).unwrap().contains('?'))
        );
    }
}
