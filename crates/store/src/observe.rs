//! A listener to changes of rows, for simulation: it hears every audited row as it stands after a
//! change, once the change is kept, and never before. It can change nothing.
//!
//! The product has none: its record is the audit chain, which holds digests and no content.

use std::sync::Arc;

use crate::sql::Table;
use crate::value::{Param, Value};

/// Hears one change after another, in the order of their transaction.
pub type Observer = Arc<dyn Fn(&RowChange) + Send + Sync>;

/// One audited row after a change that was kept.
#[derive(Debug, Clone)]
pub struct RowChange {
    table: &'static Table,
    values: Vec<Value>,
    why: String,
}

impl RowChange {
    pub(crate) fn new(table: &'static Table, row: &[Param<'_>], why: &str) -> Self {
        let values = row.iter().map(|param| match *param {
            Param::Null => Value::Null,
            Param::Int(value) => Value::Int(value),
            Param::Text(value) => Value::Text(value.to_owned()),
            Param::Bytes(value) => Value::Bytes(value.to_vec()),
        });
        Self {
            table,
            values: values.collect(),
            why: why.to_owned(),
        }
    }

    /// The table.
    pub fn table(&self) -> &'static str {
        self.table.name
    }

    /// What the audit leaf says happened.
    pub fn why(&self) -> &str {
        &self.why
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let at = self.table.columns.iter().position(|name| *name == column)?;
        self.values.get(at)
    }

    /// A column of text.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.value(column)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A column of a number.
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.value(column)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A column of bytes.
    pub fn bytes(&self, column: &str) -> Option<&[u8]> {
        match self.value(column)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}
