//! The switch that ends the process in tests must not be in what is shipped.

/// The switch is in a module that release builds do not have, and nowhere else.
#[test]
fn the_switch_is_in_debug_builds_only() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root];
    let mut holders = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path)
                .unwrap_or_default()
                .contains("COUNTERFOIL_CRASH_AT")
            {
                holders.push(path);
            }
        }
    }
    assert_eq!(holders.len(), 1, "{holders:?}");
    let text = std::fs::read_to_string(&holders[0]).unwrap();
    let (before, _) = text.split_once("COUNTERFOIL_CRASH_AT").unwrap();
    let (_, module) = before
        .split_once("#[cfg(debug_assertions)]\nmod on {")
        .unwrap();
    // The module is not closed before the switch.
    assert!(!module.contains("\n}\n"));
}
