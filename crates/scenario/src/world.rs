//! Playing a scenario: one event after the other, each through the group engine and the difference
//! of charges, as a ledger would.

mod agreed;
mod booking;
mod entries;

use crate::documents::{DocumentState, Documents};
use crate::event::{self, Event};
use crate::file::Scenario;
use crate::firm;
use crate::outcome::ChargeLine;
use domain::contract::Contract;
use domain::exception::Problem;
use domain::reference::Reference;
use jiff::civil::Date;
use rules::account::Event as AccountEvent;
use rules::engine::{Book, Change, PricedPart, Work};
use std::collections::BTreeMap;
use thiserror::Error;

/// An event that cannot happen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub(crate) struct PlayError {
    /// The event, from 0.
    pub(crate) event: usize,
    /// What is wrong with it.
    pub(crate) what: String,
}

/// The state of a scenario.
pub(crate) struct World {
    pub(crate) reference: Reference,
    pub(crate) book: Book,
    works: BTreeMap<String, Work>,
    booked: BTreeMap<String, Vec<PricedPart>>,
    pub(crate) exceptions: BTreeMap<String, Problem>,
    pub(crate) documents: Documents,
    pub(crate) charges: Vec<ChargeLine>,
    fees_until: BTreeMap<String, Date>,
    /// How many fixed amounts were booked.
    fixed_amounts: u64,
    /// Whether the file names accounting periods; without any, every day is open.
    periods_named: bool,
    day: Date,
}

type Played<T> = Result<T, String>;

impl World {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let first = scenario.event.iter().find_map(|event| event.on);
        Self {
            reference: firm::reference(scenario),
            book: Book::default(),
            works: BTreeMap::new(),
            booked: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            documents: Documents::default(),
            charges: Vec::new(),
            fees_until: BTreeMap::new(),
            fixed_amounts: 0,
            periods_named: !scenario.period.is_empty(),
            day: first.unwrap_or(Date::constant(2000, 1, 1)),
        }
    }

    /// Play one event.
    pub(crate) fn play(&mut self, number: usize, event: &Event) -> Result<(), PlayError> {
        if let Some(on) = event.on {
            if on < self.day {
                return Err(PlayError {
                    event: number,
                    what: format!(
                        "it becomes known on {on}, before the event ahead of it ({})",
                        self.day
                    ),
                });
            }
            self.day = on;
        }
        self.play_one(number, event).map_err(|what| PlayError {
            event: number,
            what,
        })
    }

    fn play_one(&mut self, number: usize, event: &Event) -> Played<()> {
        if let Some(entry) = &event.entry {
            return self.entry(number, entry);
        }
        if let Some(edit) = &event.edit {
            return self.edit(number, edit);
        }
        if let Some(name) = &event.delete {
            return self.delete(number, &name.id);
        }
        if let Some(name) = &event.confirm {
            return self.confirm(number, &name.id);
        }
        if let Some(row) = &event.rate {
            self.reference.bill_rates.push(row.clone());
            return self.again(number);
        }
        if let Some(contract) = &event.contract {
            return self.change_contract(number, contract);
        }
        if let Some(period) = &event.period {
            return self.period(number, period);
        }
        if let Some(issue) = &event.issue {
            let (from, to) = (DocumentState::Draft, DocumentState::Issued);
            return self.move_document(&issue.document, from, to);
        }
        if let Some(pay) = &event.pay {
            let (from, to) = (DocumentState::Issued, DocumentState::Paid);
            return self.move_document(&pay.document, from, to);
        }
        self.play_account(number, event)
    }

    fn play_account(&mut self, number: usize, event: &Event) -> Played<()> {
        if let Some(name) = &event.release_held {
            let release = AccountEvent::ReleaseHeld { at_most: None };
            return self.tell(number, &name.contract, &release);
        }
        if let Some(credit) = &event.credit {
            return self.credit(number, credit);
        }
        if let Some(said) = &event.accept {
            let accept = AccountEvent::Accept {
                acceptance: self.acceptance(said),
            };
            return self.tell(number, &said.contract, &accept);
        }
        if let Some(said) = &event.release_retention {
            let release = AccountEvent::ReleaseRetention {
                evidence: self.acceptance(said).evidence,
            };
            return self.tell(number, &said.contract, &release);
        }
        if let Some(fund) = &event.fund {
            return self.fund(number, fund);
        }
        if let Some(bank) = &event.bank {
            return self.bank(number, bank);
        }
        match &event.fees_due {
            Some(name) => self.fees(number, &name.contract),
            None => Ok(()),
        }
    }

    fn contract(&self, id: &str) -> Played<&Contract> {
        let found = self.reference.contracts.iter().find(|c| c.id == id);
        found.ok_or_else(|| format!("there is no contract {id}"))
    }

    fn change(&mut self, number: usize, changes: Vec<Change>) -> Played<()> {
        let answer = self.book.admit(&self.reference, changes);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn again(&mut self, number: usize) -> Played<()> {
        let answer = self.book.again(&self.reference);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn tell(&mut self, number: usize, contract: &str, event: &AccountEvent) -> Played<()> {
        let answer = self.book.tell(&self.reference, contract, event);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn change_contract(&mut self, number: usize, contract: &Contract) -> Played<()> {
        if self.contract(&contract.id)?.parent != contract.parent {
            return Err(format!(
                "contract {} changes what it is part of; leave its `parent` as it was, and begin another contract for work that is to be counted elsewhere",
                contract.id
            ));
        }
        for known in &mut self.reference.contracts {
            if known.id == contract.id {
                known.clone_from(contract);
            }
        }
        let answer = self.book.change_order(&self.reference, &contract.id);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn period(&mut self, number: usize, change: &event::PeriodChange) -> Played<()> {
        let mut found = false;
        for period in &mut self.reference.masters.periods {
            if period.name == change.name {
                period.open = change.open;
                found = true;
            }
        }
        if !found {
            return Err(format!("there is no period {}", change.name));
        }
        // What is booked keeps its day; what waited for a period is looked at again.
        let waiting: Vec<Change> = self
            .exceptions
            .keys()
            .filter_map(|id| self.book.work(id).or_else(|| self.works.get(id)))
            .filter(|work| work.fields.approved)
            .map(|work| Change::Put(Box::new(work.clone())))
            .collect();
        self.change(number, waiting)
    }

    fn move_document(&mut self, name: &str, from: DocumentState, to: DocumentState) -> Played<()> {
        let items = self.documents.move_to(name, from, to)?;
        for item in items {
            self.note_issued(&item);
        }
        Ok(())
    }

    /// Tell the engine whether a client has a line of an entry. What a client has keeps its quantity
    /// when another entry leaves a fraction.
    fn note_issued(&mut self, item: &str) {
        let issued = self.is_issued(item);
        self.book.set_issued(item, issued);
    }

    fn is_issued(&self, item: &str) -> bool {
        let parts = self.booked.get(item).into_iter().flatten();
        parts
            .map(|part| booking::strand(item, part))
            .any(|strand| self.documents.is_issued(&strand))
    }
}
