//! Tryton: a Python environment, two databases from one seed, and one server for both.
//!
//! The slow step, initialising the modules, runs once into `cf_base`; all other databases are
//! copies: seeded (`cf_plain_pristine`), then with our key module (`cf_key_pristine`). Tests see
//! further copies of those two, which a reset simply makes again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::logins;
use super::packages;
use super::place::{Place, fingerprint, timed};
use super::postgres::{Postgres, USER};
use crate::command::{command, run_captured, run_logged};
use crate::environment::{is_root, repository};
use crate::service::{Service, http_status};

const SEED: &str = include_str!("../../lab/tryton_seed.py");
const SERVE: &str = include_str!("../../lab/tryton_serve.py");
const SERIES: &str = "8.2";
const MODULES: &[&str] = &["project_invoice", "timesheet_cost"];
/// The PyPI packages, every Tryton one held to one series.
const REQUIREMENTS: &[&str] = &[
    "trytond[postgresql]~=8.2.0",
    "psycopg[binary,pool]",
    "trytond_project_invoice~=8.2.0",
    "trytond_timesheet_cost~=8.2.0",
];
pub(crate) const KEY_MODULE: &str = "counterfoil_key";
const KEY_MODULE_FILES: &[&str] = &["__init__.py", "key.py", "message.xml", "tryton.cfg"];

const BASE: &str = "cf_base";
pub(crate) const KEY: &str = "cf_key";
pub(crate) const PLAIN: &str = "cf_plain";
const KEY_PRISTINE: &str = "cf_key_pristine";
const PLAIN_PRISTINE: &str = "cf_plain_pristine";
const CLONE_COMMENT: &str = "clone of the counterfoil lab";

/// The steps whose results live in the cluster and vanish with it.
pub(crate) const DATABASE_STEPS: &[&str] = &[
    "tryton-init",
    "tryton-seed",
    "tryton-key",
    "tryton-databases",
];

/// The running server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tryton {
    pub(crate) port: u16,
}

pub(crate) fn service(place: &Place) -> Service {
    Service {
        name: "trytond",
        pid_file: place.path("tryton/trytond.pid"),
        marker: place.path("tryton/serve.py").to_string_lossy().into_owned(),
        log: place.log("trytond"),
    }
}

/// Installs, initialises, seeds and starts as far as each is missing.
pub(crate) fn up(place: &Place, postgres: &Postgres) -> Result<Tryton> {
    place.folder("tryton")?;
    let wanted = fingerprint(REQUIREMENTS);
    place.step("tryton-install", &wanted, || install(place))?;
    let port = match (service(place).pid(), place.recorded_port("tryton")) {
        (Some(_), Some(port)) => port,
        _ => place.port("tryton")?,
    };
    let fresh_settings = configure(place, postgres, port)?;

    let modules = repository()?.join("erp-modules/tryton").join(KEY_MODULE);
    let seeded = fingerprint(&[wanted.as_str(), SEED, logins::ADMIN, logins::CONNECTOR]);
    let keyed = fingerprint(&[seeded.as_str(), &module_text(&modules)?]);
    place.step("tryton-init", &wanted, || initialise(place, postgres))?;
    place.step("tryton-seed", &seeded, || seed(place, postgres))?;
    place.step("tryton-key", &keyed, || {
        add_key_module(place, postgres, &modules)
    })?;
    let mut restart = fresh_settings;
    place.step("tryton-databases", &keyed, || {
        restart = true;
        copy_pristine(postgres)
    })?;
    if restart {
        service(place).stop("-TERM")?;
    }
    start(place, port)?;
    Ok(Tryton { port })
}

/// Gives both databases back their seeded state.
///
/// The server keeps records in memory by database name, so it is started again as well.
pub(crate) fn reset(place: &Place, postgres: &Postgres) -> Result<()> {
    let Some(port) = place.recorded_port("tryton") else {
        bail!("this lab has no Tryton yet: run cargo xtask lab up")
    };
    service(place).stop("-TERM")?;
    timed("tryton-copy", || copy_pristine(postgres))?;
    start(place, port)
}

/// Makes one more seeded database; the running server serves it at once under its name.
pub(crate) fn clone_database(postgres: &Postgres, name: &str, plain: bool) -> Result<()> {
    let usable = !name.is_empty()
        && name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !usable {
        bail!("{name}: a database name has at most 60 of a-z, 0-9 and _, and starts with a letter");
    }
    if postgres.exists(name)? {
        bail!("{name} exists, and the server may remember its records: take another name");
    }
    postgres.copy(if plain { PLAIN_PRISTINE } else { KEY_PRISTINE }, name)?;
    postgres.sql(
        "postgres",
        &format!("comment on database {name} is '{CLONE_COMMENT}'"),
    )?;
    Ok(())
}

/// Drops one database made by `clone_database`.
pub(crate) fn drop_clone(postgres: &Postgres, name: &str) -> Result<()> {
    if !clones(postgres)?.iter().any(|clone| clone == name) {
        bail!("{name} is no database made by clone-tryton");
    }
    postgres.drop(name)
}

/// Drops all databases made by `clone_database`.
pub(crate) fn drop_clones(postgres: &Postgres) -> Result<()> {
    clones(postgres)?
        .iter()
        .try_for_each(|name| postgres.drop(name))
}

fn clones(postgres: &Postgres) -> Result<Vec<String>> {
    let names = postgres.sql(
        "postgres",
        &format!(
            "select datname from pg_database where \
             shobj_description(oid, 'pg_database') = '{CLONE_COMMENT}'"
        ),
    )?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// What the seed wrote down.
pub(crate) fn seed_facts(place: &Place) -> Result<serde_json::Value> {
    let path = place.path("tryton/seed.json");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).context("reading the facts of the Tryton seed")
}

pub(crate) fn version(place: &Place) -> Result<String> {
    let code = "import importlib.metadata as m; print(m.version('trytond'))";
    run_captured(&mut command(venv(place).join("python"), ["-c", code]))
}

fn venv(place: &Place) -> PathBuf {
    place.path("tryton/venv/bin")
}

fn conf(place: &Place) -> PathBuf {
    place.path("tryton/trytond.conf")
}

fn install(place: &Place) -> Result<()> {
    let target = place.path("tryton/venv");
    if target.exists() {
        fs::remove_dir_all(&target).context("removing an unfinished Python environment")?;
    }
    let log = place.log("tryton-install");
    let create = || run_logged(command("python3", ["-m", "venv"]).arg(&target), &log);
    if create().is_err() {
        // Debian splits the module off; without root its own message says what to install.
        if is_root() {
            packages::install(place, &["python3", "python3-venv"])?;
        }
        create()?;
    }
    let mut pip = command(venv(place).join("python"), ["-m", "pip", "install", "-q"]);
    pip.args(["--disable-pip-version-check"]).args(REQUIREMENTS);
    run_logged(&mut pip, &log).context("installing Tryton from PyPI: is the network there?")
}

/// Writes the settings; true when they differ from those a running server may have read.
fn configure(place: &Place, postgres: &Postgres, port: u16) -> Result<bool> {
    let text = format!(
        "[database]\n\
         uri = postgresql://{USER}@127.0.0.1:{}/\n\
         list = False\n\
         [web]\n\
         listen = 127.0.0.1:{port}\n\
         [session]\n\
         authentications = password\n\
         max_attempt = 1000\n\
         max_attempt_ip_network = 1000\n\
         [bus]\n\
         allow_subscribe = False\n",
        postgres.port
    );
    let path = conf(place);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(true)
}

fn admin(place: &Place, database: &str) -> Command {
    let mut c = command(venv(place).join("trytond-admin"), ["-c"]);
    c.arg(conf(place)).args(["-d", database]);
    c
}

fn initialise(place: &Place, postgres: &Postgres) -> Result<()> {
    postgres.create(BASE)?;
    let password = place.path("tryton/admin-password");
    fs::write(&password, format!("{}\n", logins::ADMIN)).context("handing over the password")?;
    let mut c = admin(place, BASE);
    c.args(["-u", "ir", "res"]).args(MODULES);
    c.args([
        "--activate-dependencies",
        "--email",
        "admin@kestrel.example",
    ]);
    c.env("TRYTONPASSFILE", &password);
    run_logged(&mut c, &place.log("tryton-init"))
}

fn seed(place: &Place, postgres: &Postgres) -> Result<()> {
    let script = place.path("tryton/seed.py");
    fs::write(&script, SEED).context("writing the seed script")?;
    postgres.copy(BASE, PLAIN_PRISTINE)?;
    let mut c = command(venv(place).join("python"), [&script]);
    c.arg("--config")
        .arg(conf(place))
        .args(["--database", PLAIN_PRISTINE, "--out"]);
    c.arg(place.path("tryton/seed.json"))
        .env("LAB_CONNECTOR_PASSWORD", logins::CONNECTOR);
    run_logged(&mut c, &place.log("tryton-seed"))
}

fn add_key_module(place: &Place, postgres: &Postgres, source: &Path) -> Result<()> {
    let code =
        "import os, trytond; print(os.path.join(os.path.dirname(trytond.__file__), 'modules'))";
    let modules = run_captured(&mut command(venv(place).join("python"), ["-c", code]))?;
    let target = Path::new(&modules).join(KEY_MODULE);
    fs::create_dir_all(&target).context("creating the module's folder")?;
    for file in KEY_MODULE_FILES {
        fs::copy(source.join(file), target.join(file))
            .with_context(|| format!("copying {file}"))?;
    }
    postgres.copy(PLAIN_PRISTINE, KEY_PRISTINE)?;
    let log = place.log("tryton-key");
    run_logged(
        admin(place, KEY_PRISTINE).arg("--update-modules-list"),
        &log,
    )?;
    run_logged(admin(place, KEY_PRISTINE).args(["-u", KEY_MODULE]), &log)
}

fn copy_pristine(postgres: &Postgres) -> Result<()> {
    for (pristine, live) in [(PLAIN_PRISTINE, PLAIN), (KEY_PRISTINE, KEY)] {
        // A template with a connection cannot be copied: let nobody in.
        postgres.sql(
            "postgres",
            &format!("alter database {pristine} allow_connections false"),
        )?;
        postgres.copy(pristine, live)?;
    }
    Ok(())
}

fn start(place: &Place, port: u16) -> Result<()> {
    let service = service(place);
    if service.pid().is_some() {
        return Ok(());
    }
    timed("tryton-start", || {
        let script = place.path("tryton/serve.py");
        fs::write(&script, SERVE).context("writing the server's script")?;
        let listen = format!("127.0.0.1:{port}");
        let mut c = command(venv(place).join("python"), [&script]);
        c.arg("--config")
            .arg(conf(place))
            .args(["--listen", &listen, KEY, PLAIN]);
        c.current_dir(place.path("tryton"));
        service.start(&mut c)?;
        service.wait(Duration::from_secs(90), || http_status(port, "/").is_some())
    })
}

fn module_text(folder: &Path) -> Result<String> {
    let mut text = String::from(SERIES);
    for file in KEY_MODULE_FILES {
        let path = folder.join(file);
        text +=
            &fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    }
    Ok(text)
}
