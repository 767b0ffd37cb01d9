//! A month of entries: ordinary work, and the cases that must not go through.

use super::agreed::pays_hours;
use super::arithmetic::{amount_minor, billable_minutes, minutes, printed, printed_hundredths};
use super::layout::{Engagement, Layout, Person, ProjectPlan, Purpose, TaskPlan};
use super::masters::{APPROVER, UNMAPPED_PROJECT, UNMAPPED_TASK};
use super::words::{ACTIVITIES, HUNDREDTHS, NARRATIVES};
use super::{Days, Expected, FirmError, FirmSpec, Outcome};
use crate::fault::Rng;
use crate::tracker::{Entry, Tracker};
use domain::contract::ContractKind;
use domain::decimal::Micro;
use domain::exception::Code;
use domain::money::Money;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use rand::Rng as _;
use std::collections::BTreeSet;

/// How often another place is sought for an entry that looks like another one.
const TRIES_MAX: u32 = 200;

/// One piece of work before it is written down.
#[derive(Clone)]
struct Work<'a> {
    person: &'a Person,
    engagement: &'a Engagement,
    project: &'a ProjectPlan,
    task: &'a TaskPlan,
    day: Date,
    hundredths: i64,
    billable: bool,
}

struct Recorder<'a> {
    layout: &'a Layout,
    tracker: &'a mut Tracker,
    expected: Expected,
    rng: &'a mut Rng,
    /// Person, day, task and minutes of everything so far: two of one kind are one suspicion.
    seen: BTreeSet<(String, Date, String, i64)>,
    /// How one entry in `planted` is approved.
    approved: u32,
    not_billable: u32,
}

pub(super) fn record(
    spec: &FirmSpec,
    days: Days,
    layout: &Layout,
    tracker: &mut Tracker,
    rng: &mut Rng,
) -> Result<Expected, FirmError> {
    let mut recorder = Recorder {
        layout,
        tracker,
        expected: Expected::default(),
        rng,
        seen: BTreeSet::new(),
        approved: spec.approved,
        not_billable: spec.not_billable,
    };
    let workdays = workdays(days.first, days.last);
    for _ in 0..spec.entries {
        recorder.ordinary(&workdays)?;
    }
    let before = self::workdays(days.before_first, days.before_last);
    for _ in 0..spec.planted {
        recorder.planted(&workdays, &before)?;
    }
    Ok(recorder.expected)
}

fn workdays(first: Date, last: Date) -> Vec<Date> {
    first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= last)
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .collect()
}

impl<'a> Recorder<'a> {
    fn one_of<T>(&mut self, list: &'a [T]) -> Result<&'a T, FirmError> {
        let at = self.rng.random_range(0..list.len().max(1));
        list.get(at).ok_or(FirmError::Range("a list"))
    }

    fn day(&mut self, days: &[Date]) -> Result<Date, FirmError> {
        let at = self.rng.random_range(0..days.len().max(1));
        days.get(at).copied().ok_or(FirmError::Range("a month"))
    }

    /// Work on an engagement that looks like no other entry.
    fn work(
        &mut self,
        purpose: Option<Purpose>,
        person: Option<&'a Person>,
        days: &[Date],
    ) -> Result<Work<'a>, FirmError> {
        let layout = self.layout;
        let fitting: Vec<&'a Engagement> = layout
            .engagements
            .iter()
            .filter(|engagement| match purpose {
                None => engagement.purpose == Purpose::Ordinary,
                Some(Purpose::Ordinary) => {
                    engagement.purpose == Purpose::Ordinary
                        && engagement.contract.kind == ContractKind::TimeAndMaterials
                }
                Some(special) => engagement.purpose == special,
            })
            .collect();
        for attempt in 0..TRIES_MAX {
            let at = self.rng.random_range(0..fitting.len().max(1));
            let engagement = *fitting.get(at).ok_or(FirmError::Range("a contract"))?;
            let project = self.one_of(&engagement.projects)?;
            let task = self.one_of(&project.tasks)?;
            let person = match person {
                Some(person) => person,
                None => self.one_of(&layout.people)?,
            };
            let hundredths = if attempt < 20 {
                *self.one_of(HUNDREDTHS)?
            } else {
                self.rng.random_range(17..=900)
            };
            let work = Work {
                person,
                engagement,
                project,
                task,
                day: self.day(days)?,
                hundredths,
                billable: true,
            };
            if self.is_new(&work) {
                return Ok(work);
            }
        }
        Err(FirmError::Range("entries"))
    }

    fn is_new(&mut self, work: &Work<'_>) -> bool {
        self.seen.insert((
            work.person.user_id.clone(),
            work.day,
            work.task.tracker_id.clone(),
            minutes(work.hundredths),
        ))
    }

    fn ordinary(&mut self, days: &[Date]) -> Result<(), FirmError> {
        let mut work = self.work(None, None, days)?;
        work.billable = self.rng.random_range(0..1000) >= self.not_billable;
        let approved = self.rng.random_range(0..1000) < self.approved;
        let outcome = if approved {
            priced(&work)?
        } else {
            Outcome::Unapproved
        };
        self.write(&work, approved, outcome);
        Ok(())
    }

    /// One of each case.
    fn planted(&mut self, days: &[Date], before: &[Date]) -> Result<(), FirmError> {
        let exception = |code| Outcome::Exception { code };
        let layout = self.layout;
        let middle = layout.days.middle;
        let late: Vec<Date> = days.iter().copied().filter(|day| *day >= middle).collect();
        let early: Vec<Date> = days.iter().copied().filter(|day| *day < middle).collect();
        for (purpose, days, code) in [
            (Purpose::OnHold, days, Code::CustomerOnHold),
            (Purpose::ClosedProject, days, Code::ProjectClosed),
            (Purpose::HoldsLate, before, Code::PeriodClosed),
            (Purpose::RateGap, late.as_slice(), Code::RateMissing),
        ] {
            let work = self.work(Some(purpose), None, days)?;
            self.write(&work, true, exception(code));
        }
        // The same contracts on days where nothing is wrong, and late work that may move.
        for (purpose, days) in [
            (Purpose::HoldsLate, days),
            (Purpose::RateGap, early.as_slice()),
            (Purpose::Ordinary, before),
        ] {
            let work = self.work(Some(purpose), None, days)?;
            let outcome = priced(&work)?;
            self.write(&work, true, outcome);
        }
        self.somebody_left(days)?;
        self.closed_task(days)?;
        self.wrong_links_and_hours(days)?;
        let work = self.work(Some(Purpose::Ordinary), None, days)?;
        let outcome = priced(&work)?;
        self.write(&work, true, outcome);
        self.write(&work, true, exception(Code::SuspectedDuplicate));
        Ok(())
    }

    fn somebody_left(&mut self, days: &[Date]) -> Result<(), FirmError> {
        let gone = &self.layout.gone;
        let last = gone.until.ok_or(FirmError::Range("a date"))?;
        for after in [false, true] {
            let fitting: Vec<Date> = days
                .iter()
                .copied()
                .filter(|day| (*day > last) == after)
                .collect();
            let work = self.work(Some(Purpose::Ordinary), Some(gone), &fitting)?;
            let outcome = if after {
                Outcome::Exception {
                    code: Code::WorkerTerminated,
                }
            } else {
                priced(&work)?
            };
            self.write(&work, true, outcome);
        }
        Ok(())
    }

    fn closed_task(&mut self, days: &[Date]) -> Result<(), FirmError> {
        let found = self.layout.engagements.iter().find_map(|engagement| {
            Some((
                engagement,
                engagement.projects.first()?,
                engagement.closed_task.as_ref()?,
            ))
        });
        let (engagement, project, task) = found.ok_or(FirmError::Range("a closed task"))?;
        for _ in 0..TRIES_MAX {
            let work = Work {
                person: self.one_of(&self.layout.people)?,
                engagement,
                project,
                task,
                day: self.day(days)?,
                hundredths: *self.one_of(HUNDREDTHS)?,
                billable: true,
            };
            if self.is_new(&work) {
                let code = Code::TaskClosed;
                self.write(&work, true, Outcome::Exception { code });
                return Ok(());
            }
        }
        Err(FirmError::Range("planted"))
    }

    fn wrong_links_and_hours(&mut self, days: &[Date]) -> Result<(), FirmError> {
        let work = self.work(Some(Purpose::Ordinary), None, days)?;
        let mut entry = self.entry(&work, true);
        UNMAPPED_PROJECT.clone_into(&mut entry.project_id);
        entry.task_id = Some(UNMAPPED_TASK.to_owned());
        let code = Code::ProjectUnmapped;
        self.keep(entry, Outcome::Exception { code });
        for hours in ["-1.00", "25.00"] {
            let work = self.work(Some(Purpose::Ordinary), None, days)?;
            let mut entry = self.entry(&work, true);
            hours.clone_into(&mut entry.hours);
            let code = Code::HoursInvalid;
            self.keep(entry, Outcome::Exception { code });
        }
        Ok(())
    }

    fn write(&mut self, work: &Work<'_>, approved: bool, outcome: Outcome) {
        let entry = self.entry(work, approved);
        self.keep(entry, outcome);
    }

    fn keep(&mut self, entry: Entry, outcome: Outcome) {
        let id = self.tracker.seed_entry(entry);
        self.expected.entries.insert(id.to_string(), outcome);
    }

    fn entry(&mut self, work: &Work<'_>, approved: bool) -> Entry {
        let text = self.rng.random_range(0..NARRATIVES.len());
        let activity = self.rng.random_range(0..ACTIVITIES.len());
        // Written down at six in the evening of the day, approved a day later.
        let written_us = work
            .day
            .at(18, 0, 0, 0)
            .to_zoned(TimeZone::UTC)
            .map_or(0, |at| at.timestamp().as_microsecond());
        let approved_at_us = approved.then(|| written_us + 86_400_000_000);
        Entry {
            user_id: work.person.user_id.clone(),
            project_id: work.project.tracker_id.clone(),
            task_id: Some(work.task.tracker_id.clone()),
            activity_id: ACTIVITIES
                .get(activity)
                .map_or_else(String::new, |(name, _)| (*name).to_owned()),
            date: work.day.to_string(),
            hours: format!("{}.{:02}", work.hundredths / 100, work.hundredths % 100),
            narrative: NARRATIVES
                .get(text)
                .map_or_else(String::new, |text| (*text).to_owned()),
            approved_by: approved.then(|| APPROVER.to_owned()),
            approved_at_us,
            billable: work.billable,
            billing_status: None,
            erp_reference: None,
            updated_at_us: approved_at_us.unwrap_or(written_us),
        }
    }
}

/// What approved work must become where nothing is wrong with it.
fn priced(work: &Work<'_>) -> Result<Outcome, FirmError> {
    let contract = &work.engagement.contract;
    let recorded = minutes(work.hundredths);
    let bills = pays_hours(contract) && work.billable;
    if !bills {
        return Ok(Outcome::Cost {
            contract: contract.id.clone(),
            quantity: Micro::from_micro(printed_hundredths(recorded) * 10_000),
        });
    }
    let rate = work
        .engagement
        .rate(work.person, work.day)
        .ok_or(FirmError::Arithmetic("a rate"))?;
    let hundredths = printed(contract, billable_minutes(contract, recorded));
    let currency = contract.currency;
    Ok(Outcome::Bill {
        contract: contract.id.clone(),
        shape: contract.shape,
        quantity: Micro::from_micro(hundredths * 10_000),
        rate,
        amount: Money {
            amount_minor: amount_minor(hundredths, rate.micro(), currency.minor_digits())?,
            currency,
        },
    })
}
