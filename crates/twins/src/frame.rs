//! What both twins share around their API: the account's limit, faults, late execution, people
//! who act at given moments, the doors for control and for the auditor.

use crate::doors;
use crate::fault::{Fault, FaultPlan, PersonActs, Rng, Roll};
use crate::page::Quirk;
use crate::wire::{WireReply, WireRequest, no_such_address, problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

/// What a twin is inside its frame.
pub trait Machine: Clone + Debug + Send + 'static {
    /// What a person can do to it.
    type Act: Clone + Debug + Send + Serialize + DeserializeOwned;

    /// Answer a request of the API (paths under `/v1`).
    fn api(&mut self, request: &WireRequest, now_us: i64, quirk: Quirk) -> WireReply;

    /// A person does something. The answer says what, or why it is not possible.
    fn act(&mut self, act: &Self::Act, now_us: i64) -> Result<Value, String>;

    /// What a person would do on the spur of the moment.
    fn whim(&self, acts: PersonActs, pick: u64) -> Option<Self::Act>;

    /// Everything it holds, by section.
    fn truth(&self) -> BTreeMap<&'static str, Value>;

    /// The auditor is about to look for the first time.
    fn before_truth(&mut self, _now_us: i64) {}
}

/// So many requests in any window of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLimit {
    /// How many.
    pub requests: u32,
    /// The window in milliseconds.
    pub window_ms: u32,
}

/// A request that the account did not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// When it came.
    pub at_us: i64,
    /// `over_limit`, or `before_retry_after`: it came although a 429 had asked to wait.
    pub kind: &'static str,
    /// What was asked.
    pub request: String,
}

/// The moment a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// At an instant (microseconds since the epoch).
    AtUs(i64),
    /// Before the request after so many.
    AfterRequests(u64),
}

/// Something a person will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled<A> {
    /// When.
    pub when: When,
    /// What.
    pub act: A,
}

/// A twin's whole state.
#[derive(Debug, Clone)]
pub struct State<M: Machine> {
    /// The simulated system.
    pub machine: M,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// The token that requests must carry; `None` lets everybody in.
    pub token: Option<String>,
    /// The account's limit.
    pub limit: Option<RequestLimit>,
    /// What people will do.
    pub scheduled: Vec<Scheduled<M::Act>>,
    /// Requests to the API so far.
    pub requests: u64,
    /// Requests the account did not allow.
    pub breaches: Vec<Breach>,
    pub(crate) window: VecDeque<i64>,
    wait: Option<(i64, i64)>,
    pub(crate) late: VecDeque<(i64, WireRequest)>,
    pub(crate) audited: bool,
}

impl<M: Machine> State<M> {
    /// A twin where nothing goes wrong.
    pub fn new(machine: M) -> Self {
        Self {
            machine,
            plan: FaultPlan::default(),
            token: None,
            limit: None,
            scheduled: Vec::new(),
            requests: 0,
            breaches: Vec::new(),
            window: VecDeque::new(),
            wait: None,
            late: VecDeque::new(),
            audited: false,
        }
    }

    /// Requests that will be executed later than they were sent.
    pub fn late_requests(&self) -> usize {
        self.late.len()
    }
}

/// What the other side gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A whole reply.
    Reply(WireReply),
    /// A reply that ends after so many bytes of its body.
    Cut(WireReply, usize),
    /// The connection ends without a reply.
    Dropped,
    /// Nothing ever comes.
    Silence,
}

/// When the request was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executed {
    /// Not at all.
    Never,
    /// Before the answer.
    Before,
    /// It will be, at that instant.
    Later(i64),
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// What the other side gets to see.
    pub answer: Answer,
    /// When, in microseconds after the request.
    pub latency_us: i64,
    /// Whether the request was executed.
    pub executed: Executed,
    /// The fault of the plan that struck it.
    pub struck: Option<Fault>,
}

/// Take a request: first everything that is due happens, then the request.
pub fn handle<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    rng: &mut Rng,
) -> Reaction {
    let door = request.segments().first().cloned().unwrap_or_default();
    if door == "v1" {
        state.requests = state.requests.saturating_add(1);
    }
    advance(state, now_us);
    match door.as_str() {
        "v1" => {
            let roll = state.plan.roll(rng);
            api(state, request, now_us, roll)
        }
        "truth" => at_once(doors::truth(state, request, now_us)),
        "control" => at_once(doors::control(state, request, now_us, rng)),
        _ => at_once(no_such_address()),
    }
}

/// Let everything happen that is due: late executions and what people do, in order of time.
pub fn advance<M: Machine>(state: &mut State<M>, now_us: i64) {
    loop {
        let late_at = state.late.front().map(|(at, _)| *at);
        let requests = state.requests;
        let due = |item: &Scheduled<M::Act>| match item.when {
            When::AtUs(at) => Some(at),
            When::AfterRequests(count) => (requests > count).then_some(i64::MIN),
        };
        let person = state
            .scheduled
            .iter()
            .enumerate()
            .filter_map(|(index, item)| due(item).map(|at| (at, index)))
            .min();
        match (late_at, person) {
            (_, Some((at, index))) if at <= now_us && late_at.is_none_or(|late| at <= late) => {
                let item = state.scheduled.remove(index);
                if let Err(why) = state.machine.act(&item.act, at.max(0).min(now_us)) {
                    tracing::debug!(why, "a scheduled act is not possible");
                }
            }
            (Some(at), _) if at <= now_us => {
                if let Some((at, request)) = state.late.pop_front() {
                    state.machine.api(&request, at, Quirk::None);
                }
            }
            _ => return,
        }
    }
}

fn at_once(reply: WireReply) -> Reaction {
    Reaction {
        answer: Answer::Reply(reply),
        latency_us: 0,
        executed: Executed::Before,
        struck: None,
    }
}

fn api<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    roll: Roll,
) -> Reaction {
    let not_executed = |reply: WireReply| Reaction {
        answer: Answer::Reply(reply),
        latency_us: roll.latency_us,
        executed: Executed::Never,
        struck: None,
    };
    if let Some(reply) = over_limit(state, request, now_us, roll.latency_us) {
        return not_executed(reply);
    }
    if !authorised(state, request) {
        return not_executed(problem(401, "UNAUTHORIZED", "the token is not valid"));
    }
    if let Some(act) = roll
        .person
        .and_then(|acts| state.machine.whim(acts, roll.pick))
    {
        // Not every whim is possible; one that is not leaves no trace.
        let _possible = state.machine.act(&act, now_us);
    }
    let Some(fault) = roll.fault else {
        let reply = state.machine.api(request, now_us, Quirk::None);
        return Reaction {
            answer: Answer::Reply(reply),
            latency_us: roll.latency_us,
            executed: Executed::Before,
            struck: None,
        };
    };
    Reaction {
        struck: Some(fault),
        ..strike(state, request, now_us, roll, fault)
    }
}

/// Let a fault of the plan strike a request that is otherwise good.
fn strike<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    roll: Roll,
    fault: Fault,
) -> Reaction {
    let not_executed = |reply: WireReply| Reaction {
        answer: Answer::Reply(reply),
        latency_us: roll.latency_us,
        executed: Executed::Never,
        struck: None,
    };
    match fault {
        Fault::Throttled => {
            let wait_s = i64::from(state.plan.throttled_for_s);
            not_executed(throttled(state, now_us + roll.latency_us, Some(wait_s)))
        }
        Fault::ThrottledWithoutHint => {
            not_executed(throttled(state, now_us + roll.latency_us, None))
        }
        Fault::Unavailable => not_executed(problem(
            503,
            "UNAVAILABLE",
            "the server is being restarted; nothing was done",
        )),
        Fault::DroppedBefore => Reaction {
            answer: Answer::Dropped,
            latency_us: roll.latency_us,
            executed: Executed::Never,
            struck: None,
        },
        Fault::LateCommit if request.writes() => {
            let at = now_us + i64::from(state.plan.late_commit_ms) * 1000;
            let place = state.late.partition_point(|(other, _)| *other <= at);
            state.late.insert(place, (at, request.clone()));
            Reaction {
                answer: Answer::Silence,
                latency_us: 0,
                executed: Executed::Later(at),
                struck: None,
            }
        }
        Fault::LateCommit
        | Fault::ErrorAfterCommit
        | Fault::SilentAfterCommit
        | Fault::DroppedAfterCommit
        | Fault::CutBody
        | Fault::Garbage
        | Fault::PageRepeatsRow
        | Fault::PageLosesRow => executed_then(state, request, now_us, roll, fault),
    }
}

fn executed_then<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    roll: Roll,
    fault: Fault,
) -> Reaction {
    let quirk = match fault {
        Fault::PageRepeatsRow => Quirk::Repeats(roll.pick),
        Fault::PageLosesRow => Quirk::Loses(roll.pick),
        _ => Quirk::None,
    };
    let reply = state.machine.api(request, now_us, quirk);
    let answer = match fault {
        Fault::ErrorAfterCommit if roll.pick.is_multiple_of(2) => Answer::Reply(problem(
            500,
            "INTERNAL",
            "an error occurred while the answer was written",
        )),
        Fault::ErrorAfterCommit => Answer::Reply(gateway_page(502)),
        Fault::SilentAfterCommit | Fault::LateCommit => Answer::Silence,
        Fault::DroppedAfterCommit => Answer::Dropped,
        Fault::CutBody => {
            let bytes = reply.body.len() / 2;
            Answer::Cut(reply, bytes)
        }
        Fault::Garbage => Answer::Reply(gateway_page(200)),
        _ => Answer::Reply(reply),
    };
    Reaction {
        answer,
        latency_us: roll.latency_us,
        executed: Executed::Before,
        struck: None,
    }
}

fn gateway_page(status: u16) -> WireReply {
    WireReply {
        status,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html><body><h1>Bad gateway</h1></body></html>".to_vec(),
    }
}

fn authorised<M: Machine>(state: &State<M>, request: &WireRequest) -> bool {
    state.token.as_ref().is_none_or(|token| {
        request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|given| given == token)
    })
}

fn over_limit<M: Machine>(
    state: &mut State<M>,
    request: &WireRequest,
    now_us: i64,
    latency_us: i64,
) -> Option<WireReply> {
    let asked = format!("{} {}", request.method, request.path);
    if state
        .wait
        .is_some_and(|(told_us, until_us)| told_us < now_us && now_us < until_us)
    {
        state.breaches.push(Breach {
            at_us: now_us,
            kind: "before_retry_after",
            request: asked.clone(),
        });
    }
    let limit = state.limit?;
    let window_us = i64::from(limit.window_ms) * 1000;
    while state
        .window
        .front()
        .is_some_and(|at| *at <= now_us.saturating_sub(window_us))
    {
        state.window.pop_front();
    }
    let held = u32::try_from(state.window.len()).unwrap_or(u32::MAX);
    if held < limit.requests {
        state.window.push_back(now_us);
        return None;
    }
    state.breaches.push(Breach {
        at_us: now_us,
        kind: "over_limit",
        request: asked,
    });
    let free_us = state.window.front().map_or(now_us, |at| at + window_us);
    let wait_s = (free_us.saturating_sub(now_us) + 999_999) / 1_000_000;
    Some(throttled(state, now_us + latency_us, Some(wait_s.max(1))))
}

fn throttled<M: Machine>(state: &mut State<M>, told_us: i64, wait_s: Option<i64>) -> WireReply {
    let reply = problem(429, "RATE_LIMITED", "too many requests; nothing was done");
    match wait_s {
        Some(wait_s) => {
            state.wait = Some((told_us, told_us.saturating_add(wait_s * 1_000_000)));
            reply.with_header("retry-after", wait_s.to_string())
        }
        None => reply,
    }
}
