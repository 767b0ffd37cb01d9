//! Output: data to standard output as a table or JSON, everything else to standard error.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// One JSON value.
    Json,
}

/// A line of data. A closed pipe ends the output, not the program.
pub(crate) fn line(text: &str) {
    let _closed = writeln!(std::io::stdout().lock(), "{text}");
}

/// A line for the person at the terminal.
pub(crate) fn complain(text: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// A value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), crate::failure::Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        crate::failure::Failure::stopped(
            format!("the answer does not write: {error}"),
            "report this",
        )
    })?;
    line(&text);
    Ok(())
}

/// A table; columns whose header starts with `>` are right-aligned.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    let fancy = std::io::stdout().is_terminal();
    table.load_style(if fancy {
        presets::UTF8_FULL_CONDENSED
    } else {
        presets::NOTHING
    });
    if fancy {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let right: Vec<bool> = headers
        .iter()
        .map(|header| header.starts_with('>'))
        .collect();
    table.set_header(headers.iter().map(|header| header.trim_start_matches('>')));
    for row in rows {
        let cells = row.into_iter().zip(&right).map(|(text, right)| {
            let cell = Cell::new(text);
            if *right {
                cell.set_alignment(CellAlignment::Right)
            } else {
                cell
            }
        });
        table.add_row(cells);
    }
    line(&table.to_string());
}

/// Hours of so many seconds, as people write them: 7:30.
pub(crate) fn hours(seconds: i64) -> String {
    format!("{}:{:02}", seconds / 3600, (seconds % 3600) / 60)
}

/// A text from elsewhere that cannot play tricks on a terminal: control characters and those that
/// turn the direction of reading are written out.
pub(crate) fn visible(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::new(), |mut shown, c| {
        if c != '\n' && (c.is_control() || turns(c)) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}
