//! A configuration, part by part, so that a test can change one.

use crate::lab::Lab;
use crate::tryton::Kind;
use std::fmt::Write;

/// The text of a configuration, in parts.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) ledger: String,
    /// Lines before the first table.
    pub(crate) top: String,
    /// Lines of `[flow]`.
    pub(crate) flow: String,
    /// `[source...]`.
    pub(crate) source: String,
    /// Lines of `[target.tryton]`.
    pub(crate) target: String,
    /// Lines of `[crosswalk...]`.
    pub(crate) crosswalk: String,
    /// Each contract.
    pub(crate) contracts: Vec<String>,
    /// Each rate.
    pub(crate) rates: Vec<String>,
}

fn contract(id: &str, customer: &str, project: &str, kind: &str, currency: &str) -> String {
    let customer = if customer.is_empty() {
        String::new()
    } else {
        format!("customer = \"{customer}\"\n")
    };
    format!(
        "id = \"{id}\"\n{customer}projects = [\"{project}\"]\nkind = \"{kind}\"\n\
         currency = \"{currency}\"\namount_rounding = \"half_even\"\n"
    )
}

pub(crate) fn rate(contract: &str, currency: &str, rate: &str) -> String {
    format!(
        "contract = \"{contract}\"\nrate = \"{rate}\"\ncurrency = \"{currency}\"\n\
         from = \"2025-01-01\"\n"
    )
}

impl Config {
    /// What works with the lab's seeds.
    pub(crate) fn usual(lab: &Lab, database: &str, kind: Kind, first_day: &str, days: i64) -> Self {
        let mut crosswalk = "[crosswalk.workers]\n".to_owned();
        let users = lab.at("/redmine/seed/users").as_object().expect("users");
        for user in users.values() {
            if let Some(employee) = user["employee"].as_str() {
                writeln!(crosswalk, "\"{}\" = \"{employee}\"", user["id"]).expect("text");
            }
        }
        crosswalk.push_str(
            "[crosswalk.service_items]\nConsulting = \"CONS\"\nDevelopment = \"DEV\"\n\
             Travel = \"TRAV\"\nInternal = \"CONS\"\n",
        );
        // Where nothing holds keys unique, absence is believed after the longest call.
        let waits = match kind {
            Kind::Module => "",
            Kind::LookUp => "write_timeout_ms = 3000\nlongest_call_ms = 3000\n",
        };
        let material = "time_and_materials";
        Self {
            ledger: format!("ledger-of-{database}"),
            top: String::new(),
            flow: format!(
                "first_day = \"{first_day}\"\nbilled_before = \"2025-12-01\"\n\
                 look_back_days = 1\nlook_ahead_days = {}\nsettle_ms = 500\n",
                days - 1
            ),
            source: format!(
                "[source.redmine]\nbase_url = \"{}\"\n",
                lab.text("/redmine/url")
            ),
            target: format!(
                "url = \"{}\"\ndatabase = \"{database}\"\nuser = \"{}\"\ncompany = \"{}\"\n\
                 uniqueness = \"{}\"\n{waits}",
                lab.text("/tryton/url"),
                lab.text("/tryton/logins/connector/login"),
                lab.text("/tryton/seed/company/name"),
                kind.word(),
            ),
            crosswalk,
            contracts: vec![
                contract("ACME-TM", "C-ACME", "P-ACME-TM", material, "EUR"),
                contract("ACME-FX", "C-ACME", "P-ACME-FX", "fixed_fee", "EUR"),
                contract("BORE", "C-BORE", "P-BORE-TM", material, "EUR"),
                contract("COBA", "C-COBA", "P-COBA-TM", material, "EUR"),
                contract("DAIK", "C-DAIK", "P-DAIK-TM", material, "JPY"),
                contract("ELMW", "C-ELMW", "P-ELMW-TM", material, "USD"),
                contract("INT", "", "P-INT", "internal", "EUR"),
            ],
            rates: vec![
                rate("ACME-TM", "EUR", "187.1234"),
                rate("BORE", "EUR", "98.75"),
                rate("COBA", "EUR", "152.5"),
                rate("DAIK", "JPY", "24000"),
                rate("ELMW", "USD", "215.505"),
            ],
        }
    }

    /// How long a call to the ERP may take, and how long one may go on there after that.
    pub(crate) fn calls_take(&mut self, write_timeout_ms: u32, longest_call_ms: u32) {
        let own = ["write_timeout_ms", "longest_call_ms"];
        let mut target = String::new();
        for line in self.target.lines() {
            if !own.iter().any(|word| line.starts_with(word)) {
                writeln!(target, "{line}").expect("text");
            }
        }
        for (word, time_ms) in own.iter().zip([write_timeout_ms, longest_call_ms]) {
            writeln!(target, "{word} = {time_ms}").expect("text");
        }
        self.target = target;
    }

    /// Add a line to a contract.
    pub(crate) fn add_to_contract(&mut self, id: &str, line: &str) {
        let start = format!("id = \"{id}\"\n");
        let text = self
            .contracts
            .iter_mut()
            .find(|text| text.starts_with(&start))
            .expect("the contract");
        text.push_str(line);
        text.push('\n');
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "ledger = \"{}\"\n{}\n[entity]\ncode = \"KESTREL\"\nbusiness_unit = \"Consulting\"\n\
             zone = \"Europe/Berlin\"\n[flow]\n{}\n[secrets]\nsource = {{ file = \"tracker.key\" }}\n\
             target = {{ file = \"erp.password\" }}\nseal_key = {{ file = \"seal.key\" }}\n\
             {}\n[target.tryton]\n{}\n{}\n",
            self.ledger, self.top, self.flow, self.source, self.target, self.crosswalk
        );
        for contract in &self.contracts {
            write!(text, "[[contract]]\n{contract}").expect("text");
        }
        for rate in &self.rates {
            write!(text, "[[rate]]\n{rate}").expect("text");
        }
        text
    }
}
