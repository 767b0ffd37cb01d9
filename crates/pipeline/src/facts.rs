//! The long texts of the ledger, sealed beside the narrow rows: what the source sent, how a charge
//! came about, what is wrong.

use crate::acts::At;
use crate::shared::SharedKey;
use domain::decimal::Micro;
use domain::entry::EntryFields;
use domain::exception::Problem;
use domain::ids::ItemId;
use domain::money::Money;
use domain::rounding::Rounding;
use jiff::civil::Date;
use rules::charge::ChargeContent;
use rules::engine::BeforeOthers;
use rules::estimate::Estimate;
use rules::explanation::Explanation;
use rules::fixed::FixedAmount;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Pointer, ReadTx, SealClass, Sealed, StoreError, Tx};

/// What a source sent, or what a contract asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFacts {
    /// The fields read; none for a record that could not be read, and for a fixed amount.
    pub fields: Option<EntryFields>,
    /// The bytes as received (as text; bytes that are no UTF-8 are replaced).
    pub raw: String,
    /// The fixed amount, where no source sent anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<FixedFacts>,
    /// What the members of a shared line agree in, where the item is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedKey>,
}

/// A fixed amount as it was last taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedFacts {
    /// The contract's id.
    pub contract: String,
    /// What is asked for.
    pub amount: FixedAmount,
    /// The day it belongs to.
    pub day: Date,
}

/// The ERP's names of what a charge is about, as they were when it was priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErpRefs {
    /// The customer.
    pub customer: Option<String>,
    /// The service item.
    pub service_item: String,
    /// The task; none of a fixed amount.
    pub task: Option<String>,
    /// The worker; none of a fixed amount.
    pub worker: Option<String>,
}

/// The business's codes behind a charge, for people and explanations. What a fixed amount has not is
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// The worker.
    pub worker: String,
    /// The worker's name.
    pub worker_name: String,
    /// The role.
    pub role: String,
    /// The project.
    pub project: String,
    /// The task.
    pub task: String,
    /// The task's name.
    pub task_name: String,
    /// The service item.
    pub service_item: String,
}

/// How a charge came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeFacts {
    /// Its content.
    pub content: ChargeContent,
    /// The steps.
    pub explanation: Explanation,
    /// The ERP's names.
    pub refs: ErpRefs,
    /// The business's codes.
    pub codes: Codes,
    /// How it stands to a line that several charges share; none where it has a line of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// How amounts are rounded to the coin, where a line of its own that was issued is corrected by the
    /// difference; none where it is credited and billed anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_difference: Option<Rounding>,
    /// What it was before other work was looked at; none where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BeforeOthers>,
    /// What it was priced from, beside the reference data that the charge names by their version; none
    /// of a shared line, and of work that was priced with other work before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Inputs>,
}

/// What one charge was priced from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inputs {
    /// An entry.
    Entry {
        /// Its fields, but for the words of the person: no price depends on them.
        fields: EntryFields,
        /// Whether a person had looked at what a condition held.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        looked_at: bool,
    },
    /// A fixed amount.
    Fixed(FixedFacts),
    /// Work that was priced with other work.
    Act {
        /// The act, by where it lies.
        act: At,
    },
}

impl Inputs {
    /// An entry without the words of the person.
    pub fn entry(fields: &EntryFields, looked_at: bool) -> Self {
        let fields = EntryFields {
            narrative: String::new(),
            ..fields.clone()
        };
        Self::Entry { fields, looked_at }
    }
}

impl ChargeFacts {
    /// Whether it is billed by a line that it shares.
    pub const fn is_member(&self) -> bool {
        matches!(self.sharing, Some(Sharing::Member))
    }
}

/// How a charge stands to a line that several charges share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// The line bills it with others.
    Member,
    /// It is the line's own: what rounding leaves between the line and its members.
    Line(Box<SharedLine>),
}

/// A line as it bills its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedLine {
    /// The charges behind it, by item and number.
    pub members: Vec<MemberName>,
    /// Printed quantity: the sum of the members' printed quantities.
    pub quantity: Micro,
    /// Printed rate per unit.
    pub rate: Micro,
    /// Printed quantity times printed rate.
    pub amount: Money,
    /// How the amount is rounded to the coin.
    pub amount_rounding: Rounding,
    /// What the client reads.
    pub text: String,
    /// What the client reads of a credit for what left the line when it took this form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_text: Option<String>,
}

impl SharedLine {
    /// Whether both bill the same in the same words.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let line = |line: &Self| Self {
            credit_text: None,
            ..line.clone()
        };
        line(self) == line(other)
    }
}

/// A charge behind a line: `itm_.../3` is the third charge of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberName(String);

impl MemberName {
    /// The name of a charge.
    pub fn of((item_id, charge_no): &([u8; 16], i64)) -> Self {
        Self(format!("{}/{charge_no}", ItemId(*item_id)))
    }

    /// Its item and its number.
    pub fn key(&self) -> Result<([u8; 16], i64), StoreError> {
        let read = || {
            let (item, number) = self.0.split_once('/')?;
            let item: ItemId = item.parse().ok()?;
            Some((item.bytes(), number.parse().ok()?))
        };
        read().ok_or_else(|| StoreError::Defect(format!("'{}' names no charge", self.0)))
    }
}

impl std::fmt::Display for MemberName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seal a value.
pub fn seal<T: Serialize>(
    tx: &mut Tx<'_>,
    class: SealClass,
    subject: &str,
    value: &T,
) -> Result<Pointer, StoreError> {
    let text = serde_json::to_vec(value)
        .map_err(|error| StoreError::Defect(format!("a fact could not be written: {error}")))?;
    tx.seal(class, subject, &text)
}

/// Open a value. `None` when its text was shredded.
pub fn open<T: DeserializeOwned>(
    tx: &mut ReadTx<'_>,
    at: Pointer,
) -> Result<Option<T>, StoreError> {
    match tx.unseal(at)? {
        Some(Sealed::Text(text)) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            StoreError::Defect(format!(
                "a fact at {}/{} does not read: {error}",
                at.block, at.ord
            ))
        }),
        Some(Sealed::Shredded) => Ok(None),
        None => Err(StoreError::Defect(format!(
            "no fact lies at {}/{}",
            at.block, at.ord
        ))),
    }
}

/// What is wrong with an item, and what is at stake where nothing of it is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionFacts {
    /// What is wrong.
    #[serde(flatten)]
    pub problem: Problem,
    /// The money at stake; absent where a charge or posting says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// Seal what is wrong with an item.
pub fn seal_exception(
    tx: &mut Tx<'_>,
    subject: &str,
    facts: &ExceptionFacts,
) -> Result<Pointer, StoreError> {
    seal(tx, SealClass::Answer, subject, facts)
}

/// Seal a problem. The subject is the worker, since the ERP's words may name people.
pub fn seal_problem(
    tx: &mut Tx<'_>,
    subject: &str,
    problem: &Problem,
) -> Result<Pointer, StoreError> {
    seal(tx, SealClass::Answer, subject, problem)
}
