//! The migration runner: numbered pairs of scripts, applied in order, never changed afterwards.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::backend::Backend;
use crate::error::StoreError;
use crate::postgres;
use crate::sql::Dialect;

/// One step of the schema, in both dialects.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// All steps, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "ledger",
        sqlite: include_str!("../migrations/sqlite/0001_ledger.sql"),
        postgres: include_str!("../migrations/postgres/0001_ledger.sql"),
    },
    Migration {
        number: 2,
        name: "refusal",
        sqlite: include_str!("../migrations/sqlite/0002_refusal.sql"),
        postgres: include_str!("../migrations/postgres/0002_refusal.sql"),
    },
    Migration {
        number: 3,
        name: "account",
        sqlite: include_str!("../migrations/sqlite/0003_account.sql"),
        postgres: include_str!("../migrations/postgres/0003_account.sql"),
    },
    Migration {
        number: 4,
        name: "stray",
        sqlite: include_str!("../migrations/sqlite/0004_stray.sql"),
        postgres: include_str!("../migrations/postgres/0004_stray.sql"),
    },
    Migration {
        number: 5,
        name: "line_member",
        sqlite: include_str!("../migrations/sqlite/0005_line_member.sql"),
        postgres: include_str!("../migrations/postgres/0005_line_member.sql"),
    },
    Migration {
        number: 6,
        name: "difference",
        sqlite: include_str!("../migrations/sqlite/0006_difference.sql"),
        postgres: include_str!("../migrations/postgres/0006_difference.sql"),
    },
    Migration {
        number: 7,
        name: "lease",
        sqlite: include_str!("../migrations/sqlite/0007_lease.sql"),
        postgres: include_str!("../migrations/postgres/0007_lease.sql"),
    },
];

const TABLE_SQLITE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number INTEGER NOT NULL CONSTRAINT schema_migration_pk PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL) STRICT";
const TABLE_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number BIGINT NOT NULL CONSTRAINT schema_migration_pk PRIMARY KEY,
    name TEXT COLLATE \"C\" NOT NULL,
    checksum TEXT COLLATE \"C\" NOT NULL)";

impl Migration {
    pub(crate) fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    pub(crate) fn checksum(&self, dialect: Dialect) -> String {
        HEXLOWER.encode(&Sha256::digest(self.text(dialect).as_bytes()))
    }
}

/// What the database says was applied.
pub(crate) fn applied(backend: &mut Backend<'_>) -> Result<Vec<(i64, String, String)>, StoreError> {
    let mut found = Vec::new();
    backend.stream("migration_applied", &[], &mut |mut row| {
        found.push((row.int()?, row.text()?, row.text()?));
        Ok(())
    })?;
    Ok(found)
}

/// One step of the schema, and whether a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// Whether it was applied.
    pub is_applied: bool,
}

/// All steps that this program knows. A database that is new has none.
pub(crate) fn steps(backend: &mut Backend<'_>) -> Result<Vec<Step>, StoreError> {
    let applied = match applied(backend) {
        Err(error) if postgres::is_no_table(&error) => Vec::new(),
        applied => applied?,
    };
    check(&applied, backend.dialect())?;
    let step = |migration: &Migration| Step {
        number: migration.number,
        name: migration.name,
        is_applied: applied
            .iter()
            .any(|(number, ..)| *number == migration.number),
    };
    Ok(MIGRATIONS.iter().map(step).collect())
}

/// Refuses a database that this program must not touch.
pub(crate) fn check(applied: &[(i64, String, String)], dialect: Dialect) -> Result<(), StoreError> {
    for (number, name, checksum) in applied {
        let Some(known) = MIGRATIONS
            .iter()
            .find(|migration| migration.number == *number)
        else {
            return Err(StoreError::Migration(format!(
                "the database has migration {number:04}_{name}, which this program does not know: \
                 it was written by a newer version; use that version or a newer one"
            )));
        };
        if known.name != name || known.checksum(dialect) != *checksum {
            return Err(StoreError::Migration(format!(
                "migration {number:04}_{name} was changed after it was applied: restore the \
                 original file, and put the change into a new migration"
            )));
        }
    }
    Ok(())
}

/// Brings the schema up to date. Each step is one transaction.
pub(crate) fn migrate(backend: &mut Backend<'_>) -> Result<usize, StoreError> {
    let dialect = backend.dialect();
    script(
        backend,
        "schema_migration",
        match dialect {
            Dialect::Sqlite => TABLE_SQLITE,
            Dialect::Postgres => TABLE_POSTGRES,
        },
    )?;
    let mut steps = 0;
    for migration in MIGRATIONS {
        crate::writer::begin(backend)?;
        let applied_here = step(backend, migration, dialect);
        match applied_here {
            Ok(done) => {
                backend.control("COMMIT")?;
                steps += usize::from(done);
            }
            Err(error) => {
                backend.control("ROLLBACK")?;
                return Err(error);
            }
        }
    }
    Ok(steps)
}

fn step(
    backend: &mut Backend<'_>,
    migration: &Migration,
    dialect: Dialect,
) -> Result<bool, StoreError> {
    backend.execute("migration_lock", &[])?;
    let applied = applied(backend)?;
    check(&applied, dialect)?;
    if applied
        .iter()
        .any(|(number, ..)| *number == migration.number)
    {
        return Ok(false);
    }
    script(backend, migration.name, migration.text(dialect))?;
    let checksum = migration.checksum(dialect);
    let params = [
        migration.number.into(),
        migration.name.into(),
        (&checksum).into(),
    ];
    backend.execute("migration_insert", &params)?;
    Ok(true)
}

fn script(backend: &mut Backend<'_>, doing: &str, text: &str) -> Result<(), StoreError> {
    match backend {
        Backend::Sqlite(connection) => connection
            .execute_batch(text)
            .map_err(|source| StoreError::sqlite(doing, source)),
        Backend::Postgres(connection) => connection.script(doing, text),
    }
}
