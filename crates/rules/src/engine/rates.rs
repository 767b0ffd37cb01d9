//! The rates of everything that one change reaches. Work of one role in one project on one day has one
//! rate, and the way to it is told once.

use super::work::rate_facts;
use crate::card::{Asked, Card, RateUse};
use crate::explanation::{Explanation, Step};
use crate::resolve::Resolved;
use domain::contract::rates::RateTerms;
use domain::currency::Currency;
use domain::exception::Problem;
use domain::rate::{Parts, RateRow};
use domain::reference::Reference;
use jiff::civil::Date;
use std::collections::HashMap;

/// A rate, and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Rate<'a> {
    pub(super) row: &'a RateRow,
    pub(super) steps: Vec<Step>,
}

/// What decides about a rate: what the card looks at of a piece of work, its day, and the currency it
/// has to be in.
type Question<'a> = (Parts<'a>, Date, Option<Currency>);

/// A card and the answers that it gave.
struct Answers<'a> {
    card: Card<'a>,
    given: HashMap<Question<'a>, Rate<'a>>,
}

impl<'a> Answers<'a> {
    fn of(rows: &'a [RateRow]) -> Self {
        Self {
            card: Card::new(rows),
            given: HashMap::new(),
        }
    }

    fn choose(&mut self, asked: &Asked<'a>) -> Result<&Rate<'a>, Problem> {
        let question = (self.card.seen(&asked.facts), asked.day, asked.currency);
        let vacant = match self.given.entry(question) {
            std::collections::hash_map::Entry::Occupied(known) => return Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(vacant) => vacant,
        };
        let mut why = Explanation::default();
        // A refusal names all that is known of the work, and is said anew for each.
        let chosen = self
            .card
            .choose(asked, &RateTerms::default(), &mut why)
            .map_err(|refusal| refusal.problem(asked))?;
        Ok(vacant.insert(Rate {
            row: chosen.row,
            steps: why.steps,
        }))
    }
}

/// The cards of a reference with the answers that they gave.
pub(super) struct Rates<'a> {
    bill: Answers<'a>,
    /// None where no cost rates are kept.
    cost: Option<Answers<'a>>,
}

impl<'a> Rates<'a> {
    pub(super) fn of(reference: &'a Reference) -> Self {
        let cost = Some(&reference.cost_rates).filter(|rows| !rows.is_empty());
        Self {
            bill: Answers::of(&reference.bill_rates),
            cost: cost.map(|rows| Answers::of(rows)),
        }
    }

    /// What the client pays for an hour of work, in the currency of its contract.
    pub(super) fn bill(
        &mut self,
        resolved: &Resolved<'a>,
        day: Date,
    ) -> Result<&Rate<'a>, Problem> {
        self.bill.choose(&Asked {
            used_for: RateUse::Bill,
            facts: rate_facts(resolved),
            day,
            known_at: None,
            currency: Some(resolved.contract.currency),
        })
    }

    /// What an hour of work costs, in whatever currency; none where no cost rates are kept.
    pub(super) fn cost(
        &mut self,
        resolved: &Resolved<'a>,
        day: Date,
    ) -> Result<Option<&Rate<'a>>, Problem> {
        let Some(cost) = &mut self.cost else {
            return Ok(None);
        };
        let asked = Asked {
            used_for: RateUse::Cost,
            facts: rate_facts(resolved),
            day,
            known_at: None,
            currency: None,
        };
        cost.choose(&asked).map(Some)
    }
}
