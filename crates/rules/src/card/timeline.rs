//! The days of one key: which row stands when, and what each row took from earlier ones.

use domain::rate::RateRow;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Days on which one row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: Date,
    /// First day after; none = open end.
    pub to: Option<Date>,
    /// The row, by its place in the rows that were given.
    pub row: usize,
}

/// The days of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// Who stands when, in order. Days between spans are gaps. Where rows of one version overlap,
    /// which is a mistake, the first of them is shown.
    pub spans: Vec<Span>,
    /// Pairs (earlier, later): a later-recorded row took days from an earlier one.
    pub replaced: BTreeSet<(usize, usize)>,
}

/// First day of a span, to the first day after it and the row.
type Painted = BTreeMap<Date, (Option<Date>, usize)>;

fn reaches_beyond(end: Option<Date>, day: Date) -> bool {
    end.is_none_or(|end| end > day)
}

/// The timeline of rows of one key, as known on a day; without a day, all of them.
///
/// Rows are laid over each other in the order in which they were recorded, so that each one takes
/// exactly the days it covers.
pub fn timeline(rows: &[&RateRow], known_at: Option<Date>) -> Timeline {
    let mut order: Vec<(usize, &RateRow)> = rows
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, row)| row.known(known_at) && row.to.is_none_or(|to| row.from < to))
        .collect();
    // Within one version the first of the card is laid last.
    order.sort_by(|(a, one), (b, two)| one.recorded.cmp(&two.recorded).then(b.cmp(a)));
    let mut painted = Painted::new();
    let mut replaced = BTreeSet::new();
    for (place, row) in order {
        for earlier in lay(&mut painted, place, row.from, row.to) {
            let newer = rows
                .get(earlier)
                .is_some_and(|old| old.recorded < row.recorded);
            if newer {
                replaced.insert((earlier, place));
            }
        }
    }
    Timeline {
        spans: painted
            .into_iter()
            .map(|(from, (to, row))| Span { from, to, row })
            .collect(),
        replaced,
    }
}

/// Lay one row over what is there; gives the rows it took days from.
fn lay(painted: &mut Painted, place: usize, from: Date, to: Option<Date>) -> Vec<usize> {
    let mut took = Vec::new();
    let mut rest = None;
    let mut keep_end = |end: Option<Date>, row: usize| {
        if let Some(to) = to
            && reaches_beyond(end, to)
        {
            rest = Some((to, (end, row)));
        }
    };
    if let Some((_, before)) = painted.range_mut(..from).next_back()
        && reaches_beyond(before.0, from)
    {
        took.push(before.1);
        keep_end(before.0, before.1);
        before.0 = Some(from);
    }
    let under: Vec<Date> = painted
        .range(from..)
        .map(|(start, _)| *start)
        .take_while(|start| reaches_beyond(to, *start))
        .collect();
    for start in under {
        if let Some((end, row)) = painted.remove(&start) {
            took.push(row);
            keep_end(end, row);
        }
    }
    painted.extend(rest);
    painted.insert(from, (to, place));
    took
}
