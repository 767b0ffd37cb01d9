//! The parts that an item comes out in: a tier of the week with what an account says of it.
//!
//! A part has a code, which is stored and goes into the keys of its lines, and a name, which people
//! read. Neither ever changes. The part of an item that comes out in one is [`Part::WHOLE`], whether
//! it is billed or cost: work that changes from one to the other is still the same part.

use crate::account::ask::Outcome;
use crate::charge::Disposition;
use crate::overtime::Tier;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One part of an item. Parts are ordered by their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What becomes of it. Compared first, as the code counts outcomes in tens.
    pub outcome: Outcome,
    /// Its tier of the week.
    pub tier: Tier,
}

impl Part {
    /// Straight and billed: what an item is whose contract has neither tiers nor accounts.
    pub const WHOLE: Self = Self {
        outcome: Outcome::Billed,
        tier: Tier::Straight,
    };

    /// Every part, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        Outcome::ALL
            .into_iter()
            .flat_map(|outcome| Tier::ALL.map(|tier| Self { outcome, tier }))
    }

    /// The stored code: tens for the outcome, units for the tier; zero for [`Part::WHOLE`].
    pub const fn code(self) -> i64 {
        let outcome = match self.outcome {
            Outcome::Billed => 0,
            Outcome::Drawn => 10,
            Outcome::Allowance => 20,
            Outcome::Overage => 30,
            Outcome::Held => 40,
            Outcome::WrittenOff => 50,
            Outcome::LineAllowance => 60,
        };
        let tier = match self.tier {
            Tier::Straight => 0,
            Tier::Premium => 1,
            Tier::Double => 2,
        };
        outcome + tier
    }

    /// From the stored code.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::all().find(|part| part.code() == code)
    }

    /// The stable name, outcome last: `straight_billed`, `premium_held`.
    pub const fn name(self) -> &'static str {
        match (self.outcome, self.tier) {
            (Outcome::Billed, Tier::Straight) => "straight_billed",
            (Outcome::Billed, Tier::Premium) => "premium_billed",
            (Outcome::Billed, Tier::Double) => "double_billed",
            (Outcome::Drawn, Tier::Straight) => "straight_drawn",
            (Outcome::Drawn, Tier::Premium) => "premium_drawn",
            (Outcome::Drawn, Tier::Double) => "double_drawn",
            (Outcome::Allowance, Tier::Straight) => "straight_allowance",
            (Outcome::Allowance, Tier::Premium) => "premium_allowance",
            (Outcome::Allowance, Tier::Double) => "double_allowance",
            (Outcome::Overage, Tier::Straight) => "straight_overage",
            (Outcome::Overage, Tier::Premium) => "premium_overage",
            (Outcome::Overage, Tier::Double) => "double_overage",
            (Outcome::Held, Tier::Straight) => "straight_held",
            (Outcome::Held, Tier::Premium) => "premium_held",
            (Outcome::Held, Tier::Double) => "double_held",
            (Outcome::WrittenOff, Tier::Straight) => "straight_written_off",
            (Outcome::WrittenOff, Tier::Premium) => "premium_written_off",
            (Outcome::WrittenOff, Tier::Double) => "double_written_off",
            (Outcome::LineAllowance, Tier::Straight) => "straight_line_allowance",
            (Outcome::LineAllowance, Tier::Premium) => "premium_line_allowance",
            (Outcome::LineAllowance, Tier::Double) => "double_line_allowance",
        }
    }

    /// From the stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|part| part.name() == name)
    }

    /// How a client's part is booked. A part that no client pays under any outcome (internal work, an
    /// agreed price) is [`Disposition::Cost`], which its contract decides and not its outcome.
    pub const fn disposition(self) -> Disposition {
        match self.outcome {
            Outcome::Billed | Outcome::Overage | Outcome::LineAllowance => Disposition::Bill,
            Outcome::Drawn => Disposition::Drawn,
            Outcome::Allowance => Disposition::Allowance,
            Outcome::Held => Disposition::Held,
            Outcome::WrittenOff => Disposition::WrittenOff,
        }
    }

    /// Whether a charge of this part may be booked so.
    pub fn allows(self, disposition: Disposition) -> bool {
        let nobody_pays = disposition == Disposition::Cost && self.outcome == Outcome::Billed;
        nobody_pays || disposition == self.disposition()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} time, {}", self.tier.words(), self.outcome.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_names_are_stable_and_one_to_one() {
        assert_eq!(Part::WHOLE.code(), 0);
        let codes: Vec<i64> = Part::all().map(Part::code).collect();
        // Written out: these are in ledgers and in keys.
        let stored = [
            0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62,
        ];
        assert_eq!(codes, stored);
        let names: BTreeSet<&str> = Part::all().map(Part::name).collect();
        assert_eq!(names.len(), stored.len());
        for part in Part::all() {
            assert_eq!(Part::from_code(part.code()), Some(part));
            assert_eq!(Part::from_name(part.name()), Some(part));
            assert!(part.name().starts_with(part.tier.words()), "{part}");
        }
        assert_eq!(Part::from_code(3), None);
        assert_eq!(Part::from_name("straight"), None);
    }

    #[test]
    fn parts_are_ordered_by_code() {
        let all: Vec<Part> = Part::all().collect();
        assert!(all.is_sorted());
        assert!(all.is_sorted_by_key(|part| part.code()));
    }

    #[test]
    fn an_outcome_allows_its_disposition_and_only_billed_work_may_be_cost() {
        for part in Part::all() {
            assert!(part.allows(part.disposition()), "{part}");
            let cost = part.outcome == Outcome::Billed;
            assert_eq!(part.allows(Disposition::Cost), cost, "{part}");
            let number = Disposition::ALL
                .into_iter()
                .filter(|disposition| part.allows(*disposition))
                .count();
            assert_eq!(number, 1 + usize::from(cost), "{part}");
        }
    }
}
