//! The laws about what stands in the ERP: numbers, changes, and calls that meet each other.

use super::Law;
use super::laws::{Run, batch};
use crate::call::CallError;
use crate::manifest::Uniqueness;
use crate::target::{FoundLine, LineOutcome, PostLine, Shape};
use domain::decimal::Micro;
use domain::exception::Code;
use domain::money::Money;
use domain::posting::PostingKind;
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
use std::sync::Arc;

/// Quantities and rates that binary fractions cannot hold, or that lie at the edge.
const NUMBERS: [(&str, &str); 7] = [
    ("0.01", "0.01"),
    ("0.1", "0.3"),
    ("1.33", "187.1234"),
    ("7.99", "98.75"),
    ("24", "999.9999"),
    ("0.07", "33.3333"),
    ("2.68", "150"),
];

impl Run {
    pub(super) async fn changes(&mut self, shape: Shape) {
        let law = Law::ChangesAreIdempotent;
        let mut head = self.harness.head(shape);
        let mut line = self.harness.line(&head);
        let create = batch(PostingKind::CreateLine, &head, std::slice::from_ref(&line));
        let outcomes = self.posted(law, &create).await.unwrap_or_default();
        let Some(LineOutcome::Done {
            line_ref,
            document_ref,
        }) = outcomes.first()
        else {
            return;
        };
        line.erp_line_ref = Some(line_ref.clone());
        head.erp_ref.clone_from(document_ref);
        line.recorded_seconds *= 2;
        line.quantity = Micro::from_micro(line.quantity.micro() * 2);
        line.amount = amount(&line, self.rounding());
        for kind in [PostingKind::ReplaceLine, PostingKind::DeleteLine] {
            let change = batch(kind, &head, std::slice::from_ref(&line));
            for time in ["once", "twice"] {
                let outcomes = self.posted(law, &change).await.unwrap_or_default();
                let done = matches!(outcomes.first(), Some(LineOutcome::Done { .. }));
                self.demand(law, done, || format!("{kind:?} {time}: {outcomes:?}"));
                let there = self.standing(law, shape, std::slice::from_ref(&line)).await;
                let there = there.get(&line.line_key);
                let kept = match kind {
                    PostingKind::DeleteLine => there.is_none(),
                    _ => there.is_some_and(|there| holds(shape, &line, there)),
                };
                self.demand(law, kept, || format!("{kind:?} {time}: {there:?}"));
            }
        }
        let replace = batch(PostingKind::ReplaceLine, &head, std::slice::from_ref(&line));
        let target = self.harness.target();
        let result = self.post(target.as_ref(), &replace).await;
        let problem = match &result {
            Ok(outcomes) => outcomes.first().and_then(|outcome| match outcome {
                LineOutcome::Refused(problem) => Some(problem),
                _ => None,
            }),
            Err(CallError::Refused { problem }) => Some(problem),
            Err(_) => None,
        };
        let told = problem.is_some_and(|problem| problem.code == Code::LineMissing);
        self.demand(Law::GoneStaysGone, told, || format!("{result:?}"));
        let there = self.standing(Law::GoneStaysGone, shape, &[line]).await;
        self.demand(Law::GoneStaysGone, there.is_empty(), || {
            format!("{there:?}")
        });
    }

    pub(super) async fn parallel(&mut self, shape: Shape) {
        let law = Law::ParallelCallsMakeOne;
        if self.harness.target().manifest().uniqueness != Uniqueness::UniqueKey {
            return;
        }
        let head = self.harness.head(shape);
        let lines: Vec<PostLine> = (0..2).map(|_| self.harness.line(&head)).collect();
        let create = Arc::new(batch(PostingKind::CreateLine, &head, &lines));
        let mut calls = Vec::new();
        for _ in 0..4 {
            let (target, create) = (self.harness.target(), Arc::clone(&create));
            let call = self.harness.call();
            calls.push(tokio::spawn(
                async move { target.post(&call, &create).await },
            ));
        }
        let mut made = 0_usize;
        for call in calls {
            let Ok(result) = call.await else {
                self.demand(law, false, || "a call died".to_owned());
                continue;
            };
            self.hear(format!("{result:?}"));
            let outcomes = result.unwrap_or_default();
            made += outcomes
                .iter()
                .filter(|o| matches!(o, LineOutcome::Done { .. }))
                .count();
        }
        let standing = self.standing(law, shape, &lines).await;
        let each_once = made == lines.len() && standing.len() == lines.len();
        self.demand(law, each_once, || {
            format!("{made} made, standing {standing:?}")
        });
    }

    pub(super) async fn decimals(&mut self) {
        let law = Law::DecimalsAreExact;
        let shape = Shape::DraftLine;
        let head = self.harness.head(shape);
        let rounding = self.rounding();
        let manifest = self.harness.target().manifest().clone();
        let mut lines = Vec::new();
        for (quantity, rate) in NUMBERS {
            let (Ok(quantity), Ok(rate)) = (quantity.parse::<Micro>(), rate.parse::<Micro>())
            else {
                continue;
            };
            let digits = |value: Micro| value.decimal().normalize().scale();
            if digits(quantity) > manifest.quantity_decimals_max
                || digits(rate) > manifest.rate_decimals_max
            {
                continue;
            }
            let mut line = self.harness.line(&head);
            (line.quantity, line.rate) = (quantity, rate);
            line.amount = amount(&line, rounding);
            lines.push(line);
        }
        let create = batch(PostingKind::CreateLine, &head, &lines);
        self.posted(law, &create).await;
        let standing = self.standing(law, shape, &lines).await;
        for line in &lines {
            let there = standing.get(&line.line_key);
            let exact = there.is_some_and(|there| holds(shape, line, there));
            self.demand(law, exact, || format!("{line:?} became {there:?}"));
        }
        let target = self.harness.target();
        let report = target.look_up_document(shape, &head.document_key).await;
        let sum = lines
            .iter()
            .map(|line| line.amount.amount_minor)
            .sum::<i64>();
        let untaxed = report.as_ref().ok().and_then(|r| r.as_ref()?.untaxed);
        let right = untaxed.is_none_or(|untaxed| untaxed.amount_minor == sum);
        let known = report.as_ref().is_ok_and(Option::is_some);
        self.demand(law, known && right, || {
            format!("the lines sum to {sum}, but {report:?}")
        });
    }

    fn rounding(&self) -> Rounding {
        self.harness
            .target()
            .manifest()
            .amount_rounding
            .unwrap_or_default()
    }
}

/// The amount of a line as the target computes it.
fn amount(line: &PostLine, rounding: Rounding) -> Money {
    let currency = line.amount.currency;
    Money::times(line.quantity, line.rate, currency, rounding).unwrap_or(line.amount)
}

/// Whether the ERP holds the content of a line. Booked time is compared at the hundredth of
/// an hour, which every target keeps.
fn holds(shape: Shape, line: &PostLine, there: &FoundLine) -> bool {
    if shape == Shape::DraftLine {
        return there.quantity == line.quantity
            && there.rate.is_none_or(|rate| rate == line.rate)
            && there.amount.is_none_or(|amount| amount == line.amount);
    }
    let recorded = hours_printed(line.recorded_seconds, 2, Rounding::HalfUp);
    let there = Rounding::HalfUp.to_digits(there.quantity.decimal(), 2);
    recorded.is_some_and(|recorded| recorded.decimal() == there)
}
