//! The product's binary in a folder of its own: run to its end, killed at a crash point, or killed
//! while it runs.

use connector_sdk::clock::{Clock, SystemClock};
use pipeline::crash::CrashPoint;
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_mins(4);
/// How a process ends that ends itself without any clearing up.
const ABORTED: i32 = 6;
/// How a process ends that is killed.
const KILLED: i32 = 9;

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code; none if it was ended by a signal.
    pub(crate) code: Option<i32>,
    /// The signal that ended it, if one did.
    pub(crate) signal: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// What it wrote, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A new secret file.
pub(crate) fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a secret is written");
    let only_me = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, only_me).expect("a secret is closed");
}

/// The binary with its folder.
pub(crate) struct Binary {
    folder: TempDir,
    /// What it must never print.
    secrets: Vec<String>,
}

impl Binary {
    pub(crate) fn new(secrets: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, secrets }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command
            .current_dir(self.folder.path())
            .env_remove("COUNTERFOIL_CRASH_AT")
            .arg("--quiet")
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn spawn(&self, mut command: Command) -> Running {
        let serial = SystemClock.now_us();
        let (out, err) = (
            self.path(&format!("out-{serial}")),
            self.path(&format!("err-{serial}")),
        );
        command
            .stdout(File::create(&out).expect("a file"))
            .stderr(File::create(&err).expect("a file"));
        let child = command.spawn().expect("the binary starts");
        Running {
            secrets: self.secrets.clone(),
            child,
            out,
            err,
        }
    }

    /// Start a command.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        self.spawn(self.command(words))
    }

    /// Run a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.start(words).wait()
    }

    /// Run a command that dies when it first passes a crash point.
    pub(crate) fn dies(&self, words: &[&str], point: CrashPoint) {
        let mut command = self.command(words);
        command.env("COUNTERFOIL_CRASH_AT", format!("{}:1", point.name()));
        let said = self.spawn(command).wait();
        let name = point.name();
        assert_eq!(said.signal, Some(ABORTED), "{name} not passed: {said:?}");
    }
}

/// A command under way.
pub(crate) struct Running {
    secrets: Vec<String>,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Its first whole line, as soon as it is there.
    pub(crate) fn first_line(&mut self) -> String {
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        loop {
            let said = self.said(None);
            if let Some((line, _)) = said.out.split_once('\n') {
                return line.to_owned();
            }
            assert!(self.is_running(), "it ended early: {said:?}");
            assert!(waited < PATIENCE, "it says nothing");
            std::thread::sleep(step);
            waited += step;
        }
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a state").is_none()
    }

    /// Wait for its end. Whatever it said, no secret is in it, and it did not panic.
    pub(crate) fn wait(mut self) -> Said {
        let step = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a state") {
                break status;
            }
            if waited > PATIENCE {
                self.child.kill().expect("it still ran");
                panic!("the command does not end: {:?}", self.said(None));
            }
            std::thread::sleep(step);
            waited += step;
        };
        self.judged(status)
    }

    /// Kill it while it runs; it must not have come to its end by itself.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it ends");
        let said = self.judged(status);
        assert_eq!(said.signal, Some(KILLED), "it ended by itself: {said:?}");
    }

    fn judged(&self, status: ExitStatus) -> Said {
        let said = self.said(Some(status));
        for secret in &self.secrets {
            let shown = said.out.contains(secret) || said.err.contains(secret);
            assert!(!shown, "a secret is in the output");
        }
        assert!(!said.err.contains("panicked"), "{said:?}");
        said
    }

    fn said(&self, status: Option<ExitStatus>) -> Said {
        let read = |path: &Path| std::fs::read_to_string(path).expect("text");
        Said {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            out: read(&self.out),
            err: read(&self.err),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that fails leaves no process behind; one that has ended cannot be killed again.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
