//! A private PostgreSQL cluster: the ERP's database server and the store tests' one.
//!
//! Loopback only, no password, durability off: it holds nothing that cannot be made again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::packages;
use super::place::{Place, timed};
use crate::command::{command, run_as, run_captured, run_logged};
use crate::environment::{Account, account, is_root};
use crate::service::Service;

pub(crate) const USER: &str = "counterfoil";
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// The running cluster.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pub(crate) bin: PathBuf,
    pub(crate) port: u16,
}

pub(crate) fn service(place: &Place) -> Service {
    Service {
        name: "postgres",
        pid_file: place.path("postgres/data/postmaster.pid"),
        marker: place.path("postgres/data").to_string_lossy().into_owned(),
        log: place.log("postgres"),
    }
}

/// Installs, creates and starts the cluster as far as each is missing.
pub(crate) fn up(place: &Place) -> Result<Postgres> {
    let bin = binaries(place)?;
    let owner = owner()?;
    let data = place.path("postgres/data");
    place.step("postgres-cluster", &bin.to_string_lossy(), || {
        create(place, &bin, owner, &data)
    })?;
    let service = service(place);
    if service.pid().is_some()
        && let Some(port) = place.recorded_port("postgres")
    {
        return Ok(Postgres { bin, port });
    }
    let port = place.port("postgres")?;
    timed("postgres-start", || {
        let mut c = Command::new(bin.join("postgres"));
        c.arg("-D")
            .arg(&data)
            .arg("-p")
            .arg(port.to_string())
            .current_dir("/");
        for setting in SETTINGS {
            c.arg("-c").arg(setting);
        }
        run_as(&mut c, owner);
        // The server writes the pid file itself, so it is started beside that of `Service`.
        let starter = Service {
            pid_file: place.path("postgres/started.pid"),
            ..service.clone()
        };
        starter.start(&mut c)?;
        let up = Postgres {
            bin: bin.clone(),
            port,
        };
        starter.wait(Duration::from_mins(1), || {
            up.sql("postgres", "select 1").is_ok()
        })
    })?;
    Ok(Postgres { bin, port })
}

/// The cluster, if it is running.
pub(crate) fn running(place: &Place) -> Option<Postgres> {
    service(place).pid()?;
    Some(Postgres {
        bin: newest()?,
        port: place.recorded_port("postgres")?,
    })
}

impl Postgres {
    /// Runs one statement and returns the unaligned result.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> Result<String> {
        run_captured(self.tool("psql").args([
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            "-tAc",
            statement,
        ]))
    }

    /// Creates a database as a copy of another one; an old one of that name is dropped.
    pub(crate) fn copy(&self, template: &str, name: &str) -> Result<()> {
        self.drop(name)?;
        run_captured(self.tool("createdb").args(["-T", template, name]))?;
        Ok(())
    }

    /// Creates an empty database; an old one of that name is dropped.
    pub(crate) fn create(&self, name: &str) -> Result<()> {
        self.copy("template0", name)
    }

    /// Drops a database and whoever is connected to it.
    pub(crate) fn drop(&self, name: &str) -> Result<()> {
        run_captured(self.tool("dropdb").args(["--if-exists", "--force", name]))?;
        Ok(())
    }

    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        let found = self.sql(
            "postgres",
            &format!("select count(*) from pg_database where datname = '{name}'"),
        )?;
        Ok(found == "1")
    }

    /// What the store tests connect with, in the key=value form.
    pub(crate) fn test_url(&self) -> String {
        format!(
            "host=127.0.0.1 port={} user={USER} dbname=postgres",
            self.port
        )
    }

    fn tool(&self, name: &str) -> Command {
        let port = self.port.to_string();
        command(
            self.bin.join(name),
            ["-h", "127.0.0.1", "-p", port.as_str(), "-U", USER],
        )
    }
}

/// PostgreSQL refuses to run as root and gets an account of its own there.
fn owner() -> Result<Option<Account>> {
    if is_root() {
        account("postgres").map(Some)
    } else {
        Ok(None)
    }
}

fn create(place: &Place, bin: &Path, owner: Option<Account>, data: &Path) -> Result<()> {
    if service(place).stop("-INT")? {
        println!("lab: stopped the old cluster");
    }
    let parent = place.folder("postgres")?;
    if data.exists() {
        fs::remove_dir_all(data).context("removing an unfinished cluster")?;
    }
    for mark in super::tryton::DATABASE_STEPS {
        place.forget(mark)?; // the databases went with the cluster
    }
    if let Some(Account { uid, gid }) = owner {
        chown(&parent, Some(uid), Some(gid)).context("giving the folder to postgres")?;
    }
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o755))
        .context("opening the folder")?;
    let mut c = command(
        bin.join("initdb"),
        ["-U", USER, "-A", "trust", "-E", "UTF8"],
    );
    c.args(["--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(data)
        .current_dir("/");
    run_as(&mut c, owner);
    run_logged(&mut c, &place.log("postgres-cluster"))
        .context("the postgres account must be able to enter the lab's folder: try another --dir")
}

fn binaries(place: &Place) -> Result<PathBuf> {
    if let Some(bin) = newest() {
        return Ok(bin);
    }
    timed("postgres-install", || {
        packages::install(place, &["postgresql"])
    })?;
    match newest() {
        Some(bin) => Ok(bin),
        None => bail!("the package postgresql left no server under /usr/lib/postgresql"),
    }
}

fn newest() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}
