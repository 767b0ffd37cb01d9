//! A twin with an observer: which fault struck which step.

use crate::coverage::Coverage;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use twins::frame::{Answer, Executed, Machine, Reaction};
use twins::transport::{Host, Twin};
use twins::wire::WireRequest;

/// So many requests in one run mean that it does not come to an end.
const REQUESTS_MAX: u64 = 50_000;

/// Fault and step, with how often.
type Faults = BTreeMap<(&'static str, String), u64>;

/// A twin, watched.
pub struct Watched<M: Machine> {
    twin: Arc<Twin<M>>,
    system: &'static str,
    seen: Mutex<(u64, Faults)>,
}

impl<M: Machine> Watched<M> {
    /// Watch a twin.
    pub fn new(twin: Arc<Twin<M>>, system: &'static str) -> Arc<Self> {
        Arc::new(Self {
            twin,
            system,
            seen: Mutex::default(),
        })
    }

    /// The faults seen.
    pub fn tell(&self, coverage: &mut Coverage) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for ((fault, step), count) in &seen.1 {
            coverage.fault(fault, step, *count);
        }
    }
}

/// The step that a request is part of: its method and collection, ids left out.
fn step(system: &str, request: &WireRequest) -> String {
    let named = |part: &String| {
        let plain = part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        (part != "v1" && plain).then(|| part.clone())
    };
    let parts: Vec<String> = request.segments().iter().filter_map(named).collect();
    format!("{system} {} {}", request.method, parts.join("/"))
}

fn fault(reaction: &Reaction) -> Option<&'static str> {
    Some(match (&reaction.answer, reaction.executed) {
        (Answer::Reply(reply), Executed::Never) if reply.status == 429 => "throttled",
        (Answer::Reply(reply), Executed::Never) if reply.status == 503 => "unavailable",
        (Answer::Reply(reply), Executed::Before) if reply.status >= 500 => "error after commit",
        (Answer::Reply(reply), _) if reply.body.starts_with(b"<html>") => "garbage",
        (Answer::Reply(_), _) => return None,
        (Answer::Cut(..), _) => "cut body",
        (Answer::Dropped, Executed::Never) => "dropped before",
        (Answer::Dropped, _) => "dropped after commit",
        (Answer::Silence, Executed::Later(_)) => "late commit",
        (Answer::Silence, _) => "no answer after commit",
    })
}

impl<M: Machine> Host for Watched<M> {
    fn take(&self, request: &WireRequest, now_us: i64) -> Reaction {
        let reaction = self.twin.handle(request, now_us);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 += 1;
        assert!(
            seen.0 < REQUESTS_MAX,
            "the run asks without coming to an end"
        );
        if let Some(fault) = fault(&reaction) {
            *seen
                .1
                .entry((fault, step(self.system, request)))
                .or_default() += 1;
        }
        reaction
    }
}
