//! What holds for whatever happens in whatever order. The cost rate of 36 makes a cent of each second,
//! so that cost that adds up is time that adds up.

use counterfoil_scenario::outcome::{ChargeLine, ScenarioOutcome};
use counterfoil_scenario::{play, read};
use domain::money::Money;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Terms that look at each entry, or at several, and count nothing.
const COUNTS_NOTHING: [&str; 8] = [
    "",
    "increment = { step_minutes = 15, minimum_minutes = 30, rounding = \"up\" }",
    "increment = { step_minutes = 6, rounding = \"half_up\" }\nincrement_scope = \"worker_day_customer\"",
    "increment = { step_minutes = 10, rounding = \"up\" }\nincrement_scope = \"line\"",
    "unit = \"working_day\"",
    "unit = \"month\"",
    "[contract.overtime]\nform = \"full_multiplier\"\nterms = { rule = { form = \"daily_and_weekly\", \
     daily_minutes = 480, weekly_minutes = 1200 }, zone = \"UTC\" }",
    "increment = { step_minutes = 30, rounding = \"down\" }\n[contract.overtime]\n\
     authorisation = \"else_nothing\"\nterms = { rule = { form = \"california\" }, zone = \"UTC\", \
     week_start = \"sunday\" }",
];

/// Terms that count.
const COUNTS: [&str; 7] = [
    "[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"",
    "[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"\npolicy = \"hold\"",
    "[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"\npolicy = \"write_off\"",
    "[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"\npolicy = \"bill_to_cap\"",
    "[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"\npass = true\n\
     [[contract.limit]]\nid = \"T\"\nscope = \"task\"\ncode = \"T1\"\namount = \"300\"\npolicy = \"hold\"",
    "[contract.retainer]\nid = \"R\"",
    "residual = \"carry\"\n[[contract.limit]]\nid = \"L\"\namount = \"900\"\nopening_used = \"100\"\n\
     [contract.overtime]\nform = \"full_multiplier\"\nterms = { rule = { form = \"daily\", \
     daily_minutes = 240 }, zone = \"UTC\" }",
];

#[derive(Debug, Clone)]
struct Entry {
    worker: usize,
    project: usize,
    task: usize,
    day: u32,
    minutes: u32,
    billable: bool,
}

impl Entry {
    fn fields(&self) -> String {
        format!(
            "worker = \"w{}\", project = \"P{}\", task = \"T{}\", date = \"2026-03-{:02}\", \
             minutes = {}, billable = {}",
            self.worker, self.project, self.task, self.day, self.minutes, self.billable
        )
    }

    fn recorded(&self, id: usize) -> String {
        format!(
            "[[event]]\nentry = {{ id = \"e{id}\", {} }}\n",
            self.fields()
        )
    }

    fn edited(&self, id: usize) -> String {
        format!(
            "[[event]]\nedit = {{ id = \"e{id}\", {} }}\n",
            self.fields()
        )
    }
}

fn entry() -> impl Strategy<Value = Entry> {
    let paid = prop_oneof![9 => Just(true), 1 => Just(false)];
    (
        0_usize..2,
        0_usize..2,
        0_usize..2,
        1_u32..15,
        1_u32..700,
        paid,
    )
        .prop_map(|(worker, project, task, day, minutes, billable)| Entry {
            worker,
            project,
            task,
            day,
            minutes,
            billable,
        })
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(entry(), 1..9)
}

#[derive(Debug, Clone)]
enum Then {
    Edit(usize, Entry),
    Delete(usize),
    Release,
    Issue,
    Rate(u32),
}

fn then() -> impl Strategy<Value = Vec<Then>> {
    let one = prop_oneof![
        5 => (0_usize..8, entry()).prop_map(|(id, entry)| Then::Edit(id, entry)),
        2 => (0_usize..8).prop_map(Then::Delete),
        2 => Just(Then::Release),
        1 => Just(Then::Issue),
        1 => (80_u32..160).prop_map(Then::Rate),
    ];
    proptest::collection::vec(one, 0..12)
}

/// Two customers with a contract each, or two parts of a frame of 1,200.00; two people, one rate, a
/// cent of cost a second.
fn firm(one: &str, two: &str, framed: bool) -> String {
    let mut text = "version = 1\n".to_owned();
    for worker in ["w0", "w1"] {
        writeln!(text, "[[worker]]\ncode = \"{worker}\"").unwrap();
    }
    text.push_str("[[rate]]\nrate = \"100\"\ncurrency = \"EUR\"\nfrom = \"2026-01-01\"\n");
    text.push_str("[[cost_rate]]\nrate = \"36\"\ncurrency = \"EUR\"\nfrom = \"2026-01-01\"\n");
    for (number, terms) in [one, two].iter().enumerate() {
        let whose = if framed {
            "customer = \"C\"\nparent = \"F\"".to_owned()
        } else {
            format!("customer = \"C{number}\"")
        };
        writeln!(
            text,
            "[[contract]]\nid = \"K{number}\"\n{whose}\nprojects = [\"P{number}\"]\n\
             kind = \"time_and_materials\"\ncurrency = \"EUR\"\n{terms}"
        )
        .unwrap();
    }
    if framed {
        text.push_str(
            "[[contract]]\nid = \"F\"\ncustomer = \"C\"\nprojects = []\n\
             kind = \"time_and_materials\"\ncurrency = \"EUR\"\n\
             [[contract.limit]]\nid = \"N\"\namount = \"1200\"\n",
        );
    }
    text
}

fn funded(terms: &[&str]) -> String {
    let mut text = String::new();
    for (number, terms) in terms.iter().enumerate() {
        if terms.contains("retainer") {
            writeln!(
                text,
                "[[event]]\nfund = {{ contract = \"K{number}\", id = \"F\", stage = \"paid\", \
                 amount = \"700\" }}"
            )
            .unwrap();
        }
    }
    text
}

/// The events that can happen, and the entries that are there afterwards.
fn story(
    terms: &[&str],
    framed: bool,
    first: &[Entry],
    then: &[Then],
) -> (String, BTreeMap<usize, Entry>) {
    let mut text = funded(terms);
    let mut there: BTreeMap<usize, Entry> = BTreeMap::new();
    for (id, entry) in first.iter().enumerate() {
        text.push_str(&entry.recorded(id));
        there.insert(id, entry.clone());
    }
    let mut recorded = 0;
    for one in then {
        match one {
            Then::Edit(id, entry) if there.contains_key(id) => {
                text.push_str(&entry.edited(*id));
                there.insert(*id, entry.clone());
            }
            Then::Delete(id) if there.remove(id).is_some() => {
                writeln!(text, "[[event]]\ndelete = {{ id = \"e{id}\" }}").unwrap();
            }
            Then::Release => {
                for (number, terms) in terms.iter().enumerate() {
                    if framed || terms.contains("limit") {
                        let event = format!("release_held = {{ contract = \"K{number}\" }}");
                        writeln!(text, "[[event]]\n{event}").unwrap();
                    }
                }
            }
            Then::Issue => text.push_str(&issued(&text, terms, framed)),
            Then::Rate(rate) => {
                recorded += 1;
                writeln!(
                    text,
                    "[[event]]\nrate = {{ rate = \"{rate}\", currency = \"EUR\", from = \
                     \"2026-01-01\", recorded = \"2026-04-{recorded:02}\" }}"
                )
                .unwrap();
            }
            Then::Edit(..) | Then::Delete(_) => {}
        }
    }
    (text, there)
}

/// Every draft that the story has made so far goes out.
fn issued(text: &str, terms: &[&str], framed: bool) -> String {
    let so_far = played(&(firm(terms[0], terms[1], framed) + text));
    let mut more = String::new();
    for document in so_far.documents {
        if document.state == counterfoil_scenario::DocumentState::Draft {
            let event = format!("issue = {{ document = \"{}\" }}", document.name);
            writeln!(more, "[[event]]\n{event}").unwrap();
        }
    }
    more
}

fn played(text: &str) -> ScenarioOutcome {
    let read = read::read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    play(&read).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

type Standing<'a> = BTreeMap<(&'a str, &'a str), &'a ChargeLine>;

fn standing(outcome: &ScenarioOutcome) -> Standing<'_> {
    let mut standing = BTreeMap::new();
    for charge in &outcome.charges {
        let key = (charge.item.as_str(), charge.part.as_str());
        if charge.act == "book" {
            assert!(standing.insert(key, charge).is_none(), "{key:?}");
        } else {
            standing.remove(&key).unwrap();
        }
    }
    standing
}

/// What stands, the way there aside.
fn contents(outcome: &ScenarioOutcome) -> Vec<String> {
    let standing = standing(outcome);
    let told = standing.values().map(|c| {
        format!(
            "{} {} {} {} {} {} {} {} {} {}",
            c.item,
            c.part,
            c.disposition,
            c.contract,
            c.quantity,
            c.rate,
            c.amount,
            c.value,
            c.cost,
            c.work_date
        )
    });
    told.collect()
}

fn minor<'a>(amounts: impl Iterator<Item = &'a Money>) -> i64 {
    amounts.map(|money| money.amount_minor).sum()
}

fn figure(outcome: &ScenarioOutcome, contract: &str, account: &str, figure: &str) -> Option<i64> {
    let found = outcome.accounts.iter().find(|line| {
        line.contract == contract && line.account == account && line.figure == figure
    })?;
    let digits: String = found.value.chars().filter(char::is_ascii_digit).collect();
    Some(digits.parse().unwrap())
}

fn check(text: &str, outcome: &ScenarioOutcome, there: &BTreeMap<usize, Entry>) {
    let standing = standing(outcome);
    for (id, entry) in there {
        let name = format!("e{id}");
        let own: Vec<&&ChargeLine> = standing
            .iter()
            .filter(|((item, _), _)| *item == name)
            .map(|(_, charge)| charge)
            .collect();
        let cost = minor(own.iter().map(|c| &c.cost));
        assert_eq!(cost, i64::from(entry.minutes) * 60, "{name} in\n{text}");
        for charge in own {
            if charge.disposition == "bill" {
                assert_eq!(charge.amount, charge.value, "{name} in\n{text}");
            } else {
                assert_eq!(charge.amount.amount_minor, 0, "{name} in\n{text}");
            }
        }
    }
    if let Some(used) = figure(outcome, "F", "N", "used") {
        // What is drawn from a retainer counts as well: the client pays it.
        let paid = standing
            .values()
            .filter(|c| matches!(c.disposition, "bill" | "drawn"));
        assert_eq!(used, minor(paid.map(|c| &c.value)), "the frame in\n{text}");
        assert!(used <= 120_000, "the frame over its cap: {used} in\n{text}");
    }
    for contract in ["K0", "K1"] {
        let of = |charge: &&&ChargeLine| charge.contract == contract;
        let stands = minor(standing.values().filter(of).map(|c| &c.amount));
        let ever = outcome.charges.iter().filter(|c| c.contract == contract);
        assert_eq!(
            stands,
            minor(ever.map(|c| &c.amount)),
            "{contract} in\n{text}"
        );
        let name = format!("{contract} ");
        let documents = outcome
            .documents
            .iter()
            .filter(|d| d.name.starts_with(&name));
        let printed: i64 = documents.map(|d| d.total.amount_minor).sum();
        assert_eq!(printed, stands, "the documents of {contract} in\n{text}");
        if let Some(used) = figure(outcome, contract, "L", "used") {
            assert!(used <= 90_000, "{contract} over its cap: {used} in\n{text}");
            assert_eq!(used, 10_000 + stands, "{contract} in\n{text}");
        }
        if let Some(used) = figure(outcome, contract, "T", "used") {
            assert!(
                used <= 30_000,
                "{contract} over its task: {used} in\n{text}"
            );
        }
        if let Some(balance) = figure(outcome, contract, "R", "balance") {
            let drawn = standing.values().filter(of);
            let drawn = minor(drawn.filter(|c| c.disposition == "drawn").map(|c| &c.value));
            assert_eq!(balance, 70_000 - drawn, "{contract} in\n{text}");
        }
    }
}

fn nothing() -> impl Strategy<Value = &'static str> {
    prop::sample::select(COUNTS_NOTHING.to_vec())
}

fn anything() -> impl Strategy<Value = &'static str> {
    let all = [COUNTS_NOTHING.as_slice(), COUNTS.as_slice()].concat();
    prop::sample::select(all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Time and cost add up, nothing is billed twice, documents say what is booked, no limit is
    /// exceeded and no retainer overdrawn; and the same file gives the same bytes.
    #[test]
    fn everything_adds_up_whatever_happens(
        one in anything(), two in anything(), framed in any::<bool>(),
        first in entries(), then in then(),
    ) {
        let (events, there) = story(&[one, two], framed, &first, &then);
        let text = firm(one, two, framed) + &events;
        let outcome = played(&text);
        prop_assert_eq!(&outcome.exceptions, &Vec::new());
        check(&text, &outcome, &there);
        let again = serde_json::to_string(&played(&text)).unwrap();
        prop_assert_eq!(serde_json::to_string(&outcome).unwrap(), again);
    }

    /// Where nobody has to come first, the order in which work becomes known decides nothing.
    #[test]
    fn the_order_of_arrival_decides_nothing_where_nothing_is_counted(
        one in nothing(), two in nothing(),
        (first, shuffled) in entries().prop_flat_map(|first| {
            let numbered: Vec<(usize, Entry)> = first.iter().cloned().enumerate().collect();
            (Just(first), Just(numbered).prop_shuffle())
        }),
    ) {
        let (events, _) = story(&[one, two], false, &first, &[]);
        let straight = played(&(firm(one, two, false) + &events));
        let other: String = shuffled.iter().map(|(id, entry)| entry.recorded(*id)).collect();
        let other = played(&(firm(one, two, false) + &other));
        prop_assert_eq!(contents(&straight), contents(&other));
    }

    /// An entry that is changed and changed back is what it was, and so is everything around it.
    #[test]
    fn changed_and_changed_back_is_as_before(
        one in nothing(), two in nothing(), first in entries(), which in 0_usize..8, other in entry(),
    ) {
        let (mut events, _) = story(&[one, two], false, &first, &[]);
        let before = played(&(firm(one, two, false) + &events));
        let which = which % first.len();
        events.push_str(&other.edited(which));
        events.push_str(&first[which].edited(which));
        let after = played(&(firm(one, two, false) + &events));
        prop_assert_eq!(contents(&before), contents(&after));
    }

    /// When all work is gone, nothing is booked and every account is as it began.
    #[test]
    fn when_everything_is_gone_nothing_is_left(
        one in anything(), two in anything(), framed in any::<bool>(),
        first in entries(), then in then(),
    ) {
        let (mut events, there) = story(&[one, two], framed, &first, &then);
        for id in there.keys() {
            writeln!(events, "[[event]]\ndelete = {{ id = \"e{id}\" }}").unwrap();
        }
        let text = firm(one, two, framed) + &events;
        let outcome = played(&text);
        prop_assert_eq!(contents(&outcome), Vec::<String>::new());
        check(&text, &outcome, &BTreeMap::new());
        for line in &outcome.accounts {
            if line.figure == "held" {
                prop_assert_eq!(&line.value, "EUR 0.00");
            }
        }
        for document in &outcome.documents {
            let draft = document.state == counterfoil_scenario::DocumentState::Draft;
            prop_assert!(!draft || document.total.amount_minor <= 0);
        }
    }
}
