//! What people do between passes, chosen among what is there at that moment.

use crate::rng::Dice;
use crate::world::World;
use connector_sdk::clock::Clock;
use domain::decimal::Micro;
use domain::posting::DocumentState;
use twins::erp::ErpAct;
use twins::frame::{Scheduled, When};
use twins::tracker::TrackerAct;

/// A kind of act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Correct the hours of an entry.
    Edit,
    /// Correct the text only.
    Reword,
    /// Move an entry to another day.
    MoveDay,
    /// Move an entry to another entry's project and task.
    MoveTask,
    /// Say that the client pays, or does not.
    Billable,
    /// Take an edit back.
    EditBack,
    /// Delete an entry.
    Delete,
    /// Approve an entry that waits.
    Approve,
    /// Withdraw an approval.
    Unapprove,
    /// Record one more entry like another one, with other hours.
    Add,
    /// Delete a draft line.
    DeleteLine,
    /// Change a draft line.
    EditLine,
    /// Move a draft line to another draft.
    MoveLine,
    /// Delete a draft.
    DeleteDraft,
    /// Issue a draft.
    Issue,
    /// Issue all drafts.
    IssueAll,
    /// Mark an invoice as paid.
    Pay,
    /// Credit an invoice.
    Credit,
    /// Hold a customer back.
    Hold,
    /// Lift all holds and replay.
    LiftHolds,
    /// Close a task.
    CloseTask,
    /// Open all tasks and projects again and replay.
    Reopen,
    /// Take up every exception again.
    Replay,
    /// Put a changed draft line back as it was.
    EditLineBack,
    /// Hold a customer back in the middle of the coming pass.
    HoldMeanwhile,
    /// Close a task in the middle of the coming pass.
    CloseTaskMeanwhile,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Edit,
        Self::Reword,
        Self::MoveDay,
        Self::MoveTask,
        Self::Billable,
        Self::EditBack,
        Self::Delete,
        Self::Approve,
        Self::Unapprove,
        Self::Add,
        Self::DeleteLine,
        Self::EditLine,
        Self::MoveLine,
        Self::DeleteDraft,
        Self::Issue,
        Self::IssueAll,
        Self::Pay,
        Self::Credit,
        Self::Hold,
        Self::LiftHolds,
        Self::CloseTask,
        Self::Reopen,
        Self::Replay,
    ];

    /// Kinds that came later: chosen by dice of their own, so that old seeds keep their meaning.
    pub const EXTRA: &'static [Self] = &[
        Self::EditLine,
        Self::EditLineBack,
        Self::HoldMeanwhile,
        Self::CloseTaskMeanwhile,
        Self::LiftHolds,
        Self::Reopen,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Reword => "reword",
            Self::MoveDay => "move day",
            Self::MoveTask => "move task",
            Self::Billable => "billable",
            Self::EditBack => "edit back",
            Self::Delete => "delete",
            Self::Approve => "approve",
            Self::Unapprove => "unapprove",
            Self::Add => "add",
            Self::DeleteLine => "delete line",
            Self::EditLine => "edit line",
            Self::MoveLine => "move line",
            Self::DeleteDraft => "delete draft",
            Self::Issue => "issue",
            Self::IssueAll => "issue all",
            Self::Pay => "pay",
            Self::Credit => "credit",
            Self::Hold => "hold",
            Self::LiftHolds => "lift holds",
            Self::CloseTask => "close task",
            Self::Reopen => "reopen",
            Self::Replay => "replay",
            Self::EditLineBack => "edit line back",
            Self::HoldMeanwhile => "hold meanwhile",
            Self::CloseTaskMeanwhile => "close task meanwhile",
        }
    }

    /// Whether the product is to take exceptions up again afterwards.
    pub const fn replays(self) -> bool {
        matches!(self, Self::Replay | Self::LiftHolds | Self::Reopen)
    }
}

/// The first comes to nothing where the contract rounds to six minutes.
const HOURS: [&str; 7] = ["0.03", "0.25", "0.67", "1.33", "2.50", "3.17", "7.75"];

/// Do it. Says what was done, or nothing if there was nothing to do it to.
pub fn perform(world: &World, kind: Kind, pick: u64) -> Option<String> {
    let mut dice = Dice::new(pick);
    let now_us = world.clock.now_us();
    let in_tracker = tracker_act(world, kind, &mut dice);
    if let Some(act) = in_tracker {
        let done = world.tracker.with(|state| {
            use twins::frame::Machine as _;
            state.machine.act(&act, now_us)
        });
        return done.ok().map(|_| format!("{act:?}"));
    }
    if matches!(kind, Kind::HoldMeanwhile | Kind::CloseTaskMeanwhile) {
        return meanwhile(world, kind, &mut dice);
    }
    let mut done = Vec::new();
    for act in erp_acts(world, kind, &mut dice) {
        let possible = world.erp.with(|state| {
            use twins::frame::Machine as _;
            state.machine.act(&act, now_us)
        });
        if possible.is_ok() {
            done.push(format!("{act:?}"));
        }
    }
    (!done.is_empty()).then(|| done.join(", "))
}

/// Have something done in the ERP between two requests of the coming pass.
fn meanwhile(world: &World, kind: Kind, dice: &mut Dice) -> Option<String> {
    let after = dice.between(5, 40);
    let kind = match kind {
        Kind::HoldMeanwhile => Kind::Hold,
        _ => Kind::CloseTask,
    };
    let act = erp_acts(world, kind, dice).into_iter().next()?;
    let words = format!("{act:?} after {after} more requests");
    world.erp.with(|state| {
        let when = When::AfterRequests(state.requests.saturating_add(after));
        state.scheduled.push(Scheduled { when, act });
    });
    Some(words)
}

fn edit(id: String) -> TrackerAct {
    TrackerAct::EditEntry {
        id,
        hours: None,
        date: None,
        narrative: None,
        project_id: None,
        task_id: None,
        billable: None,
    }
}

fn tracker_act(world: &World, kind: Kind, dice: &mut Dice) -> Option<TrackerAct> {
    let all = world.tracker.with(|state| {
        let entries = state.machine.entries.iter();
        entries
            .map(|(id, entry)| (id.to_string(), entry.clone()))
            .collect::<Vec<_>>()
    });
    let approved = |wanted: bool| {
        let fits = |e: &&(String, twins::tracker::Entry)| e.1.approved_by.is_some() == wanted;
        all.iter().filter(fits).cloned().collect::<Vec<_>>()
    };
    let of = approved(true);
    let (id, entry) = dice.one_of(&of).or_else(|| all.first())?.clone();
    let hours_now = dice.one_of(&HOURS).map(|hours| (*hours).to_owned());
    let mut act = edit(id.clone());
    if let TrackerAct::EditEntry {
        hours,
        date,
        narrative,
        project_id,
        task_id,
        billable,
        ..
    } = &mut act
    {
        match kind {
            Kind::Edit => *hours = hours_now,
            Kind::Reword => *narrative = Some(format!("{} (reworded)", entry.narrative)),
            Kind::MoveDay => {
                let other = dice.one_of(&all)?;
                *date = Some(other.1.date.clone());
            }
            Kind::MoveTask => {
                let other = dice.one_of(&all)?;
                *project_id = Some(other.1.project_id.clone());
                task_id.clone_from(&other.1.task_id);
            }
            Kind::Billable => *billable = Some(!entry.billable),
            Kind::EditBack => {
                let edited = world.tracker.with(|state| {
                    let edits = state.machine.changes.iter().filter(|c| c.what == "edit");
                    edits.map(|change| change.id.clone()).collect::<Vec<_>>()
                });
                return Some(TrackerAct::EditBack {
                    id: dice.one_of(&edited)?.clone(),
                });
            }
            Kind::Delete => return Some(TrackerAct::DeleteEntry { id }),
            Kind::Approve => {
                let (id, _) = dice.one_of(&approved(false))?.clone();
                return Some(TrackerAct::Approve {
                    id,
                    by: "u1".to_owned(),
                });
            }
            Kind::Unapprove => return Some(TrackerAct::Unapprove { id }),
            Kind::Add => {
                return Some(TrackerAct::AddEntry {
                    user_id: entry.user_id,
                    project_id: entry.project_id,
                    task_id: entry.task_id,
                    activity_id: entry.activity_id,
                    date: entry.date,
                    hours: hours_now?,
                    narrative: "one more".to_owned(),
                    approved_by: Some("u1".to_owned()),
                });
            }
            _ => return None,
        }
    }
    Some(act)
}

fn erp_acts(world: &World, kind: Kind, dice: &mut Dice) -> Vec<ErpAct> {
    world.erp.with(|state| {
        let erp = &state.machine;
        let documents = |states: &[DocumentState]| {
            let fitting = erp
                .documents
                .iter()
                .filter(|(_, d)| states.contains(&d.state));
            fitting.map(|(id, _)| id.to_string()).collect::<Vec<_>>()
        };
        let drafts = documents(&[DocumentState::Draft]);
        let lines: Vec<String> = erp
            .lines
            .iter()
            .filter(|(_, line)| drafts.contains(&line.document_id.to_string()))
            .map(|(id, _)| id.to_string())
            .collect();
        let line = dice.one_of(&lines).cloned();
        let draft = dice.one_of(&drafts).cloned();
        let act = match kind {
            Kind::DeleteLine => line.map(|line| ErpAct::DeleteLine { line }),
            Kind::EditLine => line.map(|line| {
                let was = erp.lines.iter().find(|(id, _)| id.to_string() == line);
                if let Some((_, was)) = was {
                    world.remember_line(line.clone(), was.quantity);
                }
                ErpAct::EditLine {
                    line,
                    quantity: Some(Micro::from_micro(1_250_000)),
                    rate: None,
                    description: None,
                }
            }),
            Kind::EditLineBack => {
                let changed = world.changed_lines();
                dice.one_of(&changed)
                    .map(|(line, quantity)| ErpAct::EditLine {
                        line: line.clone(),
                        quantity: Some(*quantity),
                        rate: None,
                        description: None,
                    })
            }
            Kind::MoveLine => line.map(|line| ErpAct::MoveLine {
                line,
                document: None,
            }),
            Kind::DeleteDraft => draft.map(|document| ErpAct::DeleteDraft { document }),
            Kind::Issue => draft.map(|document| ErpAct::Issue { document }),
            Kind::IssueAll => Some(ErpAct::IssueAll),
            Kind::Pay => {
                let issued = documents(&[DocumentState::Issued]);
                dice.one_of(&issued)
                    .cloned()
                    .map(|document| ErpAct::Pay { document })
            }
            Kind::Credit => {
                let issued = documents(&[DocumentState::Issued, DocumentState::Paid]);
                dice.one_of(&issued)
                    .cloned()
                    .map(|document| ErpAct::Credit { document })
            }
            Kind::Hold => {
                let all: Vec<String> = erp.customers.keys().cloned().collect();
                dice.one_of(&all)
                    .cloned()
                    .map(|customer| ErpAct::HoldCustomer { customer })
            }
            Kind::CloseTask => {
                let all: Vec<String> = erp
                    .lines
                    .values()
                    .filter_map(|l| l.task_id.clone())
                    .collect();
                dice.one_of(&all)
                    .cloned()
                    .map(|task| ErpAct::CloseTask { task })
            }
            Kind::LiftHolds => {
                let held = erp.customers.iter().filter(|(_, c)| c.on_hold);
                return held
                    .map(|(id, _)| ErpAct::LiftHold {
                        customer: id.clone(),
                    })
                    .collect();
            }
            Kind::Reopen => {
                let tasks = erp.tasks.iter().filter(|(_, t)| !t.active);
                let tasks = tasks.map(|(id, _)| ErpAct::ReopenTask { task: id.clone() });
                let projects = erp.projects.iter().filter(|(_, p)| !p.active);
                let projects = projects.map(|(id, _)| ErpAct::ReopenProject {
                    project: id.clone(),
                });
                return tasks.chain(projects).collect();
            }
            _ => None,
        };
        act.into_iter().collect()
    })
}
