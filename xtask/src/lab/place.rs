//! The lab's folder outside the clone: paths, what is already done, ports, and the lock.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::clock::Stopwatch;
use crate::environment::{is_root, variable};
use crate::service::free_port;

/// Root's own home is closed to the account PostgreSQL runs as, so root uses a public cache.
const ROOT_DEFAULT: &str = "/var/cache/counterfoil-lab";

/// The folder that holds everything the lab installs, stores and logs.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    /// The folder asked for, else the environment's, else the default of this account.
    pub(crate) fn open(asked: Option<PathBuf>) -> Result<Self> {
        let root = match (asked, variable("COUNTERFOIL_LAB_DIR")) {
            (Some(dir), _) => dir,
            (None, Some(dir)) => PathBuf::from(dir),
            (None, None) if is_root() => PathBuf::from(ROOT_DEFAULT),
            (None, None) => {
                let home = variable("HOME").context("HOME is not set: name a folder with --dir")?;
                Path::new(&home).join(".cache/counterfoil-lab")
            }
        };
        fs::create_dir_all(&root).with_context(|| {
            format!(
                "creating {}: choose another folder with --dir",
                root.display()
            )
        })?;
        let root = root.canonicalize().context("finding the lab's folder")?;
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A sub-folder, created when missing.
    pub(crate) fn folder(&self, relative: &str) -> Result<PathBuf> {
        let path = self.path(relative);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    pub(crate) fn facts_file(&self) -> PathBuf {
        self.path("lab.json")
    }

    /// One change of the lab at a time: held until the returned file is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        let file = File::create(self.path("lock")).context("creating the lab's lock file")?;
        if file.try_lock().is_err() {
            println!("lab: another command is changing this lab; waiting for it");
            file.lock().context("waiting for the lab's lock")?;
        }
        Ok(file)
    }

    /// Runs the step unless it was finished for the same fingerprint; prints how long it took.
    ///
    /// The mark is written last: a step that was interrupted runs again from its beginning.
    pub(crate) fn step(
        &self,
        name: &str,
        fingerprint: &str,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let mark = self.folder("marks")?.join(name);
        if fs::read_to_string(&mark).is_ok_and(|text| text == fingerprint) {
            return Ok(());
        }
        self.forget(name)?;
        timed(name, work)?;
        fs::write(&mark, fingerprint).with_context(|| format!("writing {}", mark.display()))
    }

    /// Makes the step run again next time.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        let mark = self.path("marks").join(name);
        match fs::remove_file(&mark) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(e).with_context(|| format!("removing {}", mark.display()))
            }
            _ => Ok(()),
        }
    }

    /// The port the service had last time; a free one where it had none or lost it.
    pub(crate) fn port(&self, service: &str) -> Result<u16> {
        let mut ports = self.ports();
        let port = free_port(ports.get(service).copied())?;
        ports.insert(service.to_owned(), port);
        let text = serde_json::to_string(&ports).context("writing the ports")?;
        fs::write(self.path("ports.json"), text).context("writing ports.json")?;
        Ok(port)
    }

    pub(crate) fn recorded_port(&self, service: &str) -> Option<u16> {
        self.ports().get(service).copied()
    }

    fn ports(&self) -> BTreeMap<String, u16> {
        fs::read_to_string(self.path("ports.json"))
            .ok()
            .and_then(|t| serde_json::from_str(&t).ok())
            .unwrap_or_default()
    }
}

/// Runs the work and prints its name with the seconds it took.
pub(crate) fn timed<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let watch = Stopwatch::start();
    let result = work().with_context(|| format!("lab step {name}"))?;
    println!("lab: {name}: {}", watch.seconds());
    Ok(result)
}

/// A short fingerprint of texts; stable between runs of one toolchain, which is all a cache needs.
pub(crate) fn fingerprint<S: AsRef<str>>(texts: &[S]) -> String {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        text.as_ref().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Writes a file that only this account may read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let part = path.with_extension("part");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .with_context(|| format!("creating {}", part.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).context("writing the file")?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).context("protecting the file")?;
    fs::rename(&part, path).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::{Place, fingerprint};

    fn place(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        Place::open(Some(folder)).expect("a folder for the test")
    }

    #[test]
    fn a_step_runs_until_it_succeeds_and_again_when_its_input_changes() {
        let place = place("step");
        let runs = Cell::new(0);
        let step = |input: &str, fails: bool| {
            place.step("seed", &fingerprint(&[input]), || {
                runs.set(runs.get() + 1);
                anyhow::ensure!(!fails, "interrupted");
                Ok(())
            })
        };
        assert!(step("a", true).is_err());
        assert!(step("a", false).is_ok() && step("a", false).is_ok());
        assert_eq!(runs.get(), 2, "once interrupted, once finished, then kept");
        assert!(step("b", true).is_err());
        assert!(step("a", false).is_ok());
        assert_eq!(
            runs.get(),
            4,
            "a failed step leaves no mark of the one before"
        );
        fs::remove_dir_all(place.root()).expect("the folder can be removed");
    }

    #[test]
    fn a_service_keeps_its_port_while_that_is_free() {
        let place = place("port");
        let first = place.port("redmine").expect("a free port");
        assert_eq!(place.port("redmine").expect("the same port"), first);
        let taken = std::net::TcpListener::bind(("127.0.0.1", first)).expect("taking the port");
        assert_ne!(place.port("redmine").expect("another port"), first);
        drop(taken);
        fs::remove_dir_all(place.root()).expect("the folder can be removed");
    }
}
