//! One PostgreSQL connection, used synchronously: it lives on a thread of its own with a
//! current-thread runtime, so that commands look the same on both databases.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use futures_util::future::try_join_all;
use futures_util::{TryStreamExt, pin_mut};
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::error::StoreError;
use crate::sql::{Dialect, Statements};
use crate::value::{Param, Row, Value};

/// How many statements are under way at once when one is run for many rows.
const PIPELINE: usize = 128;

/// A connection that comes back by itself at the next transaction.
pub(crate) struct PgConnection {
    runtime: Runtime,
    url: String,
    client: Option<Client>,
    prepared: BTreeMap<&'static str, Statement>,
}

impl PgConnection {
    pub(crate) fn connect(url: &str) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| StoreError::Database {
                doing: "starting a runtime".to_owned(),
                again: false,
                source: Box::new(source),
            })?;
        let mut connection = Self {
            runtime,
            url: url.to_owned(),
            client: None,
            prepared: BTreeMap::new(),
        };
        connection.ensure()?;
        Ok(connection)
    }

    fn ensure(&mut self) -> Result<(), StoreError> {
        if self.alive() {
            return Ok(());
        }
        self.prepared.clear();
        self.client = None;
        let client = self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a connection to PostgreSQL ended");
                }
            });
            // Text comes back as sent, and nothing waits for ever.
            client
                .batch_execute("SET synchronous_commit = on; SET lock_timeout = '30s'")
                .await?;
            Ok(client)
        });
        self.client = Some(client.map_err(|source| failed("connecting", source))?);
        Ok(())
    }

    pub(crate) fn alive(&self) -> bool {
        self.client
            .as_ref()
            .is_some_and(|client| !client.is_closed())
    }

    fn client(&self) -> Result<&Client, StoreError> {
        self.client.as_ref().ok_or(StoreError::Closed)
    }

    pub(crate) fn statement(&mut self, name: &'static str) -> Result<Statement, StoreError> {
        if let Some(known) = self.prepared.get(name) {
            return Ok(known.clone());
        }
        let text = Statements::of(Dialect::Postgres)?.get(name)?;
        let prepared = self.runtime.block_on(self.client()?.prepare(text));
        let prepared = prepared.map_err(|source| failed(name, source))?;
        self.prepared.insert(name, prepared.clone());
        Ok(prepared)
    }

    pub(crate) fn stream(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.statement(name)?;
        let client = self.client()?;
        self.runtime.block_on(async {
            let rows = client
                .query_raw(&statement, params.iter().copied())
                .await
                .map_err(|source| failed(name, source))?;
            pin_mut!(rows);
            while let Some(row) = rows
                .try_next()
                .await
                .map_err(|source| failed(name, source))?
            {
                let mut values = Vec::with_capacity(row.len());
                for at in 0..row.len() {
                    values.push(row.try_get(at).map_err(|source| failed(name, source))?);
                }
                each(Row::new(name, values))?;
            }
            Ok(())
        })
    }

    pub(crate) fn execute(
        &mut self,
        name: &'static str,
        params: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        let statement = self.statement(name)?;
        let run = self
            .client()?
            .execute_raw(&statement, params.iter().copied());
        self.runtime
            .block_on(run)
            .map_err(|source| failed(name, source))
    }

    pub(crate) fn execute_many(
        &mut self,
        name: &'static str,
        rows: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        let statement = self.statement(name)?;
        let client = self.client()?;
        let mut changed = Vec::with_capacity(rows.len());
        for part in rows.chunks(PIPELINE) {
            let runs = part
                .iter()
                .map(|params| client.execute_raw(&statement, params.iter().copied()));
            let counts = self.runtime.block_on(try_join_all(runs));
            changed.extend(counts.map_err(|source| failed(name, source))?);
        }
        Ok(changed)
    }

    /// Inserts rows that are held as columns, and empties them.
    pub(crate) fn insert_columns(
        &mut self,
        table: &str,
        names: &str,
        columns: &mut [(String, Column)],
    ) -> Result<(), StoreError> {
        let kinds: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, (_, column))| format!("${}::{}[]", at + 1, column.kind()))
            .collect();
        let kinds = kinds.join(", ");
        let text = format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({kinds})");
        let client = self.client()?;
        let params: Vec<&(dyn ToSql + Sync)> =
            columns.iter().map(|(_, column)| column.values()).collect();
        self.runtime
            .block_on(client.execute(&text, &params))
            .map_err(|source| failed(table, source))?;
        for (_, column) in columns {
            column.clear();
        }
        Ok(())
    }

    /// How many rows a table has.
    pub(crate) fn count(&mut self, table: &str) -> Result<u64, StoreError> {
        let text = format!("SELECT count(*) FROM {table}");
        let row = self
            .runtime
            .block_on(self.client()?.query_one(&text, &[]))
            .map_err(|source| failed(table, source))?;
        let count: i64 = row.try_get(0).map_err(|source| failed(table, source))?;
        u64::try_from(count).map_err(|_| StoreError::defect("a negative count"))
    }

    pub(crate) fn control(&mut self, text: &'static str) -> Result<(), StoreError> {
        if !text.starts_with("BEGIN") {
            return self.script(text, text);
        }
        self.ensure()?;
        if self.script(text, text).is_ok() {
            return Ok(());
        }
        // Nothing refuses BEGIN but a connection that had ended while nobody looked.
        self.client = None;
        self.ensure()?;
        self.script(text, text)
    }

    /// Runs text that is no named statement: transaction control and migrations.
    pub(crate) fn script(&mut self, doing: &str, text: &str) -> Result<(), StoreError> {
        let run = self.client()?.batch_execute(text);
        self.runtime
            .block_on(run)
            .map_err(|source| failed(doing, source))
    }
}

/// The values of one column of many rows.
pub(crate) enum Column {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ints(_) => "bigint",
            Self::Texts(_) => "text",
            Self::Bytes(_) => "bytea",
        }
    }

    fn values(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Ints(all) => all,
            Self::Texts(all) => all,
            Self::Bytes(all) => all,
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Ints(all) => all.clear(),
            Self::Texts(all) => all.clear(),
            Self::Bytes(all) => all.clear(),
        }
    }
}

/// Where a connection string leads, for people; nothing if it cannot be read. A password is not in
/// it.
pub fn postgres_in_words(url: &str) -> Option<String> {
    let config: Config = url.parse().ok()?;
    let host = config.get_hosts().first().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    Some(format!("PostgreSQL database {name} at {host}:{port}"))
}

/// Whether the database has no such table: it was never a ledger.
pub(crate) fn is_no_table(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else {
        return false;
    };
    let said = source.downcast_ref::<Said>();
    said.and_then(|said| said.0.code()) == Some(&SqlState::UNDEFINED_TABLE)
}

/// What the driver or the database said, in full: the driver itself shows only whose error it is.
#[derive(Debug)]
struct Said(tokio_postgres::Error);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_db_error(), self.0.source()) {
            (Some(said), _) => write!(f, "{} ({})", said.message(), said.code().code()),
            (None, Some(cause)) => write!(f, "{}: {cause}", self.0),
            (None, None) => self.0.fmt(f),
        }
    }
}

impl Error for Said {}

fn failed(doing: &str, source: tokio_postgres::Error) -> StoreError {
    // Lost races and lost connections: the class of the state says which.
    let again = source.is_closed()
        || source.code().is_some_and(|state| {
            let code = state.code();
            code.starts_with("40")
                || code.starts_with("57P")
                || code.starts_with("08")
                || code == "23505"
                // Two nodes made the same table or type at the same moment.
                || code == "42710"
                || code == "42P07"
                || code == "55P03"
        });
    StoreError::Database {
        doing: doing.to_owned(),
        again,
        source: Box::new(Said(source)),
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Param::Null, _) => Ok(IsNull::Yes),
            (Param::Int(value), &Type::INT8) => value.to_sql(kind, out),
            (Param::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(kind, out),
            (Param::Text(value), &Type::TEXT | &Type::VARCHAR) => value.to_sql(kind, out),
            (Param::Bytes(value), &Type::BYTEA) => value.to_sql(kind, out),
            _ => Err(format!("{self:?} is no {kind}").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA
        )
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(kind, raw)?)),
            Type::TEXT | Type::VARCHAR => Self::Text(String::from_sql(kind, raw)?),
            _ => Self::Bytes(raw.to_vec()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA | Type::NAME
        )
    }
}
