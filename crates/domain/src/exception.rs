//! The catalogue of what can keep an hour from being billed: stable codes, each with a sentence,
//! a remedy and the role that owns it. The exception queue is a view of state; this is its words.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The role that acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerRole {
    /// Finance operations.
    Finance,
    /// The project's manager.
    ProjectManager,
    /// Whoever keeps the connections and the mapping.
    Integration,
    /// Whoever keeps people's records.
    People,
}

impl OwnerRole {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::ProjectManager => "project manager",
            Self::Integration => "integration",
            Self::People => "people records",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $owner:ident, $says:literal, $remedy:literal;)*) => {
        /// A stable code of the exception catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// The whole catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text of the code.
            pub const fn text(self) -> &'static str { match self { $(Self::$name => $code,)* } }

            /// What happened, as a sentence.
            pub const fn sentence(self) -> &'static str { match self { $(Self::$name => $says,)* } }

            /// What to do.
            pub const fn remedy(self) -> &'static str { match self { $(Self::$name => $remedy,)* } }

            /// Who does it.
            pub const fn owner(self) -> OwnerRole { match self { $(Self::$name => OwnerRole::$owner,)* } }
        }
    };
}

codes! {
    /// A record of the source could not be read at all.
    RecordUnreadable = "RECORD_UNREADABLE", Integration,
        "A record of the tracker could not be read.",
        "Look at the original record, mend it in the tracker or report the connector, then run sync again.";
    /// The hours are no working time.
    HoursInvalid = "HOURS_INVALID", ProjectManager,
        "The hours of this entry are not more than 0 and at most 24.",
        "Correct the hours in the tracker; the next sync takes the entry up again.";
    /// The work date cannot be believed.
    DateInvalid = "DATE_INVALID", ProjectManager,
        "The work date of this entry cannot be right.",
        "Correct the date in the tracker; the next sync takes the entry up again.";
    /// The text has characters that no ledger stores.
    TextRefused = "TEXT_REFUSED", ProjectManager,
        "The text of this entry holds a character that cannot be stored or printed.",
        "Type the comment again in the tracker; the next sync takes the entry up again.";
    /// The project has no partner in the ERP.
    ProjectUnmapped = "PROJECT_UNMAPPED", Integration,
        "The tracker's project is not linked to a project of the ERP.",
        "Enter the ERP project code on the tracker's project or in the crosswalk, then replay.";
    /// No contract covers the project.
    ContractMissing = "CONTRACT_MISSING", Finance,
        "No contract covers this project on this day.",
        "Add the project to a contract, then replay.";
    /// More than one contract covers the project.
    ContractAmbiguous = "CONTRACT_AMBIGUOUS", Finance,
        "More than one contract covers this project on this day.",
        "Leave one contract for the project and day, then replay.";
    /// A condition of a contract has no answer for the work.
    ConditionFailed = "CONDITION_FAILED", Finance,
        "A condition of the contract has no answer for this work.",
        "Correct the condition in the contract or the entry in the tracker, then replay.";
    /// A contract asks that a person looks at the work.
    ConditionHolds = "CONDITION_HOLDS", Finance,
        "The contract asks that a person looks at this work before it is billed.",
        "Look at the work. Replay to bill it as it is, or correct the entry in the tracker.";
    /// The person has no partner in the ERP.
    WorkerUnmapped = "WORKER_UNMAPPED", Integration,
        "The tracker's user is not linked to a worker.",
        "Enter the worker in the crosswalk, then replay.";
    /// The person had not begun or had left.
    WorkerTerminated = "WORKER_TERMINATED", People,
        "The worker was not employed on the day of the work.",
        "Correct the employment dates in the ERP or the entry in the tracker, then replay.";
    /// The task has no partner in the ERP.
    TaskUnmapped = "TASK_UNMAPPED", Integration,
        "The tracker's task is not linked to a task of the ERP.",
        "Enter the ERP task code on the tracker's task or in the crosswalk, then replay.";
    /// The task was closed.
    TaskClosed = "TASK_CLOSED", ProjectManager,
        "The task is closed in the ERP for the day of the work.",
        "Reopen the task in the ERP or move the hours to an open task, then replay.";
    /// The project was closed.
    ProjectClosed = "PROJECT_CLOSED", ProjectManager,
        "The project is closed or inactive in the ERP.",
        "Reopen the project in the ERP or move the hours, then replay.";
    /// The customer is unknown to the ERP.
    CustomerUnmapped = "CUSTOMER_UNMAPPED", Integration,
        "The customer of this project is not known to the ERP.",
        "Enter the customer's ERP code in the contract, then replay.";
    /// The customer is on billing hold.
    CustomerOnHold = "CUSTOMER_ON_HOLD", Finance,
        "The customer is on billing hold.",
        "Lift the hold in the ERP or in the configuration, then replay.";
    /// The kind of work has no product in the ERP.
    ServiceItemUnmapped = "SERVICE_ITEM_UNMAPPED", Integration,
        "The kind of work is not linked to a service item of the ERP.",
        "Link the activity to a service item in the configuration, then replay.";
    /// No rate covers the day.
    RateMissing = "RATE_MISSING", Finance,
        "No bill rate covers the day of the work.",
        "Add a rate that covers the day to the rate card, then replay.";
    /// Two rates cover the day.
    RateAmbiguous = "RATE_AMBIGUOUS", Finance,
        "Two rates of the same key cover the day of the work.",
        "End one of the two rates, then replay.";
    /// No cost rate covers the day.
    CostRateMissing = "COST_RATE_MISSING", Finance,
        "No cost rate covers the day of the work.",
        "Add a cost rate that covers the day, then replay.";
    /// Rate and contract are in different currencies.
    CurrencyMismatch = "CURRENCY_MISMATCH", Finance,
        "The rate is in another currency than the contract.",
        "Write the rate in the contract's currency, then replay.";
    /// The arithmetic has no representable answer.
    AmountTooLarge = "AMOUNT_TOO_LARGE", Finance,
        "The amount is too large to be represented.",
        "Check quantity and rate, then replay.";
    /// The period is closed and the contract does not move work.
    PeriodClosed = "PERIOD_CLOSED", Finance,
        "The accounting period of this work is closed.",
        "Reopen the period in the ERP or let the contract move late work to the next open period, then replay.";
    /// Two source ids, one piece of work?
    SuspectedDuplicate = "SUSPECTED_DUPLICATE", ProjectManager,
        "Another entry has the same worker, day, task and hours.",
        "Delete the copy in the tracker, or replay to confirm that both were worked.";
    /// A rate changed under booked work.
    RetroRateChange = "RETRO_RATE_CHANGE", Finance,
        "A rate or a term was changed back in time and would change this booked amount.",
        "Check the change; replay books the difference, or take the change back.";
    /// Approval was withdrawn after the invoice went out.
    ApprovalWithdrawn = "APPROVAL_WITHDRAWN", ProjectManager,
        "The entry lost its approval after it was invoiced.",
        "Approve the entry again, or replay to plan the credit.";
    /// The ERP refused and we know no better code.
    ErpRejected = "ERP_REJECTED", Finance,
        "The ERP refused this line.",
        "Read the ERP's words, mend the cause there, then replay.";
    /// The document was closed by a person.
    DocumentClosed = "DOCUMENT_CLOSED", Finance,
        "The document that holds this line takes no more changes in the ERP.",
        "Move the line back to its draft or correct the issued document in the ERP, then replay.";
    /// The ERP lacks an account for the line.
    ErpAccountMissing = "ERP_ACCOUNT_MISSING", Finance,
        "The ERP has no revenue account for this service item.",
        "Give the product a revenue account in the ERP, then replay.";
    /// The key is used by something else.
    KeyHeldByOtherContent = "KEY_HELD_BY_OTHER_CONTENT", Finance,
        "The ERP holds a line with this key and other content.",
        "Compare both lines; correct or delete the one in the ERP, then replay.";
    /// The ERP holds a line of ours that a restored ledger has forgotten.
    LineNotInLedger = "LINE_NOT_IN_LEDGER", Finance,
        "The ERP holds a line under a key of ours that the restored ledger does not know.",
        "Compare the line with the work. Correct it and replay to take it over, or delete it on its draft or credit its invoice, then replay.";
    /// The line vanished from the ERP.
    LineMissing = "LINE_MISSING", Finance,
        "Somebody deleted this line in the ERP.",
        "Replay to bill the hours again, or leave it as written off.";
    /// The line was edited in the ERP.
    LineAltered = "LINE_ALTERED", Finance,
        "Somebody changed this line in the ERP.",
        "Restore the line in the ERP and replay, or leave the difference as accepted.";
    /// Nobody knows whether a call arrived.
    AnswerUnknown = "ANSWER_UNKNOWN", Integration,
        "The ERP never answered and could not yet be asked whether the line exists.",
        "Check the connection to the ERP; the next sync looks the line up and goes on.";
    /// The tracker refused a write-back or a published master.
    TrackerRefused = "TRACKER_REFUSED", Integration,
        "The tracker refused to store what it was to show.",
        "Read the tracker's words, mend the cause there, then replay; it is also tried again every hour.";
    /// The target speaks another language than the connector.
    ConnectorBroken = "CONNECTOR_BROKEN", Integration,
        "The ERP answered in a way the connector does not understand.",
        "Keep the answer and report the connector; posting to this target has stopped.";
}

impl Code {
    /// From the stable text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.text() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is no exception code")))
    }
}

/// One problem: a code, the facts of this case in plain words, and the ERP's own words if it
/// spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The code.
    pub code: Code,
    /// The facts of this case, a short sentence: which day, which rate, which project.
    pub facts: String,
    /// What the ERP said, cut at a limit. Sealed where stored, since it may name people.
    pub erp_words: Option<String>,
}

impl Problem {
    /// A problem found by us.
    pub fn new(code: Code, facts: impl Into<String>) -> Self {
        Self {
            code,
            facts: facts.into(),
            erp_words: None,
        }
    }

    /// A problem the ERP told us of.
    #[must_use]
    pub fn with_words(mut self, words: impl Into<String>) -> Self {
        self.erp_words = Some(words.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_complete_and_unique() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_text(code.text()), Some(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
            assert!(code.remedy().ends_with('.'), "{code}");
            let others = &Code::ALL[index + 1..];
            assert!(
                others.iter().all(|other| other.text() != code.text()),
                "{code}"
            );
        }
        assert_eq!(Code::from_text("NO_SUCH_CODE"), None);
    }
}
