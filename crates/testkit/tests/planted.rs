//! Bugs planted on purpose: each has to be noticed within few schedules.

use counterfoil_testkit::bugs::Bug;
use counterfoil_testkit::crashes::Death;
use counterfoil_testkit::play::{Played, play_schedule};
use counterfoil_testkit::schedule::{Schedule, Takeover};
use pipeline::crash::CrashPoint;
use twins::erp::{Tamper, TamperMode, TamperWhen, Uniqueness};
use twins::fault::FaultPlan;

/// Some schedule among the first ones notices.
fn noticed(bug: Bug, most: u64, sees: impl Fn(&Played) -> bool) {
    let mut schedules = 1..=most;
    let found = schedules.any(|seed| sees(&play_schedule(Schedule::plain(seed), bug)));
    assert!(found, "{bug:?} was not noticed in {most} schedules");
}

fn verdict(played: &Played, of: impl Fn(&twins::auditor::Verdict) -> bool) -> bool {
    played.verdict.as_ref().is_some_and(of)
}

#[test]
fn a_call_sent_again_in_doubt_is_a_duplicate() {
    noticed(Bug::ResendInDoubt, 80, |played| {
        verdict(played, |verdict| verdict.duplicates > 0)
    });
}

#[test]
fn a_key_made_of_content_meets_itself_again() {
    noticed(Bug::KeyByContent, 20, |played| !played.is_good());
}

#[test]
fn a_lost_write_back_shows() {
    noticed(Bug::LostWriteBack, 3, |played| {
        verdict(played, |verdict| verdict.not_told > 0)
    });
}

#[test]
fn a_missing_permit_breaks_the_limit() {
    noticed(Bug::NoPermit, 20, |played| {
        verdict(played, |verdict| verdict.limit_breaches > 0)
    });
}

#[test]
fn a_line_adopted_without_comparing_is_wrong_or_never_seen_as_changed() {
    noticed(Bug::AdoptBlindly, 20, |played| !played.is_good());
}

/// Deaths after the call, where only our look-up keeps a key to one line.
fn dying_after_the_call(seed: u64) -> Schedule {
    let mut schedule = Schedule::plain(seed);
    schedule.uniqueness = Uniqueness::LookUp;
    schedule.deaths = (1..=3)
        .map(|nth| Death {
            point: CrashPoint::CallReturned,
            nth,
        })
        .collect();
    schedule
}

#[test]
fn a_lost_intent_is_a_duplicate() {
    let seen = (1..=40).any(|seed| {
        let played = play_schedule(dying_after_the_call(seed), Bug::LostIntent);
        !played.is_good()
    });
    assert!(seen, "a lost intent was not noticed in 40 schedules");
}

#[test]
fn a_look_up_that_sees_nothing_after_a_restart_posts_twice() {
    let seen = (1..=20).any(|seed| {
        let played = play_schedule(dying_after_the_call(seed), Bug::BlindLookUp);
        !played.is_good()
    });
    assert!(seen, "a blind look-up was not noticed in 20 schedules");
}

/// A node stands still before one of its requests in the first pass; only our look-up keeps a key to
/// one line.
fn standing_still(requests: i64) -> Schedule {
    let mut schedule = Schedule::plain(7);
    schedule.uniqueness = Uniqueness::LookUp;
    schedule.tracker_faults = FaultPlan::none(1);
    schedule.erp_faults = FaultPlan::none(2);
    schedule.deaths.clear();
    schedule.acts.clear();
    schedule.takeovers = vec![Takeover { pass: 0, requests }];
    schedule
}

#[test]
fn a_posting_of_a_dead_node_that_comes_late_is_a_duplicate() {
    let requests = 8..40;
    let seen = requests.clone().any(|requests| {
        let played = play_schedule(standing_still(requests), Bug::LateSend);
        verdict(&played, |verdict| verdict.duplicates > 0)
    });
    assert!(seen, "a late posting was not noticed");
    for requests in requests.step_by(4) {
        let played = play_schedule(standing_still(requests), Bug::None);
        assert!(played.is_good(), "{}", played.report());
    }
}

/// The same schedules find nothing where no bug is planted.
#[test]
fn without_a_bug_nothing_is_noticed() {
    for seed in 1..=20 {
        for schedule in [Schedule::plain(seed), dying_after_the_call(seed)] {
            let played = play_schedule(schedule, Bug::None);
            assert!(played.is_good(), "{}", played.report());
        }
    }
}

#[test]
fn a_cheating_erp_is_caught() {
    for mode in [
        TamperMode::Drop,
        TamperMode::Cent,
        TamperMode::Double,
        TamperMode::DoubleOtherKey,
    ] {
        for seed in 1..=3 {
            let mut schedule = Schedule::plain(seed);
            schedule.tamper = Some(Tamper {
                mode,
                when: TamperWhen::End,
            });
            let played = play_schedule(schedule, Bug::None);
            assert!(
                verdict(&played, |verdict| !verdict.is_good()),
                "{mode:?}: {}",
                played.report()
            );
        }
    }
}
