//! What the connector has to know of the database before it can write: the company, its units,
//! currencies. Read once; read again when a currency is asked for that was not there.

use super::Tryton;
use super::config::CompanyChoice;
use super::json::Json;
use super::wire::records;
use connector_sdk::call::CallError;
use domain::currency::Currency;
use domain::exception::{Code, Problem};
use domain::quantity::Unit;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// How many records one read asks for.
pub(super) const PAGE: i64 = 500;

/// Tryton's own units, by their names in its module `product`.
const OWN_UNITS: [(Unit, &str); 4] = [
    (Unit::Hour, "uom_hour"),
    (Unit::Minute, "uom_minute"),
    (Unit::Day, "uom_day"),
    (Unit::Piece, "uom_unit"),
];

/// Facts of the database.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) company: i64,
    pub(super) company_name: String,
    pub(super) company_party: i64,
    pub(super) hour: i64,
    pub(super) hour_digits: i64,
    /// Id and digits of the units that Tryton has.
    units: BTreeMap<Unit, (i64, i64)>,
    /// Id and digits by code.
    pub(super) currencies: BTreeMap<String, (i64, i64)>,
}

impl Facts {
    /// Tryton's id of a unit and the digits of its quantities.
    pub(super) fn unit(&self, unit: Unit) -> Result<(i64, i64), Problem> {
        self.units.get(&unit).copied().ok_or_else(|| {
            let name = unit.name();
            Problem::new(
                Code::ErpRejected,
                format!(
                    "Tryton has no unit of its own for a {name}: make one in its category of time, and \
                     name it in the connection's settings, `units = {{ {name} = \"...\" }}`"
                ),
            )
        })
    }

    /// The context of every call.
    pub(super) fn context(&self) -> Vec<(String, Json)> {
        vec![("company".to_owned(), Json::int(self.company))]
    }
}

/// A clause of a search.
pub(super) fn clause(field: &str, operator: &str, value: Json) -> Json {
    Json::List(vec![Json::text(field), Json::text(operator), value])
}

impl Tryton {
    /// The facts, read on the first call.
    pub(super) async fn facts(&self) -> Result<Arc<Facts>, CallError> {
        let kept = self
            .facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match kept {
            Some(facts) => Ok(facts),
            None => self.read_facts().await,
        }
    }

    /// Tryton's id of a currency and the digits Tryton rounds it to.
    pub(super) async fn currency(&self, currency: Currency) -> Result<i64, CallError> {
        let refused = |facts: String| CallError::Refused {
            problem: Problem::new(Code::ErpRejected, facts),
        };
        let mut facts = self.facts().await?;
        if !facts.currencies.contains_key(currency.code()) {
            facts = self.read_facts().await?;
        }
        match facts.currencies.get(currency.code()) {
            Some((id, digits)) if *digits == i64::from(currency.minor_digits()) => Ok(*id),
            Some((_, digits)) => Err(refused(format!(
                "Tryton rounds {currency} to {digits} digits, ISO 4217 to {}",
                currency.minor_digits()
            ))),
            None => Err(refused(format!("Tryton has no active currency {currency}"))),
        }
    }

    async fn read_facts(&self) -> Result<Arc<Facts>, CallError> {
        let wanted = match &self.config.company {
            CompanyChoice::Id(id) => clause("id", "=", Json::int(*id)),
            CompanyChoice::Name(name) => clause("party.name", "=", Json::text(name)),
        };
        let found = self
            .search_plain("company.company", vec![wanted], &["party", "party.name"])
            .await?;
        let companies = records(&found)?;
        let [company] = companies.as_slice() else {
            return Err(CallError::Contract {
                words: format!("{} companies fit the setting 'company'", companies.len()),
            });
        };
        let units = self.units().await?;
        let Some((hour, hour_digits)) = units.get(&Unit::Hour).copied() else {
            return Err(CallError::Contract {
                words: "Tryton has no hours".to_owned(),
            });
        };
        let mut currencies = BTreeMap::new();
        let all = self
            .search_plain("currency.currency", vec![], &["code", "digits"])
            .await?;
        for currency in records(&all)? {
            if let Some(code) = currency.text("code")? {
                currencies.insert(
                    code.to_owned(),
                    (currency.id("id")?, currency.id("digits")?),
                );
            }
        }
        let facts = Arc::new(Facts {
            company: company.id("id")?,
            company_name: company.text("party.name")?.unwrap_or_default().to_owned(),
            company_party: company.id("party")?,
            hour,
            hour_digits,
            units,
            currencies,
        });
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&facts));
        Ok(facts)
    }

    /// The units that lines can be in.
    async fn units(&self) -> Result<BTreeMap<Unit, (i64, i64)>, CallError> {
        let mut units = BTreeMap::new();
        for (unit, own) in OWN_UNITS {
            if self.config.units.contains_key(&unit) {
                continue;
            }
            let params = vec![Json::text("product"), Json::text(own)];
            let method = "model.ir.model.data.get_id";
            let id = self.rpc.read(method, params, &[]).await?.as_int();
            let id = id.ok_or_else(|| CallError::Contract {
                words: format!("Tryton has no unit '{own}'"),
            })?;
            units.insert(unit, self.unit_where("id", Json::int(id), own).await?);
        }
        for (unit, name) in &self.config.units {
            let found = self.unit_where("name", Json::text(name), name).await?;
            units.insert(*unit, found);
        }
        // A person's day is Tryton's day where it has no other.
        if let Some(day) = units.get(&Unit::Day).copied() {
            units.entry(Unit::WorkingDay).or_insert(day);
        }
        Ok(units)
    }

    async fn unit_where(
        &self,
        field: &str,
        value: Json,
        name: &str,
    ) -> Result<(i64, i64), CallError> {
        let wanted = vec![clause(field, "=", value)];
        let found = self
            .search_plain("product.uom", wanted, &["digits"])
            .await?;
        match records(&found)?.as_slice() {
            [unit] => Ok((unit.id("id")?, unit.id("digits")?)),
            all => Err(CallError::Contract {
                words: format!("{} units of Tryton are named '{name}'", all.len()),
            }),
        }
    }

    /// A search before the company is known.
    async fn search_plain(
        &self,
        model: &str,
        domain: Vec<Json>,
        fields: &[&str],
    ) -> Result<Json, CallError> {
        self.rpc
            .read(
                &format!("model.{model}.search_read"),
                search(domain, None, fields),
                &[],
            )
            .await
    }

    /// A search in the company's context.
    pub(super) async fn search(
        &self,
        model: &str,
        domain: Vec<Json>,
        fields: &[&str],
    ) -> Result<Json, CallError> {
        let context = self.facts().await?.context();
        let params = search(domain, None, fields);
        self.rpc
            .read(&format!("model.{model}.search_read"), params, &context)
            .await
    }

    /// Every record of a model, inactive ones too, page by page along the id: rows that come and
    /// go meanwhile make none of the others appear twice or not at all.
    ///
    /// Inactive records are asked for by the context. The domain `active in [true, false]` works
    /// for most models and silently not for employees, whose `active` is computed.
    pub(super) async fn search_all(
        &self,
        model: &str,
        domain: &[Json],
        fields: &[&str],
    ) -> Result<Vec<Json>, CallError> {
        let mut context = self.facts().await?.context();
        context.push(("active_test".to_owned(), Json::Bool(false)));
        let method = format!("model.{model}.search_read");
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let mut page_domain = domain.to_vec();
            page_domain.push(clause("id", ">", Json::int(after)));
            let params = search(page_domain, Some(PAGE), fields);
            let page = self.rpc.read(&method, params, &context).await?;
            let rows = records(&page)?;
            let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
            for row in &rows {
                let id = row.id("id")?;
                // The order is ours to check: a page that goes backwards would never end.
                if id <= after {
                    return Err(CallError::Contract {
                        words: format!("{model}: the server does not keep the order asked for"),
                    });
                }
                after = id;
                all.push(row.0.clone());
            }
            if !full {
                return Ok(all);
            }
        }
    }
}

fn search(domain: Vec<Json>, limit: Option<i64>, fields: &[&str]) -> Vec<Json> {
    let order = Json::List(vec![Json::List(vec![Json::text("id"), Json::text("ASC")])]);
    vec![
        Json::List(domain),
        Json::int(0),
        limit.map_or(Json::Null, Json::int),
        order,
        Json::texts(fields),
    ]
}
