//! The published schema of a scenario is compared with the code. `COUNTERFOIL_WRITE_PAPERS=1` writes it.

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_schema_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/schema/scenario.schema.json"
        );
        let schema = counterfoil_scenario::file::scenario_schema();
        let mut now = serde_json::to_string_pretty(&schema).unwrap();
        now.push('\n');
        if std::env::var_os("COUNTERFOIL_WRITE_PAPERS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let stands = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            stands == now,
            "{path} is not current: run this test with COUNTERFOIL_WRITE_PAPERS=1"
        );
    }
}
