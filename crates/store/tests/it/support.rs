//! Stores with a fixed clock, fixed randomness and fixed keys, and rows to put in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use counterfoil_store::attempts::AttemptRow;
use counterfoil_store::charges::ChargeRow;
use counterfoil_store::documents::DocumentRow;
use counterfoil_store::items::ItemRow;
use counterfoil_store::postings::PostingRow;
use counterfoil_store::{
    Abort, Command, GuardSet, Pointer, SealKey, Store, StoreError, StoreOptions, Tx, WriteError,
};

/// 2026-09-01T00:00:00Z.
pub(crate) const START_US: i64 = 1_788_220_800_000_000;

/// Options of a node whose clock moves a second at each look and whose randomness is a counter.
pub(crate) fn options(node: &str) -> StoreOptions {
    let clock = AtomicI64::new(START_US);
    let random = AtomicU64::new(1);
    StoreOptions::new(
        node,
        [3; 32],
        SealKey::new([7; 32]),
        Arc::new(move || clock.fetch_add(1_000_000, Ordering::Relaxed)),
        Arc::new(move |buffer: &mut [u8]| {
            for byte in buffer {
                let next = random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                *byte = (next ^ (next >> 29)).to_le_bytes()[3];
            }
        }),
    )
}

type Work<T> = dyn Fn(&mut Tx<'_>) -> Result<T, Abort<String>> + Send;

/// A command made of a closure.
pub(crate) struct Do<T>(pub(crate) &'static str, pub(crate) Box<Work<T>>);

impl<T: Send + 'static> Command for Do<T> {
    type Out = T;
    type Rejection = String;
    fn name(&self) -> &'static str {
        self.0
    }
    fn guards(&self) -> GuardSet {
        GuardSet::none()
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<T, Abort<String>> {
        (self.1)(tx)
    }
}

/// Runs a closure as a command.
pub(crate) async fn run<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, WriteError<String>> {
    store
        .write(Do(
            "test",
            Box::new(move |tx| work(tx).map_err(Abort::Store)),
        ))
        .await
}

/// An id that says what it is of.
pub(crate) fn id(kind: u8, number: u64) -> [u8; 16] {
    let mut id = [kind; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

pub(crate) fn item(number: u64, content: Pointer) -> ItemRow {
    ItemRow {
        item_id: id(1, number),
        source: "tracker".into(),
        source_ref: format!("entry-{number}"),
        flow: "billing".into(),
        kind: "labor".into(),
        entity: "DE".into(),
        business_unit: "consulting".into(),
        revision: 1,
        fingerprint: [9; 16],
        fingerprint_version: 1,
        state: "booked".into(),
        code: None,
        worker: "w-17".into(),
        project: "apollo".into(),
        task: "design".into(),
        work_date: format!("2026-08-{:02}", number % 28 + 1),
        zone: "Europe/Berlin".into(),
        recorded_seconds: 5_400,
        approved: true,
        billable: true,
        effect_next: 2,
        charge_next: 2,
        version: 1,
        changed_at_us: START_US,
        content,
        fact: None,
    }
}

pub(crate) fn charge(number: u64, document: u64, explain: Pointer) -> ChargeRow {
    ChargeRow {
        item_id: id(1, number),
        charge_no: 1,
        reverses: None,
        revision: 1,
        part: 0,
        disposition: "bill".into(),
        contract: "C-1".into(),
        quantity_micro: 1_500_000,
        unit: "h".into(),
        rate_micro: 120_000_000,
        currency: "EUR".into(),
        amount_minor: 18_000,
        value_minor: 18_000,
        cost_rate_micro: 60_000_000,
        cost_currency: "EUR".into(),
        cost_minor: 9_000,
        work_date: "2026-08-01".into(),
        posting_date: "2026-08-31".into(),
        pricing_version: 1,
        snapshot_version: 1,
        inputs_digest: [4; 32],
        explain,
        document_id: Some(id(2, document)),
        posting_no: Some(i64::try_from(number).unwrap()),
        created_at_us: START_US,
        version: 1,
    }
}

pub(crate) fn document(number: u64) -> DocumentRow {
    DocumentRow {
        document_id: id(2, number),
        flow: "billing".into(),
        shape: "draft_line".into(),
        entity: "DE".into(),
        bill_to: "ACME".into(),
        currency: "EUR".into(),
        group_key: format!("project-{number}"),
        period: "2026-08".into(),
        generation: 1,
        target_identity: "company-1".into(),
        document_key: format!("DOC{number}"),
        state: "open".into(),
        erp_ref: None,
        erp_number: None,
        posting_next: 1,
        unsettled: 0,
        due_at_us: START_US,
        version: 1,
        changed_at_us: START_US,
    }
}

pub(crate) fn posting(document: u64, number: u64) -> PostingRow {
    PostingRow {
        document_id: id(2, document),
        posting_no: i64::try_from(number).unwrap(),
        posting_key: format!("KEY{document}X{number}"),
        line_key: format!("LINE{document}X{number}"),
        item_id: id(1, number),
        charge_no: 1,
        effect: 1,
        kind: "create_line".into(),
        amends: None,
        amends_document: None,
        state: "ready".into(),
        code: None,
        due_at_us: START_US,
        tries: 0,
        quantity_micro: 1_500_000,
        rate_micro: 120_000_000,
        amount_minor: 18_000,
        posting_date: "2026-08-31".into(),
        erp_line_ref: None,
        fact: None,
        changed_at_us: START_US,
        version: 1,
    }
}

pub(crate) fn attempt(number: u64, document: u64, writer_no: i64) -> AttemptRow {
    AttemptRow {
        attempt_id: id(3, number),
        document_id: id(2, document),
        attempt_key: format!("ATT{number}"),
        verb: "create".into(),
        state: "sending".into(),
        members: vec![1, 2, 3],
        payload_digest: [6; 32],
        writer_no,
        started_at_us: START_US,
        send_not_after_us: START_US + 30_000_000,
        call_timeout_ms: 30_000,
        look_up_after_us: START_US + 60_000_000,
        settled_at_us: None,
        outcome: None,
        fact: None,
        version: 1,
    }
}
