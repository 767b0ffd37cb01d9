//! What holds for every input.

use crate::world;
use counterfoil_rules::charge::{ChargeContent, Disposition};
use counterfoil_rules::diff::{ChargeChange, diff};
use domain::contract::ContractKind;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::money::Money;
use domain::rate::{RateKey, RateQuery, RateRow, RateSource, choose_rate};
use domain::reference::Reference;
use domain::rounding::{Increment, Rounding};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![
        Just(Rounding::HalfUp),
        Just(Rounding::HalfEven),
        Just(Rounding::Up),
        Just(Rounding::Down),
    ]
}

fn currency() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("EUR"), Just("JPY"), Just("KWD")]
}

fn increment() -> impl Strategy<Value = Increment> {
    (1_u32..=120, 0_u32..=4, rounding()).prop_map(|(step, times, rounding)| Increment {
        step_minutes: step,
        minimum_minutes: step * times,
        rounding,
    })
}

fn day(number: i32) -> Date {
    date(2026, 1, 1).checked_add(number.days()).unwrap()
}

prop_compose! {
    fn rate_row()(
        scope in 0..4, person in 0..3, from in 0..60, length in proptest::option::of(0..60),
        rate in 1_i64..1_000_000_000,
    ) -> RateRow {
        let mut key = RateKey::default();
        match scope {
            1 => key.customer = Some("C1".into()),
            2 => key.contract = Some("K1".into()),
            3 => key.project = Some("P1".into()),
            _ => {}
        }
        match person {
            1 => key.role = Some("senior".into()),
            2 => key.worker = Some("W1".into()),
            _ => {}
        }
        RateRow {
            key,
            rate: Micro::from_micro(rate),
            currency: "EUR".parse().unwrap(),
            from: day(from),
            to: length.map(|length| day(from + length)),
            recorded: None,
            origin: RateSource::Card,
        }
    }
}

fn content(minutes: i64, rate: &str, kind: ContractKind) -> ChargeContent {
    let mut reference = world::reference();
    reference.contracts[0].kind = kind;
    reference.bill_rates = vec![world::rate(rate, "EUR")];
    let fields = EntryFields {
        recorded_seconds: minutes * 60,
        ..world::fields()
    };
    world::price(&reference, &fields).unwrap().content
}

proptest! {
    #[test]
    fn a_credit_mirrors_its_invoice(
        quantity in -90_000_000_i64..90_000_000, rate in 0_i64..5_000_000_000,
        currency in currency(), mode in rounding(),
    ) {
        let rate = Micro::from_micro(rate);
        let currency = currency.parse().unwrap();
        let one = Money::times(Micro::from_micro(quantity), rate, currency, mode).unwrap();
        let other = Money::times(Micro::from_micro(-quantity), rate, currency, mode).unwrap();
        prop_assert_eq!(one.negated().unwrap(), other);
    }

    #[test]
    fn an_amount_is_the_exact_product_rounded_once(
        quantity in 0_i64..24_000_000, rate in 0_i64..5_000_000_000, currency in currency(),
    ) {
        let currency: domain::currency::Currency = currency.parse().unwrap();
        let amount = Money::times(
            Micro::from_micro(quantity), Micro::from_micro(rate), currency, Rounding::HalfUp,
        ).unwrap();
        // In whole numbers of 10^-12: product, and one smallest coin.
        let exact = i128::from(quantity) * i128::from(rate);
        let coin = 10_i128.pow(12 - currency.minor_digits());
        let rounded = (exact * 2 + coin) / (coin * 2);
        prop_assert_eq!(i128::from(amount.amount_minor), rounded);
    }

    #[test]
    fn cost_is_the_exact_product_rounded_once(
        seconds in 0_i64..=86_400, rate in 0_i64..5_000_000_000, currency in currency(),
    ) {
        let currency: domain::currency::Currency = currency.parse().unwrap();
        let rate_micro = Micro::from_micro(rate);
        let cost = Money::of_time(seconds, rate_micro, currency, Rounding::HalfUp).unwrap();
        let exact = i128::from(seconds) * i128::from(rate);
        let coin = 3_600 * 10_i128.pow(6 - currency.minor_digits());
        let rounded = (exact * 2 + coin) / (coin * 2);
        prop_assert_eq!(i128::from(cost.amount_minor), rounded);
    }

    #[test]
    fn a_time_on_its_step_does_not_change(rule in increment(), steps in 0_i64..100) {
        let seconds = i64::from(rule.step_minutes) * 60 * steps;
        let least = i64::from(rule.minimum_minutes) * 60;
        let expected = if seconds == 0 { 0 } else { seconds.max(least) };
        prop_assert_eq!(rule.apply(seconds).unwrap(), expected);
    }

    #[test]
    fn more_time_is_never_billed_as_less(
        rule in increment(), one in 0_i64..=86_400, more in 0_i64..=86_400,
    ) {
        prop_assert!(rule.apply(one).unwrap() <= rule.apply(one + more).unwrap());
    }

    #[test]
    fn up_never_bills_less_than_recorded(rule in increment(), seconds in 0_i64..=86_400) {
        let up = Increment { rounding: Rounding::Up, ..rule };
        let billable = up.apply(seconds).unwrap();
        prop_assert!(billable >= seconds);
        prop_assert_eq!(billable % (i64::from(rule.step_minutes) * 60), 0);
        let once_more = up.apply(billable).unwrap();
        prop_assert_eq!(once_more, billable);
    }

    #[test]
    fn a_chosen_rate_covers_the_day_and_nothing_more_specific_does(
        rows in proptest::collection::vec(rate_row(), 0..12), asked in 0..120,
    ) {
        let query = RateQuery {
            customer: "C1", contract: "K1", project: "P1", task: "T1", worker: "W1",
            role: "senior", service_item: "CONS", day: day(asked),
        };
        if let Ok(row) = choose_rate(&rows, &query) {
            prop_assert!(row.covers(query.day) && row.key.matches(&query));
            let rank = row.key.specificity();
            for other in rows.iter().filter(|other| !std::ptr::eq(*other, row)) {
                prop_assert!(other.key.specificity() <= rank);
                prop_assert!(other.key.specificity() < rank || !other.covers(query.day));
            }
        }
    }

    #[test]
    fn a_difference_is_nothing_or_one_change(
        one in 1_i64..600, two in 1_i64..600, kind in 0_usize..2,
    ) {
        let kind = [ContractKind::TimeAndMaterials, ContractKind::FixedFee][kind];
        let (booked, desired) = (content(one, "150", kind), content(two, "150", kind));
        prop_assert_eq!(diff(Some(&booked), Some(&booked)), ChargeChange::Nothing);
        prop_assert_eq!(diff(None, None), ChargeChange::Nothing);
        prop_assert_eq!(diff(None, Some(&desired)), ChargeChange::Book(&desired));
        prop_assert_eq!(diff(Some(&booked), None), ChargeChange::Reverse);
        let expected = if booked.same_effect(&desired) {
            ChargeChange::Nothing
        } else {
            ChargeChange::Replace(&desired)
        };
        prop_assert_eq!(diff(Some(&booked), Some(&desired)), expected);
        prop_assert_eq!(booked.same_effect(&desired), desired.same_effect(&booked));
    }

    #[test]
    fn a_price_is_what_the_client_can_multiply(minutes in 1_i64..=1440, rate in 1_i64..500_000) {
        let rate = Micro::from_micro(rate * 1_000).to_string();
        let content = content(minutes, &rate, ContractKind::TimeAndMaterials);
        let again = Money::times(
            content.quantity, content.rate, content.currency(), Rounding::HalfUp,
        ).unwrap();
        prop_assert_eq!(content.amount, again);
        prop_assert_eq!(content.disposition, Disposition::Bill);
    }
}

/// A closed period that moves the posting date does not move what is booked.
#[test]
fn a_period_that_closes_afterwards_changes_nothing() {
    let booked = content(60, "150", ContractKind::TimeAndMaterials);
    let mut reference = world::reference();
    reference.masters.periods[0].open = false;
    let fields = EntryFields {
        recorded_seconds: 3600,
        ..world::fields()
    };
    let moved = world::price(&reference, &fields).unwrap().content;
    assert_ne!(moved.posting_date, booked.posting_date);
    assert_eq!(diff(Some(&booked), Some(&moved)), ChargeChange::Nothing);
}

#[test]
fn the_digest_changes_with_every_input_of_money() {
    type Change = (&'static str, fn(&mut Reference, &mut EntryFields));
    let changes: [Change; 14] = [
        ("time", |_, f| f.recorded_seconds += 1),
        ("billable", |_, f| f.billable = false),
        ("day", |_, f| f.work_date = date(2026, 3, 6)),
        ("bill rate", |r, _| {
            r.bill_rates = vec![world::rate("150.000001", "EUR")];
        }),
        ("cost rate", |r, _| {
            r.cost_rates = vec![world::rate("80.000001", "EUR")];
        }),
        ("cost currency", |r, _| {
            r.cost_rates = vec![world::rate("80", "USD")];
        }),
        ("currency", |r, _| {
            r.contracts[0].currency = "USD".parse().unwrap();
            r.bill_rates = vec![world::rate("150", "USD")];
        }),
        ("kind", |r, _| r.contracts[0].kind = ContractKind::FixedFee),
        ("increment", |r, _| {
            r.contracts[0].increment = Some(Increment {
                step_minutes: 15,
                minimum_minutes: 0,
                rounding: Rounding::Up,
            });
        }),
        ("decimals", |r, _| r.contracts[0].quantity_decimals = 3),
        ("quantity rounding", |r, _| {
            r.contracts[0].quantity_rounding = Rounding::Down;
        }),
        ("amount rounding", |r, _| {
            r.contracts[0].amount_rounding = Rounding::Down;
        }),
        ("grouping", |r, _| {
            r.contracts[0].grouping = domain::contract::Grouping::Project;
        }),
        ("role", |r, _| {
            r.crosswalk.roles.insert("W1".into(), "junior".into());
        }),
    ];
    let base = world::price(&world::reference(), &world::fields()).unwrap();
    for (what, change) in changes {
        let (mut reference, mut fields) = (world::reference(), world::fields());
        change(&mut reference, &mut fields);
        let priced = world::price(&reference, &fields).unwrap();
        assert_ne!(priced.inputs_digest, base.inputs_digest, "{what}");
    }
    let mut other = world::fields();
    other.narrative.push('!');
    let same = world::price(&world::reference(), &other).unwrap();
    assert_eq!(
        same.inputs_digest, base.inputs_digest,
        "personal text is no input"
    );
}
