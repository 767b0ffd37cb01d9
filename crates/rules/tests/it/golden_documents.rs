//! Documents, their lines and their words.

use crate::table::{Row, table};
use counterfoil_rules::documents::{
    ContractLines, DocumentCharge, DocumentKey, DocumentLine, LineCharge, documents, group_key,
    lines,
};
use counterfoil_rules::explanation::Step;
use domain::contract::lines::{LineKey, LineTerms};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use domain::rounding::Rounding;
use serde_json::{Value, from_value};
use std::collections::BTreeMap;

const FILE: &str = "documents.md";

fn currency(text: &str) -> Currency {
    text.parse().unwrap()
}

fn money(text: &str, in_currency: Currency) -> Money {
    Money::from_decimal(text.parse().unwrap(), in_currency).unwrap()
}

fn decimal(text: &str) -> Micro {
    text.parse().unwrap()
}

fn of_case(heading: &str, case: &str) -> Vec<Row> {
    let mut rows = table(FILE, heading);
    rows.retain(|row| row.get("case") == case);
    rows
}

/// A charge as most tables do not describe it.
pub(crate) fn plain_charge(id: &str) -> LineCharge {
    LineCharge {
        id: id.to_owned(),
        contract: "K1".to_owned(),
        worker: "W1".to_owned(),
        worker_name: "Ada".to_owned(),
        role: "senior".to_owned(),
        project: "P1".to_owned(),
        task: "T1".to_owned(),
        task_name: "T1".to_owned(),
        service_item: "CONS".to_owned(),
        sort: "straight".to_owned(),
        work_date: "2026-03-02".parse().unwrap(),
        quantity: decimal("1"),
        unit: Unit::Hour,
        rate: decimal("120"),
        amount: money("120.00", currency("EUR")),
        narrative: String::new(),
    }
}

#[test]
fn what_is_kept_apart() {
    let terms = LineTerms::default();
    let says = ContractLines {
        terms: &terms,
        rounding: Rounding::HalfUp,
    };
    let contracts = ["K1", "K2", "X"].map(|id| (id.to_owned(), says));
    let contracts = BTreeMap::from(contracts);
    for row in table(FILE, "Documents") {
        let case = row.get("case");
        let charges: Vec<DocumentCharge> = of_case("Documents: charges", case)
            .iter()
            .map(|row| {
                let in_currency = currency(row.get("currency"));
                let charge = LineCharge {
                    contract: row.get("contract").to_owned(),
                    project: row.get("project").to_owned(),
                    amount: money("120.00", in_currency),
                    ..plain_charge(row.get("charge"))
                };
                let grouping = from_value(Value::from(row.get("grouping"))).unwrap();
                let computed = row.some("computed");
                let key = DocumentKey {
                    entity: row.get("entity").to_owned(),
                    bill_to: row.get("bill to").to_owned(),
                    currency: in_currency,
                    tax_treatment: row.some("tax"),
                    group_key: group_key(
                        grouping,
                        &charge,
                        row.get("customer"),
                        computed.as_deref(),
                    ),
                    period: row.get("period").to_owned(),
                };
                DocumentCharge { key, charge }
            })
            .collect();
        let made = documents(&charges, &contracts).unwrap();
        let mut shown: Vec<String> = made
            .values()
            .map(|content| {
                let mut ids: Vec<&str> = content
                    .lines
                    .iter()
                    .flat_map(|line| line.charges.iter().map(String::as_str))
                    .collect();
                ids.sort_unstable();
                ids.join("+")
            })
            .collect();
        shown.sort();
        assert_eq!(shown.join("; "), row.get("= documents"), "{case}");
    }
}

/// The terms and charges of a case of lines.
fn case_of_lines(terms: &Row) -> (LineTerms, Currency, Rounding, Vec<LineCharge>) {
    let in_currency = currency(terms.get("currency"));
    let together = match terms.get("together") {
        "each alone" => None,
        "rate only" => Some(Vec::new()),
        keys => Some(
            keys.split(", ")
                .map(|key| from_value::<LineKey>(Value::from(key)).unwrap())
                .collect(),
        ),
    };
    let charges = of_case("Lines: charges", terms.get("case"))
        .iter()
        .map(|row| LineCharge {
            id: row.get("charge").to_owned(),
            contract: "K1".to_owned(),
            worker: row.get("worker").to_owned(),
            worker_name: row.get("name").to_owned(),
            role: row.get("role").to_owned(),
            project: row.get("project").to_owned(),
            task: row.get("task").to_owned(),
            task_name: row.get("task").to_owned(),
            service_item: row.get("item").to_owned(),
            sort: row.get("sort").to_owned(),
            work_date: row.get("day").parse().unwrap(),
            quantity: decimal(row.get("quantity")),
            unit: from_value(Value::from(row.get("unit"))).unwrap(),
            rate: decimal(row.get("rate")),
            amount: money(row.get("= amount"), in_currency),
            narrative: String::new(),
        })
        .collect();
    let line_terms = LineTerms {
        together,
        ..LineTerms::default()
    };
    let rounding = from_value(Value::from(terms.get("rounding"))).unwrap();
    (line_terms, in_currency, rounding, charges)
}

fn shown(amount: Money) -> String {
    amount.decimal().to_string()
}

fn check_line(row: &Row, line: &DocumentLine, what: &str) {
    assert_eq!(line.charges.join(", "), row.get("= charges"), "{what}");
    assert_eq!(line.quantity.to_string(), row.get("= quantity"), "{what}");
    assert_eq!(line.rate.to_string(), row.get("= rate"), "{what}");
    assert_eq!(shown(line.amount), row.get("= amount"), "{what}");
    assert_eq!(shown(line.rounding), row.get("= rounding charge"), "{what}");
    let printed = if line.is_printed() { "yes" } else { "no" };
    assert_eq!(printed, row.get("= printed"), "{what}");
    let explained: Vec<&str> = line.steps.iter().map(Step::rule).collect();
    let expected: &[&str] = match line.rounding.amount_minor {
        0 => &["line amount"],
        _ => &["line amount", "rounding charge"],
    };
    assert_eq!(explained, expected, "{what}");
}

#[test]
fn which_charges_share_a_line_and_what_it_prints() {
    let expected = table(FILE, "Lines");
    for terms in table(FILE, "Lines: contracts") {
        let case = terms.get("case");
        let (line_terms, in_currency, rounding, charges) = case_of_lines(&terms);
        let made = lines(&charges, &line_terms, in_currency, rounding).unwrap();
        let rows: Vec<&Row> = expected.iter().filter(|r| r.get("case") == case).collect();
        assert_eq!(made.len().to_string(), terms.get("= lines"), "{case}");
        assert_eq!(made.len(), rows.len(), "{case}");
        for (line, row) in made.iter().zip(rows) {
            check_line(row, line, &format!("{case} {}", row.get("line")));
        }
        let key = DocumentKey {
            entity: "KA".to_owned(),
            bill_to: "C1".to_owned(),
            currency: in_currency,
            tax_treatment: None,
            group_key: "contract:K1".to_owned(),
            period: "2026-03".to_owned(),
        };
        let charges: Vec<DocumentCharge> = charges
            .into_iter()
            .map(|charge| DocumentCharge {
                key: key.clone(),
                charge,
            })
            .collect();
        let says = ContractLines {
            terms: &line_terms,
            rounding,
        };
        let contracts = BTreeMap::from([("K1".to_owned(), says)]);
        let content = documents(&charges, &contracts)
            .unwrap()
            .remove(&key)
            .unwrap();
        assert_eq!(shown(content.total), terms.get("= total"), "{case}");
        let netted = match content.netted.join(", ") {
            none if none.is_empty() => "none".to_owned(),
            some => some,
        };
        assert_eq!(netted, terms.get("= netted"), "{case}");
    }
}

fn expand(words: &str) -> String {
    words.strip_prefix("long:").map_or_else(
        || words.to_owned(),
        |count| "x".repeat(count.parse().unwrap()),
    )
}

#[test]
fn which_words_the_client_reads() {
    let eur = currency("EUR");
    for row in table(FILE, "Texts") {
        let case = row.get("case");
        let rows = of_case("Texts: charges", case);
        let charges: Vec<LineCharge> = rows
            .iter()
            .map(|row| {
                let quantity = decimal(row.get("quantity"));
                let rate = decimal(row.get("rate"));
                LineCharge {
                    worker: row.get("name").to_owned(),
                    worker_name: row.get("name").to_owned(),
                    role: row.get("role").to_owned(),
                    project: row.get("project").to_owned(),
                    task: row.get("task").to_owned(),
                    task_name: row.get("task").to_owned(),
                    service_item: row.get("item").to_owned(),
                    work_date: row.get("day").parse().unwrap(),
                    quantity,
                    rate,
                    amount: Money::times(quantity, rate, eur, Rounding::HalfUp).unwrap(),
                    narrative: expand(row.get("words")),
                    ..plain_charge(row.get("charge"))
                }
            })
            .collect();
        let terms = LineTerms {
            together: Some(Vec::new()),
            text: row.some("template"),
            purchase_order: row.some("purchase order"),
            client_reference: row.some("client reference"),
        };
        let made = lines(&charges, &terms, eur, Rounding::HalfUp).unwrap();
        assert_eq!(made.len(), 1, "{case}");
        let line = &made[0];
        assert_eq!(line.text, row.get("= text"), "{case}");
        assert_eq!(line.text_cut, row.get("= cut") == "yes", "{case}");
        let told = line.steps.iter().any(|step| step.rule() == "text");
        assert_eq!(told, line.text_cut, "{case}");
        let originals: Vec<String> = line
            .original_words
            .iter()
            .map(|original| format!("{}: {}", original.charge, original.words))
            .collect();
        let expected: Vec<String> = row
            .get("= original words")
            .split(" / ")
            .map(|one| {
                let (charge, words) = one.split_once(':').unwrap();
                format!(
                    "{charge}: {}",
                    expand(words.strip_prefix(' ').unwrap_or(words))
                )
            })
            .collect();
        assert_eq!(originals, expected, "{case}");
    }
}
