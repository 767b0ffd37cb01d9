//! Bugs planted on purpose: each has to be noticed within few schedules.

use counterfoil_testkit::bugs::Bug;
use counterfoil_testkit::play::{Played, play_schedule};
use counterfoil_testkit::schedule::Schedule;
use twins::erp::{Tamper, TamperMode, TamperWhen};

/// Some schedule among the first ones notices.
fn noticed(bug: Bug, most: u64, sees: impl Fn(&Played) -> bool) {
    let mut schedules = 1..=most;
    let found = schedules.any(|seed| sees(&play_schedule(Schedule::from_seed(seed), bug)));
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

#[test]
fn a_cheating_erp_is_caught() {
    for mode in [
        TamperMode::Drop,
        TamperMode::Cent,
        TamperMode::Double,
        TamperMode::DoubleOtherKey,
    ] {
        for seed in 1..=3 {
            let mut schedule = Schedule::from_seed(seed);
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
