//! The published labor transaction of a priced entry.

use crate::world;
use counterfoil_rules::labor::{Names, Origin, transaction};
use counterfoil_rules::price::price;
use counterfoil_rules::resolve::resolve;
use domain::labor::LaborTransaction;
use domain::status::BillingStatus;

fn of(reference: &domain::reference::Reference, billable: bool) -> LaborTransaction {
    let mut fields = world::fields();
    fields.billable = billable;
    let resolved = resolve(reference, &fields).unwrap();
    let priced = price(
        counterfoil_rules::PRICING_VERSION,
        reference,
        &resolved,
        &fields,
        false,
    )
    .unwrap();
    let origin = Origin {
        source: "redmine",
        source_ref: "4711",
        revision: 2,
        legal_entity: &reference.entity.code,
        zone: &reference.entity.zone,
        worker_kind: None,
        billing_status: BillingStatus::Unbilled,
    };
    transaction(&origin, &fields, &Names::of(&resolved), &priced.content)
}

#[test]
fn an_entry_as_others_read_it() {
    let written = serde_json::to_value(of(&world::reference(), true)).unwrap();
    let expected = serde_json::json!({
        "version": 1, "source": "redmine", "source_transaction_id": "4711", "revision": 2,
        "worker": "W1", "role": "senior",
        "legal_entity": "KA", "business_unit": "Advisory",
        "customer": "C1", "contract": "K1", "contract_kind": "time_and_materials",
        "project": "P1", "task": "T1", "service_item": "CONS",
        "work_date": "2026-03-05", "zone": "Europe/Berlin",
        "recorded_seconds": 4500, "quantity": "1.25", "unit": "hour",
        "narrative": "Review of the draft",
        "approval_status": "approved", "billing_status": "unbilled", "billable": true,
        "cost_rate": "80", "cost_currency": "EUR", "bill_rate": "150", "currency": "EUR",
    });
    assert_eq!(written, expected);
    let read: LaborTransaction = serde_json::from_value(written).unwrap();
    assert_eq!(read, of(&world::reference(), true));
}

#[test]
fn what_no_client_pays_is_not_billable_and_has_no_price() {
    let labor = of(&world::reference(), false);
    assert!(!labor.billable);
    assert_eq!(labor.bill_rate.micro(), 0);
    assert_eq!(labor.cost_rate.to_string(), "80");
}
