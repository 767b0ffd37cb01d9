//! The connection looked at the way real work will use it, without changing anything.

use super::facts::{Facts, clause};
use super::json::Json;
use super::wire::records;
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::check::{CheckLine, Verdict};
use std::collections::BTreeMap;

/// The companion module.
const KEY_MODULE: &str = "counterfoil_key";

/// Models and what must be allowed on them.
const RIGHTS: [(&str, &[&str]); 8] = [
    ("account.invoice", &["read", "write", "create"]),
    (
        "account.invoice.line",
        &["read", "write", "create", "delete"],
    ),
    ("timesheet.line", &["read", "write", "create", "delete"]),
    ("timesheet.work", &["read"]),
    ("project.work", &["read"]),
    ("party.party", &["read"]),
    ("product.product", &["read"]),
    ("account.period", &["read"]),
];

fn bad(subject: &str, found: impl Into<String>, hint: &str) -> CheckLine {
    CheckLine::with_hint(Verdict::Bad, subject, found, hint)
}

fn warning(subject: &str, found: impl Into<String>, hint: &str) -> CheckLine {
    CheckLine::with_hint(Verdict::Warning, subject, found, hint)
}

/// What to do about a call that failed.
fn failed(subject: &str, error: &CallError) -> CheckLine {
    let hint = match error {
        CallError::Unauthorized { .. } => {
            "Check the user and the password, and the user's groups in Tryton."
        }
        CallError::Throttled { .. } => "Wait some minutes: Tryton has seen too many attempts.",
        CallError::NotExecuted { .. } | CallError::Ambiguous { .. } => {
            "Check the address and whether the server runs, then try again."
        }
        CallError::Refused { .. } | CallError::Contract { .. } => {
            "Check the address, the database and the company in the settings."
        }
    };
    bad(subject, error.to_string(), hint)
}

impl Tryton {
    /// [`connector_sdk::target::Target::check`].
    pub(super) async fn run_check(&self) -> Vec<CheckLine> {
        let facts = match self.facts().await {
            Ok(facts) => facts,
            Err(error) => return vec![failed("connection", &error)],
        };
        let found = format!(
            "logged in; company {} ({}) of database {}",
            facts.company_name, facts.company, self.config.database
        );
        let mut lines = vec![CheckLine::good("connection", found)];
        for (subject, result) in [
            ("modules", self.check_modules().await),
            ("rights", self.check_rights().await),
            ("hours", Ok(check_digits(&facts))),
            ("periods", self.check_periods(&facts).await),
            ("masters", self.check_masters().await),
            ("billing hold", self.check_hold().await),
        ] {
            match result {
                Ok(found) => lines.extend(found),
                Err(error) => lines.push(failed(subject, &error)),
            }
        }
        lines
    }

    async fn check_modules(&self) -> Result<Vec<CheckLine>, CallError> {
        let context = self.facts().await?.context();
        let empty = vec![Json::List(Vec::new())];
        let method = "model.account.invoice.line.fields_get";
        let line = self.rpc.read(method, empty.clone(), &context).await?;
        let method = "model.timesheet.line.fields_get";
        let time = self.rpc.read(method, empty, &context).await?;
        let mut lines = Vec::new();
        if time.get("invoice_line").is_some() {
            lines.push(CheckLine::good(
                "modules",
                "projects, timesheets and project invoicing",
            ));
        } else {
            lines.push(warning(
                "modules",
                "Tryton cannot invoice projects",
                "Activate the module project_invoice to use the shape 'timesheet'.",
            ));
        }
        let has_key = line.get("external_key").is_some() && time.get("external_key").is_some();
        lines.push(match (self.config.uniqueness, has_key) {
            (KeyPlace::Module, true) => {
                CheckLine::good("unique key", format!("{KEY_MODULE} is active"))
            }
            (KeyPlace::Module, false) => bad(
                "unique key",
                format!("{KEY_MODULE} is not active in this database"),
                "Install the module (erp-modules/tryton), or set uniqueness = \"look_up\".",
            ),
            (KeyPlace::LookUp, true) => warning(
                "unique key",
                format!("{KEY_MODULE} is active and not used"),
                "Set uniqueness = \"module\": Tryton itself then refuses a second line of a key.",
            ),
            (KeyPlace::LookUp, false) => warning(
                "unique key",
                "keys are looked for before each creation; Tryton does not hold them unique",
                "Let nobody else post with this ledger, or install the module (erp-modules/tryton).",
            ),
        });
        Ok(lines)
    }

    async fn check_rights(&self) -> Result<Vec<CheckLine>, CallError> {
        let context = self.facts().await?.context();
        let models: Vec<&str> = RIGHTS.iter().map(|(model, _)| *model).collect();
        let method = "model.ir.model.access.get_access";
        let access = self
            .rpc
            .read(method, vec![Json::texts(&models)], &context)
            .await?;
        let mut missing = Vec::new();
        for (model, rights) in RIGHTS {
            let of_model = access.get(model);
            for right in rights {
                let value = of_model.and_then(|rights| rights.get(right));
                let allowed = match value {
                    Some(Json::Bool(flag)) => *flag,
                    Some(Json::Number(digits)) => digits != "0",
                    _ => false,
                };
                if !allowed {
                    missing.push(format!("{right} {model}"));
                }
            }
        }
        if missing.is_empty() {
            return Ok(vec![CheckLine::good(
                "rights",
                "may read masters and write drafts and time",
            )]);
        }
        Ok(vec![bad(
            "rights",
            format!("the user may not: {}", missing.join(", ")),
            "Give the connector's user the groups for accounting, timesheets and projects.",
        )])
    }

    async fn check_periods(&self, facts: &Facts) -> Result<Vec<CheckLine>, CallError> {
        let periods = self.periods(facts).await?;
        let open: Vec<_> = periods.iter().filter(|period| period.open).collect();
        Ok(vec![match (open.first(), open.last()) {
            (Some(first), Some(last)) => CheckLine::good(
                "periods",
                format!("{} open, from {} to {}", open.len(), first.first, last.last),
            ),
            _ => bad(
                "periods",
                "no accounting period is open",
                "Open a fiscal year with its periods in Tryton.",
            ),
        }])
    }

    async fn check_masters(&self) -> Result<Vec<CheckLine>, CallError> {
        let read = self.read_all_masters().await?;
        let masters = &read.masters;
        let mut lines = vec![CheckLine::good(
            "masters",
            format!(
                "{} customers, {} projects, {} tasks, {} workers, {} service items",
                masters.customers.len(),
                masters.projects.len(),
                masters.tasks.len(),
                masters.workers.len(),
                masters.service_items.len()
            ),
        )];
        if !read.shared_codes.is_empty() {
            let some: Vec<&str> = read
                .shared_codes
                .iter()
                .map(String::as_str)
                .take(10)
                .collect();
            lines.push(bad(
                "codes",
                format!("several records share one code: {}", some.join(", ")),
                "Give each record a code of its own in Tryton; none of these is used until then.",
            ));
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for task in masters.tasks.iter().filter(|task| task.erp_ref.is_empty()) {
            *names.entry(task.project.as_str()).or_default() += 1;
        }
        if !names.is_empty() {
            let some: Vec<&str> = names.keys().copied().take(10).collect();
            lines.push(warning(
                "tasks",
                format!("some tasks take no time, in: {}", some.join(", ")),
                "Tick 'Timesheet' on these tasks in Tryton where hours are booked on them.",
            ));
        }
        Ok(lines)
    }

    async fn check_hold(&self) -> Result<Vec<CheckLine>, CallError> {
        let Some(name) = &self.config.hold_category else {
            return Ok(Vec::new());
        };
        if self.hold_categories().await?.is_empty() {
            return Ok(vec![bad(
                "billing hold",
                format!("Tryton has no party category '{name}'"),
                "Create the category in Tryton, or correct 'hold_category'.",
            )]);
        }
        let domain = vec![clause("categories.name", "=", Json::text(name))];
        let held = self.search("party.party", domain, &["id"]).await?;
        let count = records(&held)?.len();
        Ok(vec![CheckLine::good(
            "billing hold",
            format!("customers on hold: {count}"),
        )])
    }
}

fn check_digits(facts: &Facts) -> Vec<CheckLine> {
    vec![if facts.hour_digits >= 2 {
        CheckLine::good("hours", format!("kept with {} digits", facts.hour_digits))
    } else {
        bad(
            "hours",
            format!("Tryton keeps hours with {} digits", facts.hour_digits),
            "Set the digits of the unit 'Hour' to 2 in Tryton, or quantity_decimals in contracts.",
        )
    }]
}
