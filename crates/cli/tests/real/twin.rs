//! A twin that the binary itself serves, and a person who works in it through its control door.

use crate::binary::{Binary, Running};
use crate::http;
use serde_json::{Value, json};
use twins::firm::{Firm, FirmSpec, generate};

/// What the product must show to a twin.
pub(crate) const TOKEN: &str = "token-of-the-twins-4711";
const SEED: u64 = 7;

/// A served twin. Its process ends with it.
pub(crate) struct Twin {
    /// Where it listens.
    pub(crate) url: String,
    _running: Running,
}

/// The firm that every twin here holds.
pub(crate) fn firm() -> Firm {
    let spec = FirmSpec {
        consultants: 8,
        entries: 16,
        ..FirmSpec::default()
    };
    generate(SEED, &spec).expect("a firm")
}

impl Twin {
    /// Serve one side of the firm without faults and without a limit that would be felt.
    pub(crate) fn serve(binary: &Binary, side: &str, more: &[&str]) -> Self {
        let seed = SEED.to_string();
        let spec = firm().spec;
        let (entries, consultants) = (spec.entries.to_string(), spec.consultants.to_string());
        let mut words = vec!["twin", side, "--seed", &seed, "--entries", &entries];
        words.extend(["--consultants", &consultants, "--faults", "none"]);
        words.extend(["--requests-a-minute", "60000", "--token", TOKEN]);
        words.extend(more);
        let mut running = binary.start(&words);
        let url = running.first_line();
        Self {
            url,
            _running: running,
        }
    }

    /// What it really holds.
    pub(crate) fn truth(&self, section: &str) -> Vec<Value> {
        let (status, text) = http::send("GET", &format!("{}/truth/{section}", self.url), &[], "");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("a list")
    }

    fn acts(&self, act: &Value) -> Value {
        let url = format!("{}/control/act", self.url);
        let (status, text) = http::send("POST", &url, &[], &act.to_string());
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("what came of it")
    }

    /// Book approved work of somebody whom both sides know; its id.
    pub(crate) fn book(&self, place: &Place, day: &str, hours: &str, text: &str) -> String {
        let done = self.acts(&json!({
            "do": "add_entry", "user_id": place.user, "project_id": place.project,
            "task_id": place.task, "activity_id": "consulting", "date": day, "hours": hours,
            "narrative": text, "approved_by": "u1",
        }));
        done["id"].as_str().expect("an id").to_owned()
    }
}

/// Where somebody works, in the tracker's ids.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) user: String,
    pub(crate) project: String,
    pub(crate) task: String,
}

impl Place {
    /// An open task of the first project of a contract.
    pub(crate) fn of(firm: &Firm, contract: &str) -> Self {
        let mut contracts = firm.config.contracts.iter();
        let contract = contracts
            .find(|one| one.id == contract)
            .expect("the contract");
        let code = contract.projects.first().expect("a project").clone();
        let mut projects = firm.tracker.projects.iter();
        let (project, _) = projects
            .find(|(_, project)| project.erp_code.as_ref() == Some(&code))
            .expect("the tracker's project");
        let mut erp_projects = firm.erp.projects.iter();
        let (erp_project, _) = erp_projects
            .find(|(_, project)| project.code == code)
            .expect("the ERP's project");
        let is_open = |erp_code: &str| {
            firm.erp
                .tasks
                .values()
                .any(|task| task.project_id == *erp_project && task.code == erp_code && task.active)
        };
        let mut tasks = firm.tracker.tasks.iter();
        let (task, _) = tasks
            .find(|(_, task)| {
                task.project_id == *project && task.erp_code.as_deref().is_some_and(is_open)
            })
            .expect("an open task");
        let mut users = firm.config.crosswalk.workers.keys();
        Self {
            user: users.next().expect("somebody").clone(),
            project: project.clone(),
            task: task.clone(),
        }
    }
}
