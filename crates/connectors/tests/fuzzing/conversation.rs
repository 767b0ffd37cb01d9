//! A whole conversation in which one reply is replaced by bytes of a fuzzer: this reaches every
//! reader of a connector, also those that no other crate can call.
//!
//! An input is a line `CALL STATUS` and the body of that call's reply.

use connector_sdk::async_trait;
use connector_sdk::clock::Clock;
use connector_sdk::transport::{Reply, Request, Transport, TransportError};
use fuzz::{Finding, Fuzz, Seen};
use std::fmt::Debug;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Requests after which a conversation counts as endless.
const REQUESTS_MAX: usize = 20_000;

/// A clock on which waiting is what makes time pass.
#[derive(Debug)]
pub(crate) struct Patient(AtomicI64);

impl Patient {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_793_606_400_000_000)))
    }
}

#[async_trait]
impl Clock for Patient {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_us(&self) -> i64 {
        self.now_us()
    }

    async fn sleep_until_us(&self, at_us: i64) {
        self.0.fetch_max(at_us, Ordering::SeqCst);
    }
}

/// Passes everything on, except that one reply is another.
struct Damaging {
    inner: Arc<dyn Transport>,
    other: Option<(usize, u16, Vec<u8>)>,
    requests: AtomicUsize,
    replies: Mutex<Vec<Reply>>,
}

#[async_trait]
impl Transport for Damaging {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        assert!(number < REQUESTS_MAX, "asks without end");
        let mut reply = self.inner.send(request).await?;
        match &self.other {
            Some((at, status, body)) if *at == number => {
                reply.status = *status;
                reply.body.clone_from(body);
            }
            Some(_) => {}
            None => self.replies.lock().unwrap().push(reply.clone()),
        }
        Ok(reply)
    }
}

fn parsed(input: &[u8]) -> Option<(usize, u16, Vec<u8>)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&input[..end]).ok()?;
    let (at, status) = head.split_once(' ')?;
    let body = input[end + 1..].to_vec();
    Some((at.parse().ok()?, status.parse().ok()?, body))
}

/// What a connector said, one call after the other.
#[derive(Default)]
pub(crate) struct Heard {
    kinds: Vec<String>,
    results: String,
    told: Vec<String>,
}

impl Heard {
    pub(crate) fn hear<T: Debug, E: Debug + ToString>(
        &mut self,
        name: &str,
        result: &Result<T, E>,
    ) {
        writeln!(self.results, "{name}: {result:?}").unwrap();
        match result {
            Ok(_) => self.kinds.push(format!("{name}+")),
            Err(error) => {
                let told = error.to_string();
                let kind = told.chars().filter(|c| !c.is_ascii_digit()).take(60);
                self.kinds
                    .push(format!("{name}-{}", kind.collect::<String>()));
                self.told.push(told);
            }
        }
    }

    /// Lines that people read, beside errors.
    pub(crate) fn hear_lines<T: Debug>(&mut self, name: &str, lines: &[T]) {
        writeln!(self.results, "{name}: {lines:?}").unwrap();
        self.kinds.push(format!("{name}:{}", lines.len()));
    }
}

/// Fuzz a conversation. `talk` holds it over the transport it is given; `server` makes a fresh
/// system that answers. `secret` is what nothing may show.
pub(crate) fn fuzz(
    target: Fuzz,
    secret: &'static str,
    server: impl Fn() -> Arc<dyn Transport>,
    talk: impl AsyncFn(Arc<dyn Transport>) -> Heard,
) -> Result<(), Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let hold = |other| {
        let transport = Arc::new(Damaging {
            inner: server(),
            other,
            requests: AtomicUsize::new(0),
            replies: Mutex::default(),
        });
        let heard = runtime.block_on(talk(transport.clone()));
        let replies = transport.replies.lock().unwrap().clone();
        (heard, replies)
    };
    let (_, replies) = hold(None);
    assert!(!replies.is_empty(), "a conversation without a word");
    let seeds = replies.iter().enumerate().map(|(number, reply)| {
        let head = format!("{number} {}\n", reply.status);
        [head.as_bytes(), reply.body.as_slice()].concat()
    });
    target.seeds(seeds).run(|input| {
        let Some(other) = parsed(input) else {
            return Ok(Seen::refused(&"no reply of a conversation"));
        };
        let (heard, _) = hold(Some(other));
        if heard.results.contains(secret) || heard.told.iter().any(|told| told.contains(secret)) {
            return Err("a secret stands in what the connector says".to_owned());
        }
        Ok(Seen {
            result: heard.results,
            kind: heard.kinds.join(" "),
            // The longest one: each is shown on its own.
            told: heard
                .told
                .into_iter()
                .max_by_key(String::len)
                .unwrap_or_default(),
        })
    })
}
