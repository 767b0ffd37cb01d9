//! One request to Redmine and its classified answer.

use super::Redmine;
use super::errors::{classify, of_transport};
use connector_sdk::call::CallError;
use connector_sdk::secrecy::ExposeSecret;
use connector_sdk::transport::{BODY_LIMIT_BYTES, Effect, Method, Reply, Request};

impl Redmine {
    fn request(&self, method: Method, path: &str, body: Vec<u8>) -> Request {
        let effect = match method {
            Method::Get => Effect::Read,
            Method::Post | Method::Put | Method::Delete => Effect::Write,
        };
        let mut headers = vec![
            (
                "x-redmine-api-key".to_owned(),
                self.key.expose_secret().to_owned(),
            ),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method,
            url: format!("{}/{path}", self.base_url),
            headers,
            body,
            effect,
            timeout_ms: match effect {
                Effect::Read => self.config.read_timeout_ms,
                Effect::Write => self.config.write_timeout_ms,
            },
            body_limit_bytes: BODY_LIMIT_BYTES,
            send_not_after_us: None,
        }
    }

    /// Send and take any whole answer, good or bad.
    pub(super) async fn exchange(&self, method: Method, path: &str) -> Result<Reply, CallError> {
        let request = self.request(method, path, Vec::new());
        let effect = request.effect;
        self.transport
            .send(request)
            .await
            .map_err(|error| of_transport(&error, effect))
    }

    /// Read something that has to be there.
    pub(super) async fn get(&self, path: &str) -> Result<Reply, CallError> {
        let reply = self.exchange(Method::Get, path).await?;
        classify(&reply, Effect::Read, self.clock.now_us())?;
        Ok(reply)
    }

    /// Write. The answer's status has been looked at, except for 403 and 404, which mean what the
    /// caller knows.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Reply, CallError> {
        let bytes = match body {
            serde_json::Value::Null => Vec::new(),
            other => other.to_string().into_bytes(),
        };
        let request = self.request(method, path, bytes);
        let reply = self
            .transport
            .send(request)
            .await
            .map_err(|error| of_transport(&error, Effect::Write))?;
        if !matches!(reply.status, 403 | 404) {
            classify(&reply, Effect::Write, self.clock.now_us())?;
        }
        Ok(reply)
    }
}
