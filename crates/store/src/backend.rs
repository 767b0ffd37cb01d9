//! One connection of either kind, behind the same four verbs: query, stream, execute, batch.

use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::error::StoreError;
use crate::postgres::PgConnection;
use crate::sql::{Dialect, Statements};
use crate::value::{Param, Row, Value};

/// A connection in use by one transaction.
pub(crate) enum Backend<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut PgConnection),
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Garbled(value.to_bits().to_be_bytes().to_vec()),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or_else(
            |_| Value::Garbled(bytes.to_vec()),
            |text| Value::Text(text.to_owned()),
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl Backend<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Hands every row to `each`, without holding them all.
    pub(crate) fn stream(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let failed = |source| StoreError::sqlite(name, source);
                let text = Statements::of(Dialect::Sqlite)?.get(name)?;
                let mut statement = connection.prepare_cached(text).map_err(failed)?;
                let width = statement.column_count();
                let mut rows = statement
                    .query(rusqlite::params_from_iter(params))
                    .map_err(failed)?;
                while let Some(row) = rows.next().map_err(failed)? {
                    let mut values = Vec::with_capacity(width);
                    for at in 0..width {
                        values.push(value_of(row.get_ref(at).map_err(failed)?));
                    }
                    each(Row::new(name, values))?;
                }
                Ok(())
            }
            Self::Postgres(connection) => connection.stream(name, params, each),
        }
    }

    pub(crate) fn execute(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let failed = |source| StoreError::sqlite(name, source);
                let text = Statements::of(Dialect::Sqlite)?.get(name)?;
                let mut statement = connection.prepare_cached(text).map_err(failed)?;
                let changed = statement
                    .execute(rusqlite::params_from_iter(params))
                    .map_err(failed)?;
                u64::try_from(changed).map_err(|_| StoreError::defect("row count out of range"))
            }
            Self::Postgres(connection) => connection.execute(name, params),
        }
    }

    /// Runs one statement for many rows: a prepared loop on SQLite, pipelined on PostgreSQL.
    /// Returns how many rows each one changed.
    pub(crate) fn execute_many(
        &mut self,
        name: &'static str,
        rows: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        match self {
            Self::Sqlite(_) => rows
                .iter()
                .map(|params| self.execute(name, params))
                .collect(),
            Self::Postgres(connection) => connection.execute_many(name, rows),
        }
    }

    /// Runs transaction control (`BEGIN`, `SAVEPOINT s`, ...).
    pub(crate) fn control(&mut self, text: &'static str) -> Result<(), StoreError> {
        #[cfg(test)]
        if text == "COMMIT" {
            match crate::faults::at_commit() {
                None => {}
                Some(crate::faults::Commit::Refused) => return Err(crate::faults::lost()),
                Some(crate::faults::Commit::AnswerLost) => {
                    self.run_control(text)?;
                    return Err(crate::faults::lost());
                }
            }
        }
        self.run_control(text)
    }

    fn run_control(&mut self, text: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection
                    .prepare_cached(text)
                    .map_err(|source| StoreError::sqlite(text, source))?;
                statement
                    .execute([])
                    .map_err(|source| StoreError::sqlite(text, source))?;
                Ok(())
            }
            Self::Postgres(connection) => connection.control(text),
        }
    }

    /// Whether a transaction is open. SQLite may have ended it by itself after an error.
    pub(crate) fn in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
            Self::Postgres(connection) => connection.alive(),
        }
    }

    /// The same connection for a shorter time.
    pub(crate) fn reborrow(&mut self) -> Backend<'_> {
        match self {
            Self::Sqlite(connection) => Backend::Sqlite(connection),
            Self::Postgres(connection) => Backend::Postgres(connection),
        }
    }
}
