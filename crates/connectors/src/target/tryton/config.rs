//! The settings of a Tryton target.

use domain::quantity::Unit;
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// How one key is kept from making two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// The companion module `counterfoil_key` is installed: a field of its own, held unique by
    /// Tryton's database.
    Module,
    /// Nothing is installed: the key stands in fields that Tryton has anyway, and is looked for
    /// before each creation.
    LookUp,
}

/// Where the business's code of a project or task is found in Tryton.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum WorkCode {
    /// The `number`.
    #[default]
    Number,
    /// The whole name.
    Name,
    /// The first word of the name: `P001` of `P001 Acme Manufacturing`.
    NamePrefix,
}

/// The company, by its id or its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum CompanyChoice {
    /// The id.
    Id(i64),
    /// The name of the company's party.
    Name(String),
}

/// A Tryton target. The password is not part of it: it comes separately, as a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrytonConfig {
    /// The server's address without the database, for example `https://erp.example.com`.
    pub url: String,
    /// The database.
    pub database: String,
    /// The login name of the connector's own user.
    pub user: String,
    /// The company that bills: its id, or the name of its party.
    pub company: CompanyChoice,
    /// Whether the companion module is installed (`module`) or not (`look_up`).
    pub uniqueness: KeyPlace,
    /// With `look_up`: the invoice's field for the document key. `supplier_payment_reference`
    /// is neither printed nor shown on customer invoices; `reference` is both.
    #[serde(default = "document_key_field")]
    pub document_key_field: String,
    /// The party's field that holds the code of customers and workers.
    #[serde(default = "party_code_field")]
    pub party_code_field: String,
    /// Where a project's code is.
    #[serde(default)]
    pub project_code: WorkCode,
    /// Where a task's code is.
    #[serde(default)]
    pub task_code: WorkCode,
    /// The party category that means that finance has stopped billing the customer. Tryton has
    /// no field for it. None = no customer is on hold.
    #[serde(default)]
    pub hold_category: Option<String>,
    /// Tryton's units by their names there, for contracts that print these: `{ month = "Month" }`. Minutes,
    /// hours, days and pieces are Tryton's own where they are not named; working days are its days; a
    /// month it has none of, and one has to be made in its category of time.
    #[serde(default)]
    pub units: BTreeMap<Unit, String>,
    /// Warnings that may be confirmed by us, by their names as Tryton writes them behind the
    /// first point, for example `invoice_date_future`. Any other warning refuses the line.
    #[serde(default)]
    pub confirm_warnings: Vec<String>,
    /// The hard time-out of a read, in milliseconds.
    #[serde(default = "read_timeout_ms")]
    pub read_timeout_ms: u64,
    /// The hard time-out of a write, in milliseconds.
    #[serde(default = "write_timeout_ms")]
    pub write_timeout_ms: u64,
    /// The longest a call can go on in Tryton after its answer was lost, in milliseconds: a
    /// look-up that finds nothing proves nothing before that.
    #[serde(default = "longest_call_ms")]
    pub longest_call_ms: u64,
    /// The most lines of one call.
    #[serde(default = "batch_lines_max")]
    pub batch_lines_max: usize,
}

fn document_key_field() -> String {
    "supplier_payment_reference".to_owned()
}

fn party_code_field() -> String {
    "code".to_owned()
}

const fn read_timeout_ms() -> u64 {
    60_000
}

const fn write_timeout_ms() -> u64 {
    60_000
}

const fn longest_call_ms() -> u64 {
    600_000
}

const fn batch_lines_max() -> usize {
    200
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The address.
    #[error("'url' is no address of a Tryton server (write it like https://erp.example.com)")]
    Url,
    /// A password in the address would end up in messages.
    #[error("'url' must not hold a user or password")]
    UrlWithSecret,
    /// A name with characters that Tryton does not allow.
    #[error("'{0}' is not a name that Tryton can have there")]
    Name(&'static str),
    /// A number out of range.
    #[error("'{0}' is out of range")]
    Range(&'static str),
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl TrytonConfig {
    /// The address that calls go to.
    pub fn endpoint(&self) -> Result<String, ConfigError> {
        let url = url::Url::parse(&self.url).map_err(|_| ConfigError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(ConfigError::Url);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::UrlWithSecret);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::Url);
        }
        Ok(format!(
            "{}/{}/rpc/",
            url.as_str().trim_end_matches('/'),
            self.database
        ))
    }

    /// Everything that can be seen without asking the server.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.endpoint()?;
        for (field, text) in [
            ("database", &self.database),
            ("document_key_field", &self.document_key_field),
            ("party_code_field", &self.party_code_field),
        ] {
            if !is_name(text) {
                return Err(ConfigError::Name(field));
            }
        }
        // The session header separates its parts by colons.
        if self.user.is_empty() || self.user.contains(':') || self.user.contains(char::is_control) {
            return Err(ConfigError::Name("user"));
        }
        if !(1..=1000).contains(&self.batch_lines_max) {
            return Err(ConfigError::Range("batch_lines_max"));
        }
        for (field, ms) in [
            ("read_timeout_ms", self.read_timeout_ms),
            ("write_timeout_ms", self.write_timeout_ms),
        ] {
            if !(100..=3_600_000).contains(&ms) {
                return Err(ConfigError::Range(field));
            }
        }
        if self.longest_call_ms < self.write_timeout_ms {
            return Err(ConfigError::Range("longest_call_ms"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        url = "https://erp.example.com/"
        database = "firm"
        user = "counterfoil"
        company = "Kestrel Advisory"
        uniqueness = "module"
    "#;

    #[test]
    fn a_minimal_file_gives_safe_values() {
        let config: TrytonConfig = toml::from_str(MINIMAL).unwrap();
        config.validate().unwrap();
        assert_eq!(
            config.endpoint().unwrap(),
            "https://erp.example.com/firm/rpc/"
        );
        assert_eq!(config.longest_call_ms, 600_000);
        assert!(config.confirm_warnings.is_empty());
        let by_id = MINIMAL.replace("\"Kestrel Advisory\"", "6");
        let config: TrytonConfig = toml::from_str(&by_id).unwrap();
        assert_eq!(config.company, CompanyChoice::Id(6));
    }

    #[test]
    fn refuses_what_cannot_work() {
        assert!(toml::from_str::<TrytonConfig>(&format!("{MINIMAL}\nunknown = 1")).is_err());
        let changed = |from: &str, to: &str| {
            let text = MINIMAL.replace(from, to);
            toml::from_str::<TrytonConfig>(&text)
                .unwrap()
                .validate()
                .unwrap_err()
        };
        let address = "https://erp.example.com/";
        assert_eq!(changed(address, "ftp://erp"), ConfigError::Url);
        assert_eq!(changed(address, "erp.example.com"), ConfigError::Url);
        assert_eq!(
            changed(address, "https://a:b@erp"),
            ConfigError::UrlWithSecret
        );
        assert_eq!(
            changed("\"firm\"", "\"../firm\""),
            ConfigError::Name("database")
        );
        assert_eq!(
            changed("\"counterfoil\"", "\"a:b\""),
            ConfigError::Name("user")
        );
        let late = "\"module\"\nlongest_call_ms = 5";
        assert_eq!(
            changed("\"module\"", late),
            ConfigError::Range("longest_call_ms")
        );
    }
}
