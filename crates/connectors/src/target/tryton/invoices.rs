//! New lines on draft invoices: created with their draft in one call, or added through it.

use super::defaults::{Buyer, LineDefaults, customer, precheck};
use super::errors::Fault;
use super::json::Json;
use super::states::parse_ref;
use super::wire::{date, decimal, quantity};
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, LineOutcome, PostBatch, PostLine};
use domain::exception::{Code, Problem};
use std::collections::BTreeMap;

/// How often a call is made again after a key of it was found taken: each time something was
/// found, so more than two rounds need a third writer.
const ROUNDS_MAX: usize = 4;

/// A line ready to be sent, or why it cannot be.
pub(super) type Prepared = Result<Vec<(String, Json)>, Problem>;

fn problem(code: Code, facts: impl Into<String>) -> Problem {
    Problem::new(code, facts)
}

/// All lines refused for one reason.
pub(super) fn refuse_all(batch: &PostBatch, problem: &Problem) -> Vec<LineOutcome> {
    batch
        .lines
        .iter()
        .map(|_| LineOutcome::Refused(problem.clone()))
        .collect()
}

impl Tryton {
    /// [`domain::posting::PostingKind::CreateLine`].
    pub(super) async fn create_lines(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let head = &batch.document;
        let facts = self.facts().await?;
        let party = match customer(head) {
            Ok(party) => party,
            Err(problem) => return Ok(refuse_all(batch, &problem)),
        };
        let currency = self.currency(head.currency).await?;
        let buyer = Buyer {
            company: facts.company,
            party,
            currency,
            date: head.document_date,
        };
        let products: Vec<Result<(i64, i64), Problem>> = batch
            .lines
            .iter()
            .map(|line| Ok((precheck(line, &facts)?, facts.unit(line.unit)?.0)))
            .collect();
        let usable = products
            .iter()
            .filter_map(|product| product.as_ref().ok().copied());
        let defaults = self.line_defaults(buyer, usable).await?;
        let prepared = batch
            .lines
            .iter()
            .zip(products)
            .map(|(line, product)| {
                let product = product?;
                let filled = defaults.get(&product).cloned().unwrap_or_else(|| {
                    Err(problem(
                        Code::ServiceItemUnmapped,
                        "the service item is not known",
                    ))
                })?;
                Ok(self.new_line(line, product.0, product.1, &filled, buyer))
            })
            .collect();
        self.place(call, batch, buyer, prepared).await
    }

    /// [`domain::posting::PostingKind::Credit`], a line that mirrors another, and
    /// [`domain::posting::PostingKind::Difference`], one by which another is more or less: with the
    /// account and the taxes that one was issued with, and a link to it.
    pub(super) async fn credit_lines(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let head = &batch.document;
        let facts = self.facts().await?;
        let party = match customer(head) {
            Ok(party) => party,
            Err(problem) => return Ok(refuse_all(batch, &problem)),
        };
        let currency = self.currency(head.currency).await?;
        let buyer = Buyer {
            company: facts.company,
            party,
            currency,
            date: head.document_date,
        };
        let original_of = |line: &PostLine| line.erp_line_ref.as_deref().and_then(parse_ref);
        let ids: Vec<i64> = batch.lines.iter().filter_map(original_of).collect();
        let originals = self.lines_by_id(&ids).await?;
        let invoices = self.invoices_of(originals.values()).await?;
        let prepared = batch
            .lines
            .iter()
            .map(|line| {
                let gone = || problem(Code::LineMissing, "the line to correct is not in Tryton");
                precheck(line, &facts)?;
                let original = original_of(line)
                    .and_then(|id| originals.get(&id))
                    .ok_or_else(gone)?;
                let (Some(product), Some(account)) = (original.product, original.account) else {
                    let facts = "the line to correct has no product or account";
                    return Err(problem(Code::ErpRejected, facts));
                };
                let filled = LineDefaults {
                    account,
                    taxes: original.taxes.clone(),
                };
                let unit = original.unit.unwrap_or(facts.hour);
                let mut values = self.new_line(line, product, unit, &filled, buyer);
                let origin = format!("account.invoice.line,{}", original.id);
                values.push(("origin".to_owned(), Json::text(origin)));
                // Taxes are those of the day they were charged on.
                let issued = original.invoice.and_then(|id| invoices.get(&id)?.date);
                if let Some(issued) = issued {
                    values.push(("taxes_date".to_owned(), date(issued)));
                }
                Ok(values)
            })
            .collect();
        self.place(call, batch, buyer, prepared).await
    }

    fn new_line(
        &self,
        line: &PostLine,
        product: i64,
        unit: i64,
        filled: &LineDefaults,
        buyer: Buyer,
    ) -> Vec<(String, Json)> {
        let taxes = Json::List(vec![Json::text("add"), Json::ints(&filled.taxes)]);
        [
            ("type", Json::text("line")),
            ("company", Json::int(buyer.company)),
            ("currency", Json::int(buyer.currency)),
            ("invoice_type", Json::text("out")),
            ("product", Json::int(product)),
            ("unit", Json::int(unit)),
            ("quantity", quantity(line.quantity)),
            ("unit_price", decimal(line.rate.decimal())),
            ("account", Json::int(filled.account)),
            ("taxes", Json::List(vec![taxes])),
            ("description", Json::text(&line.description)),
            (self.line_key_field(), Json::text(&line.line_key)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Put prepared lines on their draft. A key that is taken leads to what carries it; the rest
    /// is sent again, a bounded number of times.
    async fn place(
        &self,
        call: &Call,
        batch: &PostBatch,
        buyer: Buyer,
        prepared: Vec<Prepared>,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let mut outcomes: Vec<Option<LineOutcome>> = Vec::new();
        let mut values = Vec::new();
        for one in prepared {
            match one {
                Ok(line) => {
                    outcomes.push(None);
                    values.push(line);
                }
                Err(problem) => {
                    outcomes.push(Some(LineOutcome::Refused(problem)));
                    values.push(Vec::new());
                }
            }
        }
        for round in 0..ROUNDS_MAX {
            // Without a unique key in the database, looking comes first, always.
            if round > 0 || self.config.uniqueness == KeyPlace::LookUp {
                self.settle_known(batch, &mut outcomes).await?;
            }
            let open: Vec<usize> = (0..outcomes.len())
                .filter(|index| outcomes.get(*index).is_some_and(Option::is_none))
                .collect();
            if open.is_empty() {
                return Ok(outcomes.into_iter().flatten().collect());
            }
            let lines: Vec<Json> = open
                .iter()
                .filter_map(|index| values.get(*index))
                .map(|line| Json::Object(line.clone()))
                .collect();
            match self.send_lines(call, &batch.document, buyer, lines).await {
                Ok(Ok(document)) => {
                    self.read_back(batch, &open, document, &mut outcomes)
                        .await?;
                    return Ok(outcomes.into_iter().flatten().collect());
                }
                Ok(Err(problem)) => {
                    for index in open {
                        if let Some(slot) = outcomes.get_mut(index) {
                            *slot = Some(LineOutcome::Refused(problem.clone()));
                        }
                    }
                    return Ok(outcomes.into_iter().flatten().collect());
                }
                Err(Fault::KeyTaken { .. }) => {}
                Err(fault) => return Err(fault.into_call_error()),
            }
        }
        Err(CallError::NotExecuted {
            words: "keys of the call were taken by others again and again".to_owned(),
            retry_after_ms: Some(5000),
        })
    }

    /// Lines that are there already.
    async fn settle_known(
        &self,
        batch: &PostBatch,
        outcomes: &mut [Option<LineOutcome>],
    ) -> Result<(), CallError> {
        let keys: Vec<String> = batch
            .lines
            .iter()
            .zip(outcomes.iter())
            .filter(|(_, outcome)| outcome.is_none())
            .map(|(line, _)| line.line_key.clone())
            .collect();
        let mut found: BTreeMap<String, _> = self
            .find_lines(&keys)
            .await?
            .into_iter()
            .map(|line| (line.line_key.clone(), line))
            .collect();
        for (line, outcome) in batch.lines.iter().zip(outcomes.iter_mut()) {
            if outcome.is_none() {
                let there = found.remove(&line.line_key).map(Box::new);
                *outcome = there.map(LineOutcome::AlreadyThere);
            }
        }
        Ok(())
    }
}
