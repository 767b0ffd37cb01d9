//! Invoices and their states, read by id or by our key.

use super::facts::clause;
use super::json::Json;
use super::wire::{Record, Unreadable, records};
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::target::DocumentReport;
use domain::currency::Currency;
use domain::money::Money;
use domain::posting::DocumentState;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// How many ids or keys one search names.
pub(super) const CHUNK: usize = 200;

const FIELDS: [&str; 9] = [
    "state",
    "number",
    "cancel_move",
    "currency.code",
    "party",
    "invoice_date",
    "type",
    "_timestamp",
    "company",
];

/// One invoice.
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    pub(super) id: i64,
    /// Whether Tryton still takes lines: only in its state `draft`, not in `validated`.
    pub(super) takes_lines: bool,
    pub(super) state_name: String,
    pub(super) state: DocumentState,
    pub(super) number: Option<String>,
    pub(super) currency: Currency,
    pub(super) party: i64,
    pub(super) date: Option<Date>,
    pub(super) timestamp: String,
    pub(super) untaxed: Option<Money>,
}

impl Invoice {
    fn read(record: Record<'_>) -> Result<Self, CallError> {
        let state_name = record.text("state")?.unwrap_or_default().to_owned();
        let number = record.text("number")?.map(str::to_owned);
        let cancelled_by_move = record.id_or_none("cancel_move")?.is_some();
        let state = state_of(&state_name, number.is_some() || cancelled_by_move)?;
        let currency = currency_of(record, "currency.code")?;
        let untaxed = match record.decimal("untaxed_amount")? {
            Some(amount) => Some(money(amount, currency)?),
            None => None,
        };
        Ok(Self {
            id: record.id("id")?,
            takes_lines: state_name == "draft",
            state_name,
            state,
            number,
            currency,
            party: record.id("party")?,
            date: record.date("invoice_date")?,
            timestamp: record.text("_timestamp")?.unwrap_or_default().to_owned(),
            untaxed,
        })
    }

    pub(super) fn report(self) -> DocumentReport {
        DocumentReport {
            erp_ref: self.id.to_string(),
            state: self.state,
            number: self.number,
            untaxed: self.untaxed,
        }
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        self.number
            .clone()
            .unwrap_or_else(|| format!("({})", self.id))
    }
}

/// The meaning of a state. An invoice is cancelled either as a draft, or by a credit note.
pub(super) fn state_of(name: &str, was_issued: bool) -> Result<DocumentState, CallError> {
    Ok(match (name, was_issued) {
        ("draft" | "validated", _) => DocumentState::Draft,
        ("posted", _) => DocumentState::Issued,
        ("paid", _) => DocumentState::Paid,
        ("cancelled", true) => DocumentState::Credited,
        ("cancelled", false) => DocumentState::Void,
        _ => {
            return Err(CallError::Contract {
                words: "an invoice is in a state that the connector does not know".to_owned(),
            });
        }
    })
}

/// The currency a record names.
pub(super) fn currency_of(record: Record<'_>, path: &str) -> Result<Currency, CallError> {
    let code = record.text(path)?.unwrap_or_default();
    code.parse().map_err(|_| {
        Unreadable {
            field: path.to_owned(),
            expected: "an ISO 4217 currency",
        }
        .into()
    })
}

/// An amount of the server as money.
pub(super) fn money(amount: Decimal, currency: Currency) -> Result<Money, CallError> {
    Money::from_decimal(amount, currency).map_err(|error| CallError::Contract {
        words: error.to_string(),
    })
}

/// Our name for a record: the ERP's id as digits.
pub(super) fn parse_ref(erp_ref: &str) -> Option<i64> {
    erp_ref.parse().ok().filter(|id| *id > 0)
}

impl Tryton {
    /// Invoices by id; those that do not exist are absent. With `totals` the untaxed amount is
    /// read as well, which the server computes line by line.
    pub(super) async fn invoices(
        &self,
        ids: &[i64],
        totals: bool,
    ) -> Result<BTreeMap<i64, Invoice>, CallError> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let wanted = clause("id", "in", Json::ints(chunk));
            self.read_invoices(wanted, totals, &mut found).await?;
        }
        self.mark_credited(&mut found).await?;
        Ok(found)
    }

    async fn read_invoices(
        &self,
        wanted: Json,
        totals: bool,
        found: &mut BTreeMap<i64, Invoice>,
    ) -> Result<(), CallError> {
        let company = self.facts().await?.company;
        let mut fields = FIELDS.to_vec();
        if totals {
            fields.push("untaxed_amount");
        }
        let domain = vec![wanted, clause("company", "=", Json::int(company))];
        let rows = self.search("account.invoice", domain, &fields).await?;
        for row in records(&rows)? {
            let invoice = Invoice::read(row)?;
            found.insert(invoice.id, invoice);
        }
        Ok(())
    }

    /// The invoice that carries our document key; of several (a person's copy) the first.
    pub(super) async fn invoice_of_key(
        &self,
        key: &str,
        totals: bool,
    ) -> Result<Option<Invoice>, CallError> {
        let mut found = BTreeMap::new();
        let wanted = clause(self.document_key_field(), "=", Json::text(key));
        self.read_invoices(wanted, totals, &mut found).await?;
        self.mark_credited(&mut found).await?;
        Ok(found.into_values().next())
    }

    pub(super) fn document_key_field(&self) -> &str {
        match self.config.uniqueness {
            KeyPlace::Module => "external_key",
            KeyPlace::LookUp => &self.config.document_key_field,
        }
    }

    /// An issued invoice stays `posted` or becomes `paid` when a credit note takes all of it
    /// back without a refund: the credit note's lines name the lines they mirror.
    async fn mark_credited(&self, found: &mut BTreeMap<i64, Invoice>) -> Result<(), CallError> {
        let issued: Vec<i64> = found
            .values()
            .filter(|i| matches!(i.state, DocumentState::Issued | DocumentState::Paid))
            .map(|i| i.id)
            .collect();
        for chunk in issued.chunks(CHUNK) {
            self.credit_totals(chunk, found).await?;
        }
        Ok(())
    }

    async fn credit_totals(
        &self,
        issued: &[i64],
        found: &mut BTreeMap<i64, Invoice>,
    ) -> Result<(), CallError> {
        let domain = vec![
            clause("origin_invoices", "in", Json::ints(issued)),
            clause("state", "in", Json::texts(&["posted", "paid"])),
        ];
        let fields = ["origin_invoices", "untaxed_amount"];
        let notes = self.search("account.invoice", domain, &fields).await?;
        let notes = records(&notes)?;
        if notes.is_empty() {
            return Ok(());
        }
        let originals: Vec<i64> = notes
            .iter()
            .map(|note| note.ids("origin_invoices"))
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        let domain = vec![clause("id", "in", Json::ints(&originals))];
        let totals = self
            .search("account.invoice", domain, &["untaxed_amount"])
            .await?;
        for total in records(&totals)? {
            let (id, amount) = (total.id("id")?, total.decimal("untaxed_amount")?);
            let mut credited = Decimal::ZERO;
            for note in &notes {
                // A note over several invoices cannot be divided here: it says nothing.
                if note.ids("origin_invoices")? == [id] {
                    credited += note.decimal("untaxed_amount")?.unwrap_or_default();
                }
            }
            let whole = amount.is_some_and(|amount| {
                !amount.is_zero()
                    && credited.abs() >= amount.abs()
                    && credited.is_sign_negative() != amount.is_sign_negative()
            });
            if let Some(invoice) = found.get_mut(&id).filter(|_| whole) {
                invoice.state = DocumentState::Credited;
            }
        }
        Ok(())
    }

    /// [`connector_sdk::target::Target::look_up_document`] for invoices.
    pub(super) async fn find_document(
        &self,
        key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        Ok(self.invoice_of_key(key, true).await?.map(Invoice::report))
    }

    /// [`connector_sdk::target::Target::document_states`].
    pub(super) async fn states_of(
        &self,
        erp_refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        let ids: Vec<i64> = erp_refs
            .iter()
            .filter_map(|erp_ref| parse_ref(erp_ref))
            .collect();
        let found = self.invoices(&ids, true).await?;
        let missing = |erp_ref: &String| DocumentReport {
            erp_ref: erp_ref.clone(),
            state: DocumentState::Missing,
            number: None,
            untaxed: None,
        };
        Ok(erp_refs
            .iter()
            .map(|erp_ref| {
                parse_ref(erp_ref)
                    .and_then(|id| found.get(&id).cloned())
                    .map_or_else(|| missing(erp_ref), Invoice::report)
            })
            .collect())
    }
}
