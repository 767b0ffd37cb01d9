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

/// The line of the template that begins with a text, from 1, after a place that comes once.
fn line_in(text: &str, after: &str, begins: &str) -> usize {
    let skipped = text.lines().position(|line| line == after).unwrap();
    let found = text
        .lines()
        .skip(skipped)
        .position(|line| line.starts_with(begins))
        .unwrap();
    skipped + found + 1
}

#[test]
fn a_mistake_in_a_contract_is_named_with_file_and_line() {
    for (from, to, after, begins, says) in [
        (
            "minimum_minutes = 30",
            "minimum_minutes = 20",
            "[[contract]]",
            "increment",
            "contract EXAMPLE-2026: the minimum of 20 minutes is not a multiple",
        ),
        (
            "quantity_decimals = 2",
            "quantity_decimals = 7",
            "[[contract]]",
            "quantity_decimals",
            "decimals are 7",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nparent = \"EXAMPLE-2026\"",
            "[[contract]]",
            "parent",
            "in a circle: EXAMPLE-2026 -> EXAMPLE-2026",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nconditions = { hold_when = \"minuts > 600\" }",
            "[[contract]]",
            "conditions",
            "hold_when, column 1: `minuts` is no name",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nlines = { text = \"{{ taks }}\" }",
            "[[contract]]",
            "lines",
            "'taks' is no name of a line",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nschedule = { monthly_fees = [{ id = \"F\", amount = \"5\", from = \"2026-01-01\" }] }",
            "[[contract]]",
            "schedule",
            "nothing says what they are sold as",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nfixed_service_item = \"FEE\"\nhour_bank = { id = \"B\", allowance_hours = \"4\", fee = \"5\", overage_rate = \"6\" }",
            "[[contract]]",
            "hour_bank",
            "its months begin nowhere",
        ),
        (
            "kind = \"time_and_materials\"",
            "kind = \"time_and_materials\"\nunit = \"piece\"",
            "[[contract]]",
            "unit",
            "in which fixed amounts are printed and no work",
        ),
        (
            "id = \"EXAMPLE-2026\"",
            "id = \"\"",
            "[[contract]]",
            "id",
            "a contract has no id",
        ),
    ] {
        let text = template().replace(from, to);
        let error = parse(&text).unwrap_err();
        let line = line_in(&text, after, begins);
        let start = format!("counterfoil.toml, line {line}: ");
        assert!(error.starts_with(&start), "{start} in {error}");
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
