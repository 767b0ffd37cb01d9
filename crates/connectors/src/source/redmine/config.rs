//! The configuration of a Redmine connection. The doc comments are its documentation.

use domain::quantity::SourceResolution;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Redmine never gives more rows than this at once.
pub(super) const PAGE_SIZE_MAX: usize = 100;
/// Pages overlap by one row, so that a page needs two.
pub(super) const PAGE_SIZE_MIN: usize = 2;

/// Where Redmine is and what its custom fields mean.
///
/// The API key is not part of it: it is a secret and is handed in beside the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedmineConfig {
    /// The address of Redmine's start page, for example `https://redmine.example.com` or
    /// `https://www.example.com/redmine`.
    pub base_url: String,
    /// The custom fields that carry approval, billing status and ERP codes.
    #[serde(default)]
    pub fields: Fields,
    /// The values of the approval field that mean "approved".
    #[serde(default = "approved")]
    pub approved_values: Vec<String>,
    /// Whether an entry counts as billable when its billable field is empty.
    #[serde(default)]
    pub billable_when_empty: bool,
    /// How exactly Redmine stores hours. Redmine rounds to two decimals, so 0.67 h stands for 40
    /// minutes: leave it at `hundredth_hour` unless a plug-in changes that.
    #[serde(default = "hundredth_hour")]
    pub resolution: SourceResolution,
    /// Where a user's worker code is found.
    #[serde(default)]
    pub worker_code: WorkerCode,
    /// Rows of one page, 2 to 100.
    #[serde(default = "page_size")]
    pub page_size: usize,
    /// The time allowed for one read, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub read_timeout_ms: u64,
    /// The time allowed for one write, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub write_timeout_ms: u64,
    /// What projects and issues look like that Counterfoil makes from the ERP's masters.
    #[serde(default)]
    pub publish: PublishConfig,
}

/// The custom fields, by name (as on Redmine's administration page) or by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// On time entries, a list: the state of approval.
    pub approval: FieldRef,
    /// On time entries, a yes/no field: whether the customer pays. Leave it out with
    /// `billable = 0` if all time is billable.
    pub billable: FieldRef,
    /// On time entries, a list with the words Unbilled, Exception, Cost only, Posted, Invoiced,
    /// Paid and Credited: what became of the entry. Written by Counterfoil.
    pub billing_status: FieldRef,
    /// On time entries, a text: the ERP's reference. Written by Counterfoil.
    pub erp_reference: FieldRef,
    /// On projects, a text: the ERP's project code.
    pub erp_project: FieldRef,
    /// On projects, a text: the ERP's customer code. A project without it has its parent's.
    pub erp_customer: FieldRef,
    /// On issues, a text: the ERP's task code.
    pub erp_task: FieldRef,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            approval: FieldRef::named("Approval"),
            billable: FieldRef::named("Billable"),
            billing_status: FieldRef::named("Billing status"),
            erp_reference: FieldRef::named("ERP reference"),
            erp_project: FieldRef::named("ERP project"),
            erp_customer: FieldRef::named("ERP customer"),
            erp_task: FieldRef::named("ERP task"),
        }
    }
}

/// A custom field by its id or its name. Id 0 stands for "there is no such field".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldRef {
    /// By id: survives a renaming.
    Id(u64),
    /// By name.
    Name(String),
}

impl FieldRef {
    fn named(name: &str) -> Self {
        Self::Name(name.to_owned())
    }

    /// Whether there is such a field.
    pub fn is_used(&self) -> bool {
        *self != Self::Id(0)
    }

    /// Whether a field with that id and name is meant.
    pub fn means(&self, id: u64, name: &str) -> bool {
        match self {
            Self::Id(own) => *own == id,
            Self::Name(own) => own == name,
        }
    }
}

impl std::fmt::Display for FieldRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "custom field {id}"),
            Self::Name(name) => write!(f, "custom field '{name}'"),
        }
    }
}

/// Where a user's worker code is found. The crosswalk always wins over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WorkerCode {
    /// The user's login.
    #[default]
    Login,
    /// The user's mail address (seen by administrators, or where the user does not hide it).
    Mail,
    /// A custom field of the user.
    CustomField(FieldRef),
    /// Nowhere: only the crosswalk knows workers. Saves one request per user.
    None,
}

/// What projects and issues look like that Counterfoil makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublishConfig {
    /// What stands before the ERP's code in a project's identifier.
    pub identifier_prefix: String,
    /// The tracker of issues made for tasks, by name; empty for Redmine's first.
    pub tracker: String,
    /// The status of closed tasks, by name; empty for Redmine's first closed status.
    pub closed_status: String,
    /// The status of reopened tasks, by name; empty for Redmine's first open status.
    pub open_status: String,
    /// The modules of a project made from the ERP. Time tracking is needed.
    pub modules: Vec<String>,
}

impl Default for PublishConfig {
    fn default() -> Self {
        Self {
            identifier_prefix: "erp-".to_owned(),
            tracker: String::new(),
            closed_status: String::new(),
            open_status: String::new(),
            modules: vec!["issue_tracking".to_owned(), "time_tracking".to_owned()],
        }
    }
}

fn approved() -> Vec<String> {
    vec!["Approved".to_owned()]
}

const fn hundredth_hour() -> SourceResolution {
    SourceResolution::HundredthHour
}

const fn page_size() -> usize {
    PAGE_SIZE_MAX
}

const fn timeout_ms() -> u64 {
    30_000
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The address is none.
    #[error(
        "base_url '{0}' is no web address that can be used; write it like https://redmine.example.com, without user name, '?' or '#'"
    )]
    BaseUrl(String),
    /// The key cannot be sent.
    #[error(
        "the API key is empty or holds characters that no key has; copy it from 'My account' in Redmine"
    )]
    Key,
    /// A page of that size cannot be asked for.
    #[error("page_size is {0}; Redmine gives 2 to 100 rows at once")]
    PageSize(usize),
    /// Nothing would ever be approved.
    #[error("approved_values is empty, so that no entry would ever be billed; name the values")]
    NothingApproved,
    /// Approval cannot be left out.
    #[error("fields.approval is 0, but without it unapproved time would be billed; name the field")]
    NoApproval,
    /// The prefix cannot stand in an identifier.
    #[error(
        "publish.identifier_prefix '{0}' cannot stand in a project identifier; use at most 40 of a-z, 0-9, '-' and '_'"
    )]
    IdentifierPrefix(String),
    /// A request needs some time.
    #[error("a time-out of 0 ms lets no request finish; 30000 is usual")]
    Timeout,
}

impl RedmineConfig {
    /// A configuration with the usual names and limits.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            fields: Fields::default(),
            approved_values: approved(),
            billable_when_empty: false,
            resolution: hundredth_hour(),
            worker_code: WorkerCode::default(),
            page_size: page_size(),
            read_timeout_ms: timeout_ms(),
            write_timeout_ms: timeout_ms(),
            publish: PublishConfig::default(),
        }
    }

    /// The address without its last slash, if everything in the configuration can work.
    pub(super) fn checked(&self) -> Result<String, ConfigError> {
        let bad_url = || ConfigError::BaseUrl(self.base_url.chars().take(120).collect());
        let url = url::Url::parse(self.base_url.trim()).map_err(|_| {
            // What is no address may be a key pasted in the wrong place: it is not repeated.
            ConfigError::BaseUrl("(not shown)".to_owned())
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::BaseUrl("(not shown)".to_owned()));
        }
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(bad_url());
        }
        if !(PAGE_SIZE_MIN..=PAGE_SIZE_MAX).contains(&self.page_size) {
            return Err(ConfigError::PageSize(self.page_size));
        }
        if self.approved_values.is_empty() {
            return Err(ConfigError::NothingApproved);
        }
        if !self.fields.approval.is_used() {
            return Err(ConfigError::NoApproval);
        }
        if self.read_timeout_ms == 0 || self.write_timeout_ms == 0 {
            return Err(ConfigError::Timeout);
        }
        let prefix = &self.publish.identifier_prefix;
        let fits = prefix.len() <= 40
            && prefix
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !fits {
            return Err(ConfigError::IdentifierPrefix(
                prefix.chars().take(60).collect(),
            ));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_configuration_is_an_address() {
        let config: RedmineConfig =
            toml::from_str("base_url = 'https://redmine.example.com/'").unwrap();
        assert_eq!(config, RedmineConfig::at("https://redmine.example.com/"));
        assert_eq!(config.checked().unwrap(), "https://redmine.example.com");
    }

    #[test]
    fn fields_are_ids_or_names_and_unknown_keys_are_errors() {
        let text = "base_url = 'http://127.0.0.1:3000/redmine'\npage_size = 50\n\
                    worker_code = { custom_field = 9 }\n[fields]\napproval = 1\nbillable = 'Pay'\n";
        let config: RedmineConfig = toml::from_str(text).unwrap();
        assert_eq!(config.fields.approval, FieldRef::Id(1));
        assert_eq!(config.fields.billable, FieldRef::named("Pay"));
        assert_eq!(config.fields.erp_task, FieldRef::named("ERP task"));
        assert_eq!(config.worker_code, WorkerCode::CustomField(FieldRef::Id(9)));
        assert_eq!(config.checked().unwrap(), "http://127.0.0.1:3000/redmine");
        for text in [
            "base_url = 'http://x'\napi_key = 'k'",
            "base_url = 'http://x'\n[fields]\naproval = 1",
            "page_size = 100",
        ] {
            assert!(toml::from_str::<RedmineConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_work() {
        for url in [
            "",
            "redmine.example.com",
            "ftp://x",
            "http://x/?key=1",
            "http://user:pw@x",
            "http://x#a",
        ] {
            let error = RedmineConfig::at(url).checked().unwrap_err();
            assert!(matches!(error, ConfigError::BaseUrl(_)), "{url}");
            assert!(!error.to_string().contains("pw@"), "{error}");
        }
        let changes: [fn(&mut RedmineConfig); 6] = [
            |c| c.page_size = 1,
            |c| c.page_size = 101,
            |c| c.approved_values.clear(),
            |c| c.fields.approval = FieldRef::Id(0),
            |c| c.read_timeout_ms = 0,
            |c| c.publish.identifier_prefix = "ERP ".to_owned(),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut config = RedmineConfig::at("http://x");
            change(&mut config);
            assert!(config.checked().is_err(), "change {number}");
        }
    }
}
