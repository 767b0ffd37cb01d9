//! A node that stands still before any of its requests, while another takes over, finishes its work and
//! that of today: when the first one goes on, it changes nothing any more, here and at the other sides.

use crate::stage::{Stage, chosen, play};
use pipeline::error::PassError;
use pipeline::lease::wait_for;
use pipeline::patience::target_domain;
use pipeline::sync::{SyncOptions, sync};
use std::pin::pin;
use std::sync::Arc;
use store::StoreError;
use twins::erp::Uniqueness;

/// After this, the lease of a node that stands still has ended.
const LEASE_ENDS_MS: u64 = 20_000;
/// After this, every call made before has ended, and a look-up proves something.
const CALLS_END_MS: u64 = 400_000;

/// The first node stands still before one request. Whether its pass came that far.
async fn paused_at(requests: i64, uniqueness: Uniqueness) -> bool {
    let stage = Stage::new(3, uniqueness);
    let (world, today) = (&stage.world, stage.world.today);
    let domain = target_domain(&stage.env.settings.flow);
    let (first, gate) = world.node("a", requests).unwrap();
    let held = Arc::new(wait_for(&first, &domain, 0).await.unwrap());
    gate.keeps(&held, &first);
    let over = held.over(&first);
    let mut pass = pin!(sync(&over, today, SyncOptions::default()));
    tokio::select! {
        biased;
        done = &mut pass => {
            done.unwrap();
            return false;
        }
        () = gate.reached() => {}
    }
    world.clock.pass_ms(LEASE_ENDS_MS);
    let (second, living) = world.node("b", i64::MAX).unwrap();
    let taken = Arc::new(wait_for(&second, &domain, 0).await.unwrap());
    living.keeps(&taken, &second);
    let later = async || {
        world.clock.pass_ms(CALLS_END_MS);
        assert!(taken.extend(&second).await.unwrap());
        sync(&second, today, SyncOptions::default()).await.unwrap()
    };
    for _ in 0..3 {
        later().await;
    }
    // People go on as well: what the first node still wants to tell is old.
    let posted = stage.posted(|_| true);
    for id in posted.iter().take(3) {
        stage.set_hours(id, "1.75");
    }
    later().await;
    let (lines, shown) = (
        stage.lines(),
        posted.iter().map(|id| stage.shown(id)).collect::<Vec<_>>(),
    );

    gate.open();
    let late = pass.await;
    assert!(
        matches!(
            late,
            Err(PassError::Store(StoreError::Fenced { .. })
                | PassError::Stopped
                | PassError::System { .. })
        ),
        "{late:?}"
    );
    assert!(held.lost());
    assert_eq!(stage.lines(), lines, "the late node changed the ERP");
    let now: Vec<_> = posted.iter().map(|id| stage.shown(id)).collect();
    assert_eq!(now, shown, "the late node changed the tracker");
    let last = later().await;
    assert_eq!((last.post.posted, last.told), (0, 0), "{last:?}");
    let verdict = world.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict:?}");
    true
}

/// Every so many requests, from the first; `NODES_STEP` = 1 tries all of them.
fn along_a_pass(usual_step: i64, uniqueness: Uniqueness) {
    let step = chosen("NODES_STEP").unwrap_or(usual_step);
    play(async {
        let mut requests = 0;
        while paused_at(requests, uniqueness).await {
            requests += step;
        }
        assert!(requests > 40, "only {requests} requests");
    });
}

#[test]
fn a_late_node_changes_nothing_where_keys_are_unique() {
    along_a_pass(5, Uniqueness::UniqueKey);
}

#[test]
fn a_late_node_changes_nothing_where_they_are_looked_up() {
    along_a_pass(3, Uniqueness::LookUp);
}
