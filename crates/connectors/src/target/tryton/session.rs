//! Calls under a session: log in, call, log in again once when the session has ended.
//!
//! Every call ends with a context that names the company and fixes the language to English, since
//! texts are matched. A 401 comes before the call is looked at, so repeating it is safe even for a
//! write; nothing else is ever repeated here.

use super::config::TrytonConfig;
use super::errors::{Fault, classify};
use super::json::Json;
use connector_sdk::call::CallError;
use connector_sdk::clock::Clock;
use connector_sdk::secrecy::{ExposeSecret, SecretString};
use connector_sdk::target::Call;
use connector_sdk::transport::{BODY_LIMIT_BYTES, Effect, Method, Request, Transport};
use data_encoding::BASE64;
use std::sync::{Arc, Mutex, PoisonError};

/// The most warnings that one call confirms before it gives up.
const WARNINGS_MAX: usize = 5;

/// What a login gave.
#[derive(Clone)]
struct Session {
    user_id: i64,
    header: SecretString,
}

/// How a call is made.
#[derive(Debug, Clone, Copy)]
struct Manner {
    effect: Effect,
    timeout_ms: u64,
    send_not_after_us: Option<i64>,
}

/// The RPC client of one database.
pub(super) struct Rpc {
    endpoint: String,
    user: String,
    password: SecretString,
    confirm_warnings: Vec<String>,
    read_timeout_ms: u64,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    session: Mutex<Option<Session>>,
}

impl Rpc {
    pub(super) fn new(
        config: &TrytonConfig,
        endpoint: String,
        password: SecretString,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            endpoint,
            user: config.user.clone(),
            password,
            confirm_warnings: config.confirm_warnings.clone(),
            read_timeout_ms: config.read_timeout_ms,
            transport,
            clock,
            session: Mutex::new(None),
        }
    }

    /// A call that changes nothing. `context` is completed by the language.
    pub(super) async fn read(
        &self,
        method: &str,
        params: Vec<Json>,
        context: &[(String, Json)],
    ) -> Result<Json, CallError> {
        let manner = Manner {
            effect: Effect::Read,
            timeout_ms: self.read_timeout_ms,
            send_not_after_us: None,
        };
        self.under_session(method, params, context, manner)
            .await
            .map_err(Fault::into_call_error)
    }

    /// A call that changes something. Warnings that the settings allow are confirmed: Tryton has
    /// rolled the call back when it asks, so that the repetition is the first execution.
    pub(super) async fn write(
        &self,
        call: &Call,
        method: &str,
        params: Vec<Json>,
        context: &[(String, Json)],
    ) -> Result<Json, Fault> {
        let manner = Manner {
            effect: Effect::Write,
            timeout_ms: call.timeout_ms,
            send_not_after_us: Some(call.send_not_after_us),
        };
        let mut confirmed = 0;
        loop {
            let result = self
                .under_session(method, params.clone(), context, manner)
                .await;
            match result {
                Err(Fault::Warning { name, .. })
                    if confirmed < WARNINGS_MAX && self.may_confirm(&name) =>
                {
                    confirmed += 1;
                    self.confirm(call, &name, context).await?;
                }
                other => return other,
            }
        }
    }

    /// The name behind the first point says what is warned of; the part before it is a hash of
    /// the records.
    fn may_confirm(&self, warning: &str) -> bool {
        let kind = warning.split_once('.').map_or(warning, |(_, kind)| kind);
        self.confirm_warnings.iter().any(|allowed| allowed == kind)
    }

    async fn confirm(
        &self,
        call: &Call,
        warning: &str,
        context: &[(String, Json)],
    ) -> Result<(), Fault> {
        let session = self.session().await?;
        let record = Json::object([
            ("user", Json::int(session.user_id)),
            ("name", Json::text(warning)),
            ("always", Json::Bool(false)),
        ]);
        // Confirming a warning twice is harmless, so a lost answer is not in doubt.
        let manner = Manner {
            effect: Effect::Read,
            timeout_ms: call.timeout_ms,
            send_not_after_us: Some(call.send_not_after_us),
        };
        let params = vec![Json::List(vec![record])];
        self.under_session("model.res.user.warning.create", params, context, manner)
            .await?;
        Ok(())
    }

    async fn under_session(
        &self,
        method: &str,
        mut params: Vec<Json>,
        context: &[(String, Json)],
        manner: Manner,
    ) -> Result<Json, Fault> {
        let mut members = vec![("language".to_owned(), Json::text("en"))];
        members.extend_from_slice(context);
        params.push(Json::Object(members));
        let session = self.session().await?;
        match self.send(method, &params, Some(&session), manner).await {
            Err(Fault::SessionEnded) => {
                self.forget(&session);
                let fresh = self.session().await?;
                self.send(method, &params, Some(&fresh), manner).await
            }
            other => other,
        }
    }

    fn forget(&self, ended: &Session) {
        let mut kept = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |kept: &Session| kept.header.expose_secret() == ended.header.expose_secret();
        if kept.as_ref().is_some_and(same) {
            *kept = None;
        }
    }

    async fn session(&self) -> Result<Session, Fault> {
        let kept = self
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(session) = kept {
            return Ok(session);
        }
        let session = self.log_in().await?;
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        Ok(session)
    }

    async fn log_in(&self) -> Result<Session, Fault> {
        let password = Json::object([("password", Json::text(self.password.expose_secret()))]);
        let params = [Json::text(&self.user), password, Json::text("en")];
        // A login changes no business record: repeating it is harmless.
        let manner = Manner {
            effect: Effect::Read,
            timeout_ms: self.read_timeout_ms,
            send_not_after_us: None,
        };
        let result = match self.send("common.db.login", &params, None, manner).await {
            Err(Fault::SessionEnded) => {
                return Err(Fault::Call(CallError::Unauthorized {
                    words: "Tryton refuses the user or the password".to_owned(),
                }));
            }
            other => other?,
        };
        let parts = result.items().unwrap_or_default();
        let user_id = parts.first().and_then(Json::as_int);
        let token = parts.get(1).and_then(Json::as_text);
        let (Some(user_id), Some(token)) = (user_id, token) else {
            return Err(Fault::Call(CallError::Contract {
                words: "the login's answer holds no session".to_owned(),
            }));
        };
        let plain = format!("{}:{user_id}:{token}", self.user);
        let header = format!("Session {}", BASE64.encode(plain.as_bytes()));
        Ok(Session {
            user_id,
            header: SecretString::from(header),
        })
    }

    async fn send(
        &self,
        method: &str,
        params: &[Json],
        session: Option<&Session>,
        manner: Manner,
    ) -> Result<Json, Fault> {
        // Exactly these three members: otherwise Tryton answers without an `error` member.
        let body = Json::object([
            ("id", Json::int(1)),
            ("method", Json::text(method)),
            ("params", Json::List(params.to_vec())),
        ]);
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(session) = session {
            let header = session.header.expose_secret().to_owned();
            headers.push(("authorization".to_owned(), header));
        }
        let request = Request {
            method: Method::Post,
            url: self.endpoint.clone(),
            headers,
            body: body.write().into_bytes(),
            effect: manner.effect,
            timeout_ms: manner.timeout_ms,
            body_limit_bytes: BODY_LIMIT_BYTES,
            send_not_after_us: manner.send_not_after_us,
        };
        let reply = self
            .transport
            .send(request)
            .await
            .map_err(|error| match manner.effect {
                Effect::Read => CallError::of_read(&error),
                Effect::Write => CallError::of_write(&error),
            })?;
        classify(manner.effect, &reply, self.clock.now_us())
    }
}
