//! The firm's masters in both systems. Ids differ between the two, as they do in real firms.

use super::layout::{Engagement, Layout, Person, Purpose, TaskPlan};
use super::words::{ACTIVITIES, SERVICE_ITEMS};
use crate::erp::{self, Erp};
use crate::tracker::{self, Tracker};
use domain::contract::BillShape;

/// The tracker's project that nobody linked to the ERP.
pub(super) const UNMAPPED_PROJECT: &str = "p9999";
/// Its task.
pub(super) const UNMAPPED_TASK: &str = "t9999";
/// The project manager who approves.
pub(super) const APPROVER: &str = "u1";

pub(super) fn fill(layout: &Layout) -> (Tracker, Erp) {
    let mut tracker = Tracker::new("twin-tracker", "Twin tracker");
    let mut erp = Erp::new("kestrel", "Kestrel Consulting GmbH");
    tracker.page_size_max = 200;
    people(layout, &mut tracker, &mut erp);
    for engagement in &layout.engagements {
        client(engagement, &mut tracker, &mut erp);
    }
    tracker.projects.insert(
        UNMAPPED_PROJECT.to_owned(),
        tracker::Project {
            name: "Somebody's idea".to_owned(),
            erp_code: None,
            closed: false,
        },
    );
    tracker.tasks.insert(
        UNMAPPED_TASK.to_owned(),
        tracker::Task {
            project_id: UNMAPPED_PROJECT.to_owned(),
            name: "Trying it out".to_owned(),
            erp_code: None,
            closed: false,
        },
    );
    for (activity, _) in ACTIVITIES {
        tracker
            .activities
            .insert((*activity).to_owned(), activity.to_uppercase());
    }
    for ((code, name), number) in SERVICE_ITEMS.iter().zip(81_u32..) {
        erp.service_items.insert(
            format!("si{number}"),
            erp::ServiceItem {
                code: (*code).to_owned(),
                name: (*name).to_owned(),
                active: true,
                has_account: true,
            },
        );
    }
    periods(layout, &mut erp);
    (tracker, erp)
}

fn people(layout: &Layout, tracker: &mut Tracker, erp: &mut Erp) {
    tracker.users.insert(
        APPROVER.to_owned(),
        tracker::User {
            name: "Petra Manager".to_owned(),
            employee_code: None,
            active: true,
        },
    );
    for person in layout.people.iter().chain([&layout.gone]) {
        let mapped = layout.crosswalk.workers.contains_key(&person.user_id);
        tracker.users.insert(
            person.user_id.clone(),
            tracker::User {
                name: person.name.clone(),
                employee_code: (!mapped).then(|| person.code.clone()),
                active: true,
            },
        );
        erp.workers.insert(person.erp_id.clone(), worker(person));
    }
}

fn worker(person: &Person) -> erp::Worker {
    erp::Worker {
        code: person.code.clone(),
        name: person.name.clone(),
        role: person.role.to_owned(),
        from: None,
        until: person.until,
        active: true,
    }
}

fn client(engagement: &Engagement, tracker: &mut Tracker, erp: &mut Erp) {
    if let Some((code, id, name)) = &engagement.customer {
        erp.customers.insert(
            id.clone(),
            erp::Customer {
                code: code.clone(),
                name: name.clone(),
                active: true,
                on_hold: engagement.purpose == Purpose::OnHold,
                currency: Some(engagement.contract.currency),
            },
        );
    }
    for (project, first) in engagement.projects.iter().zip((0..).map(|n: u32| n == 0)) {
        erp.projects.insert(
            project.erp_id.clone(),
            erp::Project {
                code: project.code.clone(),
                name: project.name.clone(),
                customer_id: engagement.customer.as_ref().map(|(_, id, _)| id.clone()),
                active: engagement.purpose != Purpose::ClosedProject,
            },
        );
        tracker.projects.insert(
            project.tracker_id.clone(),
            tracker::Project {
                name: project.name.clone(),
                erp_code: Some(project.code.clone()),
                // The tracker still takes time on what the ERP has closed: that is the case.
                closed: false,
            },
        );
        let closed = engagement.closed_task.iter().filter(|_| first);
        for plan in project.tasks.iter().chain(closed) {
            task(plan, project, tracker, erp);
        }
        if engagement.contract.shape == BillShape::Timesheet {
            list_prices(engagement, &project.erp_id, erp);
        }
    }
}

fn task(
    plan: &TaskPlan,
    project: &super::layout::ProjectPlan,
    tracker: &mut Tracker,
    erp: &mut Erp,
) {
    erp.tasks.insert(
        plan.erp_id.clone(),
        erp::Task {
            project_id: project.erp_id.clone(),
            code: plan.code.clone(),
            name: plan.name.clone(),
            active: plan.closed_after.is_none(),
            closed_after: plan.closed_after,
        },
    );
    tracker.tasks.insert(
        plan.tracker_id.clone(),
        tracker::Task {
            project_id: project.tracker_id.clone(),
            name: plan.name.clone(),
            erp_code: Some(plan.code.clone()),
            closed: false,
        },
    );
}

/// Where the ERP prices booked time itself, its prices are the contract's.
fn list_prices(engagement: &Engagement, project_id: &str, erp: &mut Erp) {
    for price in &engagement.rates {
        let worker_id = price.worker.as_ref().and_then(|code| {
            erp.workers
                .iter()
                .find(|(_, worker)| worker.code == *code)
                .map(|(id, _)| id.clone())
        });
        erp.list_prices.push(erp::ListPrice {
            project_id: project_id.to_owned(),
            worker_id,
            role: price.role.map(str::to_owned),
            rate: price.rate,
            currency: engagement.contract.currency,
            from: price.from,
            to: price.to,
        });
    }
}

/// The month before is closed; the month and the two after it are open.
fn periods(layout: &Layout, erp: &mut Erp) {
    let days = layout.days;
    let mut first = days.before_first;
    for number in 0..4 {
        erp.periods.push(erp::Period {
            name: format!("{:04}-{:02}", first.year(), first.month()),
            first,
            last: first.last_of_month(),
            open: number > 0,
        });
        let Ok(next) = first.last_of_month().tomorrow() else {
            return;
        };
        first = next;
    }
}
