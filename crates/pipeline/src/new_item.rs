//! The row of an item that the ledger sees for the first time.

use crate::env::Terms;
use domain::entry::FINGERPRINT_VERSION;
use domain::ids::ItemId;
use domain::item::ItemState;
use store::Pointer;
use store::items::ItemRow;

/// An item by the name that a source gives it. It waits, and says nothing of work yet.
pub(crate) fn new_item(
    terms: &Terms,
    source: &str,
    source_ref: String,
    kind: &str,
    (content, now_us): (Pointer, i64),
) -> ItemRow {
    let entity = &terms.reference.entity;
    ItemRow {
        item_id: ItemId::derive(&terms.settings.ledger, source, &source_ref).bytes(),
        source: source.to_owned(),
        source_ref,
        flow: terms.settings.flow.clone(),
        kind: kind.to_owned(),
        entity: entity.code.clone(),
        business_unit: entity.business_unit.clone(),
        revision: 1,
        fingerprint: [0; 16],
        fingerprint_version: FINGERPRINT_VERSION,
        state: ItemState::Waiting.name().to_owned(),
        code: None,
        worker: String::new(),
        project: String::new(),
        task: String::new(),
        work_date: String::new(),
        zone: entity.zone.clone(),
        recorded_seconds: 0,
        approved: false,
        billable: false,
        effect_next: 1,
        charge_next: 1,
        version: 1,
        changed_at_us: now_us,
        content,
        fact: None,
    }
}
