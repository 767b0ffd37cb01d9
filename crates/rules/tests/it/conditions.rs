//! Conditions of contracts: what they say of real work, which mistakes are told where, and that
//! nothing hostile gets through.

use crate::table::{Row, table};
use crate::world::contract;
use counterfoil_rules::condition::{
    Answer, CONDITION_BYTES_MAX, ConditionFault, Conditions, GROUP_CHARS_MAX, Work,
};
use counterfoil_rules::explanation::Step;
use domain::contract::conditions::ConditionTerms;
use domain::contract::{Contract, ContractKind};
use domain::money::Money;
use fuzz::{Finding, Fuzz, Seen};
use jiff::civil::date;
use proptest::prelude::*;

pub(crate) fn work() -> Work<'static> {
    Work {
        worker: "W1",
        role: "senior",
        practice: "",
        project: "P1",
        task: "T-ÄUSSERES",
        service_item: "AUDIT",
        customer: "C1",
        date: date(2026, 3, 7),
        minutes: 90,
        billable: true,
    }
}

fn with(term: &str, source: &str) -> Contract {
    let source = Some(source.to_owned());
    let mut conditions = ConditionTerms::default();
    match term {
        "when" => conditions.when = source,
        "billable_when" => conditions.billable_when = source,
        "hold_when" => conditions.hold_when = source,
        "group_by" => conditions.group_by = source,
        other => panic!("'{other}' is no term"),
    }
    Contract {
        conditions,
        ..contract("K1", ContractKind::TimeAndMaterials)
    }
}

fn eur(amount_minor: i64) -> Money {
    Money {
        amount_minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn fault(term: &str, source: &str) -> ConditionFault {
    match Conditions::of(&with(term, source)) {
        Ok(_) => panic!("{source} was taken"),
        Err(fault) => fault,
    }
}

fn yes(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

fn answered(row: &Row, conditions: &Conditions) -> (String, Option<Step>) {
    let plain = |said: Answer<bool>| (yes(said.value), said.step);
    match row.get("term") {
        "when" => plain(conditions.covers(&work()).unwrap()),
        "billable_when" => plain(conditions.billable(&work()).unwrap()),
        "hold_when" => {
            let amount = row.get("amount").replace([' ', '.'], "");
            let minor = amount.strip_suffix("EUR").unwrap().parse().unwrap();
            plain(conditions.held(&work(), eur(minor)).unwrap())
        }
        "group_by" => {
            let said = conditions.group(&work()).unwrap();
            (said.value.unwrap(), said.step)
        }
        other => panic!("'{other}' is no term"),
    }
}

#[test]
fn what_conditions_say_of_work() {
    for row in table("conditions.md", "Answers") {
        let (term, source) = (row.get("term"), row.get("condition"));
        let conditions = Conditions::of(&with(term, source));
        let conditions = conditions.unwrap_or_else(|fault| panic!("{source}: {fault}"));
        let (answer, step) = answered(&row, &conditions);
        assert_eq!(answer, row.get("= answer"), "{source}");
        let step = step.unwrap();
        assert_eq!(step.rule(), format!("condition {term}"));
        assert_eq!(step.result(), answer);
        // What the work had for each name stands behind the condition.
        let seen = step.inputs().strip_prefix(source).unwrap();
        let names_none = matches!(source, "true");
        assert_eq!(seen.is_empty(), names_none, "{}", step.inputs());
    }
    // Signs that a table cannot hold.
    for (source, answer) in [
        (
            "task.endsWith(\"X\") || service_item.contains(\"UDI\")",
            true,
        ),
        ("false || minutes > 90", false),
        ("(((minutes))) > 89 // a remark", true),
    ] {
        let conditions = Conditions::of(&with("when", source)).unwrap();
        assert_eq!(
            conditions.covers(&work()).unwrap().value,
            answer,
            "{source}"
        );
    }
}

#[test]
fn what_is_not_said_is_not_a_condition() {
    let conditions = Conditions::of(&contract("K1", ContractKind::TimeAndMaterials)).unwrap();
    let covers = conditions.covers(&work()).unwrap();
    assert_eq!((covers.value, covers.step), (true, None));
    assert!(conditions.billable(&work()).unwrap().value);
    assert!(!conditions.held(&work(), eur(1)).unwrap().value);
    assert_eq!(conditions.group(&work()).unwrap().value, None);
}

#[test]
fn what_the_tracker_calls_not_billable_stays_so() {
    let conditions = Conditions::of(&with("billable_when", "minutes > 0")).unwrap();
    let not_billable = Work {
        billable: false,
        ..work()
    };
    assert!(conditions.billable(&work()).unwrap().value);
    assert!(!conditions.billable(&not_billable).unwrap().value);
    let travel = Conditions::of(&with("billable_when", "task != \"T-ÄUSSERES\"")).unwrap();
    assert!(!travel.billable(&work()).unwrap().value);
}

#[test]
fn an_amount_in_another_currency_is_a_problem() {
    let source = "amount.more_than(money(\"5000 EUR\"))";
    let conditions = Conditions::of(&with("hold_when", source)).unwrap();
    let dollars = Money {
        amount_minor: 1,
        currency: "USD".parse().unwrap(),
    };
    let problem = conditions.held(&work(), dollars).unwrap_err().to_string();
    assert!(
        problem.contains("`hold_when` of contract K1") && problem.contains("in USD"),
        "{problem}"
    );
}

#[test]
fn a_text_that_keeps_documents_apart() {
    let group = |source| {
        let conditions = Conditions::of(&with("group_by", source)).unwrap();
        conditions.group(&work()).map(|said| said.value.unwrap())
    };
    assert_eq!(group("project").unwrap(), "P1");
    let long = Work {
        project: "P-0123456789-0123456789",
        ..work()
    };
    let source = vec!["project"; 30].join(" + ");
    let conditions = Conditions::of(&with("group_by", &source)).unwrap();
    let problem = conditions.group(&long).unwrap_err().to_string();
    assert!(problem.contains(&GROUP_CHARS_MAX.to_string()), "{problem}");
}

#[test]
fn a_mistake_is_told_with_its_column_and_what_was_expected() {
    for row in table("conditions.md", "Mistakes") {
        let (term, source) = (row.get("term"), row.get("condition"));
        let fault = fault(term, source);
        assert_eq!((fault.term, fault.place.line), (term, 1), "{source}");
        let column = fault.place.column.to_string();
        assert_eq!(column, row.get("= column"), "{source}: {fault}");
        assert!(!fault.what.is_empty(), "{source}");
        assert!(fault.what.contains(row.get("says")), "{source}: {fault}");
        let expected = fault.expected.contains(row.get("expected"));
        assert!(expected, "{source}: {}", fault.expected);
    }
    let second = fault("when", "minutes > 60 &&\n  taks == \"A\"");
    assert_eq!(
        second.to_string(),
        "when, line 2, column 3: `taks` is no name of a condition"
    );
}

/// Whatever is hostile is refused; the run's own limit of time sees to it that this is soon.
#[test]
fn hostile_conditions_are_refused() {
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    for source in [
        nested("(", "true", ")", 5_000),
        nested("!(", "true", ")", 300),
        nested("(billable ? ", "true", " : false)", 45),
        nested("[", "1", "]", 450),
        nested("string(", "1", ")", 110),
        "!".repeat(999),
        "-".repeat(999),
        "[".repeat(999),
        "{".repeat(999),
        "(".repeat(999),
        "a.".repeat(499),
        "a[".repeat(499),
        "\"\"+".repeat(333),
        format!("\"{}\" == task", "x".repeat(1_000_000)),
        nested("[1, 2, 3].all(a, ", "true", ")", 40),
        nested("[1, 2, 3].map(a, ", "[1]", ")", 40),
        nested("[task].exists_one(a, ", "true", ")", 40),
        nested("[1].filter(a, [1].map(b, ", "1", ") == [1])", 20),
        "has(".repeat(200),
        "\u{0}".repeat(500),
        "\u{202e}task == \"A\"".to_owned(),
        "999999999999999999999999999999 > minutes".to_owned(),
        format!("minutes{} > 0", " * 1000000".repeat(90)),
    ] {
        let shown: String = source.chars().take(40).collect();
        let fault = fault("when", &source);
        assert!(!fault.what.is_empty(), "{shown}");
    }
    let longest = format!("task != \"{}\"", "x".repeat(CONDITION_BYTES_MAX - 10));
    assert_eq!(longest.len(), CONDITION_BYTES_MAX);
    assert!(Conditions::of(&with("when", &longest)).is_ok());
    let long = vec!["billable"; 80].join(" && ");
    assert!(
        Conditions::of(&with("when", &long)).is_ok(),
        "a long chain is not deep"
    );
}

/// Nothing in a condition is done twice, so that its length bounds its time: the longest ones answer
/// thousands of times in the time that a test has.
#[test]
fn the_longest_conditions_end() {
    let text = |part: &str, between: &str| {
        let times = CONDITION_BYTES_MAX / (part.len() + between.len()) - 4;
        vec![part; times].join(between)
    };
    let sources = [
        text("minutes>0", "&&"),
        format!("task in [{}]", text("worker", ",")),
        // Of a chain of sums each part stands in the next one, and that is bounded too.
        format!("({}).size() > 0", vec!["worker"; 30].join("+")),
        format!("{} > -1", vec!["minutes"; 30].join("+")),
    ];
    let worker = "W".repeat(10_000);
    let long = Work {
        worker: &worker,
        ..work()
    };
    for source in sources {
        let conditions = Conditions::of(&with("when", &source)).unwrap();
        for _ in 0..200 {
            conditions.covers(&long).unwrap();
        }
    }
}

#[test]
fn work_that_no_condition_was_made_for_is_a_problem() {
    let conditions = Conditions::of(&with("when", "true")).unwrap();
    for minutes in [-1, 1_000_001, i64::MIN, i64::MAX] {
        let odd = Work { minutes, ..work() };
        let problem = conditions.covers(&odd).unwrap_err();
        assert_eq!((problem.contract.as_str(), problem.term), ("K1", "when"));
        assert!(problem.reason.contains(&minutes.to_string()), "{problem}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What is compiled has an answer for all work: nothing overflows, divides by zero or mistakes a
    /// type, and the answer is that of plain arithmetic.
    #[test]
    fn what_is_compiled_has_an_answer(
        minutes in 0_i64..=1_000_000, day in 0_i32..800, factor in -1_000_i64..1_000,
        add in -1_000_000_i64..1_000_000, divisor in 1_i64..500, limit in -10_000_i64..10_000,
    ) {
        let source = format!(
            "(minutes * {factor} + {add}) / {divisor} % 97 - weekday > {limit} \
             || minutes % {divisor} == {add}"
        );
        // A number that it can never be is told when it is compiled.
        let Ok(conditions) = Conditions::of(&with("when", &source)) else { return Ok(()) };
        let date = date(2025, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        let work = Work { minutes, date, ..work() };
        let weekday = i64::from(date.weekday().to_monday_one_offset());
        let expected = (minutes * factor + add) / divisor % 97 - weekday > limit
            || minutes % divisor == add;
        prop_assert_eq!(conditions.covers(&work).unwrap().value, expected);
    }
}

#[test]
fn fuzz_condition() -> Result<(), Finding> {
    Fuzz::new("condition", env!("CARGO_MANIFEST_DIR"))
        .seeds([
            "task == \"A\" && minutes > 60",
            "amount.more_than(money(\"5000 EUR\"))",
            "project in [\"P1\", \"P2\"] ? weekday > 5 : date < \"2026-04-01\"",
            "[1, 2].exists(x, x > 1)",
            "string(minutes / 60) + worker.size() == \"1\"",
        ])
        .words([
            "amount",
            "minutes",
            "weekday",
            "billable",
            "date",
            ".more_than(",
            "money(",
            "string(",
            ".all(x, ",
            " in [",
            " ? ",
            " : ",
            " && ",
            " || ",
            "1.5",
            "\"\"",
        ])
        .costly(4)
        .run(|bytes| {
            let source = String::from_utf8_lossy(bytes);
            Ok(match Conditions::of(&with("hold_when", &source)) {
                Ok(conditions) => {
                    // What is compiled has an answer, whatever the work.
                    for minor in [i64::MIN, 0, i64::MAX] {
                        let held = conditions.held(&work(), eur(minor));
                        held.map_err(|problem| problem.to_string())?;
                    }
                    Seen::read("condition", &conditions)
                }
                Err(fault) => Seen {
                    // The library repeats what it did not expect; the text has at most 1,000 bytes.
                    told: String::new(),
                    ..Seen::refused(&fault.to_string())
                },
            })
        })
}
