//! The method: everybody who competes does the same work in turn, five rounds, and what counts is the
//! median of the ratios of pairs. Rates under noise are worth nothing alone; the ratio of two that ran
//! right after each other is. A run whose floor varies too much is tried again, and told as noisy
//! if it stays so.

use crate::clock::{Took, timed};
use anyhow::{Result, bail};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough for a figure.
    Full,
    /// Enough to see that it runs.
    Quick,
}

impl Effort {
    const fn rounds(self) -> usize {
        match self {
            Self::Full => 5,
            Self::Quick => 3,
        }
    }

    const fn tries(self) -> usize {
        match self {
            Self::Full => 3,
            Self::Quick => 1,
        }
    }
}

/// How far a round of the floor may lie from its median, in percent.
const SPREAD_PERCENT_MAX: u128 = 25;

/// What one pass over the work came to: the same every time, or something is not measured but broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Did {
    /// Entries that went through.
    pub(crate) entries: u128,
    /// A sum over what came out, so that passes can be compared.
    pub(crate) digest: i128,
}

/// One who competes.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// What it does, in a sentence.
    pub(crate) does: &'static str,
    /// The least share of the floor it should reach, in thousandths.
    pub(crate) goal_permille: Option<u128>,
    /// How many passes make a round, so that a round is long enough for the clock.
    pub(crate) passes: u32,
    /// One pass over all entries.
    pub(crate) pass: Box<dyn FnMut() -> Result<Did>>,
}

/// Something to measure. The first contender is the floor.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// What the entries are.
    pub(crate) mix: String,
    pub(crate) floor: Contender,
    pub(crate) others: Vec<Contender>,
}

/// What one contender came to.
pub(crate) struct Score {
    pub(crate) name: &'static str,
    pub(crate) does: &'static str,
    pub(crate) goal_permille: Option<u128>,
    /// Picoseconds an entry on the wall, by round.
    pub(crate) wall_ps: Vec<u128>,
    /// Picoseconds an entry on a core, by round.
    pub(crate) cpu_ps: Vec<u128>,
    /// Rate as a share of the floor's in the same round, in thousandths, by round.
    pub(crate) share_permille: Vec<u128>,
    /// The same by time on a core.
    pub(crate) cpu_share_permille: Vec<u128>,
}

/// What a subject came to.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) mix: String,
    pub(crate) entries: u128,
    pub(crate) scores: Vec<Score>,
    /// Tries it took.
    pub(crate) tries: usize,
    /// The furthest round of the floor from its median, in percent.
    pub(crate) floor_spread_percent: u128,
    pub(crate) quick: bool,
}

impl Measured {
    /// Whether the floor varied too much in every try.
    pub(crate) const fn noisy(&self) -> bool {
        self.floor_spread_percent > SPREAD_PERCENT_MAX
    }
}

/// The middle of some numbers.
pub(crate) fn median(numbers: &[u128]) -> u128 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Measure a subject: again while the floor is noisy, as often as the effort allows.
pub(crate) fn measure(mut subject: Subject, effort: Effort) -> Result<Measured> {
    let mut all: Vec<&mut Contender> = vec![&mut subject.floor];
    all.extend(&mut subject.others);
    // A pass for nothing: memory is there, files are read, and every contender shows its work.
    let mut known = Vec::with_capacity(all.len());
    for contender in &mut all {
        known.push((contender.pass)()?);
    }
    let entries = known.first().map_or(0, |did| did.entries);
    if known.iter().any(|did| did.entries != entries) || entries == 0 {
        bail!(
            "the contenders of {} did not do the same work",
            subject.name
        );
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let scores = rounds(&mut all, &known, effort)?;
        let spread = scores
            .first()
            .map_or(0, |floor| spread_percent(&floor.wall_ps));
        if spread <= SPREAD_PERCENT_MAX || tries >= effort.tries() {
            return Ok(Measured {
                name: subject.name,
                mix: subject.mix,
                entries,
                scores,
                tries,
                floor_spread_percent: spread,
                quick: effort == Effort::Quick,
            });
        }
    }
}

fn spread_percent(numbers: &[u128]) -> u128 {
    let middle = median(numbers).max(1);
    let furthest = numbers.iter().map(|n| n.abs_diff(middle)).max();
    furthest.unwrap_or_default() * 100 / middle
}

fn rounds(all: &mut [&mut Contender], known: &[Did], effort: Effort) -> Result<Vec<Score>> {
    let mut scores: Vec<Score> = all
        .iter()
        .map(|contender| Score {
            name: contender.name,
            does: contender.does,
            goal_permille: contender.goal_permille,
            wall_ps: Vec::new(),
            cpu_ps: Vec::new(),
            share_permille: Vec::new(),
            cpu_share_permille: Vec::new(),
        })
        .collect();
    for _ in 0..effort.rounds() {
        let mut floor: Option<Took> = None;
        for ((contender, did), score) in all.iter_mut().zip(known).zip(&mut scores) {
            let took = round(contender, *did)?;
            let floor = *floor.get_or_insert(took);
            score.wall_ps.push(took.wall_ns);
            score.cpu_ps.push(took.cpu_ns);
            score
                .share_permille
                .push(floor.wall_ns * 1000 / took.wall_ns.max(1));
            score
                .cpu_share_permille
                .push(floor.cpu_ns * 1000 / took.cpu_ns.max(1));
        }
    }
    Ok(scores)
}

/// One round of one contender, in picoseconds an entry.
fn round(contender: &mut Contender, known: Did) -> Result<Took> {
    let passes = contender.passes.max(1);
    let name = contender.name;
    let pass = &mut contender.pass;
    let ((), took) = timed(|| {
        for _ in 0..passes {
            if pass()? != known {
                bail!("{name} came to something else than before on the same work");
            }
        }
        Ok(())
    })?;
    let entries = known.entries.max(1) * u128::from(passes);
    Ok(Took {
        wall_ns: took.wall_ns * 1000 / entries,
        cpu_ns: took.cpu_ns * 1000 / entries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(entries: u128, digest: fn(u32) -> i128) -> Contender {
        let mut pass = 0;
        Contender {
            name: "one",
            does: "counts",
            goal_permille: None,
            passes: 2,
            pass: Box::new(move || {
                pass += 1;
                let digest = digest(pass);
                Ok(Did { entries, digest })
            }),
        }
    }

    fn subject(floor: Contender, other: Contender) -> Subject {
        Subject {
            name: "a test",
            mix: String::new(),
            floor,
            others: vec![other],
        }
    }

    #[test]
    fn the_middle_and_the_furthest_of_it() {
        assert_eq!(median(&[9, 1, 5]), 5);
        assert_eq!(spread_percent(&[100, 100, 130]), 30);
        assert_eq!(spread_percent(&[60, 100, 110]), 40);
    }

    #[test]
    fn every_round_has_every_contender() {
        let same = |_| 7;
        let measured = measure(
            subject(contender(4, same), contender(4, same)),
            Effort::Quick,
        )
        .unwrap();
        assert_eq!(measured.scores.len(), 2);
        assert!(measured.scores.iter().all(|score| score.wall_ps.len() == 3));
        assert!(measured.scores[0].share_permille.iter().all(|s| *s <= 1000));
    }

    #[test]
    fn who_does_other_work_is_not_measured() {
        let same = |_| 7;
        let fewer = subject(contender(4, same), contender(3, same));
        assert!(measure(fewer, Effort::Quick).is_err());
        let drifting = subject(contender(4, same), contender(4, i128::from));
        assert!(measure(drifting, Effort::Quick).is_err());
    }
}
