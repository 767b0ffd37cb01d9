//! What keeps an hour from being billed: each case ends in the queue with code, remedy, owner and
//! amount, and once its cause is mended, a replay posts it once.

use crate::config::Config;
use crate::redmine::Work;
use crate::tryton::{Kind, date};
use crate::world::{Days, World};
use serde_json::{Value, json};

/// One case: the entry, its comment, and what the queue says of it.
struct Case {
    id: String,
    comment: &'static str,
    code: &'static str,
    owner: &'static str,
    /// The money at stake: booked, estimated, or why it is unknown.
    at_stake: &'static str,
}

impl Case {
    fn book(
        world: &World,
        work: Work<'_>,
        comment: &'static str,
        (code, owner, at_stake): (&'static str, &'static str, &'static str),
    ) -> Self {
        let id = world.book(Work { comment, ..work });
        Self {
            id,
            comment,
            code,
            owner,
            at_stake,
        }
    }

    fn is_open(&self, world: &World) {
        let open = world.exception(&self.id);
        assert_eq!(open["code"], self.code, "{open}");
        assert_eq!(open["owner"], self.owner, "{open}");
        assert_eq!(at_stake(&open), self.at_stake, "{open}");
        for words in ["sentence", "remedy", "facts"] {
            assert!(open[words].as_str().unwrap().len() > 10, "{open}");
        }
        assert_eq!(world.tryton.lines_of(self.comment), []);
        let shown = world.redmine().shows(&self.id);
        assert_eq!(shown, ("Exception".to_owned(), self.code.to_owned()));
    }

    /// A replay posts it once; the next pass has nothing to do.
    fn is_solved(&self, world: &World) {
        let result = world.replay(&self.id);
        assert_eq!(result["solved"], 1, "{}: {result}", self.code);
        world.tryton.line(self.comment);
        assert_eq!(world.replay(&self.id)["taken_up"], 0);
        assert_eq!(world.redmine().shows(&self.id).0, "Posted");
    }
}

/// The one of the three that is given.
fn at_stake(open: &Value) -> String {
    let given = [
        (&open["amount"], ""),
        (&open["estimate"], "about "),
        (&open["no_amount_because"], "unknown: "),
    ];
    let given: Vec<String> = given
        .iter()
        .filter_map(|(value, kind)| Some(format!("{kind}{}", value.as_str()?)))
        .collect();
    assert_eq!(given.len(), 1, "{open}");
    given.concat()
}

fn on(project: &'static str, issue: &'static str) -> Work<'static> {
    Work {
        project,
        issue,
        ..Work::default()
    }
}

/// What the masters do not take, and what is at stake.
fn masters_cases(world: &World) -> [Case; 7] {
    let closed = on("borealis-training", "Phase one");
    let left = Work {
        user: "hugo.marsh",
        ..on("acme-rollout", "Analysis")
    };
    let unmapped = Work {
        hours: "0.67",
        ..on("pilot", "Prototype")
    };
    let case = |work, comment, says| Case::book(world, work, comment, says);
    [
        case(
            closed,
            "task closed",
            ("TASK_CLOSED", "project_manager", "about EUR 131.34"),
        ),
        case(
            left,
            "has left",
            ("WORKER_TERMINATED", "people", "about EUR 248.87"),
        ),
        case(
            on("daikoku-entry", "Build"),
            "held by us",
            ("CUSTOMER_ON_HOLD", "finance", "about JPY 31920"),
        ),
        case(
            on("elmwood-review", "Review"),
            "held there",
            ("CUSTOMER_ON_HOLD", "finance", "about USD 286.62"),
        ),
        case(
            on("cobalt-platform", "Build"),
            "no rate",
            ("RATE_MISSING", "finance", "unknown: no rate"),
        ),
        case(
            unmapped,
            "no project",
            ("PROJECT_UNMAPPED", "integration", "unknown: no project"),
        ),
        // Priced before it was refused: the money is booked.
        case(
            on("acme-rollout", "Site visits"),
            "no account",
            ("ERP_ACCOUNT_MISSING", "finance", "EUR 248.87"),
        ),
    ]
}

#[test]
fn masters_that_do_not_take_the_work() {
    let days = Days {
        first: "2026-09-01",
        last: "2026-09-02",
    };
    let Some(mut world) = World::new("masters", Kind::Module, days) else {
        return;
    };
    let categories = world.tryton.does(
        "party.category.create",
        vec![json!([{"name": "Billing hold"}])],
    );
    let elmwood = world.lab.id("/tryton/seed/customers/C-ELMW/id");
    let held = json!({"categories": [["add", [categories[0]]]]});
    world.tryton.write("party.party", elmwood, held);
    let good = world.config.clone();
    world.change(|config: &mut Config| {
        config.top = "customers_on_hold = [\"C-DAIK\"]".to_owned();
        config.target.push_str("hold_category = \"Billing hold\"\n");
        config.rates.retain(|rate| !rate.contains("\"COBA\""));
        config.crosswalk = config
            .crosswalk
            .replace("Travel = \"TRAV\"", "Travel = \"NOACC\"");
    });
    let cases = masters_cases(&world);
    let fine = world.book(Work {
        comment: "is fine",
        ..Work::default()
    });
    let waits = world.book(Work {
        user: "dev.patel",
        approval: "Submitted",
        comment: "not approved",
        ..Work::default()
    });
    let result = world.sync();
    assert_eq!(result["posted"], 1, "{result}");
    for one in &cases {
        one.is_open(&world);
    }
    sums_are_shown(&world);
    let report = world.ties_out();
    assert_eq!(World::class(&report, &fine), "posted");
    assert_eq!(World::class(&report, &waits), "waiting");
    assert_eq!(world.tryton.lines_of("not approved"), []);
    // As long as nothing is mended a replay changes nothing.
    assert_eq!(world.run(&["exceptions", "replay", "--all"]).code, Some(3));
    assert_eq!(world.tryton.lines().len(), 1);

    mend(&mut world, good, elmwood, &categories[0]);
    for one in &cases {
        one.is_solved(&world);
    }
    world
        .redmine()
        .edit(&waits, &json!({"custom_field_values": {"1": "Approved"}}));
    assert_eq!(world.sync_clean()["posted"], 1);
    world.tryton.line("not approved");
    assert_eq!(world.tryton.lines().len(), cases.len() + 2);
    assert_eq!(world.sync_clean()["posted"], 0);
    world.ties_out();
    world.audit();
}

/// The list ends with the money of each currency.
fn sums_are_shown(world: &World) {
    let listed = world.run(&["exceptions", "list"]).out;
    for sum in [
        "at stake: EUR 248.87 booked, EUR 380.21 more by estimate",
        "at stake: JPY 0 booked, JPY 31920 more by estimate",
        "at stake: USD 0.00 booked, USD 286.62 more by estimate",
        "2 entries whose amount nobody can know yet",
    ] {
        assert!(listed.contains(sum), "'{sum}' is not in {listed}");
    }
}

/// Every cause is mended where it is.
fn mend(world: &mut World, good: Config, elmwood: i64, category: &Value) {
    let tryton = &world.tryton;
    let work = "/tryton/seed/projects/P-BORE-TM/tasks/T-BORE-PHASE1/timesheet_work";
    let open = json!({"timesheet_end_date": null});
    tryton.write("timesheet.work", world.lab.id(work), open);
    let marsh = world.lab.id("/tryton/seed/employees/E-MARSH/id");
    tryton.write("company.employee", marsh, json!({"end_date": null}));
    let freed = json!({"categories": [["remove", [category]]]});
    tryton.write("party.party", elmwood, freed);
    let category = world.lab.id("/tryton/seed/products/NOACC/category");
    let account = world.lab.id("/tryton/seed/accounts/revenue_consulting");
    tryton.write(
        "product.category",
        category,
        json!({"account_revenue": account}),
    );
    let (project, issue) = (
        world.lab.id("/redmine/seed/projects/pilot/id"),
        world
            .lab
            .id("/redmine/seed/projects/pilot/issues/Prototype/id"),
    );
    world.config = good;
    world.change(|config| {
        config.target.push_str("hold_category = \"Billing hold\"\n");
        config.crosswalk = config
            .crosswalk
            .replace("Travel = \"TRAV\"", "Travel = \"NOACC\"");
        config.crosswalk += "[crosswalk.projects]\n";
        config.crosswalk += &[project.to_string(), " = \"P-BORE-TM\"\n".to_owned()].concat();
        config.crosswalk += "[crosswalk.tasks]\n";
        config.crosswalk += &[issue.to_string(), " = \"T-BORE-TRAIN\"\n".to_owned()].concat();
    });
}

#[test]
fn a_suspected_duplicate_and_a_rate_changed_back_in_time() {
    let days = Days {
        first: "2026-09-07",
        last: "2026-09-08",
    };
    let Some(mut world) = World::new("doubts", Kind::Module, days) else {
        return;
    };
    let first = world.book(Work {
        comment: "worked once",
        ..Work::default()
    });
    let again = Case::book(
        &world,
        Work::default(),
        "worked twice",
        ("SUSPECTED_DUPLICATE", "project_manager", "about EUR 248.87"),
    );
    assert_eq!(world.sync()["posted"], 1);
    again.is_open(&world);
    assert_eq!(
        world.tryton.line("worked once").amount.to_string(),
        "248.87"
    );
    again.is_solved(&world);
    world.sync_clean();

    world.change(|config| config.rates[0] = crate::config::rate("ACME-TM", "EUR", "190"));
    let result = world.sync();
    assert_eq!(result["rate_changes"], 2, "{result}");
    let open = world.exception(&first);
    assert_eq!(open["code"], "RETRO_RATE_CHANGE");
    assert_eq!(open["owner"], "finance");
    assert_eq!(open["amount"], "EUR 248.87");
    assert!(open["facts"].as_str().unwrap().contains("252.70"), "{open}");
    // Held, not repriced by itself.
    assert_eq!(
        world.tryton.line("worked once").amount.to_string(),
        "248.87"
    );
    world.replay(&first);
    assert_eq!(world.tryton.line("worked once").amount.to_string(), "252.7");
    assert_eq!(
        world.tryton.line("worked twice").amount.to_string(),
        "248.87"
    );
    assert_eq!(world.exception(&again.id)["code"], "RETRO_RATE_CHANGE");
    world.replay(&again.id);
    world.sync_clean();
    assert_eq!(world.tryton.lines().len(), 2);
    world.ties_out();
    world.audit();
}

#[test]
fn a_closed_period_holds_where_the_contract_says_so() {
    let days = Days {
        first: "2026-01-28",
        last: "2026-01-29",
    };
    let Some(mut world) = World::new("period", Kind::Module, days) else {
        return;
    };
    world.change(|config| config.add_to_contract("ACME-TM", "late_work = \"hold\""));
    let held = Case::book(
        &world,
        Work::default(),
        "of January",
        ("PERIOD_CLOSED", "finance", "about EUR 248.87"),
    );
    let moves = world.book(Work {
        comment: "moves on",
        ..on("borealis-training", "Classroom")
    });
    world.sync();
    held.is_open(&world);
    // Without the word it goes to the next open period, February.
    let moved = world.tryton.line("moves on");
    assert_eq!(world.redmine().shows(&moves).0, "Posted");
    let january = json!([["name", "=", "2026-01"]]);
    let found = world.tryton.does("account.period.search", vec![january]);
    world.tryton.does("account.period.reopen", vec![found]);
    held.is_solved(&world);

    // A person cannot issue a draft into a closed period; that changes nothing for us.
    let february = json!([["name", "=", "2026-02"]]);
    let found = world.tryton.does("account.period.search", vec![february]);
    world
        .tryton
        .does("account.period.close", vec![found.clone()]);
    let day = json!({"invoice_date": date("2026-02-28")});
    world.tryton.write("account.invoice", moved.invoice, day);
    let answer = world
        .tryton
        .tries("account.invoice.post", vec![json!([moved.invoice])]);
    assert_eq!(answer["error"][0], "UserError", "{answer}");
    assert_eq!(world.sync_clean()["posted"], 0);
    assert_eq!(world.tryton.line("moves on"), moved);
    world.tryton.does("account.period.reopen", vec![found]);
    world.tryton.issue(moved.invoice);
    world.sync_clean();
    assert_eq!(world.redmine().shows(&moves).0, "Invoiced");
    world.ties_out();
    world.audit();
}
