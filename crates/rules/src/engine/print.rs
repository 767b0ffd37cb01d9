//! Printed quantities. Each is by itself, but where the contract carries what rounding leaves: then
//! everything in the pricing group is looked at, and what another entry left may change one that
//! nobody touched.

use super::Book;
use super::gross::{Gross, terms_problem};
use super::known::Id;
use super::work::Work;
use crate::charge::{Disposition, Placement};
use crate::quantity::days::day_shares;
use crate::quantity::months::month_shares;
use crate::quantity::printed::{PrintedBefore, ToPrint, print_group};
use crate::quantity::{QuantityError, WorkTime};
use domain::contract::Contract;
use domain::contract::quantity::Residual;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::quantity::{Unit, hours_printed};
use std::collections::{BTreeMap, BTreeSet};

/// Works on their way to a printed quantity.
type Wanted<'a> = BTreeMap<Id, (Gross, &'a Work)>;

impl Book {
    /// The works of `own` with their printed quantities, and those that another one's change gave
    /// another quantity. `left` stood under the contract before.
    pub(super) fn print(
        &self,
        contract: &Contract,
        own: BTreeMap<Id, Gross>,
        left: &[(Id, Gross)],
    ) -> Result<BTreeMap<Id, Gross>, Problem> {
        let mut done = BTreeMap::new();
        let mut wanted = BTreeMap::new();
        for (id, mut gross) in own {
            if gross.pays != Disposition::Bill {
                print_cost(contract, &mut gross)?;
                done.insert(id, gross);
            } else if let Some(work) = self.known.work(&id) {
                wanted.insert(id, (gross, work));
            }
        }
        let mut standing = BTreeSet::new();
        let mut booked = Vec::new();
        if contract.residual == Residual::Carry {
            let homes = self.homes_of(&wanted, left);
            for (id, gross) in homes.iter().flat_map(|home| self.at(contract, home)) {
                booked.push((id, gross));
                if !wanted.contains_key(id)
                    && let Some(work) = self.known.work(id)
                {
                    standing.insert(Id::clone(id));
                    wanted.insert(Id::clone(id), (gross.clone(), work));
                }
            }
        }
        match contract.unit {
            Unit::Hour | Unit::Minute => self.print_time(contract, &mut wanted, &booked)?,
            // Work in pieces is refused where contracts are read.
            Unit::WorkingDay | Unit::Day | Unit::Month | Unit::Piece => {
                print_days(contract, &mut wanted)?;
            }
        }
        for (id, (gross, _)) in wanted {
            let same = standing.contains(&id) && self.prints_the_same(&id, &gross);
            if !same {
                done.insert(id, gross);
            }
        }
        Ok(done)
    }

    fn prints_the_same(&self, id: &str, gross: &Gross) -> bool {
        let quantities = |gross: &Gross| -> Vec<Micro> {
            let parts = gross.parts.iter();
            parts.map(|part| part.quantity).collect()
        };
        let before = self.known.gross(id);
        before.is_some_and(|before| quantities(before) == quantities(gross))
    }

    /// The pricing groups that works are in, were in, or left.
    fn homes_of(&self, wanted: &Wanted<'_>, left: &[(Id, Gross)]) -> BTreeSet<Placement> {
        let now = wanted.values().map(|(gross, _)| gross.placement.clone());
        let before = wanted.keys().filter_map(|id| self.known.gross(id));
        let before = before.map(|gross| gross.placement.clone());
        let gone = left.iter().map(|(_, gross)| gross.placement.clone());
        now.chain(before).chain(gone).collect()
    }

    /// What stands in a pricing group and is paid.
    fn at(&self, contract: &Contract, home: &Placement) -> Vec<(&Id, &Gross)> {
        self.known
            .at(&contract.id, home)
            .filter_map(|id| Some((id, self.known.gross(id)?)))
            .filter(|(_, gross)| gross.pays == Disposition::Bill)
            .collect()
    }

    fn print_time(
        &self,
        contract: &Contract,
        wanted: &mut Wanted<'_>,
        booked: &[(&Id, &Gross)],
    ) -> Result<(), Problem> {
        let terms = contract.quantity_terms();
        let mut homes: BTreeMap<Placement, Vec<(Id, u32, Micro, i64)>> = BTreeMap::new();
        for (id, (gross, _)) in wanted.iter() {
            let home = homes.entry(gross.placement.clone()).or_default();
            for (number, part) in (0_u32..).zip(&gross.parts) {
                home.push((Id::clone(id), number, part.rate, part.billable_seconds));
            }
        }
        for (home, parts) in homes {
            let before = self.before(&home, booked);
            let group = {
                let to_print = parts.iter().filter_map(|(id, part, rate, seconds)| {
                    Some(ToPrint {
                        work: WorkTime {
                            seconds: *seconds,
                            ..plain_time(wanted.get_key_value(id)?)
                        },
                        part: *part,
                        rate: *rate,
                    })
                });
                let to_print: Vec<ToPrint<'_>> = to_print.collect();
                print_group(&terms, &before, &to_print)
                    .map_err(|error| terms_problem(contract, &error))?
            };
            for (id, ..) in &parts {
                if let Some((gross, _)) = wanted.get_mut(id) {
                    gross.print_steps.clear();
                }
            }
            for printed in group.entries {
                if let Some((gross, _)) = wanted.get_mut(printed.source_ref.as_str()) {
                    let place = usize::try_from(printed.part).unwrap_or(usize::MAX);
                    if let Some(part) = gross.parts.get_mut(place) {
                        part.quantity = printed.quantity;
                    }
                    gross.print_steps.extend(printed.steps);
                }
            }
        }
        Ok(())
    }

    fn before<'a>(
        &self,
        home: &Placement,
        booked: &[(&'a Id, &'a Gross)],
    ) -> Vec<PrintedBefore<'a>> {
        let here = booked.iter().filter(|(_, gross)| gross.placement == *home);
        here.flat_map(|(id, gross)| {
            let issued = self.issued.contains(&***id);
            let parts = (0_u32..).zip(&gross.parts);
            parts.map(move |(number, part)| PrintedBefore {
                source_ref: id,
                part: number,
                rate: part.rate,
                seconds: part.billable_seconds,
                quantity: part.quantity,
                issued,
            })
        })
        .collect()
    }
}

/// What nobody pays is printed as the hours that were recorded.
fn print_cost(contract: &Contract, gross: &mut Gross) -> Result<(), Problem> {
    for part in &mut gross.parts {
        part.quantity = hours_printed(
            part.recorded_seconds,
            contract.quantity_decimals,
            contract.quantity_rounding,
        )
        .ok_or_else(|| Problem::new(Code::AmountTooLarge, "a quantity"))?;
    }
    Ok(())
}

/// Days or months. A contract that counts them prices an entry as one: its first part has them.
fn print_days(contract: &Contract, wanted: &mut Wanted<'_>) -> Result<(), Problem> {
    let terms = contract.quantity_terms();
    let failed = |error: QuantityError| terms_problem(contract, &error);
    let shares: Vec<_> = {
        let times: Vec<WorkTime<'_>> = wanted.iter().map(plain_time).collect();
        if contract.unit == Unit::Month {
            let shares = month_shares(&terms, &times).map_err(failed)?;
            let shares = shares.into_iter();
            shares.map(|s| (s.source_ref, s.months, s.steps)).collect()
        } else {
            let shares = day_shares(&terms, &times).map_err(failed)?;
            let shares = shares.into_iter();
            shares.map(|s| (s.source_ref, s.days, s.steps)).collect()
        }
    };
    for (id, quantity, steps) in shares {
        if let Some((gross, _)) = wanted.get_mut(id.as_str()) {
            if let Some(part) = gross.parts.first_mut() {
                part.quantity = quantity;
            }
            gross.print_steps = steps;
        }
    }
    Ok(())
}

/// The time of a work whose resolved names are known through its gross.
fn plain_time<'a>((id, (gross, work)): (&'a Id, &'a (Gross, &'a Work))) -> WorkTime<'a> {
    WorkTime {
        source_ref: id,
        worker: &work.fields.worker_ref,
        customer: &gross.placement.bill_to,
        project: "",
        task: &gross.task,
        line: "",
        work_date: gross.work_date,
        started_us: work.started_us,
        approved_us: work.approved_us,
        seconds: gross.parts.iter().map(|part| part.billable_seconds).sum(),
    }
}
