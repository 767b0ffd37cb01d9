//! Where the ledger is, and opening it: a file in the data folder, or a PostgreSQL database that
//! several nodes share.

use crate::config::{Config, SecretRef, SecretValue};
use crate::failure::Failure;
use connector_sdk::clock::{Clock, SystemClock};
use connector_sdk::secrecy::ExposeSecret;
use domain::ids::digest;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{SealKey, Store, StoreError, StoreOptions};

/// How the ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// For writing; one process of a data folder at a time.
    Write,
    /// For reading, also beside a running process.
    Read,
}

/// Where the ledger is.
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Database {
        /// How to reach it; it may hold a password.
        url: SecretValue,
        /// The same for people.
        words: String,
    },
}

/// The ledger, asked for in order to write.
pub(crate) enum Ledger {
    /// Ours, until it is dropped.
    Ours(Store),
    /// Another process of this data folder has it.
    Theirs {
        /// Its number, or that it is starting.
        holder: String,
    },
}

/// The folder of the ledger's data: the file itself, or what this node keeps beside a database.
pub(crate) fn data_folder(config: &Config) -> PathBuf {
    config.path_of(&config.file.data)
}

/// Read a secret of the configuration.
pub(crate) fn secret(config: &Config, reference: &SecretRef) -> Result<SecretValue, Failure> {
    reference
        .read(&config.folder)
        .map_err(|(what, hint)| Failure::usage(what, hint))
}

impl Place {
    /// What the configuration says.
    pub(crate) fn of(config: &Config) -> Result<Self, Failure> {
        let Some(reference) = &config.file.store.postgres else {
            return Ok(Self::File(data_folder(config).join("ledger.sqlite")));
        };
        let url = secret(config, reference)?;
        let words = store::postgres_in_words(url.expose_secret()).ok_or_else(|| {
            // What is wrong with it is not repeated: it may hold a password.
            Failure::usage(
                "[store] postgres names no PostgreSQL database",
                "write the secret as postgres://USER:PASSWORD@HOST:5432/DATABASE",
            )
        })?;
        Ok(Self::Database { url, words })
    }

    /// For people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Database { words, .. } => words.clone(),
        }
    }

    /// Whether there is a ledger already.
    pub(crate) fn holds_one(&self) -> Result<bool, Failure> {
        Ok(match self {
            Self::File(path) => path.exists(),
            Self::Database { url, .. } => Store::is_on_postgres(url.expose_secret())?,
        })
    }

    fn open_to_write(&self, folder: &Path, options: StoreOptions) -> Result<Store, StoreError> {
        match self {
            Self::File(path) => Store::open_sqlite(path, options),
            Self::Database { url, .. } => {
                Store::open_postgres_as_node(url.expose_secret(), folder, options)
            }
        }
    }

    fn open_to_read(&self, options: StoreOptions) -> Result<Store, StoreError> {
        match self {
            Self::File(path) => Store::open_read_only(path, options),
            Self::Database { url, .. } => {
                Store::open_postgres_read_only(url.expose_secret(), options)
            }
        }
    }
}

/// The key that seals personal text.
pub(crate) fn seal_bytes(config: &Config) -> Result<[u8; 32], Failure> {
    let text = secret(config, &config.file.secrets.seal_key)?;
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.expose_secret().trim().as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Failure::usage(
                "the seal key is not 64 hexadecimal digits",
                "use the key that `counterfoil init` wrote; without it, sealed text stays sealed",
            )
        })
}

/// What the store is opened with, by a node of that name.
fn options_of(config: &Config, node: String) -> Result<StoreOptions, Failure> {
    let clock = SystemClock;
    Ok(StoreOptions::new(
        node,
        digest("ledger", &[config.file.ledger.as_bytes()]),
        SealKey::new(seal_bytes(config)?),
        Arc::new(move || clock.now_us()),
        Arc::new(|buffer: &mut [u8]| {
            if getrandom::fill(buffer).is_err() {
                // Without randomness there are no keys; going on would write guessable ones.
                std::process::abort();
            }
        }),
    ))
}

/// What a store in a file is opened with.
pub(crate) fn store_options(config: &Config) -> Result<StoreOptions, Failure> {
    options_of(config, "main".to_owned())
}

/// The name of this node, made when its data folder is new: the machine's name, for people, and
/// something that makes it unique. A copied folder would be the same node twice, and each would
/// end the sessions of the other.
fn node_name(folder: &Path) -> Result<String, Failure> {
    let path = folder.join("node-name");
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let mut random = [0_u8; 4];
    getrandom::fill(&mut random).map_err(|error| {
        Failure::stopped(
            format!("the system gives no random bytes: {error}"),
            "try again later",
        )
    })?;
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy().into_owned();
    let name = format!("{machine}-{}", data_encoding::HEXLOWER.encode(&random));
    let partial = folder.join("node-name.partial");
    let mut file = std::fs::File::create(&partial)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, &path)?;
    Ok(name)
}

/// Open the ledger for writing, unless another process of this data folder has it.
pub(crate) fn ledger_for_writing(config: &Config) -> Result<Ledger, Failure> {
    let folder = data_folder(config);
    std::fs::create_dir_all(&folder)?;
    let place = Place::of(config)?;
    let options = match &place {
        Place::File(_) => store_options(config)?,
        Place::Database { .. } => options_of(config, node_name(&folder)?)?,
    };
    match place.open_to_write(&folder, options) {
        Ok(store) => Ok(Ledger::Ours(store)),
        Err(StoreError::Locked { holder, .. }) => Ok(Ledger::Theirs { holder }),
        Err(error) => Err(error.into()),
    }
}

/// Open the ledger, to write alone or to read beside whoever writes.
pub(crate) fn open_store(config: &Config, access: Access) -> Result<Store, Failure> {
    let place = Place::of(config)?;
    match access {
        Access::Write => match ledger_for_writing(config)? {
            Ledger::Ours(store) => Ok(store),
            Ledger::Theirs { holder } => Err(Failure::stopped(
                format!("{} is in use by process {holder}", place.words()),
                "one process of a data folder writes to a ledger at a time: wait until that one \
                 ends, or stop it",
            )),
        },
        Access::Read => {
            if !place.holds_one()? {
                return Err(Failure::usage(
                    format!("there is no ledger at {} yet", place.words()),
                    "run `counterfoil sync` first",
                ));
            }
            Ok(place.open_to_read(store_options(config)?)?)
        }
    }
}

/// Say that the database was put back to an earlier state.
pub(crate) fn mark_restored_database(config: &Config) -> Result<(), Failure> {
    let Place::Database { url, .. } = Place::of(config)? else {
        return Err(Failure::usage(
            "the ledger is a file, not a database",
            "name the file of the backup: `counterfoil restore FILE`",
        ));
    };
    let folder = data_folder(config);
    std::fs::create_dir_all(&folder)?;
    let options = options_of(config, node_name(&folder)?)?;
    Ok(store::backup::mark_restored_database(
        url.expose_secret(),
        &folder,
        options,
    )?)
}

/// The file of a ledger, for what works on files alone.
pub(crate) fn file_of(config: &Config, hint: &str) -> Result<PathBuf, Failure> {
    match Place::of(config)? {
        Place::File(path) => Ok(path),
        Place::Database { words, .. } => Err(Failure::usage(
            format!("the ledger is the {words}, and this works on a ledger in a file"),
            hint,
        )),
    }
}

/// What a ledger is and is sealed with, in one digest: while a process runs, it must stay the same.
pub(crate) fn identity(config: &Config) -> Result<[u8; 32], Failure> {
    let place = match Place::of(config)? {
        Place::File(path) => path.into_os_string().into_encoded_bytes(),
        Place::Database { url, .. } => url.expose_secret().as_bytes().to_vec(),
    };
    let folder = data_folder(config);
    let parts = [
        config.file.ledger.as_bytes(),
        &place,
        folder.as_os_str().as_encoded_bytes(),
        &seal_bytes(config)?,
    ];
    Ok(digest("ledger identity", &parts))
}
