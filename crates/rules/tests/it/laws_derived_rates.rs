//! What holds for every rate that follows from another.

use counterfoil_rules::card::derived::derived_rate;
use counterfoil_rules::explanation::Explanation;
use domain::contract::rates::{DerivedRate, RateTerms};
use domain::decimal::Micro;
use proptest::prelude::*;

fn derive(rule: DerivedRate, base: i64, decimals: u32, erp: u32) -> Micro {
    let terms = RateTerms {
        decimals,
        ..RateTerms::default()
    };
    let currency = "EUR".parse().unwrap();
    let base = Micro::from_micro(base);
    derived_rate(
        rule,
        base,
        currency,
        &terms,
        erp,
        &mut Explanation::default(),
    )
    .unwrap()
}

const MICRO: i128 = 1_000_000;

proptest! {
    #[test]
    fn a_multiple_is_off_by_half_a_digit_at_most(
        base in 0_i64..1_000_000_000, factor in 1_i64..10_000_000, decimals in 0_u32..=6, erp in 0_u32..=6,
    ) {
        let rate = derive(DerivedRate::Multiple(Micro::from_micro(factor)), base, decimals, erp);
        let exact = i128::from(base) * i128::from(factor);
        let digit = 10_i128.pow(6 - decimals.min(erp)) * MICRO;
        let off = i128::from(rate.micro()) * MICRO - exact;
        // Half a digit up is taken, half a digit down is not.
        prop_assert!(-digit < off * 2 && off * 2 <= digit);
        prop_assert_eq!(i128::from(rate.micro()) * MICRO % digit, 0);
    }

    #[test]
    fn once_the_rate_and_nothing_on_top_are_the_rate(base in 0_i64..1_000_000_000) {
        let base = base * 100;
        let once = DerivedRate::Multiple(Micro::from_micro(1_000_000));
        prop_assert_eq!(derive(once, base, 4, 4).micro(), base);
        prop_assert_eq!(derive(DerivedRate::CostPlusPercent(Micro::ZERO), base, 4, 4).micro(), base);
    }

    #[test]
    fn a_percentage_is_a_multiple(base in 0_i64..1_000_000_000, percent in 0_i64..500) {
        let plus = DerivedRate::CostPlusPercent(Micro::from_micro(percent * 1_000_000));
        let times = DerivedRate::Multiple(Micro::from_micro(1_000_000 + percent * 10_000));
        prop_assert_eq!(derive(plus, base, 4, 4), derive(times, base, 4, 4));
    }

    #[test]
    fn more_never_gives_less(
        base in 0_i64..1_000_000_000, more in 0_i64..1_000_000, factor in 1_i64..10_000_000,
    ) {
        let rule = DerivedRate::Multiple(Micro::from_micro(factor));
        prop_assert!(derive(rule, base, 4, 4) <= derive(rule, base + more, 4, 4));
    }
}
