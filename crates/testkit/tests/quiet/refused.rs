//! A tracker that refuses to show one entry's status: seen in the queue, holding nothing up, and
//! gone once it is shown.

use crate::stage::{Stage, play};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::source::{Feedback, WriteBack};
use domain::exception::{Code, OwnerRole, Problem};
use pipeline::exceptions::Choice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use twins::erp::Uniqueness;

/// A tracker that refuses one entry while it is told to.
struct Refuser {
    inner: Arc<dyn Feedback>,
    entry: String,
    refuses: AtomicBool,
}

#[async_trait]
impl Feedback for Refuser {
    async fn write_back(&self, update: &WriteBack) -> Result<bool, CallError> {
        if update.source_ref == self.entry && self.refuses.load(Ordering::SeqCst) {
            let problem = Problem::new(Code::TrackerRefused, "the project is archived")
                .with_words("Forbidden");
            return Err(CallError::Refused { problem });
        }
        self.inner.write_back(update).await
    }
}

/// A stage on which the first posted entry, edited since, cannot be shown.
async fn refused() -> (Stage, Arc<Refuser>, String) {
    let mut stage = Stage::new(14, Uniqueness::UniqueKey);
    stage.pass().await;
    let id = stage.posted(|code| code.starts_with("P00")).swap_remove(0);
    let refuser = Arc::new(Refuser {
        inner: stage.env.feedback.clone().unwrap(),
        entry: id.clone(),
        refuses: AtomicBool::new(true),
    });
    stage.env.feedback = Some(refuser.clone());
    stage.erp_act(&twins::erp::ErpAct::IssueAll);
    let result = stage.pass().await;
    assert_eq!(result.not_told, 1, "{result:?}");
    (stage, refuser, id)
}

#[test]
fn it_is_in_the_queue_with_owner_and_remedy_until_a_replay_works() {
    play(async {
        let (stage, refuser, id) = refused().await;
        let of_it = |all: Vec<pipeline::exceptions::Exception>| {
            let mut own = all.into_iter().filter(|e| e.source_ref == id);
            (own.next(), own.count())
        };
        let (open, more) = of_it(stage.exceptions().await);
        let open = open.unwrap();
        assert_eq!(more, 0);
        assert_eq!(open.code, "TRACKER_REFUSED");
        assert_eq!(open.owner, OwnerRole::Integration);
        assert_eq!(open.facts, "the project is archived");
        assert_eq!(open.erp_words.as_deref(), Some("Forbidden"));
        assert!(open.remedy.contains("replay"), "{open:?}");
        assert!(open.stake.booked.is_some(), "{open:?}");
        let counts = pipeline::exceptions::counts(&stage.env).await.unwrap();
        assert_eq!(counts.get("TRACKER_REFUSED"), Some(&1));
        // The hour itself is billed: it is not at stake.
        let (sums, unknown) = pipeline::stake::sums(std::slice::from_ref(&open));
        assert!(sums.is_empty() && unknown == 0);
        stage.reconcile().await;

        let choice = || Choice::Code(Code::TrackerRefused);
        let still = stage.replay(choice()).await;
        assert_eq!((still.taken_up, still.solved, still.still_open), (1, 0, 1));
        refuser.refuses.store(false, Ordering::SeqCst);
        let solved = stage.replay(choice()).await;
        assert_eq!(
            (solved.taken_up, solved.solved, solved.still_open),
            (1, 1, 0)
        );
        assert_eq!(of_it(stage.exceptions().await), (None, 0));
        assert_eq!(stage.shown(&id).0, "invoiced");
        assert_eq!(stage.replay(choice()).await.taken_up, 0);
        stage.judged().await;
    });
}

#[test]
fn it_goes_away_by_itself_once_the_tracker_takes_it() {
    play(async {
        let (stage, refuser, id) = refused().await;
        refuser.refuses.store(false, Ordering::SeqCst);
        stage.world.clock.pass_ms(3_600_000);
        let result = stage.pass().await;
        assert_eq!((result.told, result.not_told), (1, 0));
        let left = stage.exceptions().await;
        assert!(left.iter().all(|e| e.source_ref != id), "{left:?}");
        stage.judged().await;
    });
}
