//! A PostgreSQL cluster of our own, with every commit on disk, which is killed and started again.

use anyhow::{Context, Result, bail};
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const USER: &str = "counterfoil";

/// A running cluster.
pub(crate) struct Cluster {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
    owner: Option<(u32, u32)>,
    child: Option<Child>,
}

fn newest() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed")?
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    found.sort();
    let (_, bin) = found.pop().context("PostgreSQL is not installed")?;
    Ok(bin)
}

/// PostgreSQL refuses to run as root.
fn owner() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<&str> = line
        .context("there is no account postgres")?
        .split(':')
        .collect();
    let number = |at: usize| -> Result<u32> {
        Ok(fields
            .get(at)
            .context("an account without numbers")?
            .parse()?)
    };
    Ok(Some((number(2)?, number(3)?)))
}

impl Cluster {
    /// Make and start one.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let (bin, owner) = (newest()?, owner()?);
        let data = folder.join("cluster");
        fs::create_dir_all(&data)?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&data, Some(uid), Some(gid))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut cluster = Self {
            bin,
            data,
            port,
            owner,
            child: None,
        };
        let mut init = cluster.tool("initdb");
        init.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-D"]);
        let made = init.arg(&cluster.data).output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        cluster.up()?;
        Ok(cluster)
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.current_dir("/").stdin(Stdio::null());
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn up(&mut self) -> Result<()> {
        let mut server = self.tool("postgres");
        server.arg("-D").arg(&self.data);
        server.arg("-p").arg(self.port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
            server.args(["-c", setting]);
        }
        server.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(server.spawn().context("starting postgres")?);
        for _ in 0..600 {
            let mut ready = self.tool("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ready.status()?.success() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("postgres does not come up");
    }

    /// Kill the server as a power cut would end it, and start it again.
    pub(crate) fn cut(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            // SIGQUIT: all its processes end at once, without a checkpoint; the next start recovers.
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::QUIT)?;
            child.wait()?;
        }
        self.up()
    }

    /// Where the product finds it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = rustix::process::Pid::from_child(&child);
            // It may have ended by itself; nothing is left to do then.
            let _asked = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let _reaped = child.wait();
        }
    }
}
