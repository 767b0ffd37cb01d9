//! Contracts that are part of another one, in passes: a limit of the whole and limits of the parts,
//! of which none is exceeded, and work that moves between them.

use crate::grouped::{billed, limit};
use crate::stage::{Stage, play};
use domain::contract::Contract;
use pipeline::sync::SyncOptions;
use std::collections::BTreeMap;
use std::sync::Arc;
use twins::erp::Uniqueness;
use twins::tracker::TrackerAct;

const SEED: u64 = 34;
const ENOUGH: &str = "1000000";

/// The two parts of a frame: the contract of customer C02, and a copy that has half of its projects.
struct Framed {
    stage: Stage,
    projects: [Vec<String>; 2],
}

/// Change the contracts of a stage.
fn change(stage: &mut Stage, change: impl FnOnce(&mut Vec<Contract>)) {
    let mut settings = (*stage.env.settings).clone();
    change(&mut settings.contracts);
    stage.env.settings = Arc::new(settings);
}

impl Framed {
    /// No limit, and nobody is part of anything yet.
    fn parted(uniqueness: Uniqueness) -> Self {
        let mut stage = Stage::new(SEED, uniqueness);
        let mut copy = None;
        let mut projects = [Vec::new(), Vec::new()];
        stage.with_contract(|contract| {
            let half = contract.projects.len() / 2;
            let mut other = contract.clone();
            other.id = "OTHER".to_owned();
            other.projects = contract.projects.split_off(half);
            projects = [contract.projects.clone(), other.projects.clone()];
            copy = Some((contract.id.clone(), other));
        });
        let (first, other) = copy.unwrap();
        let mut settings = (*stage.env.settings).clone();
        let mut rates = settings.bill_rates.clone();
        rates.retain(|row| row.key.contract.as_ref() == Some(&first));
        for row in &mut rates {
            row.key.contract = Some(other.id.clone());
        }
        settings.bill_rates.extend(rates);
        settings.contracts.push(other);
        stage.env.settings = Arc::new(settings);
        assert!(projects.iter().all(|own| !own.is_empty()), "{projects:?}");
        Self { stage, projects }
    }

    /// Both are part of a frame. A limit for the frame, one for the first part, one for the other.
    fn new(uniqueness: Uniqueness, limits: [Option<&str>; 3]) -> Self {
        let mut framed = Self::parted(uniqueness);
        change(&mut framed.stage, |contracts| {
            let other = contracts.last().unwrap();
            let mut frame = Contract {
                projects: Vec::new(),
                ..other.clone()
            };
            frame.id = "FRAME".to_owned();
            let customer = frame.customer.clone();
            for part in contracts.iter_mut().filter(|c| c.customer == customer) {
                part.parent = Some(frame.id.clone());
            }
            contracts.push(frame);
        });
        framed.set(limits);
        framed
    }

    fn set(&mut self, [whole, one, two]: [Option<&str>; 3]) {
        change(&mut self.stage, |contracts| {
            for contract in contracts {
                let most = match (contract.id.as_str(), &contract.parent) {
                    ("FRAME", _) => whole,
                    ("OTHER", _) => two,
                    (_, Some(_)) => one,
                    (_, None) => continue,
                };
                contract.limit = most.map(limit).unwrap_or_default();
            }
        });
    }

    /// What is used of each limit, in whole coins.
    async fn used(&self) -> BTreeMap<String, i64> {
        let figures = pipeline::contracts::figures(&self.stage.env, None).await;
        let used = figures.unwrap().into_iter().filter(|f| f.what == "used");
        used.map(|f| {
            let digits: String = f.figure.chars().filter(char::is_ascii_digit).collect();
            (f.contract, digits.parse().unwrap())
        })
        .collect()
    }

    async fn is_quiet(&self) {
        let quiet = self.stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.intake.revisions), (0, 0));
        assert_eq!(quiet.rate_changes, 0);
        self.stage.reconcile().await;
    }
}

#[test]
fn no_level_is_exceeded_and_what_waited_is_billed_once_all_levels_allow_it() {
    play(async {
        let free = Stage::new(SEED, Uniqueness::UniqueKey);
        free.pass().await;
        let all = billed(&free, "C02");
        assert!(all > 400_000, "{all}");

        let limits = [Some("2000"), Some("1500"), Some("1500")];
        let mut framed = Framed::new(Uniqueness::UniqueKey, limits);
        framed.stage.pass().await;
        let used = framed.used().await;
        let first = billed(&framed.stage, "C02");
        assert_eq!(used["FRAME"], first);
        assert_eq!(used.values().sum::<i64>(), 2 * first, "{used:?}");
        assert!((190_000..=200_000).contains(&first), "{used:?}");
        for (contract, used) in used.iter().filter(|(id, _)| *id != "FRAME") {
            assert!(*used <= 150_000, "{contract}: {used}");
        }
        framed.is_quiet().await;

        // The frame is lifted: now the parts' own limits hold.
        framed.set([Some(ENOUGH), Some("1500"), Some("1500")]);
        framed.stage.pass().await;
        let used = framed.used().await;
        let second = billed(&framed.stage, "C02");
        assert_eq!(used["FRAME"], second);
        assert!(first < second && second <= 300_000, "{second}");
        for (contract, used) in used.iter().filter(|(id, _)| *id != "FRAME") {
            assert!(*used <= 150_000, "{contract}: {used}");
        }
        framed.is_quiet().await;

        // Nothing holds any more; the parts have no limit of their own.
        framed.set([Some(ENOUGH), None, None]);
        framed.stage.pass().await;
        assert_eq!(billed(&framed.stage, "C02"), all);
        assert_eq!(framed.used().await["FRAME"], all);
        framed.stage.judged().await;
        framed.is_quiet().await;
    });
}

#[test]
fn what_one_part_frees_is_given_to_another_that_waits() {
    play(async {
        let limits = [Some("2000"), Some("1500"), None];
        let framed = Framed::new(Uniqueness::LookUp, limits);
        let stage = &framed.stage;
        stage.pass().await;
        let used_up = |billed: i64| {
            // What waits costs more than is left, and no step of the contract costs so much.
            assert!((200_000 - 8_300..=200_000).contains(&billed), "{billed}");
        };
        used_up(billed(stage, "C02"));
        for own in &framed.projects {
            let mine = stage.posted(|code| own.iter().any(|p| p == code));
            let Some(id) = mine.first() else { continue };
            stage.tracker_act(&TrackerAct::DeleteEntry { id: id.clone() });
            stage.pass().await;
            // What it freed is given to what waited, in the next pass at the latest.
            stage.pass().await;
            used_up(billed(stage, "C02"));
            assert_eq!(framed.used().await["FRAME"], billed(stage, "C02"));
        }
        framed.is_quiet().await;
    });
}

#[test]
fn work_moves_between_contracts_that_count() {
    play(async {
        // Between parts of a frame, and between contracts that know nothing of each other.
        for in_frame in [true, false] {
            let framed = if in_frame {
                Framed::new(
                    Uniqueness::UniqueKey,
                    [Some(ENOUGH), Some(ENOUGH), Some(ENOUGH)],
                )
            } else {
                let mut framed = Framed::parted(Uniqueness::UniqueKey);
                change(&mut framed.stage, |contracts| {
                    for contract in contracts {
                        contract.limit = limit(ENOUGH);
                    }
                });
                framed
            };
            let stage = &framed.stage;
            stage.pass().await;
            let mut before = framed.used().await;
            let all = billed(stage, "C02");
            for [from, to] in [[0, 1], [1, 0]] {
                let own = &framed.projects[from];
                let mine = stage.posted(|code| own.iter().any(|p| p == code));
                let other = &framed.projects[to];
                let there = stage.posted(|code| other.iter().any(|p| p == code));
                let like = stage.entry(&there[0]);
                stage.tracker_act(&TrackerAct::EditEntry {
                    id: mine[0].clone(),
                    hours: None,
                    date: None,
                    narrative: None,
                    project_id: Some(like.project_id),
                    task_id: like.task_id,
                    billable: None,
                });
                let result = stage.pass().await;
                assert_eq!(
                    result.intake.exceptions,
                    0,
                    "{:?}",
                    stage.exceptions().await
                );
                let used = framed.used().await;
                assert_ne!(used, before);
                before.clone_from(&used);
                if in_frame {
                    assert_eq!(used["FRAME"], billed(stage, "C02"));
                    let parts: i64 = used.values().sum();
                    assert_eq!(parts, 2 * used["FRAME"], "{used:?}");
                }
                framed.is_quiet().await;
            }
            assert!(billed(stage, "C02") > all / 2);
        }
    });
}

#[test]
fn a_contract_that_counted_as_a_part_stays_one() {
    play(async {
        let mut framed = Framed::new(Uniqueness::LookUp, [Some("2000"), None, None]);
        framed.stage.pass().await;
        let stands = billed(&framed.stage, "C02");
        let whole = Arc::clone(&framed.stage.env.settings);
        // Also where the whole left the configuration.
        for frame_goes in [false, true] {
            change(&mut framed.stage, |contracts| {
                contracts.retain(|contract| !frame_goes || contract.id != "FRAME");
                for contract in contracts {
                    contract.parent = None;
                }
            });
            let stage = &framed.stage;
            let pass = pipeline::sync::sync(&stage.env, stage.world.today, SyncOptions::default());
            let error = pass.await.unwrap_err().to_string();
            assert!(
                error.contains("counted as a part of contract FRAME"),
                "{error}"
            );
            assert_eq!(billed(stage, "C02"), stands);
            framed.stage.env.settings = Arc::clone(&whole);
        }
        framed.is_quiet().await;
    });
}

#[test]
fn a_contract_that_counted_by_itself_becomes_no_part() {
    play(async {
        let mut framed = Framed::parted(Uniqueness::UniqueKey);
        change(&mut framed.stage, |contracts| {
            for contract in contracts {
                if contract.customer.as_deref() == Some("C02") {
                    contract.limit = limit("1000");
                }
            }
        });
        framed.stage.pass().await;
        let stands = billed(&framed.stage, "C02");
        let alone = Arc::clone(&framed.stage.env.settings);
        change(&mut framed.stage, |contracts| {
            let mut frame = Contract {
                projects: Vec::new(),
                limit: limit(ENOUGH),
                ..contracts.last().unwrap().clone()
            };
            frame.id = "FRAME".to_owned();
            contracts.last_mut().unwrap().parent = Some(frame.id.clone());
            contracts.push(frame);
        });
        let stage = &mut framed.stage;
        let pass = || pipeline::sync::sync(&stage.env, stage.world.today, SyncOptions::default());
        let error = pass().await.unwrap_err().to_string();
        assert!(error.contains("OTHER is counted by itself"), "{error}");
        assert_eq!(billed(stage, "C02"), stands);
        stage.env.settings = alone;
        stage.pass().await;
        assert_eq!(billed(stage, "C02"), stands);
        stage.reconcile().await;
    });
}
