//! Lines to plan for, as tests take them.

use super::*;

pub(crate) fn home(period: &str) -> Home {
    Home {
        shape: Shape::DraftLine,
        bill_to: "C1".into(),
        currency: "EUR".parse().unwrap(),
        group_key: "contract:K1".into(),
        period: period.into(),
    }
}

pub(crate) fn numbers(hours: &str) -> Numbers {
    Numbers {
        quantity: hours.parse().unwrap(),
        rate: "100".parse().unwrap(),
        amount_minor: 100,
        work_date: jiff::civil::date(2026, 11, 3),
        booked_seconds: None,
    }
}

pub(crate) fn wanted(hours: &str, period: &str) -> Wanted {
    Wanted {
        charge_no: 3,
        home: home(period),
        numbers: numbers(hours),
        refs: refs("tk1"),
        correction: Correction::Whole,
    }
}

pub(crate) fn refs(task: &str) -> ErpRefs {
    ErpRefs {
        customer: Some("cu1".into()),
        service_item: "si1".into(),
        task: Some(task.into()),
        worker: Some("w1".into()),
    }
}

pub(crate) fn held(hours: &str, changeable: bool) -> HeldLine {
    HeldLine {
        document_id: [1; 16],
        posting_no: 1,
        charge_no: 1,
        line_key: "K".into(),
        erp_line_ref: "7".into(),
        home: home("2026-11"),
        numbers: numbers(hours),
        comes_to: numbers(hours),
        refs: refs("tk1"),
        changeable,
        undone: false,
    }
}
