//! The doors beside the API: control for whoever runs a demo or a test, truth for the auditor.

use crate::fault::{FaultPlan, Rng, seeded};
use crate::frame::{Machine, RequestLimit, Scheduled, State};
use crate::wire::{WireReply, WireRequest, no_such_address, problem, reply};
use serde::Deserialize;
use serde_json::json;

pub(crate) fn truth<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
) -> WireReply {
    if request.method != "GET" {
        return problem(405, "READ_ONLY", "the truth can only be read");
    }
    if !state.audited {
        state.audited = true;
        state.machine.before_truth(now_us);
    }
    let mut sections = state.machine.truth();
    sections.insert("breaches", json!(state.breaches));
    sections.insert(
        "account",
        json!({
            "requests": state.requests,
            "late_requests": state.late.len(),
            "limit": state.limit,
        }),
    );
    let parts = request.segments();
    match parts.get(1) {
        None => reply(200, &sections),
        Some(name) => sections
            .get(name.as_str())
            .map_or_else(no_such_address, |section| reply(200, section)),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    Preset { preset: String, seed: u64 },
    Plan(Box<FaultPlan>),
}

pub(crate) fn control<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    rng: &mut Rng,
) -> WireReply {
    let parts = request.segments();
    let what = parts.get(1).map(String::as_str).unwrap_or_default();
    let refused = |why: &str| problem(422, "NOT_POSSIBLE", why);
    match (request.method.as_str(), what) {
        ("POST", "act") => match request.json::<M::Act>() {
            Ok(act) => state
                .machine
                .act(&act, now_us)
                .map_or_else(|why| refused(&why), |done| reply(200, &done)),
            Err(reply) => reply,
        },
        ("POST", "schedule") => match request.json::<Vec<Scheduled<M::Act>>>() {
            Ok(acts) => {
                state.scheduled.extend(acts);
                reply(200, &json!({"scheduled": state.scheduled.len()}))
            }
            Err(reply) => reply,
        },
        ("GET", "faults") => reply(200, &state.plan),
        ("PUT", "faults") => match request.json::<Faults>() {
            Ok(faults) => {
                let plan = match faults {
                    Faults::Preset { preset, seed } => match FaultPlan::preset(&preset, seed) {
                        Some(plan) => plan,
                        None => return refused("there is no such preset"),
                    },
                    Faults::Plan(plan) => *plan,
                };
                if let Err(error) = plan.check() {
                    return refused(&error.to_string());
                }
                *rng = seeded(plan.seed);
                state.plan = plan;
                reply(200, &state.plan)
            }
            Err(reply) => reply,
        },
        ("PUT", "limit") => match request.json::<Option<RequestLimit>>() {
            Ok(limit) => {
                state.limit = limit;
                state.window.clear();
                reply(200, &limit)
            }
            Err(reply) => reply,
        },
        _ => no_such_address(),
    }
}
