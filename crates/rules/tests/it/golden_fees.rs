//! Instalments and monthly fees.

use crate::accounts::{micro, named, plain_printing};
use crate::table::table;
use counterfoil_rules::account::schedule::due;
use domain::contract::accounts::Printing;
use domain::contract::accounts::schedule::{Instalment, MonthlyFee, ScheduleTerms};

fn terms(scenario: &str) -> (ScheduleTerms, Printing) {
    let mut terms = ScheduleTerms::default();
    let mut printing = plain_printing();
    for row in table("fees.md", "Instalments") {
        if row.get("scenario") == scenario {
            terms.instalments.push(Instalment {
                id: row.get("instalment").to_owned(),
                date: row.get("date").parse().unwrap(),
                amount: micro(row.get("amount")),
            });
        }
    }
    for row in table("fees.md", "Monthly fees") {
        if row.get("scenario") == scenario {
            printing.currency = row.get("currency").parse().unwrap();
            terms.monthly_fees.push(MonthlyFee {
                id: row.get("fee").to_owned(),
                amount: micro(row.get("amount")),
                from: row.get("from").parse().unwrap(),
                to: row.some("to").map(|day| day.parse().unwrap()),
                day: row.get("day").parse().unwrap(),
                partial_months: named(row.get("partial months")),
            });
        }
    }
    (terms, printing)
}

#[test]
fn what_is_due() {
    for row in table("fees.md", "Due") {
        let what = format!(
            "{} from {} to {}",
            row.get("scenario"),
            row.get("from"),
            row.get("to")
        );
        let (terms, printing) = terms(row.get("scenario"));
        let (from, to) = (
            row.get("from").parse().unwrap(),
            row.get("to").parse().unwrap(),
        );
        let scheduled = due(&terms, &printing, from, to).unwrap();
        let parts: Vec<String> = scheduled
            .due
            .iter()
            .map(|one| format!("{} {} {}", one.date, one.item, one.amount.decimal()))
            .collect();
        let text = if parts.is_empty() {
            "nothing".into()
        } else {
            parts.join(", ")
        };
        assert_eq!(text, row.get("= due"), "{what}");
        let total: i64 = scheduled
            .due
            .iter()
            .map(|one| one.amount.amount_minor)
            .sum();
        let coin = 10_i64.pow(printing.currency.minor_digits());
        assert_eq!(
            total * 1_000_000 / coin,
            micro(row.get("= total")).micro(),
            "{what}"
        );
        assert_eq!(
            scheduled.why.steps.len(),
            scheduled.due.len(),
            "{what}: each has its reason"
        );
    }
}
