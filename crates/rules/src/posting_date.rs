//! The posting date of a piece of work, by the calendars and the objects that its posting touches.
//!
//! It is the work date if everything is open on it, else the first day after it on which
//! everything is. A pair of entities is two calendars: the first day open in both, or hold. The
//! policy "today" takes today instead, if today is later and open; a today that lies in a closed
//! period is no use to anybody, and the first open day holds. The work date never changes.

use crate::explanation::{Explanation, Step};
use domain::period::{ClosedPeriodPolicy, EntityCalendar, PeriodObject, PostingDate};
use jiff::civil::Date;

/// Where a piece of work is posted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingDay {
    /// The posting date; `None` = hold until a period is opened or somebody decides.
    pub date: Option<PostingDate>,
    /// Why.
    pub steps: Vec<Step>,
}

/// The posting date of work. `calendars` holds one calendar, or both of a pair of entities; with
/// none, nothing is known to be open and the work is held.
pub fn post_on(
    work: Date,
    calendars: &[EntityCalendar],
    objects: &[PeriodObject],
    policy: ClosedPeriodPolicy,
    today: Date,
) -> PostingDay {
    let open =
        |day: Date| !calendars.is_empty() && calendars.iter().all(|c| c.open_on(day, objects));
    let (date, result) = if open(work) {
        (
            Some(PostingDate::InPeriod(work)),
            format!("{work}, the day of the work"),
        )
    } else if policy == ClosedPeriodPolicy::Hold {
        (
            None,
            "held: the policy says so for work of a closed period".to_owned(),
        )
    } else {
        moved(first_open(work, calendars, &open), &open, policy, today)
    };
    let entities: Vec<&str> = calendars.iter().map(|c| c.entity.as_str()).collect();
    let touched: Vec<&str> = objects.iter().map(|o| o.words()).collect();
    let mut why = Explanation::default();
    why.step(
        "posting date",
        format_args!(
            "work date {work}, {} of {}",
            touched.join(" and "),
            entities.join(" and ")
        ),
        result,
    );
    PostingDay {
        date,
        steps: why.steps,
    }
}

/// The first open day after the work. A day can only become open where a period begins, so that
/// no other day has to be looked at.
fn first_open(
    work: Date,
    calendars: &[EntityCalendar],
    open: &impl Fn(Date) -> bool,
) -> Option<Date> {
    calendars
        .iter()
        .flat_map(|calendar| &calendar.periods)
        .map(|period| period.first)
        .filter(|first| *first > work && open(*first))
        .min()
}

fn moved(
    first: Option<Date>,
    open: &impl Fn(Date) -> bool,
    policy: ClosedPeriodPolicy,
    today: Date,
) -> (Option<PostingDate>, String) {
    let Some(first) = first else {
        return (
            None,
            "held: no later day is open; open a period in the ERP".to_owned(),
        );
    };
    if policy == ClosedPeriodPolicy::Today && today > first && open(today) {
        return (
            Some(PostingDate::Moved(today)),
            format!("{today}, today; {first} is the first open day"),
        );
    }
    (
        Some(PostingDate::Moved(first)),
        format!("{first}, the first open day after the work"),
    )
}
