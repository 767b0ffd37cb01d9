//! Papers that repeat what the code says are compared with the code. To write them anew, run the
//! tests with `COUNTERFOIL_WRITE_PAPERS=1`.

#[cfg(test)]
mod tests {
    use counterfoil_domain::exception::Code;
    use counterfoil_domain::posting::{POSTING_TRANSITIONS, PostingState};
    use std::path::PathBuf;

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn compare(path: &str, now: &str) {
        let path = root().join(path);
        if std::env::var_os("COUNTERFOIL_WRITE_PAPERS").is_some() {
            std::fs::write(&path, now).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stands == now,
            "{} is not current: run this test with COUNTERFOIL_WRITE_PAPERS=1",
            path.display()
        );
    }

    fn pretty(value: &impl serde::Serialize) -> String {
        let mut text = serde_json::to_string_pretty(value).unwrap();
        text.push('\n');
        text
    }

    #[test]
    fn published_schemas_are_current() {
        compare(
            "docs/schema/labor-transaction.schema.json",
            &pretty(&counterfoil_domain::labor::labor_transaction_schema()),
        );
        compare(
            "docs/schema/contract.schema.json",
            &pretty(&counterfoil_domain::contract::contract_schema()),
        );
        let codes: Vec<_> = Code::ALL
            .iter()
            .map(|code| {
                serde_json::json!({
                    "code": code.text(), "sentence": code.sentence(),
                    "remedy": code.remedy(), "owner": code.owner(),
                })
            })
            .collect();
        compare("docs/schema/exceptions.json", &pretty(&codes));
    }

    #[test]
    fn the_diagram_of_posting_states_is_current() {
        use std::fmt::Write as _;
        let mut diagram = "```mermaid\nstateDiagram-v2\n".to_owned();
        for (from, event, to) in POSTING_TRANSITIONS {
            writeln!(diagram, "    {from} --> {to}: {event:?}").unwrap();
        }
        for state in PostingState::ALL {
            if !POSTING_TRANSITIONS
                .iter()
                .any(|(from, _, _)| *from == state)
            {
                writeln!(diagram, "    {state} --> [*]").unwrap();
            }
        }
        diagram.push_str("```\n");
        let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        assert!(
            text.contains(&diagram),
            "ARCHITECTURE.md does not hold this diagram:\n{diagram}"
        );
    }
}
