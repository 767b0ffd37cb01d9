//! What happened in a run, in order, in words: people, faults, deaths, passes and the moves of
//! postings. The moves are counted here, and one that no list allows is kept as a defect.

use crate::clock::SimClock;
use crate::coverage::Coverage;
use crate::moves::{Move, Postings};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use store::RowChange;

/// More lines than this tell a person nothing; only the first ones are kept.
const LINES_MAX: usize = 4_000;

#[derive(Debug, Default)]
struct Inner {
    /// Microseconds since the run began, and what happened then.
    lines: Vec<(i64, String)>,
    left_out: usize,
    postings: Postings,
    moves: Vec<Move>,
    forbidden: Vec<String>,
}

/// The story of a run.
#[derive(Debug)]
pub struct Story {
    clock: Arc<SimClock>,
    begun_us: i64,
    inner: Mutex<Inner>,
}

impl Story {
    /// A story that begins now.
    pub fn new(clock: &Arc<SimClock>) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(clock),
            begun_us: clock.glance_us(),
            inner: Mutex::default(),
        })
    }

    /// Now, without time passing by the look.
    pub fn now_us(&self) -> i64 {
        self.clock.glance_us()
    }

    /// Something happened.
    pub fn tell(&self, words: String) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.push(&mut inner, words);
    }

    fn push(&self, inner: &mut Inner, words: String) {
        if inner.lines.len() < LINES_MAX {
            let at_us = self.clock.glance_us().saturating_sub(self.begun_us);
            inner.lines.push((at_us, words));
        } else {
            inner.left_out += 1;
        }
    }

    /// A row of the ledger changed.
    pub fn hear(&self, row: &RowChange) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = inner.postings.hear(row);
        inner.moves.extend(heard.moves);
        if let Some(words) = heard.words {
            self.push(&mut inner, format!("    {words}"));
        }
        if let Some(what) = heard.forbidden {
            self.push(&mut inner, format!("    FORBIDDEN: {what}"));
            inner.forbidden.push(what);
        }
    }

    /// The postings as they stand, for a backup.
    pub fn postings(&self) -> Postings {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.postings.clone()
    }

    /// The ledger was set back: so is what is known of its postings.
    pub fn set_back(&self, postings: Postings) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.postings = postings;
    }

    /// The first move that no list allows.
    pub fn forbidden(&self) -> Option<String> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forbidden.first().cloned()
    }

    /// The moves seen.
    pub fn tell_coverage(&self, coverage: &mut Coverage) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for one in &inner.moves {
            coverage.moved(*one, 1);
        }
    }

    /// All of it, with the time since the run began.
    pub fn text(&self) -> String {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (at_us, words) in &inner.lines {
            let (seconds, tenths) = (at_us / 1_000_000, at_us / 100_000 % 10);
            let (minutes, hours) = (seconds / 60, seconds / 3_600);
            let _never_fails = writeln!(
                text,
                "{hours:>3}:{:02}:{:02}.{tenths} {words}",
                minutes % 60,
                seconds % 60
            );
        }
        if inner.left_out > 0 {
            let _never_fails = writeln!(text, "({} more lines)", inner.left_out);
        }
        text
    }
}
