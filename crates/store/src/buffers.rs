//! What a transaction says besides its rows: kept until the last statement, rewound with a command
//! that is undone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::body::Body;
use crate::observe::RowChange;
use crate::seal::DataKey;
use crate::wake::Topic;

/// What a transaction has said so far.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) body: Body,
    pub(crate) wakes: Vec<Topic>,
    /// What an observer will hear; nothing without one.
    pub(crate) seen: Option<Vec<RowChange>>,
    /// Living data keys by unit, with the unit's generation.
    pub(crate) keys: BTreeMap<String, (Arc<str>, DataKey)>,
    pub(crate) compressor: Option<zstd::bulk::Compressor<'static>>,
}

/// A place to rewind to when a command is undone.
#[derive(Clone, Copy)]
pub(crate) struct Mark([usize; 6]);

impl Buffers {
    pub(crate) fn mark(&self) -> Mark {
        let body = &self.body;
        Mark([
            body.leaves.len(),
            body.events.len(),
            body.counts.len(),
            body.facts.len(),
            self.wakes.len(),
            self.seen.as_ref().map_or(0, Vec::len),
        ])
    }

    pub(crate) fn rewind(&mut self, mark: Mark) {
        let Mark([leaves, events, counts, facts, wakes, seen]) = mark;
        self.body.leaves.truncate(leaves);
        self.body.events.truncate(events);
        self.body.counts.truncate(counts);
        self.body.facts.truncate(facts);
        self.wakes.truncate(wakes);
        if let Some(changes) = &mut self.seen {
            changes.truncate(seen);
        }
        // A key made by the undone command is gone from its table as well.
        self.keys.clear();
    }

    pub(crate) fn clear(&mut self) {
        self.rewind(Mark([0; 6]));
    }
}
