//! What Tryton's form would fill in. A remote `create` fills in nothing, so the server is asked
//! for the form's own answers: its accounts, addresses and taxes, with whatever rules the firm
//! has installed.

use super::Tryton;
use super::facts::Facts;
use super::json::Json;
use super::states::parse_ref;
use super::wire::{Record, date};
use connector_sdk::call::CallError;
use connector_sdk::target::{DocumentHead, PostLine};
use domain::decimal::Micro;
use domain::exception::{Code, Problem};
use domain::money::Money;
use domain::quantity::Unit;
use domain::rounding::Rounding;
use std::collections::BTreeMap;

/// The derived fields of an invoice line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineDefaults {
    pub(super) account: i64,
    pub(super) taxes: Vec<i64>,
}

/// Whom a line is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buyer {
    pub(super) company: i64,
    pub(super) party: i64,
    pub(super) currency: i64,
    pub(super) date: jiff::civil::Date,
}

fn digits(value: Micro) -> u32 {
    value.decimal().normalize().scale()
}

/// What can be refused before anything is sent: numbers that Tryton cannot hold, and an amount
/// that Tryton would compute otherwise.
pub(super) fn precheck(line: &PostLine, facts: &Facts) -> Result<i64, Problem> {
    let refuse = |facts: String| Err(Problem::new(Code::ErpRejected, facts));
    let (_, allowed) = facts.unit(line.unit)?;
    if i64::from(digits(line.quantity)) > allowed {
        return refuse(format!(
            "{} {} have more digits than the {allowed} Tryton keeps",
            line.quantity,
            line.unit.sign()
        ));
    }
    if digits(line.rate) > 4 {
        return refuse(format!(
            "the rate {} has more digits than the 4 Tryton keeps",
            line.rate
        ));
    }
    let currency = line.amount.currency;
    match Money::times(line.quantity, line.rate, currency, Rounding::HalfEven) {
        Ok(theirs) if theirs == line.amount => {}
        Ok(theirs) => {
            return refuse(format!(
                "Tryton would compute {theirs} where {} was booked: it rounds halves to the even \
                 cent, so set amount_rounding = \"half_even\" in the contract",
                line.amount
            ));
        }
        Err(error) => return refuse(error.to_string()),
    }
    parse_ref(&line.service_item_ref).ok_or_else(|| {
        Problem::new(
            Code::ServiceItemUnmapped,
            "the service item has no id of Tryton",
        )
    })
}

/// The customer of a document.
pub(super) fn customer(head: &DocumentHead) -> Result<i64, Problem> {
    head.customer_ref
        .as_deref()
        .and_then(parse_ref)
        .ok_or_else(|| Problem::new(Code::CustomerUnmapped, "the customer has no id of Tryton"))
}

impl Tryton {
    /// The derived fields of a line, by product and unit. A product that is not sold in the unit, or
    /// has no account, is a problem of that product only.
    pub(super) async fn line_defaults(
        &self,
        buyer: Buyer,
        products: impl Iterator<Item = (i64, i64)>,
    ) -> Result<BTreeMap<(i64, i64), Result<LineDefaults, Problem>>, CallError> {
        let mut defaults = BTreeMap::new();
        for product in products {
            if let std::collections::btree_map::Entry::Vacant(slot) = defaults.entry(product) {
                slot.insert(self.line_default(buyer, product.0, product.1).await?);
            }
        }
        Ok(defaults)
    }

    async fn line_default(
        &self,
        buyer: Buyer,
        product: i64,
        unit: i64,
    ) -> Result<Result<LineDefaults, Problem>, CallError> {
        let facts = self.facts().await?;
        let values = Json::object([
            ("product", Json::int(product)),
            ("unit", Json::int(unit)),
            ("company", Json::int(facts.company)),
            ("currency", Json::int(buyer.currency)),
            ("invoice_type", Json::text("out")),
            // An invoice that does not exist yet, seen through its fields.
            ("invoice", Json::int(-1)),
            ("_parent_invoice.party", Json::int(buyer.party)),
            ("_parent_invoice.type", Json::text("out")),
            ("_parent_invoice.company", Json::int(facts.company)),
            ("_parent_invoice.invoice_date", date(buyer.date)),
            ("_parent_invoice.accounting_date", Json::Null),
        ]);
        let answer = self
            .on_change("account.invoice.line", values, &["product"])
            .await;
        let answer = match answer {
            Err(CallError::Refused { problem }) => return Ok(Err(problem)),
            other => other?,
        };
        let record = Record(&answer);
        if record.id_or_none("unit")? != Some(unit) {
            let piece = facts
                .unit(Unit::Piece)
                .is_ok_and(|(piece, _)| unit == piece);
            let facts = if piece {
                "the service item is not sold by the piece in Tryton"
            } else {
                "the service item is not sold by time in Tryton"
            };
            return Ok(Err(Problem::new(Code::ErpRejected, facts)));
        }
        let Some(account) = record.id_or_none("account")? else {
            let facts = "the service item's product has no revenue account in Tryton";
            return Ok(Err(Problem::new(Code::ErpAccountMissing, facts)));
        };
        Ok(Ok(LineDefaults {
            account,
            taxes: added(record.0.get("taxes"))?,
        }))
    }

    /// The derived fields of an invoice, ready to be sent.
    pub(super) async fn head_defaults(
        &self,
        head: &DocumentHead,
        party: i64,
    ) -> Result<Result<Vec<(String, Json)>, Problem>, CallError> {
        let facts = self.facts().await?;
        let values = Json::object([
            ("type", Json::text("out")),
            ("party", Json::int(party)),
            ("company", Json::int(facts.company)),
            ("invoice_date", date(head.document_date)),
        ]);
        let answer = match self
            .on_change("account.invoice", values, &["type", "party"])
            .await
        {
            Err(CallError::Refused { problem }) => return Ok(Err(problem)),
            other => other?,
        };
        let record = Record(&answer);
        let mut fields = Vec::new();
        for (name, needed) in [
            ("invoice_address", Some("invoice address")),
            ("account", Some("account receivable")),
            ("journal", None),
            ("payment_term", None),
            ("party_tax_identifier", None),
        ] {
            match (record.id_or_none(name)?, needed) {
                (Some(id), _) => fields.push((name.to_owned(), Json::int(id))),
                (None, None) => {}
                (None, Some(what)) => {
                    let facts = format!("the customer has no {what} in Tryton");
                    return Ok(Err(Problem::new(Code::ErpRejected, facts)));
                }
            }
        }
        Ok(Ok(fields))
    }

    async fn on_change(
        &self,
        model: &str,
        values: Json,
        changed: &[&str],
    ) -> Result<Json, CallError> {
        let context = self.facts().await?.context();
        let method = format!("model.{model}.on_change");
        self.rpc
            .read(&method, vec![values, Json::texts(changed)], &context)
            .await
    }
}

/// The taxes that a form's answer adds: `{"add": [[0, {"id": 1}], ..]}`.
fn added(taxes: Option<&Json>) -> Result<Vec<i64>, CallError> {
    let Some(list) = taxes.and_then(|taxes| taxes.get("add")) else {
        return Ok(Vec::new());
    };
    let id = |item: &Json| item.items()?.get(1)?.get("id")?.as_int();
    let ids: Option<Vec<i64>> = list.items().unwrap_or_default().iter().map(id).collect();
    let mut ids = ids.ok_or_else(|| CallError::Contract {
        words: "the taxes of a line come in a form that the connector does not know".to_owned(),
    })?;
    ids.sort_unstable();
    Ok(ids)
}
