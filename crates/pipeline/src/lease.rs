//! A turn over a limit domain: only the node that has its lease calls the two systems and decides
//! over many steps. One that cannot extend its lease in time ends at its next step, before another
//! can take it.

use crate::env::{Env, Note};
use crate::error::PassError;
use crate::stop::Stop;
use connector_sdk::async_trait;
use connector_sdk::clock::Clock;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::leases::{self, Asked, LeaseRow};
use store::{Abort, Command, Guard, GuardSet, StoreError, Tx};
use tokio::sync::watch;

/// How long a lease stands without being extended, in microseconds: as long a dead node's work
/// waits.
pub const LEASE_US: i64 = 15_000_000;
/// How often it is extended, in microseconds.
pub const EXTEND_US: i64 = 5_000_000;
/// How much earlier than the database a holder takes its lease for ended, in microseconds.
const MARGIN_US: i64 = 3_000_000;
/// The pause between two askings for a lease that another node has, in microseconds.
const ASK_AGAIN_US: i64 = 500_000;

struct Take {
    name: String,
}

impl Command for Take {
    type Out = Asked;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "take lease"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(guard(&self.name))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Asked, Abort<Infallible>> {
        tx.act_as("node");
        let asked = leases::take(tx, &self.name, LEASE_US)?;
        if let Asked::Taken {
            fenced: Some((_, doubts)),
            ..
        } = &asked
        {
            tx.count("takeovers", 1);
            tx.count("calls doubted by takeovers", count(*doubts));
        }
        Ok(asked)
    }
}

fn count(doubts: usize) -> i64 {
    i64::try_from(doubts).unwrap_or(i64::MAX)
}

fn guard(name: &str) -> Guard {
    Guard::Name(format!("lease:{name}"))
}

struct Extend {
    lease: LeaseRow,
}

impl Command for Extend {
    type Out = bool;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "extend lease"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(guard(&self.lease.name))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<bool, Abort<Infallible>> {
        Ok(leases::extend(tx, &self.lease, LEASE_US)?)
    }
}

struct GiveBack {
    lease: LeaseRow,
}

impl Command for GiveBack {
    type Out = bool;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "give lease back"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(guard(&self.lease.name))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<bool, Abort<Infallible>> {
        Ok(leases::give_back(tx, &self.lease)?)
    }
}

/// Until when this process may call the other sides (microseconds since the epoch): as long as its
/// lease stands. A write without an intent must not come late either, after another node wrote
/// something newer, and a late read would spend of a quota that is another's.
#[derive(Debug)]
pub struct CallsUntil(AtomicI64);

impl Default for CallsUntil {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }
}

impl CallsUntil {
    /// The instant.
    pub fn us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, until_us: i64) {
        self.0.store(until_us, Ordering::SeqCst);
    }
}

/// Until when the holder may go on, by its own steady clock.
#[derive(Debug)]
struct Standing {
    until_us: AtomicI64,
    lost: watch::Sender<bool>,
}

/// A lease that this process has.
pub struct Held {
    lease: LeaseRow,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
    inner: Arc<dyn Stop>,
    calls_until: Arc<CallsUntil>,
}

/// What asking came to.
pub enum Turn {
    /// It is ours.
    Ours(Held),
    /// Another node has it for so long, if it does not extend it.
    Others {
        /// The node.
        node: String,
        /// For how long, in microseconds.
        left_us: i64,
    },
}

/// Ask once.
pub async fn ask(env: &Env, name: &str) -> Result<Turn, PassError> {
    // Counted from before it was asked, so that the database's lease never ends first.
    let from_us = env.clock.steady_us();
    let asked_us = env.clock.now_us();
    let take = Take {
        name: name.to_owned(),
    };
    match env.write(take).await? {
        Asked::Others { lease, left_us } => Ok(Turn::Others {
            node: lease.node,
            left_us,
        }),
        Asked::Taken { lease, fenced } => {
            if let Some((node, doubts)) = fenced {
                env.say(format!(
                    "node {node} did not extend its lease and was fenced; {doubts} of its calls \
                     are looked up before anything is sent again"
                ));
            }
            env.calls_until.set(end_of(asked_us));
            Ok(Turn::Ours(Held {
                calls_until: Arc::clone(&env.calls_until),
                lease,
                clock: Arc::clone(&env.clock),
                standing: Arc::new(Standing {
                    until_us: AtomicI64::new(end_of(from_us)),
                    lost: watch::Sender::new(false),
                }),
                inner: Arc::clone(&env.stop),
            }))
        }
    }
}

/// Ask until it is ours, for a time. A node that died is waited for as long as its lease stands.
pub async fn wait_for(env: &Env, name: &str, patience_us: i64) -> Result<Held, PassError> {
    let until_us = env.clock.steady_us().saturating_add(patience_us);
    let mut said = false;
    loop {
        let (node, left_us) = match ask(env, name).await? {
            Turn::Ours(held) => return Ok(held),
            Turn::Others { node, left_us } => (node, left_us),
        };
        if env.clock.steady_us() >= until_us {
            let name = name.to_owned();
            return Err(PassError::Elsewhere {
                node,
                name,
                left_us,
            });
        }
        if !said {
            env.progress.hear(Note::Says(format!(
                "node {node} works for {name}; this begins when it ends"
            )));
            said = true;
        }
        let pause_us = left_us.clamp(1_000, ASK_AGAIN_US);
        env.wait_until(env.clock.now_us().saturating_add(pause_us))
            .await?;
    }
}

/// Do work that calls other systems, under the lease of a name. It is extended while the work goes
/// on; if it is lost, the work ends at its next step.
pub async fn under<T, E, F>(
    env: &Env,
    name: &str,
    patience_us: i64,
    work: impl FnOnce(Env) -> F,
) -> Result<T, E>
where
    E: From<PassError>,
    F: Future<Output = Result<T, E>>,
{
    let held = wait_for(env, name, patience_us).await?;
    let outcome = {
        let mut work = pin!(work(held.over(env)));
        tokio::select! {
            biased;
            outcome = &mut work => outcome,
            () = held.keep(env) => work.await,
        }
    };
    if held.lost() {
        // Whatever ended the work: another node goes on with it.
        let name = name.to_owned();
        return outcome.map_err(|_| PassError::LeaseLost { name }.into());
    }
    match (outcome, held.give_back(env).await) {
        (Ok(out), Ok(())) => Ok(out),
        (Ok(out), Err(error)) => {
            // What was done is done; the lease ends by itself.
            env.say(format!("the lease could not be given back: {error}"));
            Ok(out)
        }
        (Err(error), _) => Err(error),
    }
}

const fn end_of(from_us: i64) -> i64 {
    from_us.saturating_add(LEASE_US - MARGIN_US)
}

impl Held {
    /// The same handles, ending when the lease does.
    pub fn over(&self, env: &Env) -> Env {
        Env {
            stop: Arc::new(WhileHeld {
                inner: Arc::clone(&self.inner),
                clock: Arc::clone(&self.clock),
                standing: Arc::clone(&self.standing),
            }),
            ..env.clone()
        }
    }

    /// Extend it. False once it is another's: the work ends at its next step.
    pub async fn extend(&self, env: &Env) -> Result<bool, PassError> {
        let from_us = self.clock.steady_us();
        let asked_us = self.clock.now_us();
        let lease = self.lease.clone();
        let ours = match env.write(Extend { lease }).await {
            Ok(ours) => ours,
            Err(PassError::Store(StoreError::Fenced { .. })) => false,
            Err(error) => return Err(error),
        };
        if ours {
            let standing = &self.standing.until_us;
            standing.store(end_of(from_us), Ordering::SeqCst);
            self.calls_until.set(end_of(asked_us));
        } else {
            self.standing.lost.send_replace(true);
        }
        Ok(ours)
    }

    /// Extend it again and again; over when it is lost.
    pub async fn keep(&self, env: &Env) {
        loop {
            let at_us = self.clock.now_us().saturating_add(EXTEND_US);
            self.clock.sleep_until_us(at_us).await;
            match self.extend(env).await {
                Ok(true) => {}
                Ok(false) => return,
                // The database may be back in time; if not, the lease ends by itself.
                Err(error) => env.say(format!("the lease could not be extended: {error}")),
            }
        }
    }

    /// Give it back, so that nobody has to wait until it ends.
    pub async fn give_back(self, env: &Env) -> Result<(), PassError> {
        let lease = self.lease;
        env.write(GiveBack { lease }).await?;
        self.calls_until.set(i64::MAX);
        Ok(())
    }

    /// Whether the work was ended because the lease was.
    pub fn lost(&self) -> bool {
        self.standing.lost(self.clock.as_ref())
    }
}

impl Standing {
    fn lost(&self, clock: &dyn Clock) -> bool {
        *self.lost.borrow() || clock.steady_us() >= self.until_us.load(Ordering::SeqCst)
    }
}

/// Asks to stop when the lease ends, or when somebody else does.
struct WhileHeld {
    inner: Arc<dyn Stop>,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
}

#[async_trait]
impl Stop for WhileHeld {
    fn asked(&self) -> bool {
        self.inner.asked() || self.standing.lost(self.clock.as_ref())
    }

    async fn wait(&self) {
        let mut lost = self.standing.lost.subscribe();
        tokio::select! {
            biased;
            () = self.inner.wait() => {}
            // The sender lives in `self`, so the channel cannot be closed while this waits.
            _seen = lost.wait_for(|lost| *lost) => {}
        }
    }
}
