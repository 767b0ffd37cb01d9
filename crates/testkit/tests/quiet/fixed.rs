//! Amounts that no work is priced for: monthly fees, milestones, retainers with top-ups, hour banks.

use crate::stage::{Stage, play};
use counterfoil_testkit::crashes::{Death, Deaths};
use domain::contract::Contract;
use domain::decimal::Micro;
use domain::posting::DocumentState;
use pipeline::contracts::{Word, tell};
use pipeline::crash::CrashPoint;
use pipeline::exceptions::Choice;
use pipeline::fixed::SOURCE;
use pipeline::sync::{SyncOptions, sync};
use rules::account::milestone::Evidence;
use rules::account::retainer::FundingStage;
use std::sync::Arc;
use twins::erp::{ErpAct, Uniqueness};

/// Change the time-and-materials contract of customer C02; gives its id.
fn with_contract(stage: &mut Stage, change: impl FnOnce(&mut Contract)) -> String {
    let item = service_item(stage);
    let contract = stage.with_contract(|contract| {
        contract.fixed_service_item = Some(item);
        change(contract);
    });
    contract.id
}

pub(crate) fn service_item(stage: &Stage) -> String {
    stage.world.erp.with(|state| {
        let mut items = state.machine.service_items.values();
        items.find(|item| item.active).unwrap().code.clone()
    })
}

/// The lines of fixed amounts: text, amount, and the state of their document.
fn fixed(stage: &Stage) -> Vec<(String, String, DocumentState)> {
    stage.world.erp.with(|state| {
        let erp = &state.machine;
        let own = erp.lines.values().filter(|line| line.worker_id.is_none());
        let mut all: Vec<_> = own
            .map(|line| {
                assert!(line.task_id.is_none());
                assert_eq!(line.unit.name(), "piece");
                let document = erp.documents.get(&line.document_id).unwrap();
                let amount = line.amount.decimal().to_string();
                (line.description.clone(), amount, document.state)
            })
            .collect();
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        all
    })
}

fn amounts(stage: &Stage) -> Vec<(String, String)> {
    let all = fixed(stage).into_iter();
    all.map(|(text, amount, _)| (text, amount)).collect()
}

fn rows(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = pairs.iter();
    all.map(|(text, amount)| ((*text).to_owned(), (*amount).to_owned()))
        .collect()
}

fn issue_all(stage: &Stage) {
    let drafts: Vec<String> = stage.world.erp.with(|state| {
        let documents = state.machine.documents.iter();
        let drafts = documents.filter(|(_, document)| document.state == DocumentState::Draft);
        drafts.map(|(id, _)| id.to_string()).collect()
    });
    for document in drafts {
        stage.erp_act(&ErpAct::Issue { document });
    }
}

fn evidence(stage: &Stage) -> Evidence {
    Evidence {
        accepted_by: "Nora".to_owned(),
        accepted_on: stage.world.today,
        document: "protocol 7".to_owned(),
    }
}

#[test]
fn a_monthly_fee_is_billed_once_and_a_changed_one_waits_for_a_person() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::UniqueKey);
        let month = stage.world.today.strftime("%Y-%m").to_string();
        let first = stage.world.today.first_of_month().to_string();
        let fee = |amount: &str| {
            let text = serde_json::json!({
                "monthly_fees": [{"id": "SUPPORT", "amount": amount, "from": first}]
            });
            Some(serde_json::from_value(text).unwrap())
        };
        let id = with_contract(&mut stage, |contract| contract.schedule = fee("480.50"));
        let pass = stage.pass().await;
        assert_eq!((pass.fixed.new_items, pass.fixed.exceptions), (1, 0));
        let text = format!("Fee SUPPORT, {month}");
        assert_eq!(amounts(&stage), rows(&[(&text, "480.50")]));
        let quiet = stage.pass().await;
        assert_eq!(quiet.fixed.new_items + quiet.fixed.revisions, 0);
        assert_eq!(quiet.post.calls, 0);
        stage.reconcile().await;

        let name = format!("{id}/schedule/SUPPORT/{month}");
        let story = pipeline::explain::explain(&stage.env, name).await.unwrap();
        let story = story.unwrap();
        assert_eq!(story.charges.len(), 1);
        assert!(story.source.starts_with(SOURCE), "{}", story.source);
        assert!(
            story.charges[0].words.contains("1 pc x 480.5"),
            "{}",
            story.charges[0].words
        );

        // A change of the terms moves nothing that is booked.
        with_contract(&mut stage, |contract| contract.schedule = fee("500"));
        stage.pass().await;
        assert_eq!(amounts(&stage), rows(&[(&text, "480.50")]));
        let open = stage.exceptions().await;
        let open: Vec<_> = open
            .iter()
            .filter(|e| e.source_ref.starts_with(&id))
            .collect();
        assert_eq!(open[0].code, "RETRO_RATE_CHANGE");
        assert!(open[0].facts.contains("500.00 for"), "{}", open[0].facts);
        stage.pass().await;
        // Once a person agrees, the draft's line is replaced.
        stage.replay(Choice::All).await;
        stage.pass().await;
        assert_eq!(amounts(&stage), rows(&[(&text, "500.00")]));

        // On an invoice it is credited and billed anew.
        issue_all(&stage);
        stage.pass().await;
        with_contract(&mut stage, |contract| contract.schedule = fee("450"));
        stage.pass().await;
        stage.replay(Choice::All).await;
        stage.pass().await;
        assert_eq!(
            amounts(&stage),
            rows(&[(&text, "-500.00"), (&text, "450.00"), (&text, "500.00")])
        );

        // Taken out of the contract, it waits for a person as well.
        with_contract(&mut stage, |contract| contract.schedule = None);
        stage.pass().await;
        let open = stage.exceptions().await;
        assert!(
            open.iter()
                .any(|e| e.facts.contains("not asked for any more"))
        );
        stage.replay(Choice::All).await;
        stage.pass().await;
        assert_eq!(
            amounts(&stage),
            rows(&[(&text, "-500.00"), (&text, "500.00")])
        );
        stage.reconcile().await;
    });
}

#[test]
fn a_milestone_is_billed_on_the_clients_word_and_once() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::LookUp);
        let terms = serde_json::json!({
            "price": "10000", "retention_percent": "10",
            "milestones": [
                {"id": "M1", "percent": "40"}, {"id": "M2", "percent": "60"}
            ]
        });
        let terms: domain::contract::accounts::milestone::MilestoneTerms =
            serde_json::from_value(terms).unwrap();
        let id = with_contract(&mut stage, |contract| contract.milestones = Some(terms));
        stage.pass().await;
        assert_eq!(amounts(&stage), rows(&[]));
        let accept = |milestone: &str, revision: u32| Word::Accept {
            milestone: milestone.to_owned(),
            revision,
            amount: None,
            evidence: evidence(&stage),
        };
        let told = tell(&stage.env, &id, &accept("M1", 1), "nora")
            .await
            .unwrap();
        assert!(told.new);
        assert_eq!(told.asked_for[0].amount.decimal().to_string(), "3600.00");
        let again = tell(&stage.env, &id, &accept("M1", 1), "nora")
            .await
            .unwrap();
        assert!(!again.new && again.asked_for.is_empty());
        stage.pass().await;
        stage.pass().await;
        assert_eq!(amounts(&stage), rows(&[("Milestone M1", "3600.00")]));

        let unknown = tell(&stage.env, &id, &accept("M9", 1), "nora").await;
        assert!(unknown.unwrap_err().to_string().contains("no milestone M9"));
        let early = Word::ReleaseRetention {
            evidence: evidence(&stage),
        };
        assert!(tell(&stage.env, &id, &early, "nora").await.is_err());

        // A later revision bills the difference, given back in pieces where it is less.
        let less = Word::Accept {
            milestone: "M1".to_owned(),
            revision: 2,
            amount: Some("3000".parse().unwrap()),
            evidence: evidence(&stage),
        };
        tell(&stage.env, &id, &less, "nora").await.unwrap();
        tell(&stage.env, &id, &accept("M2", 1), "nora")
            .await
            .unwrap();
        tell(&stage.env, &id, &early, "nora").await.unwrap();
        stage.pass().await;
        stage.pass().await;
        assert_eq!(
            amounts(&stage),
            rows(&[
                ("Milestone M1", "3600.00"),
                ("Milestone M1, revision 2", "-900.00"),
                ("Milestone M2", "6300.00"),
                ("Retention", "1000.00"),
            ])
        );
        stage.reconcile().await;
    });
}

#[test]
fn a_retainer_is_drawn_and_asks_to_be_filled_up() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::UniqueKey);
        let terms = serde_json::json!({
            "id": "R", "evergreen": {"threshold": "200", "target": "500"}
        });
        let terms: domain::contract::accounts::retainer::RetainerTerms =
            serde_json::from_value(terms).unwrap();
        let id = with_contract(&mut stage, |contract| contract.retainer = Some(terms));
        let fund = |id: &str, amount: &str| Word::Fund {
            id: id.to_owned(),
            stage: FundingStage::Paid,
            amount: amount.parse().unwrap(),
        };
        tell(&stage.env, &id, &fund("first", "600"), "nora")
            .await
            .unwrap();
        stage.pass().await;
        let drawn = stage.env.store.read(store::accounts::list).await.unwrap();
        assert!(drawn[0].body.contains("\"drawn\""), "{}", drawn[0].body);
        let asked = amounts(&stage);
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].0, "Retainer R, top-up 1");
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.fixed.new_items), (0, 0));
        // Paid: the balance is there again, and nothing is asked for twice.
        tell(&stage.env, &id, &fund("top-up 1", &asked[0].1), "nora")
            .await
            .unwrap();
        stage.pass().await;
        assert_eq!(amounts(&stage), asked);
        stage.reconcile().await;
    });
}

#[test]
fn an_hour_bank_bills_its_fee_and_what_is_over() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::LookUp);
        let first = stage.world.today.first_of_month();
        let terms = serde_json::json!({
            "id": "BANK", "allowance_hours": "3", "fee": "400", "overage_rate": "150"
        });
        let terms: domain::contract::accounts::hour_bank::HourBankTerms =
            serde_json::from_value(terms).unwrap();
        with_contract(&mut stage, |contract| {
            contract.hour_bank = Some(terms);
            contract.from = Some(first);
        });
        stage.pass().await;
        assert_eq!(
            amounts(&stage),
            rows(&[(&format!("Fee BANK, from {first}"), "400.00")])
        );
        let over = stage.world.erp.with(|state| {
            let lines = state.machine.lines.values();
            lines
                .filter(|line| line.rate == "150".parse().unwrap())
                .count()
        });
        assert!(over > 0);
        let quiet = stage.pass().await;
        assert_eq!((quiet.post.calls, quiet.fixed.new_items), (0, 0));
        stage.reconcile().await;
    });
}

/// Fee, milestone, top-up and an issued fee that changes, with a process that dies on the way.
fn killed(point: CrashPoint, uniqueness: Uniqueness) -> u32 {
    play(async {
        let mut stage = Stage::new(21, uniqueness);
        let month = stage.world.today.strftime("%Y-%m").to_string();
        let first = stage.world.today.first_of_month().to_string();
        let mut deaths = 0;
        for (nth, amount) in [(1, "480.50"), (2, "500"), (1, "450"), (2, "475.25")] {
            let fee = serde_json::json!({
                "monthly_fees": [{"id": "SUPPORT", "amount": amount, "from": first}]
            });
            with_contract(&mut stage, |contract| {
                contract.schedule = Some(serde_json::from_value(fee).unwrap());
            });
            let settings = Arc::clone(&stage.env.settings);
            stage.pass().await;
            stage.replay(Choice::All).await;
            issue_all(&stage);
            // Something for every kind of call: an edit beside the fee.
            let own = stage.posted(|_| true);
            if let Some(id) = own.first() {
                stage.set_hours(id, if nth == 1 { "1.25" } else { "2.50" });
            }
            stage.env.crashes = Arc::new(Deaths::new(vec![Death { point, nth }]));
            stage.world.clock.pass_ms(900_000);
            let options = SyncOptions::default();
            let died = sync(&stage.env, stage.world.today, options).await.is_err();
            deaths += u32::from(died);
            let mut env = stage.world.session().unwrap();
            env.settings = settings;
            stage.env = env;
            for _ in 0..3 {
                stage.pass().await;
            }
            stage.reconcile().await;
        }
        let text = format!("Fee SUPPORT, {month}");
        let lines = amounts(&stage);
        assert!(lines.iter().all(|(line, _)| *line == text), "{lines:?}");
        let sum: i64 = lines
            .iter()
            .map(|(_, amount)| amount.parse::<Micro>().unwrap().micro())
            .sum();
        assert_eq!(sum, 475_250_000, "{lines:?}");
        deaths
    })
}

#[test]
fn at_every_point_of_death_a_fee_comes_to_what_the_contract_says() {
    let mut deaths = 0;
    for point in CrashPoint::ALL {
        deaths += killed(*point, Uniqueness::LookUp);
    }
    assert!(deaths > 20, "{deaths}");
}

#[test]
fn a_restored_ledger_bills_no_fee_and_no_milestone_twice() {
    play(async {
        let mut stage = Stage::new(21, Uniqueness::LookUp);
        let first = stage.world.today.first_of_month().to_string();
        let fee = serde_json::json!({
            "monthly_fees": [{"id": "SUPPORT", "amount": "480.50", "from": first}]
        });
        let terms = serde_json::json!({
            "price": "1000", "milestones": [{"id": "M1", "percent": "100"}]
        });
        stage.world.back_up().unwrap();
        let id = with_contract(&mut stage, |contract| {
            contract.schedule = Some(serde_json::from_value(fee).unwrap());
            contract.milestones = Some(serde_json::from_value(terms).unwrap());
        });
        let accept = Word::Accept {
            milestone: "M1".to_owned(),
            revision: 1,
            amount: None,
            evidence: evidence(&stage),
        };
        tell(&stage.env, &id, &accept, "nora").await.unwrap();
        stage.pass().await;
        issue_all(&stage);
        stage.pass().await;
        let before = amounts(&stage);
        assert_eq!(before.len(), 2);

        let settings = Arc::clone(&stage.env.settings);
        assert!(stage.world.restore().unwrap());
        let mut env = stage.world.session().unwrap();
        env.settings = settings;
        stage.env = env;
        // What a person told after the backup has to be told again.
        tell(&stage.env, &id, &accept, "nora").await.unwrap();
        for _ in 0..3 {
            stage.pass().await;
        }
        assert_eq!(amounts(&stage), before);
        stage.reconcile().await;
    });
}
