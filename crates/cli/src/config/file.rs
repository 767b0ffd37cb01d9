//! The shape of the configuration file. Doc comments are what `counterfoil init` explains.

use super::place::ContractPlace;
use super::rates::RateEntry;
use super::secret::SecretRef;
use connector_sdk::manifest::Limit;
use connectors::source::redmine::RedmineConfig;
use connectors::source::reference::ReferenceTrackerConfig;
use connectors::target::reference::ReferenceErpConfig;
use connectors::target::tryton::TrytonConfig;
use domain::contract::Contract;
use domain::contract::accounts::limit::{LimitPolicy, LimitTerms};
use domain::contract::check::{ContractsFault, check_all};
use domain::reference::{Crosswalk, Entity};
use jiff::civil::Date;
use rules::wording::check_words;
use serde::Deserialize;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// The ledger's id, written once by `init`. It is part of every posting key.
    pub(crate) ledger: String,
    /// The folder of the ledger's data.
    #[serde(default = "data_folder")]
    pub(crate) data: PathBuf,
    /// Where the ledger is kept, if not in a file.
    #[serde(default)]
    pub(crate) store: StoreTable,
    /// The billing entity.
    pub(crate) entity: Entity,
    /// The flow.
    pub(crate) flow: FlowTable,
    /// Where secrets are kept.
    pub(crate) secrets: SecretsTable,
    /// The tracker.
    pub(crate) source: SourceTables,
    /// The ERP.
    pub(crate) target: TargetTables,
    /// Names that differ between the tracker and the ERP.
    #[serde(default)]
    pub(crate) crosswalk: Crosswalk,
    /// Customers that finance holds back, by code.
    #[serde(default)]
    pub(crate) customers_on_hold: Vec<String>,
    /// Contracts.
    #[serde(default)]
    pub(crate) contract: Vec<Contract>,
    /// Bill rates.
    #[serde(default)]
    pub(crate) rate: Vec<toml::Spanned<RateEntry>>,
    /// Files with more bill rates, CSV or XLSX.
    #[serde(default)]
    pub(crate) rates_files: Vec<PathBuf>,
    /// Cost rates. None at all = the ERP owns cost.
    #[serde(default)]
    pub(crate) cost_rate: Vec<toml::Spanned<RateEntry>>,
    /// Files with more cost rates, CSV or XLSX.
    #[serde(default)]
    pub(crate) cost_rates_files: Vec<PathBuf>,
}

fn data_folder() -> PathBuf {
    PathBuf::from("data")
}

/// Where the ledger is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreTable {
    /// A PostgreSQL database that several nodes share: postgres://USER:PASSWORD@HOST:5432/DATABASE.
    /// None = a file in the data folder.
    #[serde(default)]
    pub(crate) postgres: Option<SecretRef>,
}

/// The flow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowTable {
    /// Its name; part of every posting key.
    #[serde(default = "main_flow")]
    pub(crate) name: String,
    /// The first day that is ever looked at.
    pub(crate) first_day: Date,
    /// Work before this day was billed by other means.
    #[serde(default)]
    pub(crate) billed_before: Option<Date>,
    /// A file with the source ids, one a line, that were billed by other means.
    #[serde(default)]
    pub(crate) billed_before_file: Option<PathBuf>,
    /// How far back each pass looks, in days.
    #[serde(default = "look_back_days")]
    pub(crate) look_back_days: i32,
    /// How far ahead each pass looks, in days.
    #[serde(default = "look_ahead_days")]
    pub(crate) look_ahead_days: i32,
    /// Hold entries with the same worker, day, task and hours.
    #[serde(default = "yes")]
    pub(crate) hold_duplicates: bool,
    /// How long an intent may wait before its first byte, in milliseconds.
    #[serde(default = "send_within_ms")]
    pub(crate) send_within_ms: u64,
    /// Added to the ERP's longest call before absence is believed, in milliseconds.
    #[serde(default = "settle_ms")]
    pub(crate) settle_ms: u64,
    /// The most tries of a call that was surely not executed.
    #[serde(default = "tries_max")]
    pub(crate) tries_max: i64,
    /// The most one pass waits for limits and doubts to clear, in milliseconds.
    #[serde(default = "patience_ms")]
    pub(crate) patience_ms: u64,
}

fn main_flow() -> String {
    "main".to_owned()
}
const fn look_back_days() -> i32 {
    62
}
const fn look_ahead_days() -> i32 {
    31
}
const fn yes() -> bool {
    true
}
const fn send_within_ms() -> u64 {
    30_000
}
const fn settle_ms() -> u64 {
    5_000
}
const fn tries_max() -> i64 {
    8
}
const fn patience_ms() -> u64 {
    120_000
}

/// Where secrets are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretsTable {
    /// The tracker's key or token.
    pub(crate) source: SecretRef,
    /// The ERP's password or token.
    pub(crate) target: SecretRef,
    /// The key that seals personal text: 64 hexadecimal digits.
    pub(crate) seal_key: SecretRef,
}

/// The tracker: exactly one of the tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTables {
    /// Redmine.
    #[serde(default)]
    pub(crate) redmine: Option<RedmineConfig>,
    /// The reference tracker API.
    #[serde(default)]
    pub(crate) reference: Option<ReferenceTrackerConfig>,
    /// The limits of the account, where they differ from what the connector knows: all of them.
    #[serde(default)]
    pub(crate) limits: Option<Vec<Limit>>,
}

impl SourceTables {
    /// The connector's name.
    pub(crate) const fn name(&self) -> &'static str {
        if self.redmine.is_some() {
            "redmine"
        } else {
            "reference"
        }
    }
}

/// The ERP: exactly one of the tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetTables {
    /// Tryton.
    #[serde(default)]
    pub(crate) tryton: Option<TrytonConfig>,
    /// The reference ERP API.
    #[serde(default)]
    pub(crate) reference: Option<ReferenceErpConfig>,
    /// The limits of the account, where they differ from what the connector knows: all of them.
    #[serde(default)]
    pub(crate) limits: Option<Vec<Limit>>,
}

/// What is wrong with the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Where, if it is in a contract.
    pub(crate) place: Option<ContractPlace>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: String,
}

fn complain<T>(what: impl Into<String>, hint: &str) -> Result<T, Complaint> {
    Err(Complaint {
        place: None,
        what: what.into(),
        hint: hint.to_owned(),
    })
}

impl ConfigFile {
    /// Refuse what cannot work; name what contradicts itself.
    pub(crate) fn check(&self) -> Result<Vec<String>, Complaint> {
        if self.ledger.len() < 16 {
            return complain(
                "the ledger id is shorter than 16 characters",
                "take the one that `counterfoil init` wrote; it must never change afterwards",
            );
        }
        if self.source.redmine.is_some() == self.source.reference.is_some() {
            return complain(
                "[source] needs exactly one table",
                "write [source.redmine] or [source.reference]",
            );
        }
        if self.target.tryton.is_some() == self.target.reference.is_some() {
            return complain(
                "[target] needs exactly one table",
                "write [target.tryton] or [target.reference]",
            );
        }
        if jiff::tz::TimeZone::get(&self.entity.zone).is_err() {
            return complain(
                format!("'{}' is no time zone", self.entity.zone),
                "write an IANA name like Europe/Berlin",
            );
        }
        if !(1..=800).contains(&self.flow.look_back_days) {
            return complain(
                "look_back_days is not between 1 and 800",
                "62 covers two months",
            );
        }
        if !(0..=366).contains(&self.flow.look_ahead_days) {
            return complain("look_ahead_days is not between 0 and 366", "31 is usual");
        }
        for (table, limits) in [
            ("source", &self.source.limits),
            ("target", &self.target.limits),
        ] {
            for (number, limit) in (1..).zip(limits.iter().flatten()) {
                if let Some(fault) = limit.fault() {
                    return complain(
                        format!("[{table}] limits, number {number}: {fault}"),
                        "write for example limits = [{ window = { requests = 60, window_ms = 60000 } }]",
                    );
                }
            }
        }
        self.check_contracts()?;
        let mut warnings = Vec::new();
        if self.contract.is_empty() {
            warnings
                .push("no contract is written down: every entry will be an exception".to_owned());
        }
        for customer in &self.customers_on_hold {
            if !self
                .contract
                .iter()
                .any(|c| c.customer.as_ref() == Some(customer))
            {
                warnings.push(format!(
                    "customers_on_hold names {customer}, which no contract has"
                ));
            }
        }
        Ok(warnings)
    }

    fn check_contracts(&self) -> Result<(), Complaint> {
        check_all(&self.contract).map_err(|ContractsFault { index, fault }| Complaint {
            place: Some(ContractPlace {
                index,
                term: fault.term,
            }),
            what: fault.what,
            hint: format!("write {}", fault.expected),
        })?;
        for (index, contract) in self.contract.iter().enumerate() {
            check_words(contract).map_err(|fault| Complaint {
                place: Some(ContractPlace {
                    index,
                    term: fault.term,
                }),
                what: fault.what,
                hint: format!("write {}", fault.expected),
            })?;
            if let Some((term, what, hint)) = missing_for_a_pass(contract) {
                return Err(Complaint {
                    place: Some(ContractPlace {
                        index,
                        term: Some(term),
                    }),
                    what: format!("contract {}: {what}", contract.id),
                    hint: hint.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// What a pass needs to know about a contract and its terms do not say: the term that asks for it,
/// what is missing, and what to write.
fn missing_for_a_pass(contract: &Contract) -> Option<(&'static str, String, &'static str)> {
    let off = |limit: &LimitTerms| limit.policy == LimitPolicy::BillToCap;
    let cut = contract.limit.iter().any(off);
    if cut && contract.fixed_service_item.is_none() {
        return Some((
            "limit",
            "`policy = \"bill_to_cap\"` takes something off a line, and nothing says what that is sold as"
                .to_owned(),
            "write fixed_service_item = \"CODE\", a service item that the ERP sells by the piece",
        ));
    }
    let fixed = contract.term_of_fixed_amounts();
    if let (Some(term), None) = (fixed, &contract.fixed_service_item) {
        return Some((
            term,
            format!("`{term}` bills fixed amounts, and nothing says what they are sold as"),
            "write fixed_service_item = \"CODE\", a service item that the ERP sells by the piece",
        ));
    }
    if let (Some(term), None) = (fixed, &contract.customer) {
        return Some((
            term,
            format!("`{term}` bills fixed amounts, and no customer pays them"),
            "write customer = \"CODE\"",
        ));
    }
    if contract.hour_bank.is_some() && contract.from.is_none() {
        return Some((
            "hour_bank",
            "its months begin nowhere".to_owned(),
            "write from = \"YYYY-MM-DD\", the first day of the hour bank's first month",
        ));
    }
    None
}
