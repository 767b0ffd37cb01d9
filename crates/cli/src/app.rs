//! Opening: from the configuration to the handles of a running flow.

use crate::args::Args;
use crate::config::{Config, settings_of};
use crate::failure::Failure;
use crate::ledger::{Access, open_store, seal_bytes, secret};
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
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
use std::sync::Arc;
use store::Store;

/// Read the configuration and tell its warnings.
pub(crate) fn load_config(args: &Args) -> Result<Config, Failure> {
    let config = Config::load(&args.config)?;
    for warning in &config.warnings {
        crate::out::complain(&format!("warning: {warning}"));
    }
    Ok(config)
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
    let flow = &settings.flow;
    let way_in = PatientTransport::new(transport.clone(), clock.clone(), source_domain(flow));
    let through: Arc<dyn Transport> = way_in.clone();
    let source = source(config, &through, &clock)?;
    let headers = source.time.manifest().limit_headers;
    let way_out = PatientTransport::new(transport, clock.clone(), target_domain(flow));
    let through: Arc<dyn Transport> = way_out.clone();
    let target = target(config, &through, &clock)?;

    let env = Env {
        clock,
        store,
        source: source.time,
        feedback: Some(source.feedback),
        publisher: source.publisher,
        target,
        crashes: crate::crash::crashes(),
        progress,
        stop: Arc::new(NeverStop),
        calls_until: Arc::default(),
        settings: Arc::new(settings),
    };
    way_in.call_until(&env.calls_until);
    way_out.call_until(&env.calls_until);
    let keeper = || match access {
        Access::Write => Some(env.store.clone()),
        Access::Read => None,
    };
    way_in.begin(env.source_limits().to_vec(), headers, keeper());
    let headers = env.target.manifest().limit_headers;
    way_out.begin(env.target_limits().to_vec(), headers, keeper());
    Ok(env)
}
