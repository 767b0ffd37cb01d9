//! Rates that follow from other rates.

use crate::table::{Row, table};
use counterfoil_rules::card::derived::{DeriveError, derived_rate};
use counterfoil_rules::explanation::Explanation;
use domain::contract::rates::{DerivedRate, RateTerms, RateTermsError};
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;

fn derive(row: &Row, currency: &str, why: &mut Explanation) -> Result<Micro, DeriveError> {
    let value = row.get("value").parse().unwrap();
    let rule = match row.get("rule") {
        "multiple" => DerivedRate::Multiple(value),
        "cost plus" => DerivedRate::CostPlusPercent(value),
        other => panic!("{other}"),
    };
    let terms = RateTerms {
        decimals: row.get("contract decimals").parse().unwrap(),
        ..RateTerms::default()
    };
    let erp = row.get("ERP decimals").parse().unwrap();
    let base = row.get("base").parse().unwrap();
    derived_rate(rule, base, currency.parse().unwrap(), &terms, erp, why)
}

#[test]
fn rates_are_rounded_before_they_multiply() {
    let rows = table("derived_rates.md", "Derived rates");
    assert!(rows.len() >= 25);
    for row in rows {
        let working = row.get("working");
        let mut why = Explanation::default();
        let rate = derive(&row, row.get("currency"), &mut why).unwrap();
        assert_eq!(rate.to_string(), row.get("= rate"), "{working}");
        let amount = Money::times(
            row.get("hours").parse().unwrap(),
            rate,
            row.get("currency").parse().unwrap(),
            Rounding::HalfUp,
        );
        let amount = amount.unwrap().decimal().to_string();
        assert_eq!(amount, row.get("= amount"), "{working}");
        let text = why.text();
        assert!(text.contains(&format!("{rate} per hour")), "{text}");
    }
}

#[test]
fn rules_without_meaning_are_refused() {
    for row in table("derived_rates.md", "Refused") {
        let refusal = match derive(&row, "EUR", &mut Explanation::default()) {
            Ok(_) => "none",
            Err(DeriveError::NegativeBase(_)) => "negative base",
            Err(DeriveError::TooLarge(_)) => "too large",
            Err(DeriveError::Terms(RateTermsError::TooManyDecimals(_))) => "too many decimals",
            Err(DeriveError::Terms(RateTermsError::NoMultiple(_))) => "no multiple",
            Err(DeriveError::Terms(RateTermsError::NegativePercentage(_))) => "negative percentage",
            Err(DeriveError::Terms(RateTermsError::SecondIsOwner(_))) => "second is owner",
        };
        assert_eq!(refusal, row.get("= refusal"), "{}", row.get("working"));
    }
}
