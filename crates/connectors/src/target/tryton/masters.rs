//! Tryton's masters in our words.
//!
//! Records without a code are not ours to bill. A code that two records share names neither of
//! them: both are left out and the check says so, rather than one being guessed.

use super::Tryton;
use super::facts::{Facts, clause};
use super::json::Json;
use super::wire::Record;
use connector_sdk::call::CallError;
use domain::masters::{Customer, Masters, ServiceItem, Worker};
use domain::period::Period;
use std::collections::{BTreeMap, BTreeSet};

/// What reading the masters brought.
pub(super) struct Read {
    pub(super) masters: Masters,
    /// Codes that two records share, in words.
    pub(super) shared_codes: Vec<String>,
}

/// Collects records by code and drops the codes that are not unique.
pub(super) struct ByCode<T> {
    kept: BTreeMap<String, T>,
    shared: BTreeSet<String>,
}

impl<T> ByCode<T> {
    pub(super) const fn new() -> Self {
        Self {
            kept: BTreeMap::new(),
            shared: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, code: &str, record: T) {
        if self.shared.contains(code) {
            return;
        }
        if self.kept.remove(code).is_some() {
            self.shared.insert(code.to_owned());
        } else {
            self.kept.insert(code.to_owned(), record);
        }
    }

    pub(super) fn finish(self, what: &str, shared_codes: &mut Vec<String>) -> BTreeMap<String, T> {
        shared_codes.extend(self.shared.iter().map(|code| format!("{what} {code}")));
        self.kept
    }
}

impl Tryton {
    /// [`connector_sdk::target::Target::masters`].
    pub(super) async fn read_masters(&self) -> Result<Masters, CallError> {
        Ok(self.read_all_masters().await?.masters)
    }

    pub(super) async fn read_all_masters(&self) -> Result<Read, CallError> {
        let facts = self.facts().await?;
        let mut shared_codes = Vec::new();
        let (workers, staff) = self.workers(&facts, &mut shared_codes).await?;
        let customers = self.customers(&facts, &staff, &mut shared_codes).await?;
        let (projects, tasks) = self.works(&facts, &mut shared_codes).await?;
        let service_items = self.service_items(&mut shared_codes).await?;
        let periods = self.periods(&facts).await?;
        let masters = Masters {
            customers,
            projects,
            tasks,
            workers,
            service_items,
            periods,
        };
        Ok(Read {
            masters,
            shared_codes,
        })
    }

    async fn customers(
        &self,
        facts: &Facts,
        staff: &BTreeSet<i64>,
        shared: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Customer>, CallError> {
        let held = self.hold_categories().await?;
        let code_field = self.config.party_code_field.as_str();
        let mut fields = vec![code_field, "name", "active", "categories"];
        let has_currency = self.has_field("party.party", "customer_currency").await?;
        if has_currency {
            fields.push("customer_currency.code");
        }
        let rows = self.search_all("party.party", &[], &fields).await?;
        let mut customers = ByCode::new();
        for row in &rows {
            let party = Record(row);
            let id = party.id("id")?;
            let Some(code) = party.text(code_field)? else {
                continue;
            };
            // Our own people and our own firm are parties, and no customers.
            if id == facts.company_party || staff.contains(&id) {
                continue;
            }
            let currency = party
                .text("customer_currency.code")?
                .and_then(|c| c.parse().ok());
            let categories = party.ids("categories")?;
            let customer = Customer {
                code: code.to_owned(),
                name: party.text("name")?.unwrap_or_default().to_owned(),
                erp_ref: id.to_string(),
                active: party.flag("active")?,
                on_hold: categories.iter().any(|category| held.contains(category)),
                currency,
            };
            customers.add(code, customer);
        }
        Ok(customers.finish("customer", shared))
    }

    /// The categories that mean a billing hold.
    pub(super) async fn hold_categories(&self) -> Result<Vec<i64>, CallError> {
        let Some(name) = &self.config.hold_category else {
            return Ok(Vec::new());
        };
        let domain = [clause("name", "=", Json::text(name))];
        let rows = self
            .search_all("party.category", &domain, &["name"])
            .await?;
        Ok(rows
            .iter()
            .map(|row| Record(row).id("id"))
            .collect::<Result<_, _>>()?)
    }

    async fn has_field(&self, model: &str, field: &str) -> Result<bool, CallError> {
        let context = self.facts().await?.context();
        let method = format!("model.{model}.fields_get");
        // Asked for by name, an unknown field is an error: all names are asked for once.
        let all = self
            .rpc
            .read(&method, vec![Json::List(Vec::new())], &context)
            .await?;
        Ok(all.get(field).is_some())
    }

    /// Workers, and the parties that they are.
    async fn workers(
        &self,
        facts: &Facts,
        shared: &mut Vec<String>,
    ) -> Result<(BTreeMap<String, Worker>, BTreeSet<i64>), CallError> {
        let code_field = format!("party.{}", self.config.party_code_field);
        let domain = [clause("company", "=", Json::int(facts.company))];
        let fields = ["party", &code_field, "party.name", "start_date", "end_date"];
        let rows = self
            .search_all("company.employee", &domain, &fields)
            .await?;
        let mut workers = ByCode::new();
        let mut staff = BTreeSet::new();
        for row in &rows {
            let employee = Record(row);
            staff.insert(employee.id("party")?);
            let Some(code) = employee.text(&code_field)? else {
                continue;
            };
            let worker = Worker {
                code: code.to_owned(),
                name: employee.text("party.name")?.unwrap_or_default().to_owned(),
                erp_ref: employee.id("id")?.to_string(),
                // Tryton has none; the crosswalk gives roles.
                role: String::new(),
                from: employee.date("start_date")?,
                until: employee.date("end_date")?,
                // Tryton computes it from these dates and today; for us the day of work counts.
                active: true,
            };
            workers.add(code, worker);
        }
        Ok((workers.finish("worker", shared), staff))
    }

    async fn service_items(
        &self,
        shared: &mut Vec<String>,
    ) -> Result<BTreeMap<String, ServiceItem>, CallError> {
        let fields = ["code", "name", "active"];
        let rows = self.search_all("product.product", &[], &fields).await?;
        let mut items = ByCode::new();
        for row in &rows {
            let product = Record(row);
            let Some(code) = product.text("code")? else {
                continue;
            };
            let item = ServiceItem {
                code: code.to_owned(),
                name: product.text("name")?.unwrap_or_default().to_owned(),
                erp_ref: product.id("id")?.to_string(),
                active: product.flag("active")?,
            };
            items.add(code, item);
        }
        Ok(items.finish("product", shared))
    }

    pub(super) async fn periods(&self, facts: &Facts) -> Result<Vec<Period>, CallError> {
        // Adjustment periods lie over standard ones and are not for invoices.
        let domain = [
            clause("company", "=", Json::int(facts.company)),
            clause("type", "=", Json::text("standard")),
        ];
        let fields = ["name", "start_date", "end_date", "state"];
        let rows = self.search_all("account.period", &domain, &fields).await?;
        let mut periods = Vec::new();
        for row in &rows {
            let record = Record(row);
            let (Some(first), Some(last)) = (record.date("start_date")?, record.date("end_date")?)
            else {
                continue;
            };
            periods.push(Period {
                name: record.text("name")?.unwrap_or_default().to_owned(),
                first,
                last,
                open: record.text("state")? == Some("open"),
            });
        }
        periods.sort_by_key(|period| period.first);
        Ok(periods)
    }
}
