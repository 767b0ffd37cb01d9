//! The auditor's own arithmetic against the firm's, and against an untouched month.

use super::price::{Form, Terms};
use super::truth;
use crate::firm::{FirmSpec, Outcome, generate};
use crate::frame::Machine;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::json;

fn shown<M: Machine, T: DeserializeOwned>(machine: &M) -> T {
    let mut sections = machine.truth();
    sections.insert("breaches", json!([]));
    serde_json::from_value(json!(sections)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Two calculations from different starting points: the generator's from its plan, the
    /// auditor's from what the two systems show.
    #[test]
    fn every_entry_is_judged_as_the_generator_meant_it(seed in any::<u64>(), month in 1_i8..=12) {
        let spec = FirmSpec { consultants: 9, entries: 120, month, planted: 2, ..FirmSpec::default() };
        let firm = generate(seed, &spec).unwrap();
        let tracker: truth::Tracker = shown(&firm.tracker);
        let erp: truth::Erp = shown(&firm.erp);
        let terms = Terms { config: &firm.config, tracker: &tracker, erp: &erp };
        for work in &tracker.entries {
            let judged = terms.judge(work);
            match &firm.expected.entries[&work.id] {
                Outcome::Unapproved => prop_assert!(work.approved_by.is_none()),
                Outcome::Exception { code: domain::exception::Code::SuspectedDuplicate } => {}
                Outcome::Exception { code } => prop_assert_eq!(judged.code, Some(*code)),
                Outcome::Cost { .. } => {
                    prop_assert_eq!(judged.code, None);
                    prop_assert_eq!(judged.content.unwrap().form, Form::Cost);
                }
                Outcome::Bill { quantity, rate, amount, .. } => {
                    prop_assert_eq!(judged.code, None);
                    let content = judged.content.unwrap();
                    if let Some(money) = content.money {
                        prop_assert_eq!(content.form, Form::Bill);
                        prop_assert_eq!((money.quantity, money.rate), (*quantity, *rate));
                        prop_assert_eq!(money.amount_minor, amount.amount_minor);
                        prop_assert_eq!(money.currency, amount.currency);
                    } else {
                        prop_assert_eq!(content.form, Form::Timesheet);
                    }
                }
            }
        }
    }
}
