//! A proposed contract over the work that the ledger holds.

use crate::stage::{Stage, play};
use domain::contract::{Contract, ContractKind};
use domain::decimal::Micro;
use pipeline::rehearse::{Proposal, Rehearsal, rehearse};
use twins::erp::Uniqueness;

fn contract_of(stage: &Stage, customer: &str) -> Contract {
    let mut contracts = stage.env.settings.contracts.iter();
    let own = contracts.find(|c| {
        c.kind == ContractKind::TimeAndMaterials && c.customer.as_deref() == Some(customer)
    });
    own.unwrap().clone()
}

async fn rehearsed(
    stage: &Stage,
    change: impl FnOnce(&mut Contract),
    paid_ahead: i64,
) -> Rehearsal {
    let mut contract = contract_of(stage, "C02");
    change(&mut contract);
    let to = stage.world.today;
    let proposal = Proposal {
        contract,
        rates: Vec::new(),
        paid_ahead: Micro::from_micro(paid_ahead * 1_000_000),
        from: to.first_of_month(),
        to,
    };
    rehearse(&stage.env, &proposal).await.unwrap()
}

/// Before, hours, fees, not billed: sums over all months, in minor units.
fn sums(seen: &Rehearsal) -> (i64, i64, i64, i64) {
    let of = |field: fn(&pipeline::rehearse::RehearsedMonth) -> i64| {
        seen.months.values().map(field).sum()
    };
    (
        of(|m| m.before_minor),
        of(|m| m.hours_minor),
        of(|m| m.fixed_minor),
        of(|m| m.not_billed_minor),
    )
}

#[test]
fn the_contract_in_force_comes_to_what_was_billed() {
    play(async {
        let stage = Stage::new(21, Uniqueness::UniqueKey);
        stage.pass().await;
        let (lines, charged) = (stage.lines(), rehearsed(&stage, |_| {}, 0).await);
        let (before, hours, fixed, other) = sums(&charged);
        assert!(before > 100_000, "{before}");
        assert_eq!((hours, fixed, other), (before, 0, 0));
        for entry in &charged.entries {
            assert_eq!(entry.after_minor, entry.before_minor, "{entry:?}");
            assert!(entry.exception.is_none() && !entry.steps.is_empty());
        }
        // A look writes nothing.
        assert_eq!(stage.lines(), lines);
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.rate_changes), (0, 0));
    });
}

#[test]
fn a_cap_a_retainer_and_an_hour_bank_are_rehearsed_on_real_hours() {
    play(async {
        let stage = Stage::new(21, Uniqueness::LookUp);
        stage.pass().await;
        let (before, ..) = sums(&rehearsed(&stage, |_| {}, 0).await);

        let cap = serde_json::json!([{"id": "NTE", "amount": "1000"}]);
        let capped = |contract: &mut Contract| {
            contract.limit = serde_json::from_value(cap).unwrap();
        };
        let (was, hours, _, held) = sums(&rehearsed(&stage, capped, 0).await);
        assert_eq!(was, before);
        assert!((90_000..=100_000).contains(&hours), "{hours}");
        // What is held is worth what the cap leaves of it, but for a cut in the middle of an entry.
        assert!(
            (hours + held - before).abs() <= 2,
            "{hours} {held} {before}"
        );

        let retainer = serde_json::json!({"id": "R"});
        let drawn = |contract: &mut Contract| {
            contract.retainer = Some(serde_json::from_value(retainer).unwrap());
        };
        let (_, hours, _, drawn) = sums(&rehearsed(&stage, drawn, 700).await);
        assert!(drawn > 60_000 && drawn <= 70_000, "{drawn}");
        assert!(
            (hours + drawn - before).abs() <= 2,
            "{hours} {drawn} {before}"
        );

        let bank = serde_json::json!({
            "id": "B", "allowance_hours": "3", "fee": "400", "overage_rate": "150"
        });
        let bank = |contract: &mut Contract| {
            contract.hour_bank = Some(serde_json::from_value(bank).unwrap());
        };
        let seen = rehearsed(&stage, bank, 0).await;
        let (_, hours, fixed, _) = sums(&seen);
        assert_eq!(fixed, 40_000);
        assert!(hours > 0 && hours % 50 == 0, "{hours}");
        assert!(seen.entries.iter().all(|entry| entry.exception.is_none()));
    });
}
