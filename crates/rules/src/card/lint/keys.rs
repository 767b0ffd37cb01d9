//! Rows beside rows: overlaps, gaps, jumps and history of one key, and ties of two.

use super::{Findings, LintCode, Placed, lawful};
use crate::card::timeline::{Timeline, timeline};
use domain::rate::{Parts, RateKey, RateRow, RateSource};
use std::collections::BTreeMap;

/// The lawful rows of one key, by their place in the card.
struct Group<'a> {
    key: &'a RateKey,
    rows: Vec<(usize, &'a RateRow)>,
}

type Groups<'a> = BTreeMap<(RateSource, Parts<'a>), Group<'a>>;

pub(super) fn look(rows: &[Placed], found: &mut Findings<'_>) {
    let mut groups = Groups::new();
    for (at, placed) in rows.iter().enumerate() {
        let row = &placed.row;
        if lawful(row) {
            let group = groups.entry((row.origin, row.key.parts()));
            let group = group.or_insert_with(|| Group {
                key: &row.key,
                rows: Vec::new(),
            });
            group.rows.push((at, row));
        }
    }
    for group in groups.values() {
        of_one_key(group, found);
    }
    ties(&groups, found);
}

fn of_one_key(group: &Group<'_>, found: &mut Findings<'_>) {
    let overlapping = overlaps(group, found);
    let rows: Vec<&RateRow> = group.rows.iter().map(|(_, row)| *row).collect();
    let line = timeline(&rows, None);
    gaps(group, &line, found);
    if !overlapping {
        jumps(group, &line, found);
        history(group, &line, found);
    }
}

/// Pairs of one version that cover one day, each once.
fn overlaps(group: &Group<'_>, found: &mut Findings<'_>) -> bool {
    let mut order: Vec<(usize, &RateRow)> = group.rows.clone();
    order.sort_by_key(|(at, row)| (row.recorded, row.from, *at));
    let mut any = false;
    for (place, (one_at, one)) in order.iter().enumerate() {
        let later = order.iter().skip(place + 1);
        let same_version = later.take_while(|(_, two)| {
            two.recorded == one.recorded && one.to.is_none_or(|to| two.from < to)
        });
        for (two_at, two) in same_version {
            any = true;
            if found.full() {
                return any;
            }
            let day = one.from.max(two.from);
            let rows = vec![*one_at.min(two_at), *one_at.max(two_at)];
            let sentence = format!(
                "Two rates of one version cover {day} and later: {}.",
                found.all_words(&rows)
            );
            found.add(LintCode::Overlap, rows, sentence);
        }
    }
    any
}

/// The place in the card of a row of the group.
fn place(group: &Group<'_>, row: usize) -> Option<usize> {
    group.rows.get(row).map(|(at, _)| *at)
}

fn gaps(group: &Group<'_>, line: &Timeline, found: &mut Findings<'_>) {
    for (one, two) in line.spans.iter().zip(line.spans.iter().skip(1)) {
        if let (Some(end), Some(a), Some(b)) =
            (one.to, place(group, one.row), place(group, two.row))
            && end < two.from
        {
            let sentence = format!(
                "No rate for {} from {end} to the day before {}.",
                group.key.words(),
                two.from
            );
            found.add(LintCode::Gap, vec![a, b], sentence);
        }
    }
}

/// Whether the change is of more than half of the old rate.
fn is_jump(old: &RateRow, new: &RateRow) -> bool {
    let (a, b) = (i128::from(old.rate.micro()), i128::from(new.rate.micro()));
    // From nothing, every rate is a jump.
    old.currency == new.currency && (b - a).abs() * 2 > a.abs()
}

fn jumps(group: &Group<'_>, line: &Timeline, found: &mut Findings<'_>) {
    let neighbours = line.spans.iter().zip(line.spans.iter().skip(1));
    let in_time = neighbours.map(|(one, two)| (one.row, two.row));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (old, new) in in_time.chain(line.replaced.iter().copied()) {
        // A row that lies inside another one is left by the same step by which it was reached.
        if old == new || pairs.contains(&(old, new)) || pairs.contains(&(new, old)) {
            continue;
        }
        let (Some((a, old_row)), Some((b, new_row))) = (group.rows.get(old), group.rows.get(new))
        else {
            continue;
        };
        if is_jump(old_row, new_row) && !found.full() {
            pairs.push((old, new));
            let sentence = format!(
                "The rate for {} goes from {} to {} {}, a change of more than half.",
                group.key.words(),
                old_row.rate,
                new_row.rate,
                new_row.currency
            );
            found.add(LintCode::Jump, vec![*a, *b], sentence);
        }
    }
}

fn history(group: &Group<'_>, line: &Timeline, found: &mut Findings<'_>) {
    for (row, (at, own)) in group.rows.iter().enumerate() {
        if line.spans.iter().any(|span| span.row == row) {
            continue;
        }
        let over = group
            .rows
            .iter()
            .filter(|(_, later)| later.recorded > own.recorded && later.meets(own));
        let mut rows = vec![*at];
        rows.extend(over.map(|(at, _)| *at));
        let sentence = format!("Rates recorded later stand on all days of {}.", own.words());
        found.add(LintCode::Replaced, rows, sentence);
    }
}

/// Keys of equal rank, neither of which says all that the other says, and which one piece of work can
/// both have.
fn ties(groups: &Groups<'_>, found: &mut Findings<'_>) {
    let shape = |parts: &Parts<'_>| parts.map(|part| part.is_some());
    let mut shapes: BTreeMap<_, Vec<&Group<'_>>> = BTreeMap::new();
    for ((source, parts), group) in groups {
        // Keys of one shape differ in a value, and no work has both.
        let place = (*source, group.key.specificity(), shape(parts));
        shapes.entry(place).or_default().push(group);
    }
    for (one_place, ones) in &shapes {
        for (two_place, twos) in shapes.range(one_place..).skip(1) {
            if (two_place.0, two_place.1) != (one_place.0, one_place.1) {
                break;
            }
            for one in ones {
                for two in twos {
                    tie(groups, one_place.0, one, two, found);
                }
            }
        }
    }
}

fn tie(
    groups: &Groups<'_>,
    source: RateSource,
    one: &Group<'_>,
    two: &Group<'_>,
    found: &mut Findings<'_>,
) {
    if found.full() || one.key.refines(two.key) || two.key.refines(one.key) {
        return;
    }
    let Some(both) = union(&one.key.parts(), &two.key.parts()) else {
        return;
    };
    let deciding = groups.get(&(source, both));
    let mut pairs = one
        .rows
        .iter()
        .flat_map(|a| two.rows.iter().map(move |b| (a, b)))
        .filter(|((_, a), (_, b))| a.meets(b))
        .filter(|((_, a), (_, b))| {
            // A key that says what both say decides, once a row of it is known.
            let both_known = a.recorded.max(b.recorded);
            !deciding
                .is_some_and(|group| group.rows.iter().any(|(_, row)| row.recorded <= both_known))
        });
    // In the order of the card, so that the same pair is named whatever the order of keys.
    if let Some(((a, _), (b, _))) = pairs
        .by_ref()
        .min_by_key(|((a, _), (b, _))| (*a.min(b), *a.max(b)))
    {
        let rows = vec![*a.min(b), *a.max(b)];
        let sentence = format!(
            "Work can be of both keys, and neither is more specific: {}.",
            found.all_words(&rows)
        );
        found.add(LintCode::Tie, rows, sentence);
    }
}

/// What both keys name; none if they name different values.
fn union<'a>(one: &Parts<'a>, two: &Parts<'a>) -> Option<Parts<'a>> {
    let mut both: Parts<'a> = [None; 8];
    for (slot, (a, b)) in both.iter_mut().zip(one.iter().zip(two)) {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            return None;
        }
        *slot = a.or(*b);
    }
    Some(both)
}
