//! Reference data: read from both systems and the configuration, kept as an immutable version.

use crate::crash::CrashPoint;
use crate::env::{Env, Note, Terms, erp, inconsistent, tracker};
use crate::error::PassError;
use domain::ids::digest;
use domain::reference::Reference;
use std::convert::Infallible;
use std::sync::Arc;
use store::snapshots::{self, SnapshotRow};
use store::{Abort, Command, Guard, GuardSet, Tx, settings};

/// The setting that remembers which ERP this ledger posts to.
pub const TARGET_IDENTITY: &str = "target identity";

/// Keep a version of the reference data, unless it is the latest one.
struct KeepSnapshot {
    body: Vec<u8>,
    digest: [u8; 32],
    identity: String,
}

impl Command for KeepSnapshot {
    type Out = (i64, bool);
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "keep snapshot"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Name("snapshot".to_owned()))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Self::Out, Abort<Infallible>> {
        settings::put(tx, TARGET_IDENTITY, &self.identity, "first contact")?;
        let latest = snapshots::latest_version(tx)?;
        if let Some((version, digest)) = latest
            && digest == self.digest
        {
            return Ok((version, false));
        }
        let version = latest.map_or(1, |(version, _)| version + 1);
        let row = SnapshotRow {
            version,
            digest: self.digest,
            created_at_us: tx.now_us(),
            body: self.body.clone(),
        };
        snapshots::insert(tx, &row, "reference data changed")?;
        Ok((version, true))
    }
}

/// The terms of a pass, and whether the reference data differ from the last pass.
pub struct Loaded {
    /// The terms.
    pub terms: Terms,
    /// Whether this is a new version.
    pub changed: bool,
}

/// Read masters from both systems and keep them as a version.
pub async fn load(env: &Env) -> Result<Loaded, PassError> {
    env.progress.hear(Note::Stage("reading masters", None));
    let identity = env.target.identity().await.map_err(erp)?;
    let known = env
        .store
        .read(|tx| settings::get(tx, TARGET_IDENTITY))
        .await?;
    if known.as_ref().is_some_and(|known| *known != identity) {
        return Err(PassError::refused(
            format!(
                "this ledger posts to '{}', but the ERP says it is '{identity}'",
                known.unwrap_or_default()
            ),
            "point the configuration at the ERP company this ledger was begun with; another \
             company needs a ledger of its own",
        ));
    }
    let masters = env.target.masters().await.map_err(erp)?;
    let source = env.source.masters().await.map_err(tracker)?;
    env.pass(CrashPoint::MastersRead)?;
    let reference = reference_of(env, masters, source);
    let body = serde_json::to_vec(&reference)
        .map_err(|error| inconsistent(format!("the reference data do not write: {error}")))?;
    let digest = digest("snapshot", &[&body]);
    let keep = KeepSnapshot {
        body,
        digest,
        identity: identity.clone(),
    };
    let (snapshot_version, changed) = env.write(keep).await?;
    env.pass(CrashPoint::SnapshotWritten)?;
    let terms = Terms {
        settings: Arc::clone(&env.settings),
        reference: Arc::new(reference),
        snapshot_version,
        target_identity: Arc::from(identity),
    };
    Ok(Loaded { terms, changed })
}

/// The terms without keeping anything, for a look ahead.
pub async fn read_only(env: &Env) -> Result<Terms, PassError> {
    let identity = env.target.identity().await.map_err(erp)?;
    let masters = env.target.masters().await.map_err(erp)?;
    let source = env.source.masters().await.map_err(tracker)?;
    Ok(Terms {
        settings: Arc::clone(&env.settings),
        reference: Arc::new(reference_of(env, masters, source)),
        snapshot_version: 0,
        target_identity: Arc::from(identity),
    })
}

fn reference_of(
    env: &Env,
    masters: domain::masters::Masters,
    source: domain::masters::SourceMasters,
) -> Reference {
    let own = &env.settings;
    Reference {
        entity: own.entity.clone(),
        masters,
        source,
        crosswalk: own.crosswalk.clone(),
        contracts: own.contracts.clone(),
        bill_rates: own.bill_rates.clone(),
        cost_rates: own.cost_rates.clone(),
        customers_on_hold: own.customers_on_hold.clone(),
        overtime_exemptions: Vec::new(),
    }
}
