//! The nodes that share a ledger: who lives, who works, and when the tracker was looked at last.

use crate::env::Env;
use crate::error::PassError;
use serde::Serialize;
use std::collections::BTreeMap;
use store::{leases, scans, writers};

/// A node with a living session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// When its oldest living session began (microseconds since the epoch).
    pub since_us: i64,
    /// The limit domains that it works for, and when each lease ends if it is not extended.
    pub leases: BTreeMap<String, i64>,
}

/// All of them, by name. A node that died outside its turn is among them until it comes back.
pub async fn nodes(env: &Env) -> Result<Vec<Node>, PassError> {
    let (living, leased) = env
        .store
        .read(|tx| Ok((writers::living(tx)?, leases::list(tx)?)))
        .await?;
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    for writer in living {
        let node = nodes.entry(writer.node.clone()).or_insert(Node {
            name: writer.node,
            since_us: writer.started_at_us,
            leases: BTreeMap::new(),
        });
        node.since_us = node.since_us.min(writer.started_at_us);
    }
    for lease in leased.into_iter().filter(|lease| lease.until_us > 0) {
        if let Some(node) = nodes.get_mut(&lease.node) {
            node.leases.insert(lease.name, lease.until_us);
        }
    }
    Ok(nodes.into_values().collect())
}

/// When the last complete look at the tracker began, if other nodes live: what one node did is not
/// due at another. Nothing where this node is alone.
pub async fn looked_at_by_nodes_us(env: &Env) -> Result<Option<i64>, PassError> {
    let own = env.store.options().node.clone();
    let source = env.settings.source.clone();
    Ok(env
        .store
        .read(move |tx| {
            let living = writers::living(tx)?;
            if living.iter().all(|writer| writer.node == own) {
                return Ok(None);
            }
            let scan = scans::last_finished(tx, &source)?;
            Ok(scan.map(|scan| scan.started_at_us))
        })
        .await?)
}
