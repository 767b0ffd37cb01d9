//! Printed quantities. Each is by itself, but where the contract carries what rounding leaves: then
//! everything in the pricing group is looked at, and what another entry left may change one that
//! nobody touched.

use super::Book;
use super::gross::{Gross, GrossPart, terms_problem};
use super::known::Id;
use super::work::Work;
use crate::charge::{Disposition, Placement};
use crate::explanation::Step;
use crate::quantity::days::day_shares;
use crate::quantity::months::month_shares;
use crate::quantity::printed::{PrintedBefore, Printer, ToPrint};
use crate::quantity::{QuantityError, WorkTime};
use domain::contract::Contract;
use domain::contract::quantity::Residual;
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::quantity::{Unit, hours_printed};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Works on their way to a printed quantity. What only stands in their pricing groups is not copied
/// before it prints another quantity.
type Wanted<'a> = BTreeMap<Id, (Cow<'a, Gross>, &'a Work)>;

impl Book {
    /// The works of `own` with their printed quantities, and those that another one's change gave
    /// another quantity. `left` stood under the contract before.
    pub(super) fn print(
        &self,
        contract: &Contract,
        mut own: BTreeMap<Id, Box<Gross>>,
        left: &[(Id, Box<Gross>)],
    ) -> Result<BTreeMap<Id, Box<Gross>>, Problem> {
        for gross in own.values_mut().filter(|gross| !is_paid(gross)) {
            print_cost(contract, gross)?;
        }
        let by_time = match contract.unit {
            Unit::Hour | Unit::Minute => true,
            // Work in pieces is refused where contracts are read.
            Unit::WorkingDay | Unit::Day | Unit::Month | Unit::Piece => false,
        };
        if by_time && contract.residual == Residual::None {
            self.print_alone(contract, &mut own)?;
            return Ok(own);
        }
        let mut done = BTreeMap::new();
        let mut wanted = BTreeMap::new();
        for (id, gross) in own {
            if !is_paid(&gross) {
                done.insert(id, gross);
            } else if let Some(work) = self.known.work(&id) {
                wanted.insert(id, (Cow::Owned(*gross), work));
            }
        }
        let mut booked = Vec::new();
        if contract.residual == Residual::Carry {
            let homes = self.homes_of(&wanted, left);
            for (id, gross) in homes.iter().flat_map(|home| self.at(contract, home)) {
                booked.push((id, gross));
                if !wanted.contains_key(id)
                    && let Some(work) = self.known.work(id)
                {
                    wanted.insert(Id::clone(id), (Cow::Borrowed(gross), work));
                }
            }
        }
        if by_time {
            self.print_time(contract, &mut wanted, &booked)?;
        } else {
            print_days(contract, &mut wanted)?;
        }
        for (id, (gross, _)) in wanted {
            // What is only borrowed prints what it printed before.
            if let Cow::Owned(gross) = gross {
                done.insert(id, Box::new(gross));
            }
        }
        Ok(done)
    }

    /// Every part by itself: nobody else is looked at.
    fn print_alone(
        &self,
        contract: &Contract,
        own: &mut BTreeMap<Id, Box<Gross>>,
    ) -> Result<(), Problem> {
        own.retain(|id, gross| !is_paid(gross) || self.known.work(id).is_some());
        if !own.values().any(|gross| is_paid(gross)) {
            return Ok(());
        }
        let terms = contract.quantity_terms();
        let failed = |error: QuantityError| terms_problem(contract, &error);
        let printer = Printer::of(&terms).map_err(failed)?;
        let mut printed = Vec::new();
        for (id, gross) in own.iter_mut().filter(|(_, gross)| is_paid(gross)) {
            let Some(work) = self.known.work(id) else {
                continue;
            };
            for (number, part) in (0_u32..).zip(&gross.parts) {
                let (quantity, step) = printer
                    .by_itself(&to_print(id, gross, work, number, part))
                    .map_err(failed)?;
                printed.push((part.rate, number, quantity, step));
            }
            // By rate, as a group is told.
            printed.sort_by_key(|(rate, number, ..)| (*rate, *number));
            gross.print_steps.clear();
            gross.print_steps.reserve_exact(printed.len());
            for (_, number, quantity, step) in printed.drain(..) {
                set(gross, number, quantity);
                gross.print_steps.push(step);
            }
        }
        Ok(())
    }

    /// The pricing groups that works are in, were in, or left.
    fn homes_of(&self, wanted: &Wanted<'_>, left: &[(Id, Box<Gross>)]) -> BTreeSet<Arc<Placement>> {
        let now = wanted.values().map(|(gross, _)| &gross.placement);
        let before = wanted.keys().filter_map(|id| self.known.gross(id));
        let before = before.map(|gross| &gross.placement);
        let gone = left.iter().map(|(_, gross)| &gross.placement);
        now.chain(before).chain(gone).cloned().collect()
    }

    /// What stands in a pricing group and is paid.
    fn at(&self, contract: &Contract, home: &Placement) -> Vec<(&Id, &Gross)> {
        self.known
            .at(&contract.id, home)
            .filter_map(|id| Some((id, self.known.gross(id)?)))
            .filter(|(_, gross)| is_paid(gross))
            .collect()
    }

    fn print_time(
        &self,
        contract: &Contract,
        wanted: &mut Wanted<'_>,
        booked: &[(&Id, &Gross)],
    ) -> Result<(), Problem> {
        let terms = contract.quantity_terms();
        let failed = |error: QuantityError| terms_problem(contract, &error);
        let mut homes: BTreeMap<&Placement, Vec<ToPrint<'_>>> = BTreeMap::new();
        for (id, (gross, work)) in wanted.iter() {
            let home = homes.entry(&gross.placement).or_default();
            for (number, part) in (0_u32..).zip(&gross.parts) {
                home.push(to_print(id, gross, work, number, part));
            }
        }
        if homes.is_empty() {
            return Ok(());
        }
        let printer = Printer::of(&terms).map_err(failed)?;
        let mut printed: Vec<(Id, u32, Micro, Step)> = Vec::new();
        for (home, parts) in homes {
            let before = self.before(home, booked);
            let buckets = printer.group(&before, &parts).map_err(failed)?;
            let slots = || buckets.iter().flat_map(|bucket| &bucket.slots);
            let mut told: BTreeSet<&str> = BTreeSet::new();
            for slot in slots() {
                let quantity = printer.quantity(slot).map_err(failed)?;
                let other = wanted.get(slot.source_ref()).is_some_and(|(gross, _)| {
                    matches!(gross, Cow::Owned(_)) || quantity_of(gross, slot.part()) != quantity
                });
                if other {
                    told.insert(slot.source_ref());
                }
            }
            for slot in slots().filter(|slot| told.contains(slot.source_ref())) {
                let quantity = printer.quantity(slot).map_err(failed)?;
                let step = printer.step(slot).map_err(failed)?;
                printed.push((Id::from(slot.source_ref()), slot.part(), quantity, step));
            }
        }
        for (id, ..) in &printed {
            if let Some((gross, _)) = wanted.get_mut(id) {
                gross.to_mut().print_steps.clear();
            }
        }
        for (id, number, quantity, step) in printed {
            if let Some((gross, _)) = wanted.get_mut(&id) {
                let gross = gross.to_mut();
                set(gross, number, quantity);
                gross.print_steps.push(step);
            }
        }
        Ok(())
    }

    fn before<'a>(
        &self,
        home: &Placement,
        booked: &[(&'a Id, &'a Gross)],
    ) -> Vec<PrintedBefore<'a>> {
        let here = booked.iter().filter(|(_, gross)| *gross.placement == *home);
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

fn is_paid(gross: &Gross) -> bool {
    gross.pays == Disposition::Bill
}

/// A part of a work, to be printed.
fn to_print<'a>(
    id: &'a Id,
    gross: &'a Gross,
    work: &'a Work,
    number: u32,
    part: &GrossPart,
) -> ToPrint<'a> {
    ToPrint {
        work: WorkTime {
            seconds: part.billable_seconds,
            ..plain_time(id, gross, work)
        },
        part: number,
        rate: part.rate,
    }
}

fn quantity_of(gross: &Gross, number: u32) -> Micro {
    let part = gross.parts.get(place_of(number));
    part.map_or(Micro::ZERO, |part| part.quantity)
}

fn set(gross: &mut Gross, number: u32, quantity: Micro) {
    if let Some(part) = gross.parts.get_mut(place_of(number)) {
        part.quantity = quantity;
    }
}

fn place_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
        let times: Vec<WorkTime<'_>> = wanted
            .iter()
            .map(|(id, (gross, work))| plain_time(id, gross, work))
            .collect();
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
        if let Some((gross, _)) = wanted.get_mut(id.as_str())
            && (matches!(gross, Cow::Owned(_)) || quantity_of(gross, 0) != quantity)
        {
            let gross = gross.to_mut();
            set(gross, 0, quantity);
            gross.print_steps = steps;
        }
    }
    Ok(())
}

/// The time of a work whose resolved names are known through its gross.
fn plain_time<'a>(id: &'a Id, gross: &'a Gross, work: &'a Work) -> WorkTime<'a> {
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
