//! What holds for documents and lines, whatever the charges.

use crate::golden_documents::plain_charge;
use counterfoil_rules::documents::{
    ContractLines, DocumentCharge, DocumentKey, LineCharge, LineError, TEXT_CHARS_MAX, TextError,
    TextTemplate, documents, line_group, lines, shared_line,
};
use domain::contract::lines::{LineKey, LineTerms};
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;
use jiff::ToSpan;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![
        Just(Rounding::HalfUp),
        Just(Rounding::HalfEven),
        Just(Rounding::Up),
        Just(Rounding::Down),
    ]
}

fn keys() -> impl Strategy<Value = Option<Vec<LineKey>>> {
    let key = prop_oneof![
        Just(LineKey::Worker),
        Just(LineKey::Role),
        Just(LineKey::Project),
        Just(LineKey::Task),
        Just(LineKey::Day),
        Just(LineKey::Week),
        Just(LineKey::Month),
    ];
    proptest::option::of(proptest::collection::vec(key, 0..3))
}

prop_compose! {
    fn charge()(
        worker in 0_u8..3, task in 0_u8..3, sort in 0_u8..2, day in 0_i32..80,
        hundredths in -400_i64..2_000, rate_cents in prop_oneof![Just(1_234_567_i64), Just(999_900)],
        contract in 0_u8..2, words in "[a-z{}% ]{0,12}",
    ) -> LineCharge {
        LineCharge {
            contract: format!("K{contract}"),
            worker: format!("W{worker}"),
            task: format!("T{task}"),
            task_name: format!("T{task}"),
            sort: ["straight", "premium"][usize::from(sort)].to_owned(),
            work_date: jiff::civil::date(2026, 1, 1).checked_add(day.days()).unwrap(),
            quantity: Micro::from_micro(hundredths * 10_000),
            rate: Micro::from_micro(rate_cents * 100),
            narrative: words,
            ..plain_charge("")
        }
    }
}

fn charges(rounding: Rounding, mut made: Vec<LineCharge>) -> Vec<LineCharge> {
    for (n, charge) in made.iter_mut().enumerate() {
        charge.id = format!("c{n:03}");
        charge.amount = Money::times(charge.quantity, charge.rate, eur(), rounding).unwrap();
    }
    made
}

fn with_keys(together: Option<Vec<LineKey>>) -> LineTerms {
    LineTerms {
        together,
        ..LineTerms::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every line multiplies out, its quantity is the sum of its charges', and what it prints is
    /// what is booked: charges and rounding charge together.
    #[test]
    fn ledger_and_document_agree_to_the_cent(
        mode in rounding(), together in keys(), made in proptest::collection::vec(charge(), 0..25),
    ) {
        let made = charges(mode, made);
        let by_id: BTreeMap<&str, &LineCharge> = made.iter().map(|c| (c.id.as_str(), c)).collect();
        let mut seen = BTreeSet::new();
        for line in lines(&made, &with_keys(together), eur(), mode).unwrap() {
            let amount = Money::times(line.quantity, line.rate, eur(), mode).unwrap();
            prop_assert_eq!(line.amount, amount);
            let members: Vec<&LineCharge> = line.charges.iter().map(|id| by_id[id.as_str()]).collect();
            let quantity: i64 = members.iter().map(|c| c.quantity.micro()).sum();
            prop_assert_eq!(line.quantity.micro(), quantity);
            let booked: i64 = members.iter().map(|c| c.amount.amount_minor).sum();
            prop_assert_eq!(line.amount.amount_minor, booked + line.rounding.amount_minor);
            // Rounding moves less than a coin for each charge and one for the line.
            let most = i64::try_from(members.len()).unwrap() + 1;
            prop_assert!(line.rounding.amount_minor.abs() <= most);
            for member in members {
                prop_assert!(seen.insert(member.id.clone()), "a charge is on two lines");
                prop_assert_eq!(member.rate, line.rate);
                prop_assert_eq!(&member.sort, &by_id[line.charges[0].as_str()].sort);
                prop_assert_eq!(&member.contract, &by_id[line.charges[0].as_str()].contract);
            }
            prop_assert!(line.text.chars().count() <= TEXT_CHARS_MAX);
        }
    }

    /// Charges with the same group share a line, and nothing else does.
    #[test]
    fn a_line_is_what_its_group_says(
        mode in rounding(), together in keys(), made in proptest::collection::vec(charge(), 1..20),
    ) {
        let made = charges(mode, made);
        let terms = with_keys(together);
        let mut groups: BTreeMap<Option<String>, Vec<LineCharge>> = BTreeMap::new();
        for charge in &made {
            groups.entry(line_group(&terms, charge)).or_default().push(charge.clone());
        }
        let all = lines(&made, &terms, eur(), mode).unwrap();
        if terms.together.is_none() {
            prop_assert_eq!(groups.len(), 1);
            return Ok(());
        }
        let mut apart = Vec::new();
        for own in groups.values() {
            apart.extend(shared_line(own, &terms, eur(), mode).unwrap());
        }
        let ids = |lines: &[counterfoil_rules::documents::DocumentLine]| -> BTreeSet<Vec<String>> {
            lines.iter().map(|line| line.charges.clone()).collect()
        };
        prop_assert_eq!(ids(&apart), ids(&all));
        let refused = shared_line(&made, &terms, eur(), mode);
        prop_assert_eq!(all.len() > 1, matches!(refused, Err(LineError::Apart { .. })));
    }

    /// The order in which charges come in changes nothing.
    #[test]
    fn order_of_arrival_does_not_matter(
        mode in rounding(), together in keys(), made in proptest::collection::vec(charge(), 0..20),
        turn in 0_usize..20,
    ) {
        let made = charges(mode, made);
        let terms = with_keys(together);
        let mut turned = made.clone();
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
        }
        let (one, other) = (lines(&made, &terms, eur(), mode), lines(&turned, &terms, eur(), mode));
        prop_assert_eq!(one.unwrap(), other.unwrap());
    }

    /// Charges and their mirrors leave nothing to print and no money.
    #[test]
    fn a_credit_takes_everything_back(
        mode in rounding(), together in keys(), made in proptest::collection::vec(charge(), 1..12),
    ) {
        let mut made = charges(mode, made);
        let mirrors: Vec<LineCharge> = made
            .iter()
            .map(|charge| LineCharge {
                id: format!("{}-credit", charge.id),
                quantity: Micro::from_micro(-charge.quantity.micro()),
                amount: charge.amount.negated().unwrap(),
                ..charge.clone()
            })
            .collect();
        made.extend(mirrors);
        let alone = together.is_none();
        let made = lines(&made, &with_keys(together), eur(), mode).unwrap();
        let total: i64 = made.iter().map(|line| line.amount.amount_minor).sum();
        prop_assert_eq!(total, 0);
        prop_assert!(alone || made.is_empty());
    }

    /// Every charge is on exactly one line of its own document, or netted; the document's total is
    /// what is booked and its rounding charges.
    #[test]
    fn no_charge_is_lost_between_documents(
        mode in rounding(), together in keys(),
        made in proptest::collection::vec((charge(), 0_u8..2, 0_u8..2), 0..25),
    ) {
        let (made, heads): (Vec<LineCharge>, Vec<(u8, u8)>) =
            made.into_iter().map(|(charge, a, b)| (charge, (a, b))).unzip();
        let made: Vec<DocumentCharge> = charges(mode, made)
            .into_iter()
            .zip(heads)
            .map(|(charge, (entity, tax))| DocumentCharge {
                key: DocumentKey {
                    entity: format!("E{entity}"),
                    bill_to: "C1".to_owned(),
                    currency: eur(),
                    tax_treatment: (tax == 1).then(|| "domestic".to_owned()),
                    group_key: "customer:C1".to_owned(),
                    period: "2026-03".to_owned(),
                },
                charge,
            })
            .collect();
        let terms = with_keys(together);
        let says = ContractLines { terms: &terms, rounding: mode };
        let contracts = BTreeMap::from(["K0", "K1"].map(|id| (id.to_owned(), says)));
        let documents = documents(&made, &contracts).unwrap();
        let mut there = 0;
        for (key, content) in &documents {
            let own: BTreeMap<&str, &LineCharge> = made
                .iter()
                .filter(|one| one.key == *key)
                .map(|one| (one.charge.id.as_str(), &one.charge))
                .collect();
            let on_lines = content.lines.iter().flat_map(|line| &line.charges);
            for id in on_lines.chain(&content.netted) {
                prop_assert!(own.contains_key(id.as_str()), "a charge is on another document");
                there += 1;
            }
            let booked: i64 = own.values().map(|charge| charge.amount.amount_minor).sum();
            prop_assert_eq!(content.total.amount_minor, booked + content.rounding.amount_minor);
        }
        prop_assert_eq!(there, made.len());
    }

    /// Whatever finance writes as a template: a text that fits, or a reason.
    #[test]
    fn any_template_ends(text in "(\\{\\{|\\}\\}|\\{%|%\\}|for |in |endfor|if |narratives|task| \\| join|\\*|9|'|~|\\(|\\)| ){0,40}") {
        let terms = LineTerms { text: Some(text), ..with_keys(Some(Vec::new())) };
        match lines(&[plain_charge("a")], &terms, eur(), Rounding::HalfUp) {
            Ok(made) => prop_assert!(made[0].text.chars().count() <= TEXT_CHARS_MAX),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn what_cannot_be_a_document_is_refused() {
    let terms = LineTerms::default();
    let twice = [plain_charge("a"), plain_charge("a")];
    let refused = lines(&twice, &terms, eur(), Rounding::HalfUp).unwrap_err();
    assert!(refused.to_string().contains("charge a is there twice"));
    let yen = "JPY".parse().unwrap();
    let refused = lines(&[plain_charge("a")], &terms, yen, Rounding::HalfUp).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "charge a is in EUR, its document in JPY"
    );
    let huge = LineCharge {
        quantity: Micro::from_micro(i64::MAX),
        rate: Micro::from_micro(i64::MAX),
        ..plain_charge("a")
    };
    let refused = lines(&[huge], &terms, eur(), Rounding::HalfUp).unwrap_err();
    assert!(matches!(refused, LineError::TooLarge { .. }), "{refused}");
    let key = DocumentKey {
        entity: "KA".to_owned(),
        bill_to: "C1".to_owned(),
        currency: eur(),
        tax_treatment: None,
        group_key: "contract:K1".to_owned(),
        period: "2026-03".to_owned(),
    };
    let on = |id: &str, period: &str| DocumentCharge {
        key: DocumentKey {
            period: period.to_owned(),
            ..key.clone()
        },
        charge: plain_charge(id),
    };
    let none = BTreeMap::new();
    let refused = documents(&[on("a", "2026-03")], &none).unwrap_err();
    assert!(refused.to_string().contains("contract K1"), "{refused}");
    let refused = documents(&[on("a", "2026-03"), on("a", "2026-04")], &none).unwrap_err();
    assert!(refused.to_string().contains("there twice"), "{refused}");
}

#[test]
fn a_text_that_fails_on_real_work_is_told_with_its_contract() {
    let terms = LineTerms {
        text: Some("{% for w in narratives %}{% for a in narratives %}{% for b in narratives %}{{ w }}{% endfor %}{% endfor %}{% endfor %}".to_owned()),
        ..with_keys(Some(Vec::new()))
    };
    assert!(
        TextTemplate::of(&terms).is_ok(),
        "one word is not much work"
    );
    let many: Vec<LineCharge> = (0..60)
        .map(|n| LineCharge {
            narrative: format!("word {n}"),
            ..plain_charge(&format!("c{n}"))
        })
        .collect();
    // So much that either the work or the room for the text ends first; neither is silent.
    match lines(&many, &terms, eur(), Rounding::HalfUp) {
        Ok(made) => assert!(made[0].text_cut),
        Err(LineError::Text(TextError::Render { contract, .. })) => assert_eq!(contract, "K1"),
        Err(other) => panic!("{other}"),
    }
}
