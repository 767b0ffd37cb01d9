//! The roles of an ERP.

use crate::call::CallError;
use crate::check::CheckLine;
use crate::manifest::Manifest;
use async_trait::async_trait;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::exception::Problem;
use domain::masters::Masters;
use domain::money::Money;
use domain::posting::{DocumentState, PostingKind};
use domain::quantity::Unit;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// In which shape a document's lines stand in the ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Lines of a draft invoice with our price.
    DraftLine,
    /// Project time that the ERP prices and invoices.
    Timesheet,
    /// Project time that is cost and never invoiced.
    Cost,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::DraftLine, Self::Timesheet, Self::Cost];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DraftLine => "draft_line",
            Self::Timesheet => "timesheet",
            Self::Cost => "cost",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }
}

/// How a call may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The idempotency key of the attempt, for targets that take one in a header.
    pub attempt_key: String,
    /// The hard time-out in milliseconds.
    pub timeout_ms: u64,
    /// No byte leaves after this instant (microseconds since the epoch).
    pub send_not_after_us: i64,
}

/// The document that lines go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentHead {
    /// Our key, written into the ERP's document.
    pub document_key: String,
    /// The shape.
    pub shape: Shape,
    /// The ERP's id, once the document exists there.
    pub erp_ref: Option<String>,
    /// The customer's id in the ERP. Cost has none.
    pub customer_ref: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// The date the document is for: the last day of its period.
    pub document_date: Date,
    /// A short text that people recognise the draft by.
    pub label: String,
}

/// One line as it should stand in the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostLine {
    /// The posting's own key.
    pub posting_key: String,
    /// The key the line carries in the ERP: the posting key of its creation.
    pub line_key: String,
    /// The ERP's id of the line to replace or delete, that a credit mirrors or that a difference is to.
    pub erp_line_ref: Option<String>,
    /// The printed quantity. Negative on a credit, and on a difference of a rate that is less.
    pub quantity: Micro,
    /// Its unit.
    pub unit: Unit,
    /// The rate per unit.
    pub rate: Micro,
    /// The amount: printed quantity times rate, rounded once.
    pub amount: Money,
    /// Recorded time in whole seconds, for shapes that book time.
    pub recorded_seconds: i64,
    /// The day of the work.
    pub work_date: Date,
    /// The service item's id in the ERP.
    pub service_item_ref: String,
    /// The task's id in the ERP. A fixed amount has none; booked time always has one.
    pub task_ref: Option<String>,
    /// The worker's id in the ERP. A fixed amount has none; booked time always has one.
    pub worker_ref: Option<String>,
    /// The text of the line.
    pub description: String,
}

/// What is asked of the ERP in one call: one kind of change to lines of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostBatch {
    /// What to do.
    pub kind: PostingKind,
    /// The document.
    pub document: DocumentHead,
    /// The lines.
    pub lines: Vec<PostLine>,
}

/// A line found in the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundLine {
    /// The key it carries.
    pub line_key: String,
    /// In which shape it stands, where the ERP tells booked time from cost.
    pub shape: Option<Shape>,
    /// The ERP's id of the line.
    pub line_ref: String,
    /// The ERP's id of its document (for booked time: of the invoice it went to, if any).
    pub document_ref: Option<String>,
    /// The document's state.
    pub document_state: DocumentState,
    /// The document's number, once it has one.
    pub document_number: Option<String>,
    /// Hours on the line.
    pub quantity: Micro,
    /// The rate. For time that the ERP prices: the ERP's, once invoiced.
    pub rate: Option<Micro>,
    /// The untaxed amount of the line, where the ERP has one.
    pub amount: Option<Money>,
    /// The day of the work, where the line carries it.
    pub work_date: Option<Date>,
}

/// What happened to one line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineOutcome {
    /// Done; where the line stands now. A deleted line names where it stood.
    Done {
        /// The ERP's id of the line.
        line_ref: String,
        /// The ERP's id of its document, if it has one.
        document_ref: Option<String>,
    },
    /// A line with this key was there already; the pipeline compares before it adopts.
    AlreadyThere(Box<FoundLine>),
    /// Refused; nothing was done for this line.
    Refused(Problem),
}

/// A document's state as the ERP reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentReport {
    /// The ERP's id.
    pub erp_ref: String,
    /// The state.
    pub state: DocumentState,
    /// The number, once it has one.
    pub number: Option<String>,
    /// The untaxed total, where the ERP has one.
    pub untaxed: Option<Money>,
}

/// Where lines go.
#[async_trait]
pub trait Target: Send + Sync {
    /// Its capabilities.
    fn manifest(&self) -> &Manifest;

    /// Look at the connection the way real work will use it; change nothing.
    async fn check(&self) -> Vec<CheckLine>;

    /// What the ERP itself says it is: the company behind these credentials. Part of every key.
    async fn identity(&self) -> Result<String, CallError>;

    /// Customers, projects, tasks, workers, service items and periods.
    async fn masters(&self) -> Result<Masters, CallError>;

    /// Do it. One outcome per line, in order; or an error for the whole call, of which
    /// [`CallError::Refused`] promises that nothing was done and invites bisection.
    async fn post(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError>;

    /// Find lines by the keys they carry, wherever people moved them. Keys not found are absent
    /// from the answer.
    async fn look_up(
        &self,
        shape: Shape,
        line_keys: &[String],
    ) -> Result<Vec<FoundLine>, CallError>;

    /// Every line of a shape that carries a key, whoever's key it is: what a restored ledger compares
    /// itself with. `None` where the ERP cannot list them.
    async fn keyed_lines(&self, _shape: Shape) -> Result<Option<Vec<FoundLine>>, CallError> {
        Ok(None)
    }

    /// Find a document by our key: `None` if it does not exist.
    async fn look_up_document(
        &self,
        shape: Shape,
        document_key: &str,
    ) -> Result<Option<DocumentReport>, CallError>;

    /// States of documents by the ERP's ids. A document that is gone is reported as missing.
    async fn document_states(
        &self,
        shape: Shape,
        erp_refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError>;
}
