//! Schedules that once failed, by what was wrong.

use counterfoil_testkit::bugs::Bug;
use counterfoil_testkit::play::play_schedule;
use counterfoil_testkit::schedule::{Restore, Schedule};

fn passes(seed: u64) {
    let played = play_schedule(Schedule::plain(seed), Bug::None);
    assert!(played.is_good(), "{}", played.report());
}

/// Lines of a draft that a person deleted whole were forgotten: neither billed nor an exception.
#[test]
fn a_deleted_draft_takes_its_lines_into_the_exception_queue() {
    passes(39);
    passes(22);
}

/// The tracker showed the document that a line once stood on, not the one it was moved to.
#[test]
fn a_moved_line_is_shown_where_it_stands() {
    passes(7);
    passes(13);
}

/// A replay that solved nothing took the exception off the entry in the tracker.
#[test]
fn an_exception_is_shown_until_it_is_solved() {
    passes(50);
    passes(60);
}

/// An issued invoice made the tracker forget that the entry itself had become an exception.
#[test]
fn an_invoice_does_not_hide_that_its_entry_is_an_exception() {
    passes(64);
    passes(170);
}

/// An edit that was waiting while a person deleted the line kept the poster busy for ever.
#[test]
fn an_unsent_change_of_a_line_that_is_gone_waits_for_a_person() {
    passes(65);
    passes(98);
}

/// Work moved to another task at the same price stayed on the old task.
#[test]
fn another_task_is_another_line_at_any_price() {
    passes(174);
    passes(183);
    passes(196);
}

/// The payment of an invoice was shown for a line that had been credited and billed anew.
#[test]
fn a_credited_line_no_longer_speaks_for_its_entry() {
    passes(277);
}

/// A person credited an invoice while our own credit of one of its lines was on its way.
#[test]
fn a_line_is_credited_once() {
    passes(363);
}

/// A changed line that was deleted before the replay left an exception without a code.
#[test]
fn an_exception_always_has_a_code() {
    passes(457);
    passes(837);
}

/// The refused change of a line that a person had moved was hidden by the line itself.
#[test]
fn a_refused_change_is_shown_although_the_line_stands() {
    passes(256);
    passes(674);
}

/// A look-up that came too early counted as proof of absence, the call was committed late, the
/// draft was issued meanwhile, and the lines were billed again under new keys.
#[test]
fn absence_is_proven_by_time_even_where_keys_are_unique() {
    passes(342);
}

fn passes_with(schedule: Schedule) {
    let played = play_schedule(schedule, Bug::None);
    assert!(played.is_good(), "{}", played.report());
}

/// A plain schedule whose ledger is lost, with people at work meanwhile.
fn passes_restored(seed: u64, taken: u64, used: u64) {
    let mut schedule = Schedule::plain(seed);
    schedule.restore = Some(Restore { taken, used });
    passes_with(schedule);
}

/// A line in doubt was found after a restore, and then settled a second time: the ledger refused,
/// in every pass from then on.
#[test]
fn a_line_found_after_a_restore_is_not_settled_again() {
    passes_restored(62, 1, 3);
}

/// An invoice that was paid before the restore was never shown as paid.
#[test]
fn a_restored_ledger_shows_invoices_that_were_paid_before() {
    passes_restored(47, 0, 2);
}

/// A replay did not ask what became of the invoice, and credited one that somebody had credited.
#[test]
fn a_replay_does_not_credit_what_was_credited() {
    passes_with(Schedule::from_seed(171));
}

fn passes_as_drawn(seed: u64) {
    passes_with(Schedule::from_seed(seed));
}

/// A line was credited by the ledger that was lost; the restored one had counted other effects since
/// the backup, asked under another key, and credited it a second time.
#[test]
fn a_line_that_was_credited_before_a_restore_is_not_credited_again() {
    passes_as_drawn(189);
}

/// Entries were edited while their lines were in doubt, the restored ledger found the lines, and
/// nothing planned the edits.
#[test]
fn an_edit_of_a_line_found_after_a_restore_reaches_the_line() {
    passes_as_drawn(70);
}

/// A line with other content, or of another shape, was billed a second time after a restore, and so
/// was a line of an entry that a replay had planned anew under another key.
#[test]
fn a_line_with_other_content_is_not_billed_again_after_a_restore() {
    for seed in [235, 330, 405] {
        passes_as_drawn(seed);
    }
}

/// Lines of work that was withdrawn between backup and restore stood unnamed.
#[test]
fn a_line_of_work_withdrawn_before_a_restore_is_named() {
    for seed in [22, 165, 193, 195, 215, 366, 471, 501] {
        passes_as_drawn(seed);
    }
}

/// A node that had stood still sent a read under a permit of ten minutes before, and the account
/// refused what the node after it had a right to.
#[test]
fn a_read_that_comes_late_spends_no_quota_of_another_node() {
    passes_as_drawn(911);
}
