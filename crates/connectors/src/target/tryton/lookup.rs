//! Invoice lines by the keys they carry, wherever people moved them.

use super::facts::clause;
use super::json::Json;
use super::states::{CHUNK, Invoice, currency_of, money};
use super::wire::{Record, records};
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::target::{FoundLine, Shape};
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::DocumentState;
use std::collections::BTreeMap;

/// How many contained keys one search asks for: each is a scan.
const CONTAINED_CHUNK: usize = 25;

const LINE_FIELDS: [&str; 9] = [
    "invoice",
    "currency.code",
    "quantity",
    "unit_price",
    "amount",
    "product",
    "unit",
    "account",
    "taxes",
];

/// An invoice line as it stands.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) invoice: Option<i64>,
    pub(super) quantity: Micro,
    pub(super) rate: Option<Micro>,
    pub(super) amount: Option<Money>,
    pub(super) product: Option<i64>,
    pub(super) unit: Option<i64>,
    pub(super) account: Option<i64>,
    pub(super) taxes: Vec<i64>,
}

impl Line {
    fn read(record: Record<'_>) -> Result<Self, CallError> {
        let currency = currency_of(record, "currency.code")?;
        let amount = match record.decimal("amount")? {
            Some(amount) => Some(money(amount, currency)?),
            None => None,
        };
        Ok(Self {
            id: record.id("id")?,
            invoice: record.id_or_none("invoice")?,
            quantity: record.micro("quantity")?.unwrap_or_default(),
            rate: record.micro("unit_price")?,
            amount,
            product: record.id_or_none("product")?,
            unit: record.id_or_none("unit")?,
            account: record.id_or_none("account")?,
            taxes: record.ids("taxes")?,
        })
    }

    /// The line as the pipeline wants it. A line that stands in no invoice is open.
    pub(super) fn found(&self, key: &str, invoice: Option<&Invoice>) -> FoundLine {
        FoundLine {
            line_key: key.to_owned(),
            shape: Some(Shape::DraftLine),
            line_ref: self.id.to_string(),
            document_ref: self.invoice.map(|id| id.to_string()),
            document_state: invoice.map_or(DocumentState::Open, |invoice| invoice.state),
            document_number: invoice.and_then(|invoice| invoice.number.clone()),
            quantity: self.quantity,
            rate: self.rate,
            amount: self.amount,
            work_date: None,
        }
    }
}

impl Tryton {
    /// Records of a model by key. With `look_up` the key stands inside a text that people may
    /// have written around, so what is not found as the whole text is searched inside it. Of
    /// several records with one key the first counts: later ones are copies that people made.
    pub(super) async fn by_key(
        &self,
        model: &str,
        place: &str,
        keys: &[String],
        fields: &[&str],
    ) -> Result<BTreeMap<String, Json>, CallError> {
        let company = clause("company", "=", Json::int(self.facts().await?.company));
        let mut wanted = vec![place];
        wanted.extend_from_slice(fields);
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(CHUNK) {
            let domain = vec![clause(place, "in", Json::texts(chunk)), company.clone()];
            let rows = self.search(model, domain, &wanted).await?;
            keep(&rows, place, chunk, &mut found)?;
        }
        if self.config.uniqueness == KeyPlace::Module {
            return Ok(found);
        }
        // A key with a search sign in it is found as a whole text or not at all.
        let plain = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric());
        let rest: Vec<String> = keys
            .iter()
            .filter(|key| !found.contains_key(*key) && plain(key))
            .cloned()
            .collect();
        for chunk in rest.chunks(CONTAINED_CHUNK) {
            let mut any = vec![Json::text("OR")];
            any.extend(
                chunk
                    .iter()
                    .map(|k| clause(place, "like", Json::text(format!("%{k}%")))),
            );
            let domain = vec![Json::List(any), company.clone()];
            let rows = self.search(model, domain, &wanted).await?;
            keep(&rows, place, chunk, &mut found)?;
        }
        Ok(found)
    }

    pub(super) const fn line_key_field(&self) -> &'static str {
        match self.config.uniqueness {
            KeyPlace::Module => "external_key",
            // Shown on the line's second page in Tryton, printed nowhere.
            KeyPlace::LookUp => "note",
        }
    }

    /// Invoice lines by key.
    pub(super) async fn lines_by_key(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, Line>, CallError> {
        let place = self.line_key_field();
        let found = self
            .by_key("account.invoice.line", place, keys, &LINE_FIELDS)
            .await?;
        found
            .into_iter()
            .map(|(key, row)| Ok((key, Line::read(Record(&row))?)))
            .collect()
    }

    /// [`connector_sdk::target::Target::keyed_lines`]. Keys that stand inside texts are in no list.
    pub(super) async fn lines_with_keys(
        &self,
        shape: Shape,
    ) -> Result<Option<Vec<FoundLine>>, CallError> {
        if self.config.uniqueness == KeyPlace::LookUp {
            return Ok(None);
        }
        let model = match shape {
            Shape::DraftLine => "account.invoice.line",
            Shape::Timesheet | Shape::Cost => "timesheet.line",
        };
        let place = "external_key";
        let domain = [
            clause(place, "!=", Json::Null),
            clause("company", "=", Json::int(self.facts().await?.company)),
        ];
        let mut keys = Vec::new();
        for row in self.search_all(model, &domain, &[place]).await? {
            keys.extend(Record(&row).text(place)?.map(str::to_owned));
        }
        let found = match shape {
            Shape::DraftLine => self.find_lines(&keys).await?,
            Shape::Timesheet | Shape::Cost => self.find_times(&keys).await?,
        };
        Ok(Some(found))
    }

    /// Invoice lines by id; those that do not exist are absent.
    pub(super) async fn lines_by_id(&self, ids: &[i64]) -> Result<BTreeMap<i64, Line>, CallError> {
        let mut lines = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let domain = vec![clause("id", "in", Json::ints(chunk))];
            let rows = self
                .search("account.invoice.line", domain, &LINE_FIELDS)
                .await?;
            for row in records(&rows)? {
                let line = Line::read(row)?;
                lines.insert(line.id, line);
            }
        }
        Ok(lines)
    }

    /// The invoices that lines stand in.
    pub(super) async fn invoices_of(
        &self,
        lines: impl Iterator<Item = &Line>,
    ) -> Result<BTreeMap<i64, Invoice>, CallError> {
        let mut ids: Vec<i64> = lines.filter_map(|line| line.invoice).collect();
        ids.sort_unstable();
        ids.dedup();
        self.invoices(&ids, false).await
    }

    /// [`connector_sdk::target::Target::look_up`] for invoice lines.
    pub(super) async fn find_lines(&self, keys: &[String]) -> Result<Vec<FoundLine>, CallError> {
        let lines = self.lines_by_key(keys).await?;
        let invoices = self.invoices_of(lines.values()).await?;
        Ok(lines
            .iter()
            .map(|(key, line)| {
                let invoice = line.invoice.and_then(|id| invoices.get(&id));
                line.found(key, invoice)
            })
            .collect())
    }
}

/// Rows come in the order of their ids: the first record of a key stays.
fn keep(
    rows: &Json,
    place: &str,
    keys: &[String],
    found: &mut BTreeMap<String, Json>,
) -> Result<(), CallError> {
    for row in records(rows)? {
        let text = row.text(place)?.unwrap_or_default();
        let Some(key) = keys.iter().find(|key| text.contains(key.as_str())) else {
            return Err(CallError::Contract {
                words: "the server answered a record that was not asked for".to_owned(),
            });
        };
        if found.contains_key(key) {
            tracing::warn!(
                record = row.id("id")?,
                "a second record carries a key of ours"
            );
        } else {
            found.insert(key.clone(), row.0.clone());
        }
    }
    Ok(())
}
