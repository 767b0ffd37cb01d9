//! What happens to what was agreed: credits, acceptances, money paid ahead, months of an hour bank,
//! fees by the calendar.

use super::{Played, World};
use crate::event::{self, FundingState};
use domain::decimal::Micro;
use domain::money::Money;
use jiff::civil::Date;
use rules::account::milestone::{Acceptance, Evidence, MilestoneValue};
use rules::account::retainer::FundingStage;
use rules::account::{Event as AccountEvent, schedule};
use rules::charge::Disposition;

impl World {
    /// A credit takes back in reverse order of use: double time first, straight time last.
    pub(super) fn credit(&mut self, number: usize, credit: &event::Credit) -> Played<()> {
        let id = &credit.id;
        let parts = self.booked.get(id).map(Vec::as_slice).unwrap_or_default();
        let Some(contract) = parts.first().map(|part| part.content.contract.clone()) else {
            return Err(format!("nothing is billed of entry {id}"));
        };
        if credit.quantity <= Micro::ZERO {
            return Err(format!(
                "a credit of {} of entry {id} credits nothing; write what is credited as a quantity above 0",
                credit.quantity
            ));
        }
        let counts = self.book.counts_work(&self.reference, &contract);
        if !counts.map_err(|error| error.to_string())? {
            return Err(format!(
                "entry {id} is under contract {contract}, which counts nothing that a credit could be kept in; edit the entry to the time that is billed"
            ));
        }
        let mut tiers: Vec<(&'static str, i64)> = Vec::new();
        for part in parts {
            let content = &part.content;
            let paid = [
                Disposition::Bill,
                Disposition::Drawn,
                Disposition::Allowance,
            ];
            if paid.contains(&content.disposition) {
                let name = content.part.tier.words();
                match tiers.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, there)) => *there = there.saturating_add(content.quantity.micro()),
                    None => tiers.push((name, content.quantity.micro())),
                }
            }
        }
        let there = tiers.iter().map(|(_, micro)| micro).sum::<i64>();
        if credit.quantity.micro() > there {
            return Err(format!(
                "a credit of {} of entry {id} is more than the {} that is billed of it",
                credit.quantity,
                Micro::from_micro(there)
            ));
        }
        let mut rest = credit.quantity.micro();
        for (tier, there) in tiers.into_iter().rev() {
            let taken = rest.min(there);
            if taken == 0 {
                continue;
            }
            rest -= taken;
            let event = AccountEvent::Credit {
                item: format!("{id}/{tier}"),
                quantity: Micro::from_micro(taken),
                rebill: credit.rebill,
            };
            self.tell(number, &contract, &event)?;
        }
        Ok(())
    }

    pub(super) fn acceptance(&self, said: &event::Acceptance) -> Acceptance {
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

    pub(super) fn fund(&mut self, number: usize, fund: &event::Funding) -> Played<()> {
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

    pub(super) fn bank(&mut self, number: usize, bank: &event::BankMonth) -> Played<()> {
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

    pub(super) fn fees(&mut self, number: usize, id: &str) -> Played<()> {
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
            let text = format!("fee {}", one.item);
            self.fixed(number, &contract, (&one.item, text), one.amount, one.date)?;
        }
        self.fees_until.insert(id.to_owned(), until);
        Ok(())
    }
}
