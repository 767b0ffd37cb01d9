//! The laws, one after another, on one harness. What they write stays in the ERP.

use super::{Law, TargetHarness, Violation};
use crate::call::CallError;
use crate::check::Verdict;
use crate::manifest::Uniqueness;
use crate::target::{DocumentHead, FoundLine, LineOutcome, PostBatch, PostLine, Shape, Target};
use domain::decimal::Micro;
use domain::exception::Code;
use domain::money::Money;
use domain::posting::{DocumentState, PostingKind};
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
use std::collections::BTreeMap;
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

pub(super) async fn check(harness: Arc<dyn TargetHarness>) -> Vec<Violation> {
    let mut run = Run {
        harness,
        violations: Vec::new(),
        said: Vec::new(),
    };
    run.identity().await;
    run.check_line().await;
    run.absent().await;
    for shape in run.harness.shapes() {
        run.same_key(shape).await;
        run.refused(shape).await;
        run.lost_answers(shape).await;
        run.failures(shape).await;
        run.changes(shape).await;
        run.parallel(shape).await;
        if shape == Shape::DraftLine {
            run.decimals().await;
        }
    }
    run.secrets();
    run.violations
}

pub(super) struct Run {
    pub(super) harness: Arc<dyn TargetHarness>,
    violations: Vec<Violation>,
    /// All that the connector said, to look for secrets in it.
    said: Vec<String>,
}

pub(super) fn batch(kind: PostingKind, head: &DocumentHead, lines: &[PostLine]) -> PostBatch {
    PostBatch {
        kind,
        document: head.clone(),
        lines: lines.to_vec(),
    }
}

pub(super) fn keys(lines: &[PostLine]) -> Vec<String> {
    lines.iter().map(|line| line.line_key.clone()).collect()
}

impl Run {
    pub(super) fn demand(&mut self, law: Law, kept: bool, seen: impl FnOnce() -> String) {
        if !kept {
            let seen = seen();
            self.violations.push(Violation { law, seen });
        }
    }

    pub(super) fn hear(&mut self, said: String) {
        self.said.push(said);
    }

    pub(super) async fn post(
        &mut self,
        target: &dyn Target,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let result = target.post(&self.harness.call(), batch).await;
        self.hear(format!("{result:?}"));
        if let Err(error) = &result {
            self.hear(error.to_string());
        }
        result
    }

    /// Post what must succeed; the outcomes, one per line, or none and a violation.
    pub(super) async fn posted(&mut self, law: Law, batch: &PostBatch) -> Option<Vec<LineOutcome>> {
        let target = self.harness.target();
        match self.post(target.as_ref(), batch).await {
            Ok(outcomes) if outcomes.len() == batch.lines.len() => Some(outcomes),
            Ok(outcomes) => {
                let (got, sent) = (outcomes.len(), batch.lines.len());
                self.demand(Law::OutcomesMatchLines, false, || {
                    format!("{got} outcomes for {sent} lines")
                });
                None
            }
            Err(error) => {
                self.demand(law, false, || format!("the call failed: {error}"));
                None
            }
        }
    }

    /// What stands in the ERP under these keys; a key with two lines is a violation.
    pub(super) async fn standing(
        &mut self,
        law: Law,
        shape: Shape,
        lines: &[PostLine],
    ) -> BTreeMap<String, FoundLine> {
        let found = match self.harness.target().look_up(shape, &keys(lines)).await {
            Ok(found) => found,
            Err(error) => {
                self.demand(law, false, || format!("the look-up failed: {error}"));
                return BTreeMap::new();
            }
        };
        let mut standing = BTreeMap::new();
        for line in found {
            let asked = lines.iter().any(|asked| asked.line_key == line.line_key);
            self.demand(Law::AbsentIsAbsent, asked, || {
                format!("a key was found that was not asked for: {}", line.line_key)
            });
            let key = line.line_key.clone();
            let twice = standing.insert(key, line).is_some();
            self.demand(Law::SameKeyOnce, !twice, || {
                "two lines carry one key".to_owned()
            });
        }
        standing
    }

    async fn identity(&mut self) {
        let law = Law::IdentityIsStable;
        let first = self.harness.target().identity().await;
        let second = self.harness.target().identity().await;
        let stable = first.as_ref().is_ok_and(|name| !name.trim().is_empty()) && first == second;
        self.demand(law, stable, || format!("first {first:?}, then {second:?}"));
    }

    async fn check_line(&mut self) {
        self.harness.interceptor().take_writes();
        let target = self.harness.target();
        for line in target.check().await {
            self.hear(format!("{line:?}"));
            let bad = line.verdict == Verdict::Bad;
            self.demand(Law::CheckTellsTheTruth, !bad, || format!("{line:?}"));
            let told = line.verdict == Verdict::Good || line.hint.is_some();
            self.demand(Law::CheckTellsTheTruth, told, || {
                format!("no hint: {line:?}")
            });
        }
        let masters = target.masters().await;
        self.demand(Law::CheckTellsTheTruth, masters.is_ok(), || {
            format!("the check is good and the masters cannot be read: {masters:?}")
        });
    }

    /// Nothing is found that is not there, and reading wrote nothing so far.
    async fn absent(&mut self) {
        let law = Law::AbsentIsAbsent;
        let target = self.harness.target();
        for shape in self.harness.shapes() {
            let head = self.harness.head(shape);
            let line = self.harness.line(&head);
            let found = target.look_up(shape, &keys(&[line])).await;
            self.demand(law, found.as_ref().is_ok_and(Vec::is_empty), || {
                format!("{found:?}")
            });
            let found = target.look_up(shape, &[]).await;
            self.demand(law, found.as_ref().is_ok_and(Vec::is_empty), || {
                format!("{found:?}")
            });
            let found = target.look_up_document(shape, &head.document_key).await;
            self.demand(law, found == Ok(None), || format!("{found:?}"));
            let refs = ["999999999".to_owned(), "no id at all".to_owned()];
            let states = target.document_states(shape, &refs).await;
            let missing = states.as_ref().is_ok_and(|reports| {
                reports.len() == refs.len()
                    && reports
                        .iter()
                        .all(|report| report.state == DocumentState::Missing)
            });
            self.demand(law, missing, || format!("{states:?}"));
        }
        let writes = self.harness.interceptor().take_writes();
        self.demand(Law::ReadingWritesNothing, writes.is_empty(), || {
            format!("{} writes were sent", writes.len())
        });
    }

    async fn same_key(&mut self, shape: Shape) {
        let mut head = self.harness.head(shape);
        let lines: Vec<PostLine> = (0..3).map(|_| self.harness.line(&head)).collect();
        let create = batch(PostingKind::CreateLine, &head, &lines);
        self.harness.interceptor().take_writes();
        let call = self.harness.call();
        let Some(outcomes) = self.posted(Law::OutcomesMatchLines, &create).await else {
            return;
        };
        for write in self.harness.interceptor().take_writes() {
            let carried = write.timeout_ms == call.timeout_ms && write.send_not_after_us.is_some();
            self.demand(Law::WritesCarryTheirLimits, carried, || {
                format!("{write:?}")
            });
        }
        let standing = self.standing(Law::OutcomesMatchLines, shape, &lines).await;
        for (line, outcome) in lines.iter().zip(&outcomes) {
            let LineOutcome::Done {
                line_ref,
                document_ref,
            } = outcome
            else {
                self.demand(Law::OutcomesMatchLines, false, || {
                    format!("not done: {outcome:?}")
                });
                continue;
            };
            let there = standing.get(&line.line_key);
            let same = there.is_some_and(|there| {
                there.line_ref == *line_ref && there.document_ref == *document_ref
            });
            self.demand(Law::OutcomesMatchLines, same, || {
                format!("{outcome:?} but {there:?}")
            });
            if document_ref.is_some() {
                head.erp_ref.clone_from(document_ref);
            }
        }
        for head in [&create.document.clone(), &head] {
            let again = batch(PostingKind::CreateLine, head, &lines);
            let Some(outcomes) = self.posted(Law::SameKeyOnce, &again).await else {
                continue;
            };
            for (line, outcome) in lines.iter().zip(&outcomes) {
                let known = matches!(outcome, LineOutcome::AlreadyThere(found)
                    if Some(&found.line_ref) == standing.get(&line.line_key).map(|s| &s.line_ref));
                self.demand(Law::SameKeyOnce, known, || {
                    format!("sent again: {outcome:?}")
                });
            }
        }
        let after = self.standing(Law::SameKeyOnce, shape, &lines).await;
        self.demand(Law::SameKeyOnce, after == standing, || {
            format!("{standing:?} -> {after:?}")
        });
    }

    async fn refused(&mut self, shape: Shape) {
        let law = Law::RefusedDidNothing;
        let head = self.harness.head(shape);
        let Some(bad) = self.harness.refused_line(&head) else {
            return;
        };
        let lines = [self.harness.line(&head), bad, self.harness.line(&head)];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        let target = self.harness.target();
        let result = self.post(target.as_ref(), &create).await;
        let standing = self.standing(law, shape, &lines).await;
        match result {
            Ok(outcomes) => {
                for (line, outcome) in lines.iter().zip(&outcomes) {
                    let done = matches!(outcome, LineOutcome::Done { .. });
                    let there = standing.contains_key(&line.line_key);
                    self.demand(law, done == there, || {
                        format!("{outcome:?}, there: {there}")
                    });
                }
                let refused = matches!(outcomes.get(1), Some(LineOutcome::Refused(_)));
                self.demand(law, refused, || format!("{:?}", outcomes.get(1)));
            }
            Err(CallError::Refused { problem }) => {
                self.demand(law, standing.is_empty(), || {
                    format!("{problem:?} but {standing:?}")
                });
            }
            Err(other) => self.demand(law, false, || format!("{other:?}")),
        }
    }

    async fn changes(&mut self, shape: Shape) {
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

    async fn parallel(&mut self, shape: Shape) {
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

    async fn decimals(&mut self) {
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

    fn secrets(&mut self) {
        self.said.push(self.harness.debug());
        let said = std::mem::take(&mut self.said);
        for secret in self.harness.secrets() {
            let told = said.iter().filter(|said| said.contains(&secret)).count();
            self.demand(Law::SecretsStaySecret, told == 0, || {
                format!("told {told} times")
            });
        }
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
