//! Reads the tables of `tests/golden`.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// One row: cell by column name.
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    /// A cell; its column has to exist.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.0
            .get(column)
            .unwrap_or_else(|| panic!("no column '{column}'"))
    }

    /// A cell, or nothing where it is empty.
    pub(crate) fn some(&self, column: &str) -> Option<String> {
        Some(self.get(column))
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
    }

    /// A cell as a number.
    pub(crate) fn number(&self, column: &str) -> i64 {
        self.get(column).parse().unwrap()
    }

    /// Whether the table has a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// The columns of expected values.
    pub(crate) fn expected(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with("= "))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The folder of the tables.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A table of a file, by its heading. An empty one is an error.
pub(crate) fn table(file: &str, heading: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let start = format!("## {heading}\n");
    let (_, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("{file}: no '{heading}'"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let mut lines = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(cells);
    let names = lines.next().unwrap();
    let rows: Vec<Row> = lines
        .skip(1)
        .map(|cells| {
            assert_eq!(cells.len(), names.len(), "{file}: {cells:?}");
            Row(names.iter().cloned().zip(cells).collect())
        })
        .collect();
    assert!(!rows.is_empty(), "{file}: '{heading}' is empty");
    rows
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}
