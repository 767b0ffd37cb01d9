//! The rows against their leaves, and the sums that rows must give.

use crate::audit::Report;
use crate::audit::chain::Found;
use crate::digest::{Cursor, put_params};
use crate::sql::Table;
use crate::tables::AUDITED;
use crate::tx::{ReadTx, key_text};
use crate::value::{Param, Row, Value};

/// Streams every audited table past what the blocks say.
pub(super) fn check(tx: &mut ReadTx<'_>, found: &mut Found, report: &mut Report) {
    let vault = tx.vault;
    for table in AUDITED {
        let mut charges = ChargeRun::default();
        let outcome = tx.stream(all(table), &[], |row| {
            let params: Vec<Param<'_>> = row.values().iter().map(Value::as_param).collect();
            let keys = params.get(..table.keys).unwrap_or_default();
            let mut key = Vec::with_capacity(20);
            put_params(&mut key, keys);
            if found.takes(table.kind, &key) {
                let digest = vault.digester.row(table.name, &params);
                check_row(table, (key, &params), digest, found, report);
            }
            if found.part == 0 {
                check_pointers(table, &params, found, report);
                charges.check(table, &row, report);
            }
            Ok(())
        });
        report.add_failure(table.name, outcome);
    }
    let mut gone: Vec<_> = found
        .rows
        .keys()
        .map(|(kind, key)| (*kind, key_of(key)))
        .collect();
    gone.sort();
    for (kind, key) in gone {
        let table = AUDITED.iter().find(|table| table.kind == kind);
        report.add(
            table.map_or("?", |table| table.name),
            key,
            "the row is gone",
        );
    }
}

fn check_row(
    table: &Table,
    (key, params): (Vec<u8>, &[Param<'_>]),
    digest: [u8; 32],
    found: &mut Found,
    report: &mut Report,
) {
    report.checked.rows += 1;
    let text = || key_text(table, params);
    let Some(leaf) = found.rows.remove(&(table.kind, key)) else {
        report.add(table.name, text(), "no audit leaf speaks of this row");
        return;
    };
    if leaf.has_gap() {
        let what = format!(
            "its versions up to {} are not all in the audit chain",
            leaf.version
        );
        report.add(table.name, text(), what);
    }
    if digest != leaf.digest {
        let what = format!("differs from what was written as version {}", leaf.version);
        report.add(table.name, text(), what);
    }
}

/// Pointers must lead to a sealed text, sealed texts to a row of their key.
fn check_pointers(table: &Table, params: &[Param<'_>], found: &mut Found, report: &mut Report) {
    if table.name == "seal_key"
        && let Some(Param::Text(unit)) = params.first()
    {
        found.units.remove(*unit);
    }
    for (at, column) in table.columns.iter().enumerate() {
        if column.ends_with("_block")
            && let (Some(Param::Int(block)), Some(Param::Int(ord))) =
                (params.get(at), params.get(at + 1))
            && !(0..found.texts.get(block).copied().unwrap_or(0)).contains(ord)
        {
            let what = format!("{column} {block}/{ord} leads to no sealed text");
            report.add(table.name, key_text(table, params), what);
        }
    }
}

/// The charges of an item are numbered from 1 without gaps: nothing is ever taken out.
#[derive(Default)]
struct ChargeRun {
    item: Value,
    last: i64,
}

impl ChargeRun {
    fn check(&mut self, table: &Table, row: &Row, report: &mut Report) {
        let (Some(item), Some(Value::Int(number))) = (row.values().first(), row.values().get(1))
        else {
            return;
        };
        if table.name != "charge" {
            return;
        }
        if self.item != *item {
            *self = Self {
                item: item.clone(),
                last: 0,
            };
        }
        if *number != self.last + 1 {
            let params: Vec<_> = row.values().iter().map(Value::as_param).collect();
            let what = format!("follows charge {} of its item: one is missing", self.last);
            report.add(table.name, key_text(table, &params), what);
        }
        self.last = *number;
    }
}

/// The counters against the deltas in the blocks.
pub(super) fn check_counters(tx: &mut ReadTx<'_>, found: &Found, report: &mut Report) {
    let mut sums = found.counters.clone();
    let outcome = tx.stream("counter_all", &[], |mut row| {
        let (name, writer_no, value) = (row.text()?, row.int()?, row.int()?);
        report.checked.counters += 1;
        let key = (name, writer_no);
        let sum = sums.remove(&key);
        if sum != Some(value) {
            let sum = sum.map_or_else(|| "nothing".to_owned(), |sum| sum.to_string());
            let what = format!("is {value}, but the blocks add up to {sum}");
            report.add("counter", format!("{}/{}", key.0, key.1), what);
        }
        Ok(())
    });
    report.add_failure("counter", outcome);
    for ((name, writer_no), _) in sums {
        report.add("counter", format!("{name}/{writer_no}"), "the row is gone");
    }
    for unit in &found.units {
        report.add(
            "seal_key",
            unit,
            "texts are sealed in this unit, but its row is gone",
        );
    }
}

/// The documents' counts against their postings.
pub(super) fn check_documents(tx: &mut ReadTx<'_>, report: &mut Report) {
    let outcome = tx.stream("document_miscounted", &[], |mut row| {
        let key = data_encoding::HEXLOWER.encode(&row.bytes()?);
        let (says, has) = (row.int()?, row.int()?);
        report.add(
            "document",
            key,
            format!("unsettled is {says}, but {has} postings are"),
        );
        Ok(())
    });
    report.add_failure("document", outcome);
}

fn all(table: &Table) -> &'static str {
    match table.name {
        "item" => "item_all",
        "charge" => "charge_all",
        "document" => "document_all",
        "posting" => "posting_all",
        "attempt" => "attempt_all",
        "feedback" => "feedback_all",
        "snapshot" => "snapshot_all",
        "scan" => "scan_all",
        "setting" => "setting_all",
        "limit_state" => "limit_state_all",
        "seal_key" => "seal_key_all",
        "refusal" => "refusal_all",
        "account" => "account_all",
        "stray" => "stray_all",
        "line_member" => "line_member_all",
        _ => "writer_all",
    }
}

/// The text of a canonical key.
fn key_of(bytes: &[u8]) -> String {
    let mut cursor = Cursor::new(bytes);
    let mut parts = Vec::new();
    while let Some(tag) = cursor.byte() {
        parts.push(match tag {
            1 => cursor.int().map(|value| value.to_string()),
            2 => cursor
                .bytes()
                .map(|text| String::from_utf8_lossy(text).into_owned()),
            3 => cursor
                .bytes()
                .map(|bytes| data_encoding::HEXLOWER.encode(bytes)),
            _ => Some("null".to_owned()),
        });
    }
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, Statements};

    #[test]
    fn every_audited_table_has_its_statement() {
        let statements = Statements::of(Dialect::Sqlite).unwrap();
        for table in AUDITED {
            assert_eq!(all(table), format!("{}_all", table.name));
            assert!(statements.get(all(table)).is_ok());
        }
    }

    #[test]
    fn keys_are_named_as_people_read_them() {
        let mut bytes = Vec::new();
        put_params(
            &mut bytes,
            &[Param::Bytes(&[1, 255]), Param::Int(7), Param::Text("x")],
        );
        assert_eq!(key_of(&bytes), "01ff/7/x");
    }
}
