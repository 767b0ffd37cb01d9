//! Playing a scenario: one event after the other, each through the group engine and the difference
//! of charges, as a ledger would.

use crate::documents::{DocumentState, Documents, Home, LineContent, Words};
use crate::event::{self, Event, FundingState};
use crate::file::Scenario;
use crate::firm;
use crate::outcome::ChargeLine;
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::Problem;
use domain::money::Money;
use domain::quantity::Unit;
use domain::reference::Reference;
use jiff::civil::{Date, Time};
use rules::account::ask::Effect;
use rules::account::milestone::{Acceptance, Evidence, MilestoneValue};
use rules::account::retainer::FundingStage;
use rules::account::{Event as AccountEvent, Terms, schedule};
use rules::charge::Disposition;
use rules::diff::{PartChange, by_part, diff_parts};
use rules::engine::{Answer, Book, Change, PricedPart, Work};
use std::collections::{BTreeMap, BTreeSet};
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
            return self.move_document(
                &issue.document,
                DocumentState::Draft,
                DocumentState::Issued,
            );
        }
        if let Some(pay) = &event.pay {
            return self.move_document(&pay.document, DocumentState::Issued, DocumentState::Paid);
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

    fn entry(&mut self, number: usize, entry: &event::Entry) -> Played<()> {
        if self.works.contains_key(&entry.id) {
            return Err(format!("entry {} is there already; use edit", entry.id));
        }
        let fields = EntryFields {
            worker_ref: entry.worker.clone(),
            project_ref: entry.project.clone(),
            task_ref: Some(entry.task.clone()),
            activity_ref: entry.service_item.clone(),
            work_date: entry.date,
            recorded_seconds: seconds(entry.hours, entry.minutes)?.unwrap_or_default(),
            narrative: entry.narrative.clone(),
            approved: entry.approved,
            billable: entry.billable,
        };
        let work = Work {
            id: entry.id.clone(),
            started_us: entry
                .start
                .and_then(|start| self.instant(entry.date, start)),
            approved_us: self.instant(self.day, Time::midnight()),
            preauthorised: entry.preauthorised,
            fields,
        };
        self.put(number, work)
    }

    fn instant(&self, day: Date, time: Time) -> Option<i64> {
        let zone = jiff::tz::TimeZone::get(&self.reference.entity.zone).ok()?;
        let zoned = day.to_datetime(time).to_zoned(zone).ok()?;
        Some(zoned.timestamp().as_microsecond())
    }

    fn edit(&mut self, number: usize, edit: &event::Edit) -> Played<()> {
        let Some(known) = self.works.get(&edit.id) else {
            return Err(format!("there is no entry {} to edit", edit.id));
        };
        let mut work = known.clone();
        let fields = &mut work.fields;
        let set = |to: &mut String, new: &Option<String>| {
            if let Some(new) = new {
                to.clone_from(new);
            }
        };
        set(&mut fields.worker_ref, &edit.worker);
        set(&mut fields.project_ref, &edit.project);
        set(&mut fields.narrative, &edit.narrative);
        if edit.task.is_some() {
            fields.task_ref.clone_from(&edit.task);
        }
        fields.work_date = edit.date.unwrap_or(fields.work_date);
        fields.billable = edit.billable.unwrap_or(fields.billable);
        fields.approved = edit.approved.unwrap_or(fields.approved);
        if let Some(seconds) = seconds(edit.hours, edit.minutes)? {
            fields.recorded_seconds = seconds;
        }
        self.put(number, work)
    }

    fn put(&mut self, number: usize, work: Work) -> Played<()> {
        let change = if work.fields.approved {
            Change::Put(Box::new(work.clone()))
        } else {
            Change::Remove(work.id.clone())
        };
        self.works.insert(work.id.clone(), work);
        self.change(number, vec![change])
    }

    fn delete(&mut self, number: usize, id: &str) -> Played<()> {
        if self.works.remove(id).is_none() {
            return Err(format!("there is no entry {id} to delete"));
        }
        self.exceptions.remove(id);
        self.change(number, vec![Change::Remove(id.to_owned())])
    }

    fn change(&mut self, number: usize, changes: Vec<Change>) -> Played<()> {
        self.note_issued();
        let answer = self.book.admit(&self.reference, changes);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn again(&mut self, number: usize) -> Played<()> {
        self.note_issued();
        let answer = self.book.again(&self.reference);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn tell(&mut self, number: usize, contract: &str, event: &AccountEvent) -> Played<()> {
        self.note_issued();
        let answer = self.book.tell(&self.reference, contract, event);
        let answer = answer.map_err(|error| error.to_string())?;
        self.take(number, answer)
    }

    fn note_issued(&mut self) {
        for (item, parts) in &self.booked {
            let issued = parts
                .iter()
                .any(|part| self.documents.is_issued(&strand(item, part)));
            self.book.set_issued(item, issued);
        }
    }

    fn change_contract(&mut self, number: usize, contract: &Contract) -> Played<()> {
        let old = self.contract(&contract.id)?.clone();
        for known in &mut self.reference.contracts {
            if known.id == contract.id {
                known.clone_from(contract);
            }
        }
        let mut changed = Vec::new();
        if old.limit != contract.limit && !contract.limit.is_empty() {
            changed.push(Terms::Limits(contract.limit.clone()));
        }
        if old.retainer != contract.retainer {
            changed.extend(contract.retainer.clone().map(Terms::Retainer));
        }
        if old.hour_bank != contract.hour_bank {
            changed.extend(contract.hour_bank.clone().map(Terms::HourBank));
        }
        if old.milestones != contract.milestones {
            changed.extend(contract.milestones.clone().map(Terms::Milestones));
        }
        for terms in changed {
            let event = AccountEvent::ChangeTerms { terms };
            self.tell(number, &contract.id, &event)?;
        }
        self.again(number)
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
            .filter_map(|id| self.works.get(id))
            .map(|work| Change::Put(Box::new(work.clone())))
            .collect();
        self.change(number, waiting)
    }

    fn move_document(&mut self, name: &str, from: DocumentState, to: DocumentState) -> Played<()> {
        self.documents.move_to(name, from, to)
    }

    fn credit(&mut self, number: usize, credit: &event::Credit) -> Played<()> {
        let Some(contract) = self
            .booked
            .get(&credit.id)
            .and_then(|parts| parts.first())
            .map(|part| part.content.contract.clone())
        else {
            return Err(format!("nothing is billed of entry {}", credit.id));
        };
        let event = AccountEvent::Credit {
            item: format!("{}/straight", credit.id),
            quantity: credit.quantity,
            rebill: credit.rebill,
        };
        self.tell(number, &contract, &event)
    }

    fn acceptance(&self, said: &event::Acceptance) -> Acceptance {
        Acceptance {
            milestone: said.milestone.clone(),
            revision: said.revision,
            value: said.amount.map(MilestoneValue::Amount),
            evidence: Evidence {
                accepted_by: said.accepted_by.clone(),
                accepted_on: self.day,
                document: said.document.clone(),
            },
        }
    }

    fn fund(&mut self, number: usize, fund: &event::Funding) -> Played<()> {
        let currency = self.contract(&fund.contract)?.currency;
        let amount = Money::from_decimal(fund.amount.decimal(), currency);
        let event = AccountEvent::Fund {
            id: fund.id.clone(),
            stage: match fund.stage {
                FundingState::Invoiced => FundingStage::Invoiced,
                FundingState::Paid => FundingStage::Paid,
            },
            amount: amount.map_err(|error| error.to_string())?,
        };
        self.tell(number, &fund.contract, &event)
    }

    fn bank(&mut self, number: usize, bank: &event::BankMonth) -> Played<()> {
        let next = bank.first.last_of_month().tomorrow();
        let next = next.map_err(|error| error.to_string())?;
        let event = if bank.open {
            AccountEvent::OpenPeriod {
                first: bank.first,
                next,
            }
        } else {
            AccountEvent::ClosePeriod { first: bank.first }
        };
        self.tell(number, &bank.contract, &event)
    }

    fn fees(&mut self, number: usize, id: &str) -> Played<()> {
        let contract = self.contract(id)?.clone();
        let Some(terms) = &contract.schedule else {
            return Err(format!("contract {id} has no schedule"));
        };
        let begin = self.fees_until.get(id).copied();
        let begin = begin
            .or(contract.from)
            .unwrap_or(Date::constant(2000, 1, 1));
        let until = self.day.tomorrow().map_err(|error| error.to_string())?;
        let due = schedule::due(terms, &contract.printing(), begin, until);
        let due = due.map_err(|error| error.to_string())?;
        for one in due.due {
            self.fixed(number, &contract, &one.item, one.amount, one.date);
        }
        self.fees_until.insert(id.to_owned(), until);
        Ok(())
    }

    /// Book a fee or milestone: an amount of its own, once.
    fn fixed(&mut self, number: usize, contract: &Contract, item: &str, amount: Money, day: Date) {
        let name = format!("{} {item}", contract.id);
        let line = LineContent {
            home: Home {
                bill_to: contract.customer.clone().unwrap_or_default(),
                currency: contract.currency,
                group_key: format!("contract:{}", contract.id),
                period: format!("{:04}-{:02}", day.year(), day.month()),
            },
            contract: contract.id.clone(),
            quantity: Micro::from_micro(1_000_000),
            unit: Unit::Hour,
            rate: Micro::from_decimal(amount.decimal()).unwrap_or_default(),
            amount,
            work_date: day,
            sort: "fixed".to_owned(),
            item: name.clone(),
            words: Words {
                task: item.to_owned(),
                ..Words::default()
            },
        };
        self.charges.push(ChargeLine {
            event: number + 1,
            item: name.clone(),
            act: "book",
            part: "fixed amount".to_owned(),
            disposition: Disposition::Bill.name(),
            contract: contract.id.clone(),
            quantity: line.quantity,
            unit: "one",
            rate: line.rate,
            amount,
            value: amount,
            cost: Money::zero(contract.currency),
            work_date: day,
            posting_date: day,
            explanation: Vec::new(),
        });
        self.documents.want(&format!("{name} {number}"), Some(line));
    }

    fn take(&mut self, number: usize, answer: Answer) -> Played<()> {
        for outcome in answer.outcomes {
            match outcome.parts {
                Ok(parts) => {
                    self.exceptions.remove(&outcome.item);
                    self.book_parts(number, &outcome.item, parts)?;
                }
                Err(problem) => {
                    self.exceptions.insert(outcome.item, problem);
                }
            }
        }
        for (contract, effect) in answer.effects {
            let contract = self.contract(&contract)?.clone();
            match effect {
                Effect::Fee {
                    item,
                    first,
                    amount,
                } => {
                    self.fixed(number, &contract, &item, amount, first);
                }
                Effect::Milestone { item, amount } => {
                    let day = self.day;
                    self.fixed(number, &contract, &item, amount, day);
                }
                Effect::TopUp { id, amount } => {
                    let day = self.day;
                    self.fixed(number, &contract, &id, amount, day);
                }
                Effect::Change { .. }
                | Effect::Rebill { .. }
                | Effect::Breakage { .. }
                | Effect::Withheld { .. } => {}
            }
        }
        Ok(())
    }

    fn book_parts(&mut self, number: usize, item: &str, parts: Vec<PricedPart>) -> Played<()> {
        let before = self.booked.remove(item).unwrap_or_default();
        let old = by_part(before.iter().map(|part| &part.content));
        let old = old.map_err(|error| error.to_string())?;
        let new = by_part(parts.iter().map(|part| &part.content));
        let new = new.map_err(|error| error.to_string())?;
        let changes = diff_parts(&old, &new, &BTreeSet::new());
        for change in changes {
            let (act, part, among): (_, _, &[PricedPart]) = match &change {
                PartChange::Reverse(part) => ("reverse", *part, &before),
                PartChange::Book(content) => ("book", content.part, &parts),
            };
            if let Some(priced) = among.iter().find(|priced| priced.content.part == part) {
                self.charges.push(charge_line(number, item, act, priced)?);
            }
        }
        let keys: BTreeSet<String> = before
            .iter()
            .chain(&parts)
            .map(|part| strand(item, part))
            .collect();
        for key in keys {
            let wanted = parts.iter().find(|part| strand(item, part) == key);
            let line = wanted.and_then(|part| self.line(item, part));
            self.documents.want(&key, line);
        }
        if !parts.is_empty() {
            self.booked.insert(item.to_owned(), parts);
        }
        Ok(())
    }

    fn line(&self, item: &str, part: &PricedPart) -> Option<LineContent> {
        let content = &part.content;
        if content.disposition != Disposition::Bill || content.quantity == Micro::ZERO {
            return None;
        }
        let fields = &self.works.get(item)?.fields;
        let worker = self.reference.masters.workers.get(&fields.worker_ref);
        let roles = &self.reference.crosswalk.roles;
        Some(LineContent {
            home: Home {
                bill_to: content.placement.bill_to.clone(),
                currency: content.currency(),
                group_key: content.placement.group_key.clone(),
                period: content.placement.period.clone(),
            },
            contract: content.contract.clone(),
            quantity: content.quantity,
            unit: content.unit,
            rate: content.rate,
            amount: content.amount,
            work_date: content.work_date,
            sort: content.part.tier.words().to_owned(),
            item: item.to_owned(),
            words: Words {
                worker: worker.map(|worker| worker.name.clone()).unwrap_or_default(),
                role: roles.get(&fields.worker_ref).cloned().unwrap_or_default(),
                project: fields.project_ref.clone(),
                task: fields.task_ref.clone().unwrap_or_default(),
                service_item: fields.activity_ref.clone(),
                narrative: fields.narrative.clone(),
            },
        })
    }
}

fn strand(item: &str, part: &PricedPart) -> String {
    format!("{item} {}", part.content.part.name())
}

fn charge_line(
    number: usize,
    item: &str,
    act: &'static str,
    priced: &PricedPart,
) -> Played<ChargeLine> {
    let content = &priced.content;
    let signed = |amount: Money| match act {
        "reverse" => amount.negated().map_err(|error| error.to_string()),
        _ => Ok(amount),
    };
    Ok(ChargeLine {
        event: number + 1,
        item: item.to_owned(),
        act,
        part: content.part.to_string(),
        disposition: content.disposition.name(),
        contract: content.contract.clone(),
        quantity: match act {
            "reverse" => Micro::from_micro(-content.quantity.micro()),
            _ => content.quantity,
        },
        unit: content.unit.name(),
        rate: content.rate,
        amount: signed(content.amount)?,
        value: signed(content.value)?,
        cost: signed(content.cost)?,
        work_date: content.work_date,
        posting_date: content.posting_date,
        explanation: priced.explanation.steps.clone(),
    })
}

/// Recorded seconds of hours or minutes.
fn seconds(hours: Option<Micro>, minutes: Option<u32>) -> Played<Option<i64>> {
    let seconds = match (hours, minutes) {
        (None, None) => return Ok(None),
        (Some(hours), None) => {
            let micro_seconds = i128::from(hours.micro()) * 3600;
            if micro_seconds % 1_000_000 != 0 {
                return Err(format!("{hours} hours are no whole seconds; write minutes"));
            }
            i64::try_from(micro_seconds / 1_000_000).map_err(|error| error.to_string())?
        }
        (None, Some(minutes)) => i64::from(minutes) * 60,
        (Some(_), Some(_)) => return Err("the time is given twice".to_owned()),
    };
    if seconds <= 0 || seconds > domain::quantity::SECONDS_MAX_PER_ENTRY {
        return Err("an entry has more than 0 and at most 24 hours".to_owned());
    }
    Ok(Some(seconds))
}
