//! Wake-ups after commit: one counter per topic that waiters watch. A wake-up that comes while
//! nobody waits is not lost, and many of them are one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// What there may be to do.
pub type Topic = &'static str;

/// All topics of one store.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    topics: Mutex<BTreeMap<Topic, watch::Sender<u64>>>,
}

impl Wakes {
    /// Wakes every waiter of each topic once.
    pub(crate) fn deliver(&self, topics: &mut Vec<Topic>) {
        topics.sort_unstable();
        topics.dedup();
        let known = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in topics.drain(..) {
            if let Some(sender) = known.get(topic) {
                sender.send_modify(|count| *count = count.wrapping_add(1));
            }
        }
    }

    pub(crate) fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        let mut known = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(topic)
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }
}
