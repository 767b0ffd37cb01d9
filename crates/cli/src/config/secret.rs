//! Secrets by reference: from the environment or from a file that others cannot read.

use connector_sdk::secrecy::SecretString;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is kept. The secret itself never stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file that only its owner can read.
    File(PathBuf),
}

/// A secret that was read.
pub(crate) type SecretValue = SecretString;

const SHAPE: &str = "a reference to a secret: { env = \"NAME\" } or { file = \"path\" }";

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RefVisitor;
        impl<'de> Visitor<'de> for RefVisitor {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SHAPE)
            }

            // Without this the library would print the secret as part of its message.
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretRef, E> {
                Err(E::custom(format!(
                    "secrets do not stand in the configuration; write {SHAPE}"
                )))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
                let (Some((kind, value)), None) = (
                    map.next_entry::<String, String>()?,
                    map.next_entry::<String, String>()?,
                ) else {
                    return Err(A::Error::custom(format!("write {SHAPE}")));
                };
                match kind.as_str() {
                    "env" => Ok(SecretRef::Env(value)),
                    "file" => Ok(SecretRef::File(PathBuf::from(value))),
                    _ => Err(A::Error::custom(format!("write {SHAPE}"))),
                }
            }
        }
        deserializer.deserialize_any(RefVisitor)
    }
}

impl SecretRef {
    /// Read the secret.
    pub(crate) fn read(&self, folder: &Path) -> Result<SecretValue, (String, String)> {
        match self {
            Self::Env(name) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the one place that reads secrets"
                )]
                let value = std::env::var(name);
                value
                    .ok()
                    .filter(|v| !v.is_empty())
                    .map(SecretValue::from)
                    .ok_or_else(|| {
                        (
                            format!("the environment variable {name} is not set"),
                            format!("set {name} to the secret before starting counterfoil"),
                        )
                    })
            }
            Self::File(path) => read_file(&folder.join(path)),
        }
    }
}

fn read_file(path: &Path) -> Result<SecretValue, (String, String)> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        (
            format!("the secret file {shown} cannot be read: {error}"),
            format!("create {shown} with the secret in it and `chmod 600 {shown}`"),
        )
    })?;
    refuse_open_file(path, &metadata)?;
    if metadata.len() > 64 * 1024 {
        return Err((
            format!("the secret file {shown} is larger than 64 KiB"),
            "check that this is the right file".to_owned(),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        (
            format!("the secret file {shown} cannot be read: {error}"),
            "save it as text".to_owned(),
        )
    })?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err((
            format!("the secret file {shown} is empty"),
            "write the secret into it".to_owned(),
        ));
    }
    Ok(SecretValue::from(secret))
}

#[cfg(unix)]
fn refuse_open_file(path: &Path, metadata: &std::fs::Metadata) -> Result<(), (String, String)> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err((
            format!(
                "the secret file {} can be read by others (mode {mode:03o})",
                path.display()
            ),
            format!("run `chmod 600 {}`", path.display()),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_file(_: &Path, _: &std::fs::Metadata) -> Result<(), (String, String)> {
    Ok(())
}
