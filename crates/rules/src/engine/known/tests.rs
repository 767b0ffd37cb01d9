//! Whatever happens between a mark and the way back to it, what is known is the same.

use super::{Id, Known};
use crate::charge::{Disposition, Placement};
use crate::engine::{Accounts, Gross, Work};
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::quantity::Unit;
use jiff::civil::date;
use std::sync::Arc;

fn work(id: &str, worker: &str, day: i8) -> Box<Work> {
    Box::new(Work {
        id: id.to_owned(),
        fields: EntryFields {
            worker_ref: worker.to_owned(),
            project_ref: "P".to_owned(),
            task_ref: None,
            activity_ref: "A".to_owned(),
            work_date: date(2026, 1, day),
            recorded_seconds: 60,
            narrative: String::new(),
            approved: true,
            billable: true,
        },
        started_us: None,
        approved_us: None,
        preauthorised: false,
        looked_at: false,
    })
}

fn gross(contract: &str, period: &str) -> Box<Gross> {
    Box::new(Gross {
        contract: contract.to_owned(),
        pays: Disposition::Bill,
        placement: Arc::new(Placement {
            bill_to: "C".to_owned(),
            group_key: "G".to_owned(),
            period: period.to_owned(),
        }),
        work_date: date(2026, 1, 1),
        posting_date: date(2026, 1, 1),
        task: "T".to_owned(),
        unit: Unit::Hour,
        parts: Vec::new(),
        cost_rate: Micro::ZERO,
        cost_currency: "EUR".parse().unwrap(),
        steps: Vec::new(),
        print_steps: Vec::new(),
    })
}

fn known() -> Known {
    let mut known = Known::default();
    for (id, worker, day) in [("1", "W1", 5), ("2", "W1", 5), ("3", "W2", 6)] {
        let id = known.put_work(work(id, worker, day));
        known.put_gross(id, gross("K1", "2026-01"));
    }
    known.put_accounts("K1", Accounts::default());
    known.keep();
    known
}

#[test]
fn the_way_back_leads_to_where_the_change_began() {
    let before = known();
    let mut known = known();
    let mark = known.mark();
    known.put_work(work("1", "W2", 7));
    known.take_work("3");
    let new = known.put_work(work("4", "W3", 8));
    known.put_gross(Id::clone(&new), gross("K2", "2026-02"));
    known.put_gross(Id::from("1"), gross("K1", "2026-02"));
    known.take_gross("2");
    known.note_booked(&Id::from("2"));
    known.note_booked(&new);
    known.put_accounts("K1", Accounts::default());
    known.put_accounts("K2", Accounts::default());
    assert_ne!(known, before);
    assert_eq!(known.at("K1", &gross("K1", "2026-01").placement).count(), 1);
    known.go_back(&mark);
    assert_eq!(known, before);
}

#[test]
fn indexes_follow_from_what_is_known() {
    let mut known = known();
    known.put_work(work("1", "W2", 6));
    let (from, to) = (date(2026, 1, 1), date(2026, 1, 31));
    let of = |known: &Known, worker: &str| -> Vec<String> {
        let works = known.of_days(worker, from, to);
        works.map(ToString::to_string).collect()
    };
    assert_eq!(of(&known, "W1"), ["2"]);
    assert_eq!(of(&known, "W2"), ["1", "3"]);
    known.take_work("2");
    assert!(known.worker("W1").is_none());
    known.take_work("2");
    assert_eq!(known.works().count(), 2);
}
