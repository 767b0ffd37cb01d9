use super::Config;
use std::path::{Path, PathBuf};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("counterfoil.toml"), text, PathBuf::from("."))
        .map_err(|error| format!("{error}\nhint: {}", error.hint))
}

fn template() -> String {
    crate::commands::init::template("0123456789abcdef0123456789abcdef", "redmine", "tryton")
        .unwrap()
}

#[test]
fn what_init_writes_is_a_configuration() {
    for source in ["redmine", "reference"] {
        for target in ["tryton", "reference"] {
            let text = crate::commands::init::template("0123456789abcdef", source, target).unwrap();
            let config = parse(&text).unwrap();
            assert_eq!(config.file.contract.len(), 1);
            assert_eq!(config.rates.bill.len(), 1);
        }
    }
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    for (from, to) in [
        ("business_unit =", "bussiness_unit = \"x\"\nbusiness_unit ="),
        ("look_back_days =", "lookback = 3\nlook_back_days ="),
        ("increment = {", "incremnt = {"),
        ("base_url =", "key = \"x\"\nbase_url ="),
    ] {
        let error = parse(&template().replace(from, to)).unwrap_err();
        assert!(error.contains(", line "), "{error}");
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_never_shown() {
    let text = template().replace(
        "source = { env = \"COUNTERFOIL_SOURCE_KEY\" }",
        "source = \"hunter2-hunter2\"",
    );
    let error = parse(&text).unwrap_err();
    assert!(
        error.contains("secrets do not stand in the configuration"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn contradictions_are_named() {
    for (from, to, says) in [
        (
            "zone = \"Europe/Berlin\"",
            "zone = \"Europe/Atlantis\"",
            "is no time zone",
        ),
        (
            "currency = \"EUR\"",
            "currency = \"EURO\"",
            "is not an ISO 4217 currency",
        ),
        (
            "rate = \"187.1234\"",
            "rate = \"187.12345\"",
            "more than 4 decimals",
        ),
        ("rate = \"187.1234\"", "rate = 187.12", "invalid type"),
        (
            "minimum_minutes = 30",
            "minimum_minutes = 20",
            "not a multiple",
        ),
        (
            "contract = \"EXAMPLE-2026\"",
            "contract = \"EXAMPLE-2025\"",
            "does not exist",
        ),
        ("[target.tryton]", "[target.sap]", "unknown field"),
        (
            "first_day = \"2026-01-01\"",
            "first_day = \"2026-13-01\"",
            "line",
        ),
    ] {
        let error = parse(&template().replace(from, to)).unwrap_err();
        assert!(error.contains(says), "{to}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "hunter2\n").unwrap();
    let reference = super::SecretRef::File("key".into());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (what, hint) = reference.read(folder.path()).unwrap_err();
    assert!(what.contains("can be read by others"), "{what}");
    assert!(hint.contains("chmod 600"), "{hint}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(reference.read(folder.path()).is_ok());
    std::fs::write(&path, "").unwrap();
    assert!(reference.read(folder.path()).is_err());
}
