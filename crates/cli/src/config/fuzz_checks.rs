//! Files that people edit: whatever stands in them, the program says what is wrong, and never
//! shows what may be a secret.

use super::Config;
use super::secret::SecretRef;
use super::settings::billed_entries;
use connector_sdk::secrecy::ExposeSecret;
use fuzz::{CANARY, Finding, Fuzz, Seen};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn here(target: &'static str) -> Fuzz {
    Fuzz::new(target, env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn fuzz_config_toml() -> Result<(), Finding> {
    let template = |source, target| {
        crate::commands::init::template("0123456789abcdef", source, target).unwrap()
    };
    let secret = template("redmine", "tryton").replace(
        "source = { env = \"COUNTERFOIL_SOURCE_KEY\" }",
        &format!("source = \"{CANARY}\""),
    );
    here("config_toml")
        .seed(template("redmine", "tryton"))
        .seed(template("reference", "reference"))
        .seed(secret)
        .words([
            "{ env = \"NAME\" }",
            "[[rate]]",
            "[[contract]]",
            "seal_key",
            "\"187.1234\"",
        ])
        .costly(4)
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let parsed = Config::parse(Path::new("counterfoil.toml"), &text, PathBuf::from("."));
            Ok(match parsed {
                Ok(config) => Seen::read(format!("{} warnings", config.warnings.len()), &config),
                Err(error) => {
                    // A secret may be put in any place by mistake, but only one after the keys of
                    // [secrets] is known to be one; other values may be named in a message.
                    let told = format!("{error}\nhint: {}", error.hint);
                    let line = text.lines().find(|line| line.contains(CANARY));
                    let misplaced = line.is_some_and(|line| {
                        ["source =", "target =", "seal_key ="]
                            .iter()
                            .any(|key| line.starts_with(key))
                    });
                    if misplaced && told.contains(CANARY) {
                        return Err(format!("shows a secret: {told}"));
                    }
                    Seen::refused(&told)
                }
            })
        })
}

#[test]
fn fuzz_proposal_toml() -> Result<(), Finding> {
    let proposal = "[[contract]]\nid = \"K\"\ncustomer = \"C\"\nprojects = [\"P\"]\n\
                    kind = \"time_and_materials\"\ncurrency = \"EUR\"\n\
                    limit = [{ id = \"NTE\", amount = \"1000\" }]\n\
                    [[rate]]\ncontract = \"K\"\nrate = \"100\"\ncurrency = \"EUR\"\n\
                    from = \"2026-01-01\"\n";
    here("proposal_toml")
        .seed(proposal)
        .words([
            "[[rate]]",
            "[[contract]]",
            "retainer",
            "hour_bank",
            "schedule",
        ])
        .costly(4)
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            Ok(
                match super::proposal::parse(Path::new("proposal.toml"), &text) {
                    Ok(proposal) => Seen::read(format!("{} rates", proposal.1.len()), &proposal),
                    Err(error) => Seen::refused(&format!("{error}\nhint: {}", error.hint)),
                },
            )
        })
}

#[test]
fn fuzz_billed_before_file() -> Result<(), Finding> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billed.txt");
    here("billed_before_file")
        .seeds(["4711\n4712\n", "\r\n 4711 \r\n", "a\u{2028}b"])
        .run(move |bytes| {
            std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
            let read = billed_entries(&path);
            if read
                .as_ref()
                .is_ok_and(|ids| ids.iter().any(|id| id.trim() != id || id.is_empty()))
            {
                return Err("an id with blanks around it".to_owned());
            }
            Ok(Seen::of(read))
        })
}

#[test]
fn fuzz_secret_file() -> Result<(), Finding> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    here("secret_file")
        .seeds([CANARY, "a-key\n", "\r\n", &"00".repeat(32)])
        .keeps_secret()
        .run(move |bytes| {
            std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
            let read = SecretRef::File(PathBuf::from("secret")).read(folder.path());
            Ok(match read {
                Ok(value) if value.expose_secret().ends_with('\n') => {
                    return Err("a line end counts as part of the secret".to_owned());
                }
                Ok(value) => Seen {
                    told: format!("{value:?}"),
                    ..Seen::read("secret", &value.expose_secret())
                },
                Err((what, hint)) => Seen::refused(&format!("{what}\nhint: {hint}")),
            })
        })
}
