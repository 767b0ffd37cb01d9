//! The socket in the data folder. Its owner and root may connect, nobody else: the file's mode says
//! so, and each connection is asked for its user besides, which also holds for the moment between
//! the making of the file and its mode.

use crate::failed::Failed;
use axum::serve::Listener;
use connector_sdk::clock::Clock;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream, unix};

/// The wait after the system could not accept a connection, in microseconds.
const ACCEPT_AGAIN_US: i64 = 1_000_000;

/// Where the socket of a data folder is.
pub fn path_in(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// A socket that is listened at. Its file goes when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    file: SocketFile,
    owner: u32,
}

/// The file of a socket; removed when dropped.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A file that stays is replaced by the next process; nobody listens there until then.
        let _gone_already = std::fs::remove_file(&self.0);
    }
}

fn failed(doing: &str, path: &Path, error: &Error) -> Failed {
    let what = format!("{doing} {} failed: {error}", path.display());
    let hint = if error.kind() == ErrorKind::InvalidInput {
        "the path of a socket may have about 100 bytes: use a shorter path for `data` in the \
         configuration, or start from a folder nearer to it"
    } else {
        "check the permissions of the data folder, and that its file system can hold sockets"
    };
    Failed::stopped(what, hint)
}

impl Socket {
    /// Listen in a data folder. Only the process that holds the folder's lock may do this: whatever
    /// socket is there already was left by a process that is gone, and is replaced.
    pub fn bind(data: &Path) -> Result<Self, Failed> {
        let path = path_in(data);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => {
                std::fs::remove_file(&path)
                    .map_err(|error| failed("removing the old socket", &path, &error))?;
            }
            Ok(_) => {
                return Err(Failed::wrong_use(
                    format!("{} is there and is no socket", path.display()),
                    "this program did not make it: move it away",
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("looking at", &path, &error)),
        }
        let listener = UnixListener::bind(&path)
            .map_err(|error| failed("listening at the socket", &path, &error))?;
        let file = SocketFile(path);
        let made = std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o600))
            .and_then(|()| std::fs::symlink_metadata(&file.0))
            .map_err(|error| failed("protecting the socket", &file.0, &error))?;
        Ok(Self {
            listener,
            owner: made.uid(),
            file,
        })
    }

    pub(crate) fn into_parts(self, clock: Arc<dyn Clock>) -> (Owners, SocketFile) {
        let owners = Owners {
            listener: self.listener,
            owner: self.owner,
            clock,
        };
        (owners, self.file)
    }
}

const fn may_connect(user: u32, owner: u32) -> bool {
    user == owner || user == 0
}

/// Accepts connections of those who may connect.
pub(crate) struct Owners {
    listener: UnixListener,
    owner: u32,
    clock: Arc<dyn Clock>,
}

impl Listener for Owners {
    type Io = UnixStream;
    type Addr = unix::SocketAddr;

    async fn accept(&mut self) -> (UnixStream, unix::SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => match stream.peer_cred() {
                    Ok(peer) if may_connect(peer.uid(), self.owner) => return (stream, address),
                    Ok(peer) => tracing::warn!(user = peer.uid(), "a connection was refused"),
                    Err(error) => tracing::warn!(%error, "a connection does not say whose it is"),
                },
                Err(error) => {
                    // Usually too many open files: going on at once would only burn time.
                    tracing::warn!(%error, "a connection could not be accepted");
                    let at_us = self.clock.now_us().saturating_add(ACCEPT_AGAIN_US);
                    self.clock.sleep_until_us(at_us).await;
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<unix::SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_ours_is_private_and_goes_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        // As a killed process leaves it.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(UnixStream::connect(&path).await.is_err());
        let socket = Socket::bind(folder.path()).unwrap();
        UnixStream::connect(&path).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        std::fs::write(&path, "mine").unwrap();
        let refused = Socket::bind(folder.path()).unwrap_err();
        assert!(refused.what.contains("is no socket"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let refused = Socket::bind(&deep).unwrap_err();
        assert!(refused.hint.contains("shorter path"), "{refused:?}");
    }

    #[test]
    fn the_owner_and_root_may_connect() {
        assert!(may_connect(1000, 1000));
        assert!(may_connect(0, 1000));
        assert!(!may_connect(1001, 1000));
        assert!(!may_connect(1000, 0));
    }
}
