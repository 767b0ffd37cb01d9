//! The lab's Tryton, and a person who works in it.

use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::http::HttpTransport;
use connector_sdk::secrecy::SecretString;
use connector_sdk::target::Call;
use connector_sdk::transport::{Effect, Method, Request, Transport};
use counterfoil_connectors::target::tryton::json::Json;
use counterfoil_connectors::target::tryton::{CompanyChoice, Tryton, TrytonConfig};
use data_encoding::BASE64;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// With or without the companion module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Plain,
}

/// Both kinds.
pub(crate) const BOTH: [Kind; 2] = [Kind::Key, Kind::Plain];

/// The facts of the lab, if there is one.
pub(crate) fn facts() -> Option<serde_json::Value> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only the tests' environment names the lab"
    )]
    let path = std::env::var("COUNTERFOIL_LAB_JSON").ok()?;
    let text = std::fs::read_to_string(PathBuf::from(path)).expect("the lab's facts are readable");
    let facts: serde_json::Value = serde_json::from_str(&text).expect("the lab's facts are JSON");
    (!facts["tryton"].is_null()).then_some(facts)
}

/// A fresh copy of a lab database, made once per kind and run.
fn database(facts: &serde_json::Value, kind: Kind) -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    static PLAIN: OnceLock<String> = OnceLock::new();
    let slot = match kind {
        Kind::Key => &KEY,
        Kind::Plain => &PLAIN,
    };
    slot.get_or_init(|| {
        let stamp = SystemClock.now_us() / 1000;
        let name = format!("t_{}_{stamp}", format!("{kind:?}").to_lowercase());
        let words: Vec<&str> = facts["clone_tryton_command"]
            .as_array()
            .expect("the lab says how to clone")
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&name);
        if kind == Kind::Plain {
            command.arg("--plain");
        }
        let output = command.output().expect("the clone command starts");
        assert!(
            output.status.success(),
            "clone: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        name
    })
}

/// One database with its facts.
pub(crate) struct Lab {
    pub(crate) facts: serde_json::Value,
    pub(crate) config: TrytonConfig,
    password: String,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Lab {
    pub(crate) fn open(kind: Kind) -> Option<Self> {
        let all = facts()?;
        let database = database(&all, kind);
        let tryton = &all["tryton"];
        let uniqueness = if kind == Kind::Key {
            "module"
        } else {
            "look_up"
        };
        let config = format!(
            "url = {:?}\ndatabase = {database:?}\nuser = {:?}\ncompany = 0\nuniqueness = {uniqueness:?}\n",
            tryton["url"].as_str().unwrap(),
            tryton["logins"]["connector"]["login"].as_str().unwrap(),
        );
        let mut config: TrytonConfig = toml::from_str(&config).unwrap();
        let company = tryton["seed"]["company"]["name"].as_str().unwrap();
        config.company = CompanyChoice::Name(company.to_owned());
        let password = tryton["logins"]["connector"]["password"]
            .as_str()
            .unwrap()
            .to_owned();
        let transport = Arc::new(HttpTransport::new(Arc::new(SystemClock)).unwrap());
        Some(Self {
            facts: tryton["seed"].clone(),
            config,
            password,
            transport,
        })
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) fn target(&self) -> Tryton {
        self.target_with(self.config.clone(), Arc::clone(&self.transport))
    }

    pub(crate) fn target_with(
        &self,
        config: TrytonConfig,
        transport: Arc<dyn Transport>,
    ) -> Tryton {
        let password = SecretString::from(self.password.clone());
        Tryton::new(config, password, transport, Arc::new(SystemClock)).unwrap()
    }

    /// An id of the seed, by its path.
    pub(crate) fn id(&self, path: &[&str]) -> String {
        let value = path.iter().fold(&self.facts, |at, name| &at[*name]);
        value
            .as_i64()
            .unwrap_or_else(|| panic!("{path:?} is no id"))
            .to_string()
    }

    /// A call as a person at Tryton's screen would make it: straight, with all of its answer.
    pub(crate) async fn person(&self, method: &str, params: &str) -> Json {
        let company = self.id(&["company", "id"]);
        let context = format!(r#"{{"company":{company},"language":"en"}}"#);
        let params = if params.is_empty() {
            context
        } else {
            format!("{params},{context}")
        };
        self.as_is(method, &params).await
    }

    async fn does_as_is(&self, method: &str, params: &str) -> Json {
        let answer = self.as_is(method, params).await;
        answer
            .get("result")
            .unwrap_or_else(|| panic!("{method} {params}: {answer:?}"))
            .clone()
    }

    async fn as_is(&self, method: &str, params: &str) -> Json {
        let login = format!(
            r#"{{"id":1,"method":"common.db.login","params":["{}",{{"password":"{}"}},"en"]}}"#,
            self.config.user, self.password
        );
        let session = self.raw(login, None).await;
        let parts = session.get("result").unwrap().items().unwrap();
        let (user, token) = (parts[0].as_int().unwrap(), parts[1].as_text().unwrap());
        let header = format!("{}:{user}:{token}", self.config.user);
        let header = format!("Session {}", BASE64.encode(header.as_bytes()));
        let kind = if method.starts_with("wizard.") {
            ""
        } else {
            "model."
        };
        let body = format!(r#"{{"id":1,"method":"{kind}{method}","params":[{params}]}}"#);
        self.raw(body, Some(header)).await
    }

    /// A person credits a posted invoice with the form's button.
    pub(crate) async fn credits(&self, invoice: &str, refund: bool) {
        let wizard = "wizard.account.invoice.credit";
        let started = self.does(&format!("{wizard}.create"), "").await;
        let session = started.items().unwrap()[0].as_int().unwrap();
        let company = self.id(&["company", "id"]);
        let day = r#"{"__class__":"date","year":2026,"month":11,"day":2}"#;
        let params = format!(
            r#"{session},{{"start":{{"with_refund":{refund},"invoice_date":{day}}}}},"credit",{{"company":{company},"language":"en","active_model":"account.invoice","active_id":{invoice},"active_ids":[{invoice}]}}"#
        );
        self.does_as_is(&format!("{wizard}.execute"), &params).await;
    }

    /// The same, where it must succeed.
    pub(crate) async fn does(&self, method: &str, params: &str) -> Json {
        let answer = self.person(method, params).await;
        answer
            .get("result")
            .unwrap_or_else(|| panic!("{method} {params}: {answer:?}"))
            .clone()
    }

    /// How many records of a model satisfy a domain.
    pub(crate) async fn count(&self, model: &str, domain: &str) -> i64 {
        self.does(&format!("{model}.search_count"), domain)
            .await
            .as_int()
            .unwrap()
    }

    async fn raw(&self, body: String, session: Option<String>) -> Json {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(session.map(|header| ("authorization".to_owned(), header)));
        let request = Request {
            method: Method::Post,
            url: self.config.endpoint().unwrap(),
            headers,
            body: body.into_bytes(),
            effect: Effect::Write,
            timeout_ms: 120_000,
            body_limit_bytes: 64 * 1024 * 1024,
            send_not_after_us: None,
        };
        for _ in 0..50 {
            let reply = self.transport.send(request.clone()).await.unwrap();
            // Two people who issue invoices at one time wait for one number sequence: the second
            // is sent away and presses the button again.
            if reply.status != 503 {
                return Json::parse(&reply.body).unwrap_or_else(|error| panic!("{error}"));
            }
            SystemClock
                .sleep_until_us(SystemClock.now_us() + 200_000)
                .await;
        }
        panic!("Tryton stays busy");
    }
}

/// A call with room enough.
pub(crate) fn call() -> Call {
    call_within(120_000)
}

pub(crate) fn call_within(timeout_ms: u64) -> Call {
    Call {
        attempt_key: "attempt".to_owned(),
        timeout_ms,
        send_not_after_us: SystemClock.now_us() + 600_000_000,
    }
}
