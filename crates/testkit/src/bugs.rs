//! Planted bugs: wrappers that break one rule of the product, so that a test can show that the
//! simulation would notice.

use crate::crashes::Deaths;
use crate::story::Story;
use crate::world::Backup;
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::CheckLine;
use connector_sdk::manifest::Manifest;
use connector_sdk::source::{Feedback, WriteBack};
use connector_sdk::target::{
    Call, DocumentReport, FoundLine, LineOutcome, PostBatch, Shape, Target,
};
use domain::ids::digest16;
use domain::masters::Masters;
use domain::posting::PostingKind;
use pipeline::crash::{CrashPoint, Crashed, Crashes};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bug {
    /// None.
    #[default]
    None,
    /// A call without an answer is taken for one that was not executed.
    ResendInDoubt,
    /// The key of a line is made of its content.
    KeyByContent,
    /// One status in five is never sent to the tracker and taken for told.
    LostWriteBack,
    /// No limit is kept.
    NoPermit,
    /// A line that carries our key is taken for ours whatever it says.
    AdoptBlindly,
    /// The ledger forgets the intent of a call when the process dies after it.
    LostIntent,
    /// After a restart nothing that was in doubt is looked up: what was sent is sent again.
    BlindLookUp,
    /// A process that stood still sends what it was about to send, however late it is.
    LateSend,
}

/// A target with a planted bug.
pub struct BuggyTarget {
    inner: Arc<dyn Target>,
    bug: Bug,
    manifest: Manifest,
    /// The product's keys by the keys that this bug writes instead.
    keys: Arc<Mutex<BTreeMap<String, String>>>,
    /// What was asked for under each key.
    asked: Arc<Mutex<BTreeMap<String, connector_sdk::target::PostLine>>>,
}

/// What a buggy process remembers beyond its death: it stands for what it would compute again.
#[derive(Clone, Default)]
pub struct Memory {
    backup: Arc<Mutex<Option<Backup>>>,
    keys: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<BTreeMap<String, connector_sdk::target::PostLine>>>,
}

impl Memory {
    /// The ledger as it stood before the last intent.
    pub fn take_backup(&self) -> Option<Backup> {
        let mut backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        backup.take()
    }
}

/// Deaths after which the ledger stands as it did before the last intent.
pub struct Forgetful {
    deaths: Arc<Deaths>,
    ledger: Store,
    story: Arc<Story>,
    backup: Arc<Mutex<Option<Backup>>>,
}

impl Forgetful {
    /// Die like `deaths`, and forget.
    pub fn new(deaths: Arc<Deaths>, ledger: Store, story: Arc<Story>, memory: &Memory) -> Self {
        Self {
            deaths,
            ledger,
            story,
            backup: Arc::clone(&memory.backup),
        }
    }
}

impl Crashes for Forgetful {
    fn pass(&self, point: CrashPoint) -> Result<(), Crashed> {
        let mut backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        match point {
            CrashPoint::BatchChosen => *backup = Backup::of(&self.ledger, &self.story).ok(),
            CrashPoint::IntentWritten | CrashPoint::CallReturned => {}
            _ => *backup = None,
        }
        drop(backup);
        self.deaths.pass(point)
    }
}

impl BuggyTarget {
    /// Break a rule of a target.
    pub fn new(inner: Arc<dyn Target>, bug: Bug, memory: &Memory) -> Self {
        let mut manifest = inner.manifest().clone();
        if bug == Bug::NoPermit {
            manifest.limits.clear();
        }
        Self {
            inner,
            bug,
            manifest,
            keys: Arc::clone(&memory.keys),
            asked: Arc::clone(&memory.asked),
        }
    }

    fn remember(&self, batch: &PostBatch) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.kind != PostingKind::DeleteLine {
            for line in &batch.lines {
                asked.insert(line.line_key.clone(), line.clone());
            }
        }
    }

    /// The batch with keys made of content.
    fn rekeyed(&self, batch: &PostBatch) -> PostBatch {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = batch.clone();
        for line in &mut batch.lines {
            let known = keys.get(&line.line_key).cloned();
            let new = known.unwrap_or_else(|| {
                let parts = [
                    line.task_ref.clone().unwrap_or_default(),
                    line.worker_ref.clone().unwrap_or_default(),
                    line.work_date.to_string(),
                    line.recorded_seconds.to_string(),
                    batch.kind.name().to_owned(),
                ];
                let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
                data(&digest16("content", &parts))
            });
            keys.insert(line.line_key.clone(), new.clone());
            line.line_key = new;
        }
        batch
    }

    fn rekeyed_found(&self, asked: &[String], found: &[FoundLine]) -> Vec<FoundLine> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for key in asked {
            let written = keys.get(key).unwrap_or(key);
            all.extend(
                found
                    .iter()
                    .filter(|line| line.line_key == *written)
                    .map(|line| FoundLine {
                        line_key: key.clone(),
                        ..line.clone()
                    }),
            );
        }
        all
    }

    fn adopted(&self, found: Vec<FoundLine>) -> Vec<FoundLine> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        found
            .into_iter()
            .map(|line| match asked.get(&line.line_key) {
                Some(ours) => FoundLine {
                    quantity: ours.quantity,
                    rate: Some(ours.rate),
                    amount: Some(ours.amount),
                    work_date: Some(ours.work_date),
                    ..line
                },
                None => line,
            })
            .collect()
    }
}

fn data(bytes: &[u8]) -> String {
    data_encoding::HEXUPPER.encode(bytes)
}

#[async_trait]
impl Target for BuggyTarget {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn check(&self) -> Vec<CheckLine> {
        self.inner.check().await
    }

    async fn identity(&self) -> Result<String, CallError> {
        self.inner.identity().await
    }

    async fn masters(&self) -> Result<Masters, CallError> {
        self.inner.masters().await
    }

    async fn post(&self, call: &Call, batch: &PostBatch) -> Result<Vec<LineOutcome>, CallError> {
        match self.bug {
            Bug::ResendInDoubt => match self.inner.post(call, batch).await {
                Err(CallError::Ambiguous { words }) => Err(CallError::NotExecuted {
                    words,
                    retry_after_ms: None,
                }),
                other => other,
            },
            Bug::KeyByContent => self.inner.post(call, &self.rekeyed(batch)).await,
            Bug::AdoptBlindly => {
                self.remember(batch);
                self.inner.post(call, batch).await
            }
            _ => self.inner.post(call, batch).await,
        }
    }

    async fn look_up(
        &self,
        shape: Shape,
        line_keys: &[String],
    ) -> Result<Vec<FoundLine>, CallError> {
        match self.bug {
            Bug::KeyByContent => {
                let mut written: Vec<String> = {
                    let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                    let of = |key: &String| keys.get(key).unwrap_or(key).clone();
                    line_keys.iter().map(of).collect()
                };
                written.sort();
                written.dedup();
                let found = self.inner.look_up(shape, &written).await?;
                Ok(self.rekeyed_found(line_keys, &found))
            }
            Bug::AdoptBlindly => {
                let found = self.inner.look_up(shape, line_keys).await?;
                Ok(self.adopted(found))
            }
            Bug::BlindLookUp => {
                self.inner.look_up(shape, line_keys).await?;
                Ok(Vec::new())
            }
            _ => self.inner.look_up(shape, line_keys).await,
        }
    }

    async fn look_up_document(
        &self,
        shape: Shape,
        document_key: &str,
    ) -> Result<Option<DocumentReport>, CallError> {
        self.inner.look_up_document(shape, document_key).await
    }

    async fn document_states(
        &self,
        shape: Shape,
        erp_refs: &[String],
    ) -> Result<Vec<DocumentReport>, CallError> {
        self.inner.document_states(shape, erp_refs).await
    }
}

/// A tracker that is not told everything.
pub struct ForgetfulFeedback {
    inner: Arc<dyn Feedback>,
    count: AtomicU64,
}

impl ForgetfulFeedback {
    /// Forget one status in five.
    pub fn new(inner: Arc<dyn Feedback>) -> Self {
        Self {
            inner,
            count: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Feedback for ForgetfulFeedback {
    async fn write_back(&self, update: &WriteBack) -> Result<bool, CallError> {
        if self.count.fetch_add(1, Ordering::SeqCst) % 5 == 4 {
            return Ok(true);
        }
        self.inner.write_back(update).await
    }
}
