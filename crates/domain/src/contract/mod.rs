//! Contracts: what a client agreed to, as data.

pub mod accounts;
pub mod check;
pub mod conditions;
pub mod corrections;
pub mod lines;
pub mod quantity;
pub mod rates;

use crate::contract::accounts::Printing;
use crate::contract::accounts::hour_bank::HourBankTerms;
use crate::contract::accounts::limit::LimitTerms;
use crate::contract::accounts::milestone::MilestoneTerms;
use crate::contract::accounts::retainer::RetainerTerms;
use crate::contract::accounts::schedule::ScheduleTerms;
use crate::contract::conditions::ConditionTerms;
use crate::contract::corrections::IssuedCorrection;
use crate::contract::lines::LineTerms;
use crate::contract::quantity::{DayTable, IncrementScope, MonthTable, QuantityTerms, Residual};
use crate::currency::Currency;
use crate::overtime::OvertimeBilling;
use crate::period::LateWork;
use crate::quantity::Unit;
use crate::rounding::{Increment, Rounding};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the work of a contract is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// Every billable hour at its rate.
    TimeAndMaterials,
    /// A price agreed beforehand: hours are booked as cost and never invoiced.
    FixedFee,
    /// Nobody pays: cost of an internal cost centre.
    Internal,
}

impl ContractKind {
    /// The words people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TimeAndMaterials => "time and materials",
            Self::FixedFee => "fixed fee",
            Self::Internal => "internal",
        }
    }
}

/// In which shape the ERP is given a billable hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum BillShape {
    /// A line of a draft invoice, with our price.
    #[default]
    DraftLine,
    /// A timesheet line of the ERP's project, which the ERP prices and invoices itself.
    Timesheet,
}

/// Which charges share a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// One document per contract and period.
    #[default]
    Contract,
    /// One document per customer and period.
    Customer,
    /// One document per project and period.
    Project,
}

/// A contract with a client, or the terms of internal work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its id in this ledger, unique.
    pub id: String,
    /// The contract that this one is a part of, by id: what its work bills counts at the limits of
    /// the whole too, and has to pass all of them. Projects, days, rates and everything else are its
    /// own. A contract with parts has neither retainer nor hour bank, and the same customer and
    /// currency as they. None = it stands by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The customer's code. Internal contracts have none.
    #[serde(default)]
    pub customer: Option<String>,
    /// The projects it covers, by code.
    pub projects: Vec<String>,
    /// How it is paid.
    pub kind: ContractKind,
    /// The currency of its rates and documents.
    #[schemars(with = "Currency")]
    pub currency: Currency,
    /// First day it covers; none = always.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// First day it no longer covers; none = open end.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
    /// How recorded time becomes billable time; none = to the second.
    #[serde(default)]
    pub increment: Option<Increment>,
    /// What the increment looks at as one time.
    #[serde(default)]
    pub increment_scope: IncrementScope,
    /// The unit that is printed and priced.
    #[serde(default)]
    pub unit: Unit,
    /// Whether what a printed quantity leaves is carried to the next entry of the document.
    #[serde(default = "apart")]
    pub residual: Residual,
    /// How time becomes days, where the unit is a day.
    #[serde(default)]
    pub days: DayTable,
    /// How days become months, where the unit is a month.
    #[serde(default)]
    pub months: MonthTable,
    /// Digits after the point of the printed quantity of hours. Never finer than the ERP's.
    #[serde(default = "two")]
    pub quantity_decimals: u32,
    /// How the printed quantity is rounded.
    #[serde(default)]
    pub quantity_rounding: Rounding,
    /// How the amount of a charge is rounded to the currency's smallest coin.
    #[serde(default)]
    pub amount_rounding: Rounding,
    /// The shape the ERP is given.
    #[serde(default)]
    pub shape: BillShape,
    /// Which charges share a document.
    #[serde(default)]
    pub grouping: Grouping,
    /// What happens to work of a closed period.
    #[serde(default)]
    pub late_work: LateWork,
    /// What a client pays for overtime; none = every hour alike.
    #[serde(default)]
    pub overtime: Option<OvertimeBilling>,
    /// What the client pays at most: caps, budgets, purchase orders.
    #[serde(default)]
    pub limit: Vec<LimitTerms>,
    /// Money paid ahead that work draws on.
    #[serde(default)]
    pub retainer: Option<RetainerTerms>,
    /// Hours that a fee covers.
    #[serde(default)]
    pub hour_bank: Option<HourBankTerms>,
    /// Parts of an agreed price that are billed when the client accepts them.
    #[serde(default)]
    pub milestones: Option<MilestoneTerms>,
    /// Instalments and monthly fees.
    #[serde(default)]
    pub schedule: Option<ScheduleTerms>,
    /// What fixed amounts are sold as, by the code of a service item: fees, instalments,
    /// milestones, top-ups, and what a limit takes off a line. A pass needs it where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_service_item: Option<String>,
    /// How charges become the lines that the client reads. Default: a line for each charge.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: LineTerms,
    /// How work is corrected that the client was already invoiced. Default: the old line is
    /// credited and the new one billed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub corrections: IssuedCorrection,
    /// Conditions on the work. Default: none.
    #[serde(default, skip_serializing_if = "ConditionTerms::is_empty")]
    pub conditions: ConditionTerms,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const fn apart() -> Residual {
    Residual::None
}

const fn two() -> u32 {
    2
}

impl Contract {
    /// A contract without customer and projects, every other term as where it is left out.
    pub fn plain(id: String, kind: ContractKind, currency: Currency) -> Self {
        Self {
            id,
            parent: None,
            customer: None,
            projects: Vec::new(),
            kind,
            currency,
            from: None,
            to: None,
            increment: None,
            increment_scope: IncrementScope::default(),
            unit: Unit::default(),
            residual: apart(),
            days: DayTable::default(),
            months: MonthTable::default(),
            quantity_decimals: two(),
            quantity_rounding: Rounding::default(),
            amount_rounding: Rounding::default(),
            shape: BillShape::default(),
            grouping: Grouping::default(),
            late_work: LateWork::default(),
            overtime: None,
            limit: Vec::new(),
            retainer: None,
            hour_bank: None,
            milestones: None,
            schedule: None,
            fixed_service_item: None,
            lines: LineTerms::default(),
            corrections: IssuedCorrection::default(),
            conditions: ConditionTerms::default(),
        }
    }

    /// Its terms of quantities, as the stages of pricing take them.
    pub fn quantity_terms(&self) -> QuantityTerms {
        QuantityTerms {
            increment: self.increment,
            increment_scope: self.increment_scope,
            unit: self.unit,
            decimals: self.quantity_decimals,
            rounding: self.quantity_rounding,
            residual: self.residual,
            day_hours: self.days.hours,
            day_step: self.days.step,
            day_cap: self.days.cap,
            month_basis: self.months.basis,
            working_week: self.months.working_week.clone(),
            holidays: self.months.holidays.clone(),
        }
    }

    /// How it prints, as accounts take it.
    pub fn printing(&self) -> Printing {
        Printing {
            currency: self.currency,
            step_minutes: self.increment.map(|rule| rule.step_minutes),
            quantity_decimals: self.quantity_decimals,
            quantity_rounding: self.quantity_rounding,
            amount_rounding: self.amount_rounding,
        }
    }

    /// The first of its terms that needs more than one entry to price one.
    pub fn term_over_entries(&self) -> Option<&'static str> {
        [
            (
                "increment_scope",
                self.increment_scope != IncrementScope::Entry,
            ),
            ("unit", self.unit != Unit::Hour),
            ("residual", self.residual != Residual::None),
            ("overtime", self.overtime.is_some()),
            ("limit", !self.limit.is_empty()),
            ("retainer", self.retainer.is_some()),
            ("hour_bank", self.hour_bank.is_some()),
        ]
        .into_iter()
        .find(|(_, there)| *there)
        .map(|(name, _)| name)
    }

    /// The first of its terms by which an amount is billed that no entry is priced for.
    pub fn term_of_fixed_amounts(&self) -> Option<&'static str> {
        let tops_up = |retainer: &RetainerTerms| retainer.evergreen.is_some();
        [
            ("milestones", self.milestones.is_some()),
            ("schedule", self.schedule.is_some()),
            ("hour_bank", self.hour_bank.is_some()),
            ("retainer", self.retainer.as_ref().is_some_and(tops_up)),
        ]
        .into_iter()
        .find(|(_, there)| *there)
        .map(|(name, _)| name)
    }

    /// Whether the contract covers a project on a day.
    pub fn covers(&self, project: &str, day: Date) -> bool {
        self.projects.iter().any(|p| p == project)
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day < to)
    }
}

/// The JSON Schema of [`Contract`].
pub fn contract_schema() -> schemars::Schema {
    schemars::schema_for!(Contract)
}
