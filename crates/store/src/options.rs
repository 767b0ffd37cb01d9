//! What the caller hands in at open: identity, time, randomness and the key. The store reads none
//! of them from the outside world by itself, so that a simulated run can be replayed.

use std::fmt;
use std::sync::Arc;

use crate::observe::Observer;

/// Microseconds since the Unix epoch, UTC.
pub type ClockHandle = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Fills a buffer with random bytes.
pub type EntropyHandle = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The key that wraps the data keys of sealed text. It lives outside the database and its
/// backups; whoever loses it loses the sealed text.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Takes the 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(secret)")
    }
}

/// Everything a store needs besides its place.
#[derive(Clone)]
pub struct StoreOptions {
    /// The name of this process among those that share the ledger. A new session of the same node
    /// fences the earlier ones.
    pub node: String,
    /// SHA-256 of the ledger id of the configuration; a database of another ledger is refused.
    pub ledger_digest: [u8; 32],
    /// The key-encryption key of sealed text.
    pub seal_key: SealKey,
    /// The clock.
    pub clock: ClockHandle,
    /// The source of random bytes for data keys.
    pub entropy: EntropyHandle,
    /// Reader threads and connections.
    pub readers: usize,
    /// How many commands may wait for the writer before callers wait themselves.
    pub queue: usize,
    /// How many commands one transaction takes at most.
    pub group: usize,
    /// Who hears of changes that were kept; nobody in the product.
    pub observer: Option<Observer>,
}

impl StoreOptions {
    /// Options with the usual sizes.
    pub fn new(
        node: impl Into<String>,
        ledger_digest: [u8; 32],
        seal_key: SealKey,
        clock: ClockHandle,
        entropy: EntropyHandle,
    ) -> Self {
        Self {
            node: node.into(),
            ledger_digest,
            seal_key,
            clock,
            entropy,
            readers: 2,
            queue: 1024,
            group: 256,
            observer: None,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
