//! The laws about calls that do not end well.

use super::Law;
use super::interceptor::Interference;
use super::laws::{Run, batch};
use crate::call::CallError;
use crate::target::{LineOutcome, Shape};
use crate::transport::{Reply, TransportCause};
use domain::posting::PostingKind;

/// What an answer in place of the ERP's may be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// In doubt: the ERP may have done it.
    InDoubt,
    /// Surely not executed or in doubt: both are safe.
    NotDone,
    /// Over the limit.
    Throttled,
    /// The credentials.
    Unauthorized,
    /// Any error at all.
    AnyError,
}

impl Class {
    fn fits(self, error: &CallError) -> bool {
        match self {
            Self::InDoubt => matches!(error, CallError::Ambiguous { .. }),
            Self::NotDone => matches!(
                error,
                CallError::Ambiguous { .. } | CallError::NotExecuted { .. }
            ),
            Self::Throttled => matches!(error, CallError::Throttled { .. }),
            Self::Unauthorized => matches!(error, CallError::Unauthorized { .. }),
            Self::AnyError => true,
        }
    }
}

const HTML: &str = "<!doctype html><html><title>error</title></html>";

/// Answers that stand in for the ERP's, and what they mean for a write.
const ANSWERS: [(u16, &str, Class); 12] = [
    (200, HTML, Class::InDoubt),
    (200, "", Class::InDoubt),
    (200, "{\"", Class::InDoubt),
    (301, "", Class::AnyError),
    (400, HTML, Class::AnyError),
    (401, "", Class::Unauthorized),
    (404, HTML, Class::AnyError),
    (429, "", Class::Throttled),
    (500, HTML, Class::NotDone),
    (502, HTML, Class::NotDone),
    (503, HTML, Class::NotDone),
    (504, HTML, Class::InDoubt),
];

impl Run {
    /// The write happens; its answer does not arrive.
    pub(super) async fn lost_answers(&mut self, shape: Shape) {
        let law = Law::LostAnswerIsInDoubt;
        for loss in [
            Interference::LoseAnswer(TransportCause::Timeout),
            Interference::LoseAnswer(TransportCause::Cut),
            Interference::LoseAnswer(TransportCause::BodyTooLarge),
            Interference::CutAnswer,
        ] {
            let head = self.harness.head(shape);
            let lines = [self.harness.line(&head), self.harness.line(&head)];
            let create = batch(PostingKind::CreateLine, &head, &lines);
            self.harness.interceptor().plan([loss.clone()]);
            let target = self.harness.target();
            let result = self.post(target.as_ref(), &create).await;
            self.harness.interceptor().plan([]);
            let in_doubt = matches!(result, Err(CallError::Ambiguous { .. }));
            self.demand(law, in_doubt, || format!("{loss:?}: {result:?}"));
            let standing = self.standing(law, shape, &lines).await;
            self.demand(law, standing.len() == lines.len(), || {
                format!("{loss:?}: the look-up finds {standing:?}")
            });
            let again = self.posted(law, &create).await.unwrap_or_default();
            let known = again
                .iter()
                .all(|one| matches!(one, LineOutcome::AlreadyThere(_)));
            self.demand(law, known, || format!("{loss:?}: sent again {again:?}"));
            let after = self.standing(law, shape, &lines).await;
            self.demand(law, after == standing, || {
                format!("{standing:?} -> {after:?}")
            });
        }
    }

    /// The write does not happen.
    pub(super) async fn failures(&mut self, shape: Shape) {
        for cause in [TransportCause::Connect, TransportCause::Expired] {
            let interference = Interference::NeverSend(cause);
            let fits = |error: &CallError| matches!(error, CallError::NotExecuted { .. });
            self.fails(Law::NotSentIsNotExecuted, shape, interference, fits)
                .await;
        }
        for (status, body, class) in ANSWERS {
            let reply = Reply {
                status,
                headers: vec![("retry-after".to_owned(), "7".to_owned())],
                body: body.as_bytes().to_vec(),
            };
            let law = Law::FailuresAreClassified;
            let interference = Interference::Answer(reply);
            self.fails(law, shape, interference, |error| class.fits(error))
                .await;
        }
    }

    async fn fails(
        &mut self,
        law: Law,
        shape: Shape,
        interference: Interference,
        fits: impl Fn(&CallError) -> bool,
    ) {
        let head = self.harness.head(shape);
        let lines = [self.harness.line(&head)];
        let create = batch(PostingKind::CreateLine, &head, &lines);
        // A connector may log in again and repeat a call that was surely not looked at.
        self.harness
            .interceptor()
            .plan(vec![interference.clone(); 4]);
        let target = self.harness.target();
        let result = self.post(target.as_ref(), &create).await;
        self.harness.interceptor().plan([]);
        let classified = result.as_ref().is_err_and(fits);
        self.demand(law, classified, || format!("{interference:?}: {result:?}"));
        if let Interference::Answer(reply) = &interference
            && reply.status == 429
        {
            let waits = matches!(&result, Err(CallError::Throttled { retry_after_ms, .. })
                if *retry_after_ms == Some(7000));
            self.demand(law, waits, || format!("Retry-After: {result:?}"));
        }
        let standing = self.standing(law, shape, &lines).await;
        self.demand(law, standing.is_empty(), || {
            format!("{interference:?}: {standing:?}")
        });
    }
}
