//! The ERP's masters, with the ids of its references turned into codes.

use super::ReferenceErp;
use crate::reference_rest::errors::of_body;
use crate::reference_rest::wire::parsed;
use connector_sdk::call::CallError;
use connector_sdk::transport::Effect;
use domain::masters::{self, Masters};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Customer {
    id: String,
    code: String,
    name: String,
    active: bool,
    on_hold: bool,
    /// As text: bills are in the contract's currency, and one customer with a currency that nobody
    /// knows must not keep everybody's hours back.
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    code: String,
    name: String,
    customer_id: Option<String>,
    active: bool,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    project_id: String,
    code: String,
    name: String,
    active: bool,
    closed_after: Option<Date>,
}

#[derive(Deserialize)]
struct Worker {
    id: String,
    code: String,
    name: String,
    role: String,
    from: Option<Date>,
    until: Option<Date>,
    active: bool,
}

#[derive(Deserialize)]
struct ServiceItem {
    id: String,
    code: String,
    name: String,
    active: bool,
}

#[derive(Deserialize)]
struct Period {
    name: String,
    first: Date,
    last: Date,
    open: bool,
}

fn unknown(what: &str, id: &str) -> CallError {
    CallError::Contract {
        words: format!("the ERP's {what} refers to {id}, which its own list does not have"),
    }
}

impl ReferenceErp {
    async fn rows<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, CallError> {
        self.rest
            .list(path)
            .await?
            .iter()
            .map(|row| parsed(row.text.as_bytes()).map_err(|e| of_body(e, Effect::Read)))
            .collect()
    }

    pub(super) async fn erp_masters(&self) -> Result<Masters, CallError> {
        let mut masters = Masters::default();
        let mut customer_codes = BTreeMap::new();
        for row in self.rows::<Customer>("customers").await? {
            customer_codes.insert(row.id.clone(), row.code.clone());
            masters.customers.insert(
                row.code.clone(),
                masters::Customer {
                    code: row.code,
                    name: row.name,
                    erp_ref: row.id,
                    active: row.active,
                    on_hold: row.on_hold,
                    currency: row.currency.and_then(|code| code.parse().ok()),
                },
            );
        }
        let mut project_codes = BTreeMap::new();
        for row in self.rows::<Project>("projects").await? {
            let customer = match &row.customer_id {
                None => None,
                Some(id) => Some(
                    customer_codes
                        .get(id)
                        .cloned()
                        .ok_or_else(|| unknown("project", id))?,
                ),
            };
            project_codes.insert(row.id.clone(), row.code.clone());
            masters.projects.insert(
                row.code.clone(),
                masters::Project {
                    code: row.code,
                    name: row.name,
                    erp_ref: row.id,
                    customer,
                    active: row.active,
                },
            );
        }
        for row in self.rows::<Task>("tasks").await? {
            masters.tasks.push(masters::Task {
                project: project_codes
                    .get(&row.project_id)
                    .cloned()
                    .ok_or_else(|| unknown("task", &row.project_id))?,
                code: row.code,
                name: row.name,
                erp_ref: row.id,
                active: row.active,
                closed_after: row.closed_after,
            });
        }
        masters
            .tasks
            .sort_by(|a, b| (&a.project, &a.code).cmp(&(&b.project, &b.code)));
        self.people_and_periods(&mut masters).await?;
        Ok(masters)
    }

    async fn people_and_periods(&self, masters: &mut Masters) -> Result<(), CallError> {
        for row in self.rows::<Worker>("workers").await? {
            masters.workers.insert(
                row.code.clone(),
                masters::Worker {
                    code: row.code,
                    name: row.name,
                    erp_ref: row.id,
                    role: row.role,
                    from: row.from,
                    until: row.until,
                    active: row.active,
                },
            );
        }
        for row in self.rows::<ServiceItem>("service-items").await? {
            masters.service_items.insert(
                row.code.clone(),
                masters::ServiceItem {
                    code: row.code,
                    name: row.name,
                    erp_ref: row.id,
                    active: row.active,
                },
            );
        }
        for row in self.rows::<Period>("periods").await? {
            masters.periods.push(domain::period::Period {
                name: row.name,
                first: row.first,
                last: row.last,
                open: row.open,
            });
        }
        masters.periods.sort_by_key(|period| period.first);
        Ok(())
    }
}
