//! Redmine from the operating system's packages: one SQLite file, one web server with one thread.
//!
//! The migrated database is kept as `base.sqlite`, the seeded one as `pristine.sqlite`; tests work
//! on `redmine.sqlite`, which a reset overwrites from the pristine one.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::logins;
use super::packages;
use super::place::{Place, fingerprint, timed};
use crate::command::{command, run_as, run_captured, run_logged};
use crate::environment::{Account, account, is_root, program};
use crate::service::{Service, http_status};

const SEED: &str = include_str!("../../lab/redmine_seed.rb");
const INSTANCE: &str = "counterfoil";
const HOME: &str = "/usr/share/redmine";
const PACKAGES: &[&str] = &["redmine", "redmine-sqlite", "puma", "ruby-webrick"];
/// The file is chosen by the environment, so that two labs can share the instance.
const DATABASE_YML: &str = "production:\n  adapter: sqlite3\n  \
    database: <%= ENV.fetch(\"COUNTERFOIL_REDMINE_DB\") %>\n  encoding: utf8\n  timeout: 10000\n";

/// The running server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redmine {
    pub(crate) port: u16,
}

pub(crate) fn service(place: &Place) -> Service {
    // The server renames its process and keeps the address.
    let port = place.recorded_port("redmine").unwrap_or_default();
    Service {
        name: "redmine",
        pid_file: place.path("redmine/puma.pid"),
        marker: format!("127.0.0.1:{port}"),
        log: place.log("redmine"),
    }
}

/// Installs, migrates, seeds and starts as far as each is missing.
pub(crate) fn up(place: &Place) -> Result<Redmine> {
    install(place)?;
    let folder = place.folder("redmine")?;
    let web = account("www-data")?;
    if is_root() {
        chown(&folder, Some(web.uid), Some(web.gid)).context("giving the folder to www-data")?;
    }
    let version = run_captured(&mut command(
        "dpkg-query",
        ["-W", "-f", "${Version}", "redmine"],
    ))?;
    instance(web)?;
    let seeded = fingerprint(&[version.as_str(), SEED]);
    place.step("redmine-migrate", &version, || migrate(place))?;
    let service = service(place);
    place.step("redmine-seed", &seeded, || {
        service.stop("-TERM")?;
        seed(place)
    })?;
    let port = match (service.pid(), place.recorded_port("redmine")) {
        (Some(_), Some(port)) => port,
        _ => place.port("redmine")?,
    };
    start(place, port)?;
    Ok(Redmine { port })
}

/// Gives the database back its seeded state.
///
/// SQLite's own backup takes the locks and tells a running server that the pages changed.
pub(crate) fn reset(place: &Place) -> Result<()> {
    let code = "require 'sqlite3'\n\
        source, target = ARGV.map { |p| SQLite3::Database.new(p) }\n\
        target.busy_timeout(30_000)\n\
        copy = SQLite3::Backup.new(target, 'main', source, 'main')\n\
        copy.step(-1)\n\
        copy.finish\n";
    timed("redmine-copy", || {
        let mut c = command("ruby", ["-e", code]);
        c.arg(place.path("redmine/pristine.sqlite"))
            .arg(place.path("redmine/redmine.sqlite"));
        run_as(&mut c, runner()?);
        run_captured(&mut c).map(drop)
    })
}

/// What the seed wrote down.
pub(crate) fn seed_facts(place: &Place) -> Result<serde_json::Value> {
    let path = place.path("redmine/seed.json");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).context("reading the facts of the Redmine seed")
}

fn installed() -> bool {
    packages::is_installed("redmine")
        && packages::is_installed("redmine-sqlite")
        && program("puma").is_some()
}

fn install(place: &Place) -> Result<()> {
    if installed() {
        return Ok(());
    }
    packages::may_install(PACKAGES)?;
    timed("redmine-install", || {
        // We write the database settings ourselves.
        let answers = place.path("debconf");
        fs::write(
            &answers,
            "redmine redmine/instances/default/dbconfig-install boolean false\n\
             redmine redmine/instances/default/database-type select sqlite3\n",
        )
        .context("writing the package's answers")?;
        let log = place.log("apt");
        run_logged(&mut command("debconf-set-selections", [&answers]), &log)?;
        // The package's own configure step is what fails on an updated system; see below.
        let first = packages::install(place, PACKAGES);
        if installed() {
            return Ok(());
        }
        repair_gem_folders(&log)?;
        let mut c = command("dpkg", ["--configure", "-a"]);
        run_logged(
            c.current_dir("/").env("DEBIAN_FRONTEND", "noninteractive"),
            &log,
        )?;
        if !installed() {
            first?;
            bail!("the packages {} did not install", PACKAGES.join(", "));
        }
        Ok(())
    })
}

/// Bundler takes a gem whose folder is missing for one that is not installed, while Debian ships
/// gems without such a folder. An empty one is enough.
fn repair_gem_folders(log: &Path) -> Result<()> {
    let code = "require 'fileutils'\n\
        Gem::Specification.reject(&:default_gem?).each { |g| FileUtils.mkdir_p(g.full_gem_path) }";
    run_logged(&mut command("ruby", ["-e", code]), log)
}

fn instance(web: Account) -> Result<()> {
    let folder = Path::new("/etc/redmine").join(INSTANCE);
    let secret = folder.join("secret_key.txt");
    let settings = folder.join("database.yml");
    let ready =
        secret.is_file() && fs::read_to_string(&settings).is_ok_and(|text| text == DATABASE_YML);
    if ready {
        return Ok(());
    }
    if !is_root() {
        bail!(
            "this account cannot read {}: run cargo xtask lab up once as root, \
             and be a member of the group www-data",
            folder.display()
        );
    }
    if !folder.is_dir() {
        let tool = Path::new(HOME).join("bin/redmine-instances");
        run_captured(&mut command(tool, ["create", INSTANCE]))?;
    }
    if !secret.is_file() {
        let code = "require 'securerandom'; puts SecureRandom.hex(64)";
        let text = run_captured(&mut command("ruby", ["-e", code]))?;
        fs::write(&secret, text).context("writing the instance's secret")?;
    }
    fs::write(&settings, DATABASE_YML).context("writing the instance's database settings")?;
    for file in [&secret, &settings] {
        chown(file, None, Some(web.gid)).context("giving the instance's files to www-data")?;
        run_captured(command("chmod", ["640"]).arg(file))?;
    }
    Ok(())
}

/// The account that Redmine runs as: www-data where we are root, else our own.
fn runner() -> Result<Option<Account>> {
    if is_root() {
        account("www-data").map(Some)
    } else {
        Ok(None)
    }
}

/// A program in Redmine's folder, with the environment every Redmine process needs.
fn ruby(place: &Place, program: &str, args: &[&str]) -> Result<Command> {
    let mut c = command(program, args);
    c.current_dir(HOME)
        .env("HOME", place.path("redmine"))
        .env("RAILS_ENV", "production")
        .env("RACK_ENV", "production")
        .env("REDMINE_INSTANCE", INSTANCE)
        .env("REDMINE_LANG", "en")
        .env("SCHEMA", "/dev/null")
        .env(
            "COUNTERFOIL_REDMINE_DB",
            place.path("redmine/redmine.sqlite"),
        )
        .env("LAB_REDMINE_DIR", place.path("redmine"))
        .env("LAB_ADMIN_PASSWORD", logins::ADMIN)
        .env("LAB_CONNECTOR_PASSWORD", logins::CONNECTOR);
    run_as(&mut c, runner()?);
    Ok(c)
}

fn copy(place: &Place, from: &str, to: &str) -> Result<()> {
    let mut c = command("cp", [place.path(from), place.path(to)]);
    run_as(&mut c, runner()?);
    run_captured(&mut c).map(drop)
}

fn migrate(place: &Place) -> Result<()> {
    service(place).stop("-TERM")?;
    for name in ["redmine/redmine.sqlite", "redmine/redmine.sqlite-journal"] {
        let path = place.path(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    run_logged(
        &mut ruby(place, "bundle", &["exec", "rake", "db:migrate"])?,
        &place.log("redmine-migrate"),
    )?;
    copy(place, "redmine/redmine.sqlite", "redmine/base.sqlite")
}

fn seed(place: &Place) -> Result<()> {
    copy(place, "redmine/base.sqlite", "redmine/redmine.sqlite")?;
    let script = place.path("redmine/seed.rb");
    fs::write(&script, SEED).context("writing the seed script")?;
    let name = script.to_string_lossy().into_owned();
    run_logged(
        &mut ruby(place, "bundle", &["exec", "rails", "runner", &name])?,
        &place.log("redmine-seed"),
    )?;
    copy(place, "redmine/redmine.sqlite", "redmine/pristine.sqlite")
}

fn start(place: &Place, port: u16) -> Result<()> {
    let service = service(place);
    if service.pid().is_some() {
        return Ok(());
    }
    timed("redmine-start", || {
        // One thread: SQLite takes one writer, and the answers then come in a fixed order.
        let bind = format!("tcp://127.0.0.1:{port}");
        let args = [
            "-e",
            "production",
            "-t",
            "1:1",
            "-b",
            bind.as_str(),
            "config.ru",
        ];
        service.start(&mut ruby(place, "puma", &args)?)?;
        service.wait(Duration::from_mins(2), || {
            http_status(port, "/login") == Some(200)
        })
    })
}
