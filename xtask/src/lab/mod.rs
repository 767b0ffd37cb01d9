//! The lab: real systems the tests run against, provisioned and started on loopback ports.
//!
//! Every command can be repeated; what is there is kept, what is missing is made.

mod facts;
mod guard;
mod logins;
mod packages;
mod place;
mod postgres;
mod redmine;
mod tryton;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub(crate) use guard::{guard, start_guard};
pub(crate) use place::Place;

use crate::clock::Stopwatch;
use crate::service::Service;
use facts::Parts;
use postgres::Postgres;

pub(crate) const HELP: &str = "\
cargo xtask lab COMMAND [--dir DIR]
  up                          provision and start PostgreSQL, Tryton and Redmine
  down                        stop them, by their pids
  status                      what runs where
  reset                       give Tryton and Redmine back their seeded state
  clone-tryton NAME [--plain] one more seeded Tryton database, served at once
  drop-tryton NAME            drop a database made by clone-tryton
  drop-clones                 drop all of them
The folder is DIR, else $COUNTERFOIL_LAB_DIR, else /var/cache/counterfoil-lab for root
and ~/.cache/counterfoil-lab for others. Tests find everything in its lab.json.
";

/// What an `up` brought: where the facts are, what it started, what it could not provide.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) facts: PathBuf,
    /// The store tests' connection string, where PostgreSQL runs.
    pub(crate) postgres_url: Option<String>,
    /// System and reason, for each one that is not there.
    pub(crate) missing: Vec<(&'static str, String)>,
    /// Names of the services that did not run before.
    pub(crate) started: Vec<&'static str>,
}

/// Runs `lab ...` from the command line.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut words = Vec::new();
    let mut dir = None;
    let mut plain = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--dir" => dir = Some(PathBuf::from(rest.next().context("--dir needs a folder")?)),
            "--plain" => plain = true,
            flag if flag.starts_with('-') => bail!("unknown option {flag}\n{HELP}"),
            word => words.push(word),
        }
    }
    let place = || Place::open(dir.clone());
    match words.as_slice() {
        ["up"] => {
            let watch = Stopwatch::start();
            let outcome = up(&place()?)?;
            println!(
                "lab: {} (up after {})",
                outcome.facts.display(),
                watch.seconds()
            );
            for (system, why) in &outcome.missing {
                println!("lab: NOT running: {system}: {why}");
            }
            if !outcome.missing.is_empty() {
                bail!("the lab is not complete");
            }
            Ok(())
        }
        ["down"] => down(&place()?, &["redmine", "trytond", "postgres"]),
        ["status"] => status(&place()?),
        ["reset"] => reset(&place()?),
        ["clone-tryton", name] => clone_tryton(&place()?, name, plain),
        ["drop-tryton", name] => tryton::drop_clone(&running_postgres(&place()?)?, name),
        ["drop-clones"] => tryton::drop_clones(&running_postgres(&place()?)?),
        ["guard", parent, services @ ..] => guard(&place()?, parent, services),
        _ => bail!("{HELP}"),
    }
}

/// Provisions and starts everything this machine allows.
pub(crate) fn up(place: &Place) -> Result<Outcome> {
    let _lock = place.lock()?;
    println!("lab: folder {}", place.root().display());
    let idle = idle_services(place);
    let mut missing = Vec::new();
    let postgres = postgres::up(place)
        .map_err(|e| missing.push(("PostgreSQL", format!("{e:#}"))))
        .ok();
    let tryton = postgres
        .as_ref()
        .context("needs PostgreSQL")
        .and_then(|server| tryton::up(place, server))
        .map_err(|e| missing.push(("Tryton", format!("{e:#}"))))
        .ok();
    let redmine = redmine::up(place)
        .map_err(|e| missing.push(("Redmine", format!("{e:#}"))))
        .ok();
    let parts = Parts {
        postgres: postgres.as_ref(),
        tryton,
        redmine,
    };
    let facts = facts::write(place, &parts)?;
    let still_idle = idle_services(place);
    let started = idle
        .into_iter()
        .filter(|name| !still_idle.contains(name))
        .collect();
    Ok(Outcome {
        facts,
        postgres_url: postgres.map(|p| p.test_url()),
        missing,
        started,
    })
}

/// Stops the named services, the ones that use the database before it.
pub(crate) fn down(place: &Place, names: &[&str]) -> Result<()> {
    let _lock = place.lock()?;
    let mut stopped = Vec::new();
    for service in services(place)
        .into_iter()
        .filter(|s| names.contains(&s.name))
    {
        if service.name == "postgres"
            && let Some(server) = postgres::running(place)
        {
            tryton::drop_clones(&server)?;
        }
        if service.stop(stop_signal(&service))? {
            stopped.push(service.name);
        }
    }
    let list = if stopped.is_empty() {
        "nothing".to_owned()
    } else {
        stopped.join(", ")
    };
    println!("lab: stopped: {list}");
    Ok(())
}

/// For PostgreSQL, INT asks for a fast shutdown: sessions are ended, nothing is waited for.
fn stop_signal(service: &Service) -> &'static str {
    if service.name == "postgres" {
        "-INT"
    } else {
        "-TERM"
    }
}

/// Gives Tryton and Redmine back their seeded state.
pub(crate) fn reset(place: &Place) -> Result<()> {
    let _lock = place.lock()?;
    let watch = Stopwatch::start();
    tryton::reset(place, &running_postgres(place)?)?;
    redmine::reset(place)?;
    println!("lab: reset after {}", watch.seconds());
    Ok(())
}

fn clone_tryton(place: &Place, name: &str, plain: bool) -> Result<()> {
    let _lock = place.lock()?;
    tryton::clone_database(&running_postgres(place)?, name, plain)?;
    println!("{name}");
    Ok(())
}

fn status(place: &Place) -> Result<()> {
    println!("{:<10}{:>8}{:>8}  answers", "service", "pid", "port");
    let mut all = true;
    for service in services(place) {
        let port = place.recorded_port(port_name(service.name));
        let answers = port.is_some_and(|p| match service.name {
            "postgres" => {
                running_postgres(place).is_ok_and(|s| s.sql("postgres", "select 1").is_ok())
            }
            "redmine" => crate::service::http_status(p, "/login") == Some(200),
            _ => crate::service::http_status(p, "/").is_some(),
        });
        let pid = service.pid().map_or_else(|| "-".into(), |p| p.to_string());
        let port = port.map_or_else(|| "-".into(), |p| p.to_string());
        println!(
            "{:<10}{pid:>8}{port:>8}  {}",
            service.name,
            if answers { "yes" } else { "no" }
        );
        all &= answers;
    }
    println!("facts: {}", place.facts_file().display());
    if !all {
        bail!("not everything answers: cargo xtask lab up");
    }
    Ok(())
}

/// All services, the ones that use the database first.
fn services(place: &Place) -> [Service; 3] {
    [
        redmine::service(place),
        tryton::service(place),
        postgres::service(place),
    ]
}

/// The services that do not run now.
pub(crate) fn idle_services(place: &Place) -> Vec<&'static str> {
    services(place)
        .into_iter()
        .filter(|s| s.pid().is_none())
        .map(|s| s.name)
        .collect()
}

fn port_name(service: &str) -> &str {
    if service == "trytond" {
        "tryton"
    } else {
        service
    }
}

fn running_postgres(place: &Place) -> Result<Postgres> {
    postgres::running(place).context("the lab's PostgreSQL is not running: cargo xtask lab up")
}
