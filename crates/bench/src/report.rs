//! What was measured, as a table for people and as data.

use crate::limits::Use;
use crate::measure::{Measured, Score, median};
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A number of thousandths with its point.
fn thousandths(permille: u128) -> String {
    format!("{}.{:03}", permille / 1000, permille % 1000)
}

fn rate(score: &Score) -> u128 {
    1_000_000_000_000 / median(&score.wall_ps).max(1)
}

fn verdict(score: &Score) -> String {
    match score.goal_permille {
        None => "-".to_owned(),
        Some(goal) => {
            let met = median(&score.share_permille) >= goal;
            let word = if met { "met" } else { "missed" };
            format!("{} {word}", thousandths(goal))
        }
    }
}

/// For people.
pub(crate) fn table(all: &[Measured]) -> String {
    let mut text = String::new();
    for measured in all {
        // Writing to a String cannot fail.
        let _ = subject(&mut text, measured);
    }
    text
}

fn subject(text: &mut String, measured: &Measured) -> std::fmt::Result {
    let rounds = measured.scores.first().map_or(0, |s| s.wall_ps.len());
    writeln!(
        text,
        "{}: {} entries, {rounds} rounds in turn, medians; {}",
        measured.name, measured.entries, measured.mix
    )?;
    writeln!(
        text,
        "{:<22} {:>12} {:>12} {:>9} {:>9} {:>14}",
        "who", "entries/s", "CPU us/entry", "of floor", "by CPU", "goal"
    )?;
    for score in &measured.scores {
        writeln!(
            text,
            "{:<22} {:>12} {:>12} {:>9} {:>9} {:>14}",
            score.name,
            rate(score),
            // Picoseconds to nanoseconds, told in microseconds.
            thousandths(median(&score.cpu_ps) / 1000),
            thousandths(median(&score.share_permille)),
            thousandths(median(&score.cpu_share_permille)),
            verdict(score),
        )?;
    }
    for score in &measured.scores {
        writeln!(text, "  {}: {}", score.name, score.does)?;
    }
    if measured.quick {
        writeln!(text, "  quick: it runs; these are no figures to quote")?;
    } else if measured.noisy() {
        writeln!(
            text,
            "  NOISY: the floor varied by {} % in the last of {} tries; run it on a quieter machine",
            measured.floor_spread_percent, measured.tries
        )?;
    } else {
        writeln!(
            text,
            "  the floor varied by {} % (try {})",
            measured.floor_spread_percent, measured.tries
        )?;
    }
    Ok(())
}

/// What was used of quotas, for people.
pub(crate) fn limits(all: &[Use]) -> String {
    let mut text = String::new();
    for used in all {
        let word = if used.is_met() { "met" } else { "missed" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}: {} used, {} refused; goal 0.990 and 0 {word}",
            used.what,
            thousandths(u128::from(used.used_permille)),
            used.refused
        );
    }
    text
}

/// For programs: the medians and every round.
pub(crate) fn json(all: &[Measured], limits: &[Use]) -> Result<String> {
    let limits = limits.iter().map(|used| {
        json!({
            "subject": "limits",
            "what": used.what,
            "used_permille": used.used_permille,
            "refused": used.refused,
            "met": used.is_met(),
        })
    });
    let all: Vec<Value> = all
        .iter()
        .map(|measured| {
            let scores: Vec<Value> = measured.scores.iter().map(score).collect();
            json!({
                "subject": measured.name,
                "mix": measured.mix,
                "entries": of(measured.entries),
                "tries": measured.tries,
                "floor_spread_percent": of(measured.floor_spread_percent),
                "noisy": measured.noisy(),
                "quick": measured.quick,
                "contenders": scores,
            })
        })
        .chain(limits)
        .collect();
    Ok(serde_json::to_string_pretty(&all)?)
}

/// JSON has no wider numbers.
fn of(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn score(score: &Score) -> Value {
    let rounds = |all: &[u128]| -> Vec<u64> { all.iter().copied().map(of).collect() };
    json!({
        "name": score.name,
        "does": score.does,
        "entries_per_second": of(rate(score)),
        "share_of_floor_permille": of(median(&score.share_permille)),
        "share_of_floor_by_cpu_permille": of(median(&score.cpu_share_permille)),
        "goal_permille": score.goal_permille.map(of),
        "rounds": {
            "wall_ps_per_entry": rounds(&score.wall_ps),
            "cpu_ps_per_entry": rounds(&score.cpu_ps),
            "share_of_floor_permille": rounds(&score.share_permille),
        },
    })
}
