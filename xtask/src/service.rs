//! Background services by pid file: started detached, recognised again, stopped by their own pid.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clock::Stopwatch;
use crate::command::{open_log, run_captured, tail};

const POLL: Duration = Duration::from_millis(100);
const STOP_GRACE: Duration = Duration::from_secs(20);

/// A service: where its pid is kept and a part of its command line.
///
/// The part, a path or an address of this lab, guards against a pid that the system has given to
/// another program since, such as the same server of another lab.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) pid_file: PathBuf,
    pub(crate) marker: String,
    pub(crate) log: PathBuf,
}

impl Service {
    /// The pid, if the service is running.
    pub(crate) fn pid(&self) -> Option<u32> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        is_running(pid, &self.marker).then_some(pid)
    }

    /// Starts the command in its own process group, so that the caller's end or Ctrl-C spares it.
    pub(crate) fn start(&self, command: &mut Command) -> Result<()> {
        let log = open_log(&self.log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log file")?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        fs::write(&self.pid_file, format!("{}\n", child.id()))
            .with_context(|| format!("writing {}", self.pid_file.display()))
    }

    /// Waits until `ready` holds; gives up when the process ends or the time is over.
    pub(crate) fn wait(&self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let watch = Stopwatch::start();
        loop {
            if ready() {
                return Ok(());
            }
            // The process needs a moment until its command line can be recognised.
            let gone = watch.elapsed() > Duration::from_secs(2) && self.pid().is_none();
            if gone || watch.elapsed() > limit {
                let why = if gone {
                    "ended while starting"
                } else {
                    "did not answer in time"
                };
                let log = self.log.display();
                bail!(
                    "{} {why}; the end of {log}:\n{}",
                    self.name,
                    tail(&self.log, 0)
                );
            }
            sleep(POLL);
        }
    }

    /// Stops the service with the given signal and waits for its end.
    pub(crate) fn stop(&self, signal: &str) -> Result<bool> {
        let Some(pid) = self.pid() else {
            return Ok(false);
        };
        let pid_text = pid.to_string();
        // It may end by itself between the look and the signal: that is no failure.
        let sent = run_captured(Command::new("kill").args([signal, pid_text.as_str()]));
        let watch = Stopwatch::start();
        while is_running(pid, &self.marker) {
            if watch.elapsed() > STOP_GRACE {
                sent?;
                bail!(
                    "{} (pid {pid}) did not stop within 20 s; stop it by hand",
                    self.name
                );
            }
            sleep(POLL);
        }
        Ok(true)
    }
}

/// True when the pid belongs to a live process whose command line contains the word.
pub(crate) fn is_running(pid: u32, word: &str) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let zombie = fs::read_to_string(folder.join("stat")).is_ok_and(|s| {
        s.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    });
    !zombie
        && fs::read(folder.join("cmdline")).is_ok_and(|c| {
            String::from_utf8_lossy(&c)
                .replace('\0', " ")
                .contains(word)
        })
}

/// A port of the loopback interface that nothing listens on; `preferred` if it is one.
pub(crate) fn free_port(preferred: Option<u16>) -> Result<u16> {
    if let Some(port) = preferred
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return Ok(port);
    }
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    Ok(listener
        .local_addr()
        .context("reading the chosen port")?
        .port())
}

/// The status code of a GET on the loopback interface, if there is an answer.
pub(crate) fn http_status(port: u16, path: &str) -> Option<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    )
    .ok()?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.get(9..12)?.parse().ok()
}
