//! A twin with an observer: which fault struck which step.

use crate::coverage::Coverage;
use crate::story::Story;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use twins::fault::Fault;
use twins::frame::{Machine, Reaction};
use twins::transport::{Host, Twin};
use twins::wire::WireRequest;

/// So many requests in one run mean that it does not come to an end.
const REQUESTS_MAX: u64 = 50_000;

/// An answer that takes so long counts as slow, in microseconds.
const SLOW_US: i64 = 8_000_000;
/// The name of a slow answer in reports: that of its rate in a plan.
pub const SLOW: &str = "slow";

/// Fault and step, with how often.
type Faults = BTreeMap<(&'static str, String), u64>;

/// A twin, watched.
pub struct Watched<M: Machine> {
    twin: Arc<Twin<M>>,
    system: &'static str,
    story: Arc<Story>,
    seen: Mutex<(u64, Faults)>,
}

impl<M: Machine> Watched<M> {
    /// Watch a twin.
    pub fn new(twin: Arc<Twin<M>>, system: &'static str, story: &Arc<Story>) -> Arc<Self> {
        Arc::new(Self {
            twin,
            system,
            story: Arc::clone(story),
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

/// The fault that struck a request; a slow answer is one when it outlives most patience.
fn fault(reaction: &Reaction) -> Option<&'static str> {
    let slow = (reaction.latency_us >= SLOW_US).then_some(SLOW);
    reaction.struck.map(Fault::name).or(slow)
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
            let step = step(self.system, request);
            self.story.tell(format!("    {fault}: {step}"));
            *seen.1.entry((fault, step)).or_default() += 1;
        }
        reaction
    }
}
