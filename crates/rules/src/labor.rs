//! The published form of one hour: an entry, the names it was priced under and its charge as a labor
//! transaction. An entry that comes out in several parts is one transaction for each.
//!
//! It takes the names and the content of a charge as they were decided, so that a transaction of the
//! ledger says the same after masters and configuration have changed.

use crate::charge::{ChargeContent, Disposition};
use crate::part::Part;
use crate::resolve::Resolved;
use domain::entry::EntryFields;
use domain::labor::{ApprovalStatus, LABOR_TRANSACTION_VERSION, LaborTransaction, WorkerKind};
use domain::status::BillingStatus;

/// What entry and charge do not say of themselves.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The source's name in the configuration.
    pub source: &'a str,
    /// The source's own id of the entry.
    pub source_ref: &'a str,
    /// The entry's revision, counted from 1.
    pub revision: i64,
    /// The billing entity's code.
    pub legal_entity: &'a str,
    /// The zone of the entry's days.
    pub zone: &'a str,
    /// Employee or contractor. The masters do not carry it yet.
    pub worker_kind: Option<WorkerKind>,
    /// What the source is told.
    pub billing_status: BillingStatus,
}

/// The business's codes of the records behind a charge.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The worker.
    pub worker: &'a str,
    /// The worker's role.
    pub role: &'a str,
    /// The business unit.
    pub business_unit: &'a str,
    /// The project.
    pub project: &'a str,
    /// The task.
    pub task: &'a str,
    /// The service item.
    pub service_item: &'a str,
}

impl<'a> Names<'a> {
    /// Of records that were just resolved.
    pub fn of(resolved: &Resolved<'a>) -> Self {
        Self {
            worker: &resolved.worker.code,
            role: resolved.role,
            business_unit: resolved.business_unit,
            project: &resolved.project.code,
            task: &resolved.task.code,
            service_item: &resolved.service_item.code,
        }
    }
}

/// The labor transaction of a priced entry. What is not known yet (region, service line, cost
/// centre, labor category, billing code, tax jurisdiction) is absent, never guessed.
pub fn transaction(
    origin: &Origin<'_>,
    fields: &EntryFields,
    names: &Names<'_>,
    content: &ChargeContent,
) -> LaborTransaction {
    let customer = &content.placement.bill_to;
    LaborTransaction {
        version: LABOR_TRANSACTION_VERSION,
        source: origin.source.to_owned(),
        source_transaction_id: origin.source_ref.to_owned(),
        revision: origin.revision,
        worker: names.worker.to_owned(),
        worker_kind: origin.worker_kind,
        role: names.role.to_owned(),
        legal_entity: origin.legal_entity.to_owned(),
        business_unit: names.business_unit.to_owned(),
        region: None,
        service_line: None,
        cost_centre: None,
        customer: (!customer.is_empty()).then(|| customer.clone()),
        contract: content.contract.clone(),
        contract_kind: content.contract_kind,
        project: names.project.to_owned(),
        task: names.task.to_owned(),
        service_item: names.service_item.to_owned(),
        labor_category: None,
        billing_code: None,
        work_date: content.work_date,
        zone: origin.zone.to_owned(),
        part: (content.part != Part::WHOLE).then(|| content.part.name().to_owned()),
        recorded_seconds: content.recorded_seconds,
        quantity: content.quantity,
        unit: content.unit,
        narrative: fields.narrative.clone(),
        approval_status: if fields.approved {
            ApprovalStatus::Approved
        } else {
            ApprovalStatus::Unapproved
        },
        billing_status: origin.billing_status.name().to_owned(),
        billable: match content.disposition {
            Disposition::Bill | Disposition::Drawn | Disposition::Allowance | Disposition::Held => {
                true
            }
            Disposition::Cost | Disposition::WrittenOff => false,
        },
        cost_rate: content.cost_rate,
        cost_currency: content.cost.currency,
        bill_rate: content.rate,
        currency: content.currency(),
        tax_jurisdiction: None,
    }
}
