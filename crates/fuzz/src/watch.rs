//! The watchdog: an input that takes too long ends the process, after it was written down. A
//! thread that hangs cannot be stopped in any gentler way.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::corpus;
use crate::finding::Finding;

/// The longest that one input may take, in seconds. Generous, since other programs may be busy;
/// what is not linear takes far longer on the longest inputs.
pub const INPUT_SECONDS_MAX: u64 = 20;

const LOOK_EVERY: Duration = Duration::from_millis(200);

#[expect(
    clippy::disallowed_methods,
    reason = "a development tool measures real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

type AtWork = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Watches over one run.
pub(crate) struct Watch {
    at_work: AtWork,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(target: &'static str, folder: PathBuf) -> Self {
        let at_work = AtWork::default();
        let over = Arc::new(AtomicBool::new(false));
        let (seen, ended) = (Arc::clone(&at_work), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
                let guard = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((since, input)) = guard.as_ref()
                    && since.elapsed() > Duration::from_secs(INPUT_SECONDS_MAX)
                {
                    give_up(target, &folder, input);
                }
            }
        });
        Self {
            at_work,
            over,
            thread: Some(thread),
        }
    }

    pub(crate) fn begins(&self, input: &[u8]) {
        let mut guard = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some((since, held)) => {
                *since = now();
                held.clear();
                held.extend_from_slice(input);
            }
            None => *guard = Some((now(), input.to_vec())),
        }
    }

    pub(crate) fn ended(&self) {
        *self.at_work.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn give_up(target: &'static str, folder: &std::path::Path, input: &[u8]) -> ! {
    let finding = Finding {
        target,
        what: format!("took longer than {INPUT_SECONDS_MAX} seconds"),
        input: input.to_vec(),
        file: corpus::keep(folder, target, input).ok(),
    };
    let _closed = writeln!(std::io::stderr(), "{finding:?}");
    std::process::abort();
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ended = thread.join();
        }
    }
}
