//! What holds for every firm.

use super::*;
use domain::exception::Code;
use proptest::prelude::*;

fn small() -> FirmSpec {
    FirmSpec {
        consultants: 8,
        entries: 200,
        ..FirmSpec::default()
    }
}

#[test]
fn the_same_seed_makes_the_same_firm() {
    let text = |seed| {
        let firm = generate(seed, &small()).unwrap();
        format!("{:?} {:?} {:?}", firm.tracker, firm.erp, firm.config)
    };
    assert_eq!(text(5), text(5));
    assert_ne!(text(5), text(6));
}

#[test]
fn every_planted_case_is_counted() {
    let firm = generate(1, &FirmSpec::default()).unwrap();
    let counts = firm.expected.exceptions_by_code();
    let once = [
        Code::CustomerOnHold,
        Code::ProjectClosed,
        Code::PeriodClosed,
        Code::RateMissing,
        Code::WorkerTerminated,
        Code::TaskClosed,
        Code::ProjectUnmapped,
        Code::SuspectedDuplicate,
    ];
    for code in once {
        assert_eq!(counts.get(code.text()), Some(&3), "{code}");
    }
    assert_eq!(counts.get("HOURS_INVALID"), Some(&6));
    assert_eq!(counts.len(), once.len() + 1);
    let expected = &firm.expected;
    assert_eq!(expected.entries.len(), firm.tracker.entries.len());
    assert!(expected.unapproved() > 300 && expected.cost() > 300 && expected.billed() > 1500);
    let currencies: Vec<String> = expected.billed_minor().into_keys().collect();
    assert_eq!(currencies, ["EUR", "JPY", "USD"]);
    let hours: Vec<&str> = firm
        .tracker
        .entries
        .values()
        .map(|entry| entry.hours.as_str())
        .collect();
    for planted in ["0.17", "0.67", "1.33", "-1.00", "25.00"] {
        assert!(hours.contains(&planted), "{planted}");
    }
}

#[test]
fn the_configuration_survives_toml() {
    let firm = generate(1, &small()).unwrap();
    let text = firm.config.to_toml().unwrap();
    assert_eq!(toml::from_str::<FirmConfig>(&text).unwrap(), firm.config);
    assert!(text.contains("[[contract]]") && text.contains("[[cost_rate]]"));
    assert!(
        firm.config
            .bill_rates
            .iter()
            .any(|row| row.rate.to_string() == "187.1234")
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    let changes: [fn(&mut FirmSpec); 6] = [
        |s| s.consultants = 1,
        |s| s.entries = 0,
        |s| s.month = 13,
        |s| s.year = 1,
        |s| s.approved = 1001,
        |s| s.planted = 51,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut spec = small();
        change(&mut spec);
        assert!(generate(1, &spec).is_err(), "change {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_firm_hangs_together(
        seed in any::<u64>(),
        consultants in 2_u32..30,
        entries in 1_u32..150,
        month in 1_i8..=12,
    ) {
        let spec = FirmSpec { consultants, entries, month, planted: 1, ..FirmSpec::default() };
        let firm = generate(seed, &spec).unwrap();
        let (from, to) = spec.span().unwrap();
        for (id, entry) in &firm.tracker.entries {
            prop_assert!(firm.expected.entries.contains_key(&id.to_string()));
            prop_assert!(firm.tracker.users.contains_key(&entry.user_id));
            prop_assert!(firm.tracker.projects.contains_key(&entry.project_id));
            let task = &firm.tracker.tasks[entry.task_id.as_ref().unwrap()];
            prop_assert_eq!(&task.project_id, &entry.project_id);
            let day: jiff::civil::Date = entry.date.parse().unwrap();
            prop_assert!(from <= day && day <= to);
        }
        for contract in &firm.config.contracts {
            for code in &contract.projects {
                prop_assert!(firm.erp.projects.values().any(|p| p.code == *code));
                let covering = firm.config.contracts.iter().filter(|c| c.covers(code, from));
                prop_assert_eq!(covering.count(), 1);
            }
            if let Some(code) = &contract.customer {
                prop_assert!(firm.erp.customers.values().any(|c| c.code == *code));
            }
        }
        for row in &firm.config.bill_rates {
            prop_assert!(row.rate.micro() > 0 && row.rate.micro() % 100 == 0);
        }
    }
}
