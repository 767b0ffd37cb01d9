//! From what the engine says to charges and lines: the difference to what is booked, and fixed
//! amounts.

use super::{Played, World};
use crate::documents::{Home, LineContent, Words};
use crate::outcome::ChargeLine;
use domain::contract::corrections::IssuedCorrection;
use domain::contract::{Contract, Grouping};
use domain::decimal::Micro;
use domain::money::Money;
use domain::period::{PostingDate, posting_date};
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::Date;
use rules::account::ask::Effect;
use rules::charge::Disposition;
use rules::diff::{PartChange, by_part, diff_parts};
use rules::engine::{Answer, PricedPart};
use std::collections::BTreeSet;

const ONE: Micro = Micro::from_micro(1_000_000);

impl World {
    /// Book a fee, a milestone or a top-up: an amount of its own, in one piece.
    pub(super) fn fixed(
        &mut self,
        number: usize,
        contract: &Contract,
        (item, text): (&str, String),
        amount: Money,
        day: Date,
    ) -> Played<()> {
        let name = format!("{} {item}", contract.id);
        let posting_date = self.posting_date(contract, &name, day)?;
        let rate = Micro::from_decimal(amount.decimal())
            .map_err(|error| format!("{name} of {amount} cannot be printed: {error}"))?;
        let bill_to = contract.customer.clone().unwrap_or_default();
        let group_key = match contract.grouping {
            Grouping::Customer => format!("customer:{bill_to}"),
            // An amount of the contract belongs to none of its projects.
            Grouping::Contract | Grouping::Project => format!("contract:{}", contract.id),
        };
        let line = LineContent {
            home: Home {
                bill_to,
                currency: contract.currency,
                group_key,
                period: format!("{:04}-{:02}", posting_date.year(), posting_date.month()),
            },
            contract: contract.id.clone(),
            quantity: ONE,
            unit: Unit::Hour,
            rate,
            amount,
            allowance: Money::zero(contract.currency),
            work_date: day,
            sort: "fixed".to_owned(),
            item: name.clone(),
            fixed: Some(text),
            by_difference: by_difference(contract),
            words: Words::default(),
        };
        self.charges.push(ChargeLine {
            event: number + 1,
            item: name.clone(),
            act: "book",
            part: "fixed amount".to_owned(),
            disposition: Disposition::Bill.name(),
            contract: contract.id.clone(),
            quantity: ONE,
            unit: "one",
            rate,
            amount,
            value: amount,
            cost: Money::zero(contract.currency),
            work_date: day,
            posting_date,
            explanation: Vec::new(),
        });
        self.fixed_amounts += 1;
        let strand = format!("{name} #{}", self.fixed_amounts);
        self.documents.want(&strand, Some(line));
        Ok(())
    }

    fn posting_date(&self, contract: &Contract, name: &str, day: Date) -> Played<Date> {
        if !self.periods_named {
            return Ok(day);
        }
        posting_date(day, &self.reference.masters.periods, contract.late_work)
            .map(PostingDate::date)
            .ok_or_else(|| {
                format!("{name} is due {day}, and no open period takes it; open one first")
            })
    }

    pub(super) fn take(&mut self, number: usize, answer: Answer) -> Played<()> {
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
            self.effect(number, &contract, effect)?;
        }
        Ok(())
    }

    fn effect(&mut self, number: usize, contract: &Contract, effect: Effect) -> Played<()> {
        let day = self.day;
        match effect {
            Effect::Fee {
                item,
                first,
                amount,
            } => {
                let text = format!("fee {item}");
                self.fixed(number, contract, (&item, text), amount, first)
            }
            Effect::Milestone { item, amount } => {
                let text = format!("milestone {item}");
                self.fixed(number, contract, (&item, text), amount, day)
            }
            Effect::TopUp { id, amount } => {
                let text = format!("retainer, {id}");
                self.fixed(number, contract, (&id, text), amount, day)
            }
            Effect::Rebill { item, .. } => {
                self.rebill(&item);
                Ok(())
            }
            // Charges and figures of accounts tell these.
            Effect::Change { .. } | Effect::Breakage { .. } | Effect::Withheld { .. } => Ok(()),
        }
    }

    /// Credit the lines of an entry that the client has, and bill them again as they were.
    fn rebill(&mut self, ask: &str) {
        let Some((item, tier)) = ask.rsplit_once('/') else {
            return;
        };
        let parts = self.booked.get(item).into_iter().flatten();
        let strands: Vec<String> = parts
            .filter(|part| part.content.part.tier.words() == tier)
            .map(|part| strand(item, part))
            .collect();
        for strand in strands {
            self.documents.rebill(&strand);
        }
        self.note_issued(item);
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
            let line = match wanted {
                Some(part) => self.line(item, part)?,
                None => None,
            };
            self.documents.want(&key, line);
        }
        if !parts.is_empty() {
            self.booked.insert(item.to_owned(), parts);
        }
        self.note_issued(item);
        Ok(())
    }

    fn line(&self, item: &str, part: &PricedPart) -> Played<Option<LineContent>> {
        let content = &part.content;
        let billed = content.disposition == Disposition::Bill && content.quantity != Micro::ZERO;
        let Some(work) = self.works.get(item).filter(|_| billed) else {
            return Ok(None);
        };
        let gross = content.amount.checked_add(part.line_allowance);
        let gross = gross.map_err(|error| error.to_string())?;
        let fields = &work.fields;
        let worker = self.reference.masters.workers.get(&fields.worker_ref);
        let mut contracts = self.reference.contracts.iter();
        let contract = contracts.find(|own| own.id == content.contract);
        let roles = &self.reference.crosswalk.roles;
        Ok(Some(LineContent {
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
            amount: gross,
            allowance: part.line_allowance,
            work_date: content.work_date,
            sort: content.part.tier.words().to_owned(),
            item: item.to_owned(),
            fixed: None,
            by_difference: contract.and_then(by_difference),
            words: Words {
                worker: worker.map(|worker| worker.name.clone()).unwrap_or_default(),
                role: roles.get(&fields.worker_ref).cloned().unwrap_or_default(),
                project: fields.project_ref.clone(),
                task: fields.task_ref.clone().unwrap_or_default(),
                service_item: fields.activity_ref.clone(),
                narrative: fields.narrative.clone(),
            },
        }))
    }
}

/// How amounts are rounded, where a contract bills differences to a line of its own.
fn by_difference(contract: &Contract) -> Option<Rounding> {
    let own_lines = contract.lines.together.is_none();
    let differs = contract.corrections == IssuedCorrection::Delta;
    (own_lines && differs).then_some(contract.amount_rounding)
}

pub(super) fn strand(item: &str, part: &PricedPart) -> String {
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
