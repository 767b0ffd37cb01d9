//! Opening: from the configuration to the handles of a running flow.

use crate::args::Args;
use crate::config::{Config, SecretRef, SecretValue, settings_of};
use crate::failure::Failure;
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::ExposeSecret;
use connector_sdk::source::{Feedback, MasterWriter, TimeSource};
use connector_sdk::target::Target;
use connector_sdk::transport::Transport;
use connectors::source::redmine::Redmine;
use connectors::source::reference::ReferenceTracker;
use connectors::target::reference::ReferenceErp;
use connectors::target::tryton::Tryton;
use domain::ids::digest;
use pipeline::env::{Env, Progress};
use pipeline::patience::{PatientTransport, source_domain, target_domain};
use pipeline::settings::FingerprintKey;
use pipeline::stop::NeverStop;
use std::path::PathBuf;
use std::sync::Arc;
use store::{SealKey, Store, StoreError, StoreOptions};

/// How the ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// For writing; one process at a time.
    Write,
    /// For reading, also beside a running process.
    Read,
}

/// The folder of the ledger's data.
pub(crate) fn data_folder(config: &Config) -> PathBuf {
    config.path_of(&config.file.data)
}

/// The file of the ledger.
pub(crate) fn ledger_path(config: &Config) -> PathBuf {
    data_folder(config).join("ledger.sqlite")
}

/// Read the configuration and tell its warnings.
pub(crate) fn load_config(args: &Args) -> Result<Config, Failure> {
    let config = Config::load(&args.config)?;
    for warning in &config.warnings {
        crate::out::complain(&format!("warning: {warning}"));
    }
    Ok(config)
}

fn secret(config: &Config, reference: &SecretRef) -> Result<SecretValue, Failure> {
    reference
        .read(&config.folder)
        .map_err(|(what, hint)| Failure::usage(what, hint))
}

fn seal_bytes(config: &Config) -> Result<[u8; 32], Failure> {
    let text = secret(config, &config.file.secrets.seal_key)?;
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.expose_secret().trim().as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Failure::usage(
                "the seal key is not 64 hexadecimal digits",
                "use the key that `counterfoil init` wrote; without it, sealed text stays sealed",
            )
        })
}

/// What the store is opened with.
pub(crate) fn store_options(config: &Config) -> Result<StoreOptions, Failure> {
    let clock = SystemClock;
    Ok(StoreOptions::new(
        "main",
        digest("ledger", &[config.file.ledger.as_bytes()]),
        SealKey::new(seal_bytes(config)?),
        Arc::new(move || clock.now_us()),
        Arc::new(|buffer: &mut [u8]| {
            if getrandom::fill(buffer).is_err() {
                // Without randomness there are no keys; going on would write guessable ones.
                std::process::abort();
            }
        }),
    ))
}

/// The ledger, asked for in order to write.
pub(crate) enum Ledger {
    /// Ours, until it is dropped.
    Ours(Store),
    /// Another process has it.
    Theirs {
        /// Its number, or that it is starting.
        holder: String,
    },
}

/// Open the ledger for writing, unless another process has it.
pub(crate) fn ledger_for_writing(config: &Config) -> Result<Ledger, Failure> {
    let path = ledger_path(config);
    let options = store_options(config)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match Store::open_sqlite(&path, options) {
        Ok(store) => Ok(Ledger::Ours(store)),
        Err(StoreError::Locked { holder, .. }) => Ok(Ledger::Theirs { holder }),
        Err(error) => Err(error.into()),
    }
}

/// Open the ledger, to write alone or to read beside whoever writes.
pub(crate) fn open_store(config: &Config, access: Access) -> Result<Store, Failure> {
    let path = ledger_path(config);
    match access {
        Access::Write => match ledger_for_writing(config)? {
            Ledger::Ours(store) => Ok(store),
            Ledger::Theirs { holder } => Err(Failure::stopped(
                format!("{} is in use by process {holder}", path.display()),
                "one process writes to a ledger at a time: wait until that one ends, or stop it",
            )),
        },
        Access::Read => {
            if !path.exists() {
                return Err(Failure::usage(
                    format!("there is no ledger at {} yet", path.display()),
                    "run `counterfoil sync` first",
                ));
            }
            Ok(Store::open_read_only(&path, store_options(config)?)?)
        }
    }
}

/// The tracker in all its roles.
pub(crate) struct Source {
    pub(crate) time: Arc<dyn TimeSource>,
    pub(crate) feedback: Arc<dyn Feedback>,
    pub(crate) publisher: Option<Arc<dyn MasterWriter>>,
}

/// Connect to the tracker; nothing is sent yet.
pub(crate) fn source(
    config: &Config,
    transport: &Arc<dyn Transport>,
    clock: &Arc<dyn Clock>,
) -> Result<Source, Failure> {
    let key = secret(config, &config.file.secrets.source)?;
    let wrong =
        |error: String| Failure::usage(error, "mend the table of the tracker under [source]");
    let tables = &config.file.source;
    let (transport, clock) = (Arc::clone(transport), Arc::clone(clock));
    if let Some(own) = &tables.redmine {
        let redmine = Redmine::new(own.clone(), &key, transport, clock)
            .map_err(|error| wrong(format!("[source.redmine]: {error}")))?;
        let redmine = Arc::new(redmine);
        return Ok(Source {
            time: redmine.clone(),
            feedback: redmine.clone(),
            publisher: Some(redmine),
        });
    }
    let Some(own) = &tables.reference else {
        return Err(wrong("[source] holds no table".to_owned()));
    };
    let tracker = ReferenceTracker::new(own.clone(), &key, transport, clock)
        .map_err(|error| wrong(format!("[source.reference]: {error}")))?;
    let tracker = Arc::new(tracker);
    Ok(Source {
        time: tracker.clone(),
        feedback: tracker.clone(),
        publisher: Some(tracker),
    })
}

/// Connect to the ERP; nothing is sent yet.
pub(crate) fn target(
    config: &Config,
    transport: &Arc<dyn Transport>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Target>, Failure> {
    let password = secret(config, &config.file.secrets.target)?;
    let wrong = |error: String| Failure::usage(error, "mend the table of the ERP under [target]");
    let tables = &config.file.target;
    let (transport, clock) = (Arc::clone(transport), Arc::clone(clock));
    if let Some(own) = &tables.tryton {
        let tryton = Tryton::new(own.clone(), password, transport, clock)
            .map_err(|error| wrong(format!("[target.tryton]: {error}")))?;
        return Ok(Arc::new(tryton));
    }
    let Some(own) = &tables.reference else {
        return Err(wrong("[target] holds no table".to_owned()));
    };
    let erp = ReferenceErp::new(own.clone(), &password, transport, clock)
        .map_err(|error| wrong(format!("[target.reference]: {error}")))?;
    Ok(Arc::new(erp))
}

/// The clock and the way out.
pub(crate) type Handles = (Arc<dyn Clock>, Arc<dyn Transport>);

/// Time and HTTP.
pub(crate) fn handles() -> Result<Handles, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let transport = HttpTransport::new(Arc::clone(&clock))
        .map_err(|error| Failure::stopped(error.to_string(), "report this"))?;
    Ok((clock, Arc::new(transport)))
}

/// Open everything, with a ledger that is only read.
pub(crate) fn open_for_reading(
    config: &Config,
    progress: Arc<dyn Progress>,
) -> Result<Env, Failure> {
    over(
        config,
        open_store(config, Access::Read)?,
        Access::Read,
        progress,
    )
}

/// Open everything over a ledger that is open already.
pub(crate) fn over(
    config: &Config,
    store: Store,
    access: Access,
    progress: Arc<dyn Progress>,
) -> Result<Env, Failure> {
    let (clock, transport) = handles()?;
    let fingerprint_key = FingerprintKey(digest("fingerprint key", &[&seal_bytes(config)?]));
    let settings = settings_of(config, fingerprint_key)?;
    let keeper = || {
        if access == Access::Write {
            Some(store.clone())
        } else {
            None
        }
    };
    let flow = &settings.flow;
    let way_in = PatientTransport::new(transport.clone(), clock.clone(), source_domain(flow));
    let through: Arc<dyn Transport> = way_in.clone();
    let source = source(config, &through, &clock)?;
    way_in.begin(source.time.manifest().limits.clone(), keeper());
    let way_out = PatientTransport::new(transport, clock.clone(), target_domain(flow));
    let through: Arc<dyn Transport> = way_out.clone();
    let target = target(config, &through, &clock)?;
    way_out.begin(target.manifest().limits.clone(), keeper());
    Ok(Env {
        clock,
        store,
        source: source.time,
        feedback: Some(source.feedback),
        publisher: source.publisher,
        target,
        crashes: crate::crash::crashes(),
        progress,
        stop: Arc::new(NeverStop),
        settings: Arc::new(settings),
    })
}

/// What a ledger is and is sealed with, in one digest: while a process runs, it must stay the same.
pub(crate) fn identity(config: &Config) -> Result<[u8; 32], Failure> {
    let path = ledger_path(config);
    let parts = [
        config.file.ledger.as_bytes(),
        path.as_os_str().as_encoded_bytes(),
        &seal_bytes(config)?,
    ];
    Ok(digest("ledger identity", &parts))
}
