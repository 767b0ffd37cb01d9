//! `init`: a commented configuration, and the key that seals personal text.

use crate::failure::Failure;
use crate::out;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const HEAD: &str = include_str!("init/head.toml");
const TAIL: &str = include_str!("init/tail.toml");
const REDMINE: &str = include_str!("init/redmine.toml");
const TRYTON: &str = include_str!("init/tryton.toml");
const REFERENCE_SOURCE: &str = include_str!("init/reference-source.toml");
const REFERENCE_TARGET: &str = include_str!("init/reference-target.toml");

/// The text of a configuration.
pub(crate) fn template(ledger: &str, source: &str, target: &str) -> Result<String, Failure> {
    let source = match source {
        "redmine" => REDMINE,
        "reference" => REFERENCE_SOURCE,
        other => {
            return Err(Failure::usage(
                format!("there is no tracker connector '{other}'"),
                "use redmine or reference",
            ));
        }
    };
    let target = match target {
        "tryton" => TRYTON,
        "reference" => REFERENCE_TARGET,
        other => {
            return Err(Failure::usage(
                format!("there is no ERP connector '{other}'"),
                "use tryton or reference",
            ));
        }
    };
    Ok([&HEAD.replace("@LEDGER@", ledger), source, target, TAIL].join("\n"))
}

fn random_hex(bytes: usize) -> Result<String, Failure> {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).map_err(|error| {
        Failure::stopped(
            format!("the system gives no random bytes: {error}"),
            "try again later",
        )
    })?;
    Ok(data_encoding::HEXLOWER.encode(&buffer))
}

pub(crate) fn run(folder: &Path, source: &str, target: &str) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(folder)?;
    let config = folder.join("counterfoil.toml");
    let key = folder.join("seal.key");
    for path in [&config, &key] {
        if path.exists() {
            return Err(Failure::usage(
                format!("{} exists already", path.display()),
                "a ledger id and a seal key are made once; use another folder for another ledger",
            ));
        }
    }
    let text = template(&random_hex(16)?, source, target)?;
    write_new(&key, &format!("{}\n", random_hex(32)?), true)?;
    write_new(&config, &text, false)?;
    out::line(&format!("wrote {} and {}", config.display(), key.display()));
    out::complain(
        "hint: fill in the marked places, put the secrets where [secrets] says, then run `counterfoil check`",
    );
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str, secret: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
