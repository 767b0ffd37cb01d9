//! A node stands still in the middle of a pass; another fences it and goes on; then the first one wakes.

use super::{Player, words};
use crate::schedule::Takeover;
use crate::world::Broken;
use pipeline::env::Env;
use pipeline::error::PassError;
use pipeline::lease::wait_for;
use pipeline::patience::target_domain;
use pipeline::sync::{SyncOptions, SyncResult, sync};
use std::pin::pin;
use std::sync::Arc;
use store::StoreError;

/// After this, the lease of a node that stands still has ended.
const LEASE_ENDS_MS: u64 = 20_000;

impl Player<'_> {
    /// A pass of one node, taken over by another.
    pub(super) async fn taken_over(&mut self, takeover: Takeover) -> Result<(), Broken> {
        let world = self.world;
        let wait_ms = self.dice.between(60_000, 7_200_000);
        world.clock.pass_ms(wait_ms);
        let (first, gate) = world.node("first", takeover.requests)?;
        let domain = target_domain(&first.settings.flow);
        let text = |error: PassError| error.to_string();
        // Both may have had the lease before, in an earlier pass of this run.
        let held = Arc::new(wait_for(&first, &domain, 60_000_000).await.map_err(text)?);
        gate.keeps(&held, &first);
        world
            .story
            .tell("a pass of the first node begins".to_owned());
        let mut pass = pin!(sync(&first, world.today, SyncOptions::default()));
        let ended = tokio::select! {
            biased;
            ended = &mut pass => Some(ended),
            () = gate.reached() => None,
        };
        if let Some(ended) = ended {
            return self.node_ended(&first, ended).await;
        }
        self.coverage.taken_over();
        world.story.tell(format!(
            "the first node stands still before its request {}",
            takeover.requests + 1
        ));
        world.clock.pass_ms(LEASE_ENDS_MS);
        let (second, _) = world.node("second", i64::MAX)?;
        let asking = unbounded(&second);
        let _taken = wait_for(&asking, &domain, 0).await.map_err(text)?;
        let wait_ms = self.dice.between(1_000, 600_000);
        world.clock.pass_ms(wait_ms);
        let of_second = sync(&second, world.today, SyncOptions::default()).await;
        world.story.tell("the first node goes on".to_owned());
        gate.open();
        let late = pass.await;
        match &late {
            // Whether it changed anything is for the auditor; it may have had nothing left to write.
            Ok(_) => {}
            Err(
                PassError::Store(StoreError::Fenced { .. })
                | PassError::System { .. }
                | PassError::Crashed(_),
            ) => world.story.tell("the first node is stopped".to_owned()),
            Err(error) => return Err(format!("the first node ended otherwise: {error}")),
        }
        self.node_ended(&second, of_second).await
    }

    /// What came of a node's pass; the next passes are those of a new process.
    async fn node_ended(
        &mut self,
        env: &Env,
        ended: Result<SyncResult, PassError>,
    ) -> Result<(), Broken> {
        match ended {
            Ok(result) => self.world.story.tell(format!(
                "node {}: {}",
                env.store.options().node,
                words(&result)
            )),
            Err(error) => self.survive(&error)?,
        }
        self.world.clock.pass_ms(LEASE_ENDS_MS);
        self.env = self.world.session()?;
        let asking = unbounded(&self.env);
        let domain = target_domain(&asking.settings.flow);
        let held = wait_for(&asking, &domain, 0).await;
        let held = held.map_err(|error| error.to_string())?;
        held.give_back(&asking)
            .await
            .map_err(|error| error.to_string())
    }
}

/// Handles to ask for a lease with. A living process extends it beside its work, whatever that waits
/// for; here nothing runs beside, and the lease must not bound the work of the handles it is for.
fn unbounded(env: &Env) -> Env {
    Env {
        calls_until: Arc::default(),
        ..env.clone()
    }
}
