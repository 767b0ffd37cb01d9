//! The laws, one after another, on one harness. What they write stays in the ERP.

use super::{Law, TargetHarness, Violation};
use crate::call::CallError;
use crate::check::Verdict;
use crate::target::{DocumentHead, FoundLine, LineOutcome, PostBatch, PostLine, Shape, Target};
use domain::posting::{DocumentState, PostingKind};
use std::collections::BTreeMap;
use std::sync::Arc;

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
