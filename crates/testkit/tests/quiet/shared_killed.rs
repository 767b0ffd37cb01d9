//! Lines that charges share, in a world where processes die and people act between passes: whatever
//! happens, no entry is on two invoices, and ledger and ERP agree in the end.

use crate::shared::{add_named, tied, with_work};
use crate::stage::{Stage, play, walks};
use counterfoil_testkit::crashes::{Death, Deaths};
use counterfoil_testkit::rng::Dice;
use domain::contract::lines::LineKey;
use domain::posting::DocumentState;
use pipeline::crash::CrashPoint;
use pipeline::sync::{SyncOptions, sync};
use std::collections::BTreeMap;
use std::sync::Arc;
use twins::erp::ErpAct;
use twins::tracker::TrackerAct;

/// How often each entry is on issued documents: lines less credits, by the name in its narrative.
fn invoiced(stage: &Stage) -> BTreeMap<String, i64> {
    let mut net: BTreeMap<String, i64> = BTreeMap::new();
    stage.world.erp.with(|state| {
        let erp = &state.machine;
        for line in erp.lines.values() {
            let document = erp.documents.get(&line.document_id).unwrap();
            if document.state == DocumentState::Draft {
                continue;
            }
            let sign = line.quantity.micro().signum();
            let ours = |name: &&str| name.starts_with("work of") || name.starts_with("new ");
            for name in line.description.split(';').filter(ours) {
                *net.entry(name.to_owned()).or_default() += sign;
            }
        }
    });
    net
}

fn issue(stage: &Stage, story: &str) {
    stage.erp_act(&ErpAct::IssueAll);
    for (name, times) in invoiced(stage) {
        assert!((0..=1).contains(&times), "{name} {times} times: {story}");
    }
}

const GROUPINGS: [Option<&[LineKey]>; 5] = [
    Some(&[]),
    Some(&[LineKey::Task]),
    Some(&[LineKey::Worker, LineKey::Day]),
    Some(&[LineKey::Week]),
    None,
];
struct Walk {
    stage: Stage,
    dice: Dice,
    ids: Vec<String>,
    tasks: Vec<(String, Option<String>)>,
    added: u32,
    hours: u32,
    story: Vec<String>,
}

impl Walk {
    async fn begin(seed: u64) -> Self {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(|contract| {
            contract.increment = None;
            contract.lines.together = Some(Vec::new());
            contract.lines.text = Some("{{ narratives | join(';') }}".to_owned());
        });
        let like = stage.entry(&ids[0]);
        // Other work of the same contract.
        let tasks = stage.world.tracker.with(|state| {
            let own = state.machine.tasks.iter();
            let own = own.filter(|(_, task)| task.project_id == like.project_id);
            let mut all: Vec<_> = own
                .map(|(id, _)| (like.project_id.clone(), Some(id.clone())))
                .collect();
            all.truncate(3);
            all
        });
        Self {
            stage,
            dice: Dice::new(seed),
            ids,
            tasks,
            added: 0,
            hours: 0,
            story: Vec::new(),
        }
    }

    fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        self.dice.one_of(list).unwrap().clone()
    }

    /// Hours that no other entry has: the same twice would be looked at by a person.
    fn hours(&mut self) -> String {
        self.hours += 1;
        let minutes = (self.hours * 37) % 331 + 4;
        let hundredths = (minutes * 100 + 30) / 60;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    fn act(&mut self) {
        let kind = self.dice.below(10);
        let ids = self.ids.clone();
        match kind {
            0..=2 => {
                let (like, hours) = (self.one_of(&ids), self.hours());
                let like = self.stage.entry(&like);
                self.added += 1;
                let id = add_named(&self.stage, &like, &hours, &format!("new {}", self.added));
                self.story.push(format!("add {id} {hours}"));
                self.ids.push(id);
            }
            3..=5 => {
                let (id, hours) = (self.one_of(&ids), self.hours());
                self.stage.set_hours(&id, &hours);
                self.story.push(format!("edit {id} {hours}"));
            }
            6 if ids.len() > 2 => {
                let id = self.one_of(&ids);
                self.ids.retain(|own| *own != id);
                self.story.push(format!("delete {id}"));
                self.stage.tracker_act(&TrackerAct::DeleteEntry { id });
            }
            7 => {
                let (id, tasks) = (self.one_of(&ids), self.tasks.clone());
                let (project_id, task_id) = self.one_of(&tasks);
                self.story.push(format!("move {id} to {task_id:?}"));
                self.stage.tracker_act(&TrackerAct::EditEntry {
                    id,
                    hours: None,
                    date: None,
                    narrative: None,
                    project_id: Some(project_id),
                    task_id,
                    billable: None,
                });
            }
            8 => {
                self.story.push("issue".to_owned());
                let story = self.story.join(", ");
                issue(&self.stage, &story);
            }
            _ => {
                let grouping = self.one_of(&GROUPINGS);
                self.story.push(format!("group by {grouping:?}"));
                self.stage.with_contract(|contract| {
                    contract.lines.together = grouping.map(<[LineKey]>::to_vec);
                });
            }
        }
    }

    /// A pass that may die, and a person who may issue what is there then.
    async fn pass(&mut self) {
        let settings = Arc::clone(&self.stage.env.settings);
        if self.dice.percent(60) {
            let point = self.one_of(CrashPoint::ALL);
            let nth = self.dice.between(1, 6);
            self.story.push(format!("die at {} {nth}", point.name()));
            self.stage.env.crashes = Arc::new(Deaths::new(vec![Death { point, nth }]));
        }
        self.stage.world.clock.pass_ms(900_000);
        let today = self.stage.world.today;
        let died = sync(&self.stage.env, today, SyncOptions::default()).await;
        let mut env = self.stage.world.session().unwrap();
        env.settings = settings;
        self.stage.env = env;
        if died.is_err() && self.dice.percent(40) {
            self.story.push("issue".to_owned());
            let story = self.story.join(", ");
            issue(&self.stage, &story);
        }
    }

    async fn settle(&mut self) {
        for _ in 0..5 {
            self.stage.pass().await;
        }
        let story = self.story.join(", ");
        let open = self.stage.exceptions().await;
        assert!(open.is_empty(), "{open:?}: {story}");
        println!("{story}");
        tied(&self.stage).await;
        let quiet = self.stage.pass().await;
        assert_eq!(quiet.post.calls, 0, "{story}");
        issue(&self.stage, &story);
        self.stage.pass().await;
        // Everything that is there is on one invoice, once.
        let mut names = invoiced(&self.stage);
        for id in &self.ids {
            let entry = self.stage.entry(id);
            let times = names.remove(&entry.narrative);
            assert_eq!(times, Some(1), "{id} {}: {story}", entry.narrative);
        }
    }
}

fn walk(seed: u64, steps: u64) {
    play(async {
        let mut walk = Walk::begin(seed).await;
        for _ in 0..steps {
            for _ in 0..walk.dice.between(1, 3) {
                walk.act();
            }
            walk.pass().await;
        }
        walk.settle().await;
    });
}

/// One walk: `SHARED_SEED=17 cargo nextest run -p counterfoil-testkit any_walk`; more of them:
/// `SHARED_WALKS=500`.
#[test]
fn any_walk_of_people_and_deaths_bills_every_entry_once() {
    for seed in walks("SHARED", 12) {
        println!("seed {seed}");
        walk(seed, 8);
    }
}

/// The process dies after a call of the pass in which entries change lines, and a person issues what
/// is there: between the two lines no entry is on both.
fn changes_lines(from: Option<&[LineKey]>, to: Option<&[LineKey]>) {
    for (point, nth) in (1..=6).flat_map(|nth| {
        [CrashPoint::CallReturned, CrashPoint::OutcomeWritten].map(|point| (point, nth))
    }) {
        play(async {
            let mut walk = Walk::begin(1).await;
            let group = |stage: &mut Stage, by: Option<&[LineKey]>| {
                stage.with_contract(|contract| {
                    contract.lines.together = by.map(<[LineKey]>::to_vec);
                });
            };
            group(&mut walk.stage, from);
            walk.stage.pass().await;
            group(&mut walk.stage, to);
            for id in walk.ids.clone() {
                let hours = walk.hours();
                walk.stage.set_hours(&id, &hours);
            }
            let settings = Arc::clone(&walk.stage.env.settings);
            walk.stage.env.crashes = Arc::new(Deaths::new(vec![Death { point, nth }]));
            walk.stage.world.clock.pass_ms(900_000);
            let today = walk.stage.world.today;
            let _ = sync(&walk.stage.env, today, SyncOptions::default()).await;
            walk.stage.env = walk.stage.world.session().unwrap();
            walk.stage.env.settings = settings;
            issue(
                &walk.stage,
                &format!("{from:?} to {to:?}, {} {nth}", point.name()),
            );
            walk.settle().await;
        });
    }
}

#[test]
fn an_entry_that_leaves_a_shared_line_for_its_own_is_never_on_both() {
    changes_lines(Some(&[]), None);
}

#[test]
fn an_entry_that_leaves_its_own_line_for_a_shared_one_is_never_on_both() {
    changes_lines(None, Some(&[]));
}

#[test]
fn an_entry_that_leaves_a_shared_line_for_another_is_never_on_both() {
    changes_lines(Some(&[]), Some(&[LineKey::Task]));
}
