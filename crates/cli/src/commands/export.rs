//! `export`: what the ledger holds, for other programs: a record a line, as it was booked.
//!
//! It reads beside a running process and changes nothing. A file appears under its name when it is
//! whole, or not at all.

use crate::app;
use crate::args::Args;
use crate::failure::{Failure, NEEDS_A_PERSON};
use crate::ledger::{self, Access};
use crate::out;
use domain::labor::LaborTransaction;
use domain::time::{WORK_DATE_MAX, WORK_DATE_MIN};
use jiff::civil::Date;
use pipeline::labor::Exported;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Where lines go, and what went wrong with the first that did not.
struct Sink {
    out: Box<dyn Write + Send>,
    failed: Option<io::Error>,
}

impl Sink {
    fn put(&mut self, transaction: &LaborTransaction) -> ControlFlow<()> {
        let written = serde_json::to_writer(&mut self.out, transaction)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"));
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

/// Labor transactions as one JSON value a line.
pub(crate) async fn labor(
    args: &Args,
    from: Option<Date>,
    to: Option<Date>,
    file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let (from, to) = (from.unwrap_or(WORK_DATE_MIN), to.unwrap_or(WORK_DATE_MAX));
    if from > to {
        return Err(Failure::usage(
            format!("{from} is after {to}"),
            "--from is the first day and --to the last, both included",
        ));
    }
    let config = app::load_config(args)?;
    let store = ledger::open_store(&config, Access::Read)?;
    let partial = file.map(begin).transpose()?;
    let out: Box<dyn Write + Send> = match &partial {
        Some((_, open)) => Box::new(BufWriter::new(open.try_clone()?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let sink = Arc::new(Mutex::new(Sink { out, failed: None }));
    let lines = Arc::clone(&sink);
    let source = config.file.source.name().to_owned();
    let exported = pipeline::labor::export(&store, source, from, to, move |transaction| {
        let mut sink = lines.lock().unwrap_or_else(PoisonError::into_inner);
        sink.put(&transaction)
    })
    .await;
    let written = sink.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let ended = exported.map_err(Failure::from).and_then(|exported| {
        match written {
            // Whoever read our output has read enough.
            Err(error) if file.is_none() && error.kind() == io::ErrorKind::BrokenPipe => {}
            other => other?,
        }
        Ok(exported)
    });
    if let (Some(file), Some((partial, open))) = (file, partial) {
        if ended.is_ok() {
            open.sync_all()?;
            fs::rename(&partial, file)?;
        } else {
            fs::remove_file(&partial)?;
        }
    }
    let exported = ended?;
    tell(&exported);
    Ok(if exported.omitted.keys().any(|why| why.is_gap()) {
        ExitCode::from(NEEDS_A_PERSON)
    } else {
        ExitCode::SUCCESS
    })
}

/// The file to write into until it is whole, open only to its owner: it names people.
fn begin(file: &Path) -> Result<(PathBuf, File), Failure> {
    if file.exists() {
        return Err(Failure::usage(
            format!("{} exists already", file.display()),
            "name another file, or remove this one",
        ));
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let open = options.open(&partial).map_err(|error| {
        Failure::stopped(
            format!("{} cannot be written: {error}", partial.display()),
            "check the path, its permissions and the free space",
        )
    })?;
    Ok((partial, open))
}

fn tell(exported: &Exported) {
    out::complain(&format!(
        "{} labor transactions written",
        exported.transactions
    ));
    for (why, count) in &exported.omitted {
        out::complain(&format!("{count} entries have none: {}", why.words()));
    }
    for (entry, why) in &exported.named {
        out::complain(&format!("  entry {entry}: {}", why.words()));
    }
    if exported.omitted.keys().any(|why| why.is_gap()) {
        out::complain(
            "hint: `counterfoil explain ID` says what became of an entry; \
             `counterfoil exceptions list` what to do",
        );
    }
}
