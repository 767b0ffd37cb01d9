//! The intent: which lines, which bytes, until when; durable before anything is sent.

use crate::limit::Permit;
use crate::patience::{room, target_domain};
use crate::post::POSTING_OFF;
use crate::postings::members_bytes;
use domain::ids::{digest, digest16};
use std::convert::Infallible;
use store::attempts::{self, AttemptRow};
use store::documents::{self, DocumentRow};
use store::postings::{self, PostingRow};
use store::{Abort, Command, Guard, GuardSet, SealClass, Tx, settings};

/// What came of asking to send.
pub(crate) enum Claim {
    Granted(Box<AttemptRow>),
    NotBefore(i64),
    Moved,
}

/// Write the intent: which lines, which bytes, until when.
pub(crate) struct WriteIntent {
    pub(crate) flow: String,
    pub(crate) document: DocumentRow,
    pub(crate) rows: Vec<PostingRow>,
    pub(crate) payload: Vec<u8>,
    pub(crate) verb: &'static str,
    pub(crate) attempt_key_seed: String,
    pub(crate) timeout_ms: u64,
    pub(crate) send_within_ms: u64,
    pub(crate) proof_after_ms: u64,
    pub(crate) limits: Vec<connector_sdk::manifest::Limit>,
}

impl Command for WriteIntent {
    type Out = Claim;
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "write intent"
    }

    fn guards(&self) -> GuardSet {
        let domain = Guard::Limit(target_domain(&self.flow));
        GuardSet::none()
            .and(domain)
            .and(Guard::Document(self.document.document_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<Claim, Abort<Infallible>> {
        tx.act_as("posting");
        let id = self.document.document_id;
        if settings::get(tx, POSTING_OFF)?.is_some_and(|value| !value.is_empty()) {
            return Ok(Claim::Moved);
        }
        // Whatever was chosen must still be as it was read.
        let now = documents::get(tx, &id)?;
        if now.is_none_or(|now| now.version != self.document.version)
            || attempts::open(tx, &id)?.is_some()
        {
            return Ok(Claim::Moved);
        }
        for row in &self.rows {
            if postings::get(tx, &id, row.posting_no)?.as_ref() != Some(row) {
                return Ok(Claim::Moved);
            }
        }
        let now_us = tx.now_us();
        match room(tx, &target_domain(&self.flow), &self.limits)? {
            Permit::NotBefore(at_us) => return Ok(Claim::NotBefore(at_us)),
            Permit::Granted(_) => {}
        }
        let numbers: Vec<i64> = self.rows.iter().map(|row| row.posting_no).collect();
        let bytes = members_bytes(&numbers);
        let fact = tx.seal(SealClass::Sent, &self.document.document_key, &self.payload)?;
        let us = |ms: u64| {
            i64::try_from(ms)
                .unwrap_or(i64::MAX / 2000)
                .saturating_mul(1000)
        };
        let send_not_after_us = now_us.saturating_add(us(self.send_within_ms));
        let key = digest16("attempt", &[self.attempt_key_seed.as_bytes(), &bytes]);
        let attempt = AttemptRow {
            attempt_id: digest16("attempt id", &[&id, &bytes, &now_us.to_be_bytes()]),
            document_id: id,
            attempt_key: data_encoding::HEXLOWER.encode(&key),
            verb: self.verb.to_owned(),
            state: "sending".to_owned(),
            members: bytes,
            payload_digest: digest("payload", &[&self.payload]),
            writer_no: tx.writer_no(),
            started_at_us: now_us,
            send_not_after_us,
            call_timeout_ms: i64::try_from(self.timeout_ms).unwrap_or(i64::MAX),
            look_up_after_us: send_not_after_us
                .saturating_add(us(self.timeout_ms))
                .saturating_add(us(self.proof_after_ms)),
            settled_at_us: None,
            outcome: None,
            fact: Some(fact),
            version: 1,
        };
        attempts::insert(tx, &attempt, "intent")?;
        Ok(Claim::Granted(Box::new(attempt)))
    }
}
