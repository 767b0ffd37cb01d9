//! Work that was credited for good: it is billed with nothing, whatever its price is.

use crate::world::{contract, reference};
use counterfoil_rules::account::Event;
use counterfoil_rules::engine::{Book, Change, PricedPart, Work};
use domain::contract::ContractKind;
use domain::entry::EntryFields;

fn work(id: &str, hours: i64) -> Work {
    Work {
        id: id.to_owned(),
        fields: EntryFields {
            recorded_seconds: hours * 3600,
            ..crate::world::fields()
        },
        started_us: None,
        approved_us: None,
        preauthorised: false,
        looked_at: false,
    }
}

#[test]
fn what_is_credited_as_a_whole_is_billed_with_nothing() {
    let mut reference = reference();
    let mut own = contract("K1", ContractKind::TimeAndMaterials);
    own.limit = serde_json::from_str(r#"[{"id": "CAP", "amount": "10000"}]"#).unwrap();
    reference.contracts = vec![own];
    let mut book = Book::default();
    let put = Change::Put(Box::new(work("E1", 4)));
    let first = book.admit(&reference, vec![put]).unwrap();
    let amounts = |parts: &[PricedPart]| -> Vec<(i64, i64)> {
        let all = parts.iter();
        all.map(|p| (p.content.amount.amount_minor, p.content.cost.amount_minor))
            .collect()
    };
    let parts = first.outcomes[0].parts.as_ref().unwrap();
    assert_eq!(amounts(parts), [(60_000, 32_000)]);
    for (quantity, left) in [("1", 45_000), ("3", 0)] {
        let event = Event::Credit {
            item: "E1/straight".to_owned(),
            quantity: quantity.parse().unwrap(),
            rebill: false,
        };
        let answer = book.tell(&reference, "K1", &event).unwrap();
        let parts = answer.outcomes[0].parts.as_ref().unwrap();
        // What was worked cost as much as before.
        assert_eq!(amounts(parts), [(left, 32_000)]);
    }
}
