//! The published form of one hour: an entry, its records and its price as a labor transaction.

use crate::charge::Disposition;
use crate::price::Priced;
use crate::resolve::Resolved;
use domain::entry::EntryFields;
use domain::labor::{ApprovalStatus, LABOR_TRANSACTION_VERSION, LaborTransaction, WorkerKind};
use domain::reference::Entity;
use domain::status::BillingStatus;

/// What entry and price do not say of themselves.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The source's name in the configuration.
    pub source: &'a str,
    /// The source's own id of the entry.
    pub source_ref: &'a str,
    /// The entry's revision, counted from 1.
    pub revision: i64,
    /// The billing entity.
    pub entity: &'a Entity,
    /// Employee or contractor. The masters do not carry it yet.
    pub worker_kind: WorkerKind,
    /// What the source is told.
    pub billing_status: BillingStatus,
}

/// The labor transaction of a priced entry. What the ledger does not know yet (region, service
/// line, cost centre, labor category, billing code, tax jurisdiction) is absent, never guessed.
pub fn transaction(
    origin: &Origin<'_>,
    fields: &EntryFields,
    resolved: &Resolved<'_>,
    priced: &Priced,
) -> LaborTransaction {
    let content = &priced.content;
    LaborTransaction {
        version: LABOR_TRANSACTION_VERSION,
        source: origin.source.to_owned(),
        source_transaction_id: origin.source_ref.to_owned(),
        revision: origin.revision,
        worker: resolved.worker.code.clone(),
        worker_kind: origin.worker_kind,
        role: resolved.role.to_owned(),
        legal_entity: origin.entity.code.clone(),
        business_unit: resolved.business_unit.to_owned(),
        region: None,
        service_line: None,
        cost_centre: None,
        customer: resolved.customer.map(|customer| customer.code.clone()),
        contract: content.contract.clone(),
        contract_kind: content.contract_kind,
        project: resolved.project.code.clone(),
        task: resolved.task.code.clone(),
        service_item: resolved.service_item.code.clone(),
        labor_category: None,
        billing_code: None,
        work_date: content.work_date,
        zone: origin.entity.zone.clone(),
        recorded_seconds: fields.recorded_seconds,
        quantity: content.quantity,
        unit: content.unit,
        narrative: fields.narrative.clone(),
        approval_status: if fields.approved {
            ApprovalStatus::Approved
        } else {
            ApprovalStatus::Unapproved
        },
        billing_status: origin.billing_status.name().to_owned(),
        billable: content.disposition == Disposition::Bill,
        cost_rate: content.cost_rate,
        bill_rate: content.rate,
        currency: content.currency(),
        tax_jurisdiction: None,
    }
}
