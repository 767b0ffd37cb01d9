//! Fifty documents on the real Tryton: one for each of fifty contracts over the same five projects, with
//! and without lines that entries share, at rates of up to four decimals, in euros, dollars and yen. What
//! they come to is worked out here, in integers, from the minutes alone.

use crate::config::{Config, rate};
use crate::redmine::Work;
use crate::tryton::{Invoice, Kind, Line};
use crate::world::{Days, World};
use domain::decimal::Micro;
use std::collections::BTreeMap;

const DAYS: Days = Days {
    first: "2026-12-01",
    last: "2026-12-30",
};

/// A project of the lab with the work that is done on it.
struct Project {
    name: &'static str,
    redmine: &'static str,
    customer: &'static str,
    erp: &'static str,
    currency: &'static str,
    /// Digits of the currency after the point.
    digits: u32,
    issues: [&'static str; 2],
    /// The first contract's rate, in ten thousandths.
    rate_e4: i128,
}

const PROJECTS: [Project; 5] = [
    Project {
        name: "ACME",
        redmine: "acme-rollout",
        customer: "C-ACME",
        erp: "P-ACME-TM",
        currency: "EUR",
        digits: 2,
        issues: ["Analysis", "Build"],
        rate_e4: 1_871_234,
    },
    Project {
        name: "BORE",
        redmine: "borealis-training",
        customer: "C-BORE",
        erp: "P-BORE-TM",
        currency: "EUR",
        digits: 2,
        issues: ["Classroom", "Classroom"],
        rate_e4: 987_500,
    },
    Project {
        name: "COBA",
        redmine: "cobalt-platform",
        customer: "C-COBA",
        erp: "P-COBA-TM",
        currency: "EUR",
        digits: 2,
        issues: ["Analysis", "Build"],
        rate_e4: 1_525_001,
    },
    Project {
        name: "DAIK",
        redmine: "daikoku-entry",
        customer: "C-DAIK",
        erp: "P-DAIK-TM",
        currency: "JPY",
        digits: 0,
        issues: ["Advisory", "Build"],
        rate_e4: 240_005_000,
    },
    Project {
        name: "ELMW",
        redmine: "elmwood-review",
        customer: "C-ELMW",
        erp: "P-ELMW-TM",
        currency: "USD",
        digits: 2,
        issues: ["Advisory", "Review"],
        rate_e4: 2_155_050,
    },
];

/// How the lines of a contract are grouped; none: a line for each entry.
const GROUPINGS: [Option<&str>; 5] = [
    None,
    Some("[]"),
    Some("[\"worker\"]"),
    Some("[\"task\"]"),
    Some("[\"day\"]"),
];

const USERS: [&str; 2] = ["ada.fox", "ben.okafor"];

/// An entry as this test books it.
#[derive(Debug, Clone)]
struct Entry {
    id: String,
    user: &'static str,
    issue: &'static str,
    day: String,
    /// Hours as they are printed, in hundredths.
    hundredths: i128,
}

/// A contract over three days of a project.
struct Deal {
    project: &'static Project,
    id: String,
    number: usize,
    rate_e4: i128,
    entries: Vec<Entry>,
}

fn hundredths(minutes: i128) -> i128 {
    (minutes * 100 + 30) / 60
}

/// Half even, as Tryton rounds an amount.
fn amount(hundredths: i128, rate_e4: i128, digits: u32) -> i128 {
    let divisor = 10_i128.pow(6 - digits);
    let product = hundredths * rate_e4;
    let (whole, rest) = (product.div_euclid(divisor), product.rem_euclid(divisor));
    whole + i128::from(rest * 2 > divisor || (rest * 2 == divisor && whole % 2 == 1))
}

fn in_e4(rate_e4: i128) -> String {
    format!("{}.{:04}", rate_e4 / 10_000, rate_e4 % 10_000)
}

impl Deal {
    fn all() -> Vec<Self> {
        let mut deals = Vec::new();
        for project in &PROJECTS {
            for number in 0..10_usize {
                let step = i128::try_from(number).unwrap();
                deals.push(Self {
                    project,
                    id: format!("{}-{number:02}", project.name),
                    number,
                    rate_e4: project.rate_e4 + step * 7_013,
                    entries: Vec::new(),
                });
            }
        }
        deals
    }

    fn grouping(&self) -> Option<&'static str> {
        GROUPINGS[self.number % GROUPINGS.len()]
    }

    fn day(&self, offset: usize) -> String {
        format!("2026-12-{:02}", 1 + self.number * 3 + offset)
    }

    fn contract(&self) -> String {
        let to = 1 + (self.number + 1) * 3;
        let together = self.grouping().map_or_else(String::new, |keys| {
            format!("lines = {{ together = {keys}, text = \"{{{{ from }}}} {{{{ to }}}} {{{{ tasks | join(', ') }}}}\" }}\n")
        });
        format!(
            "id = \"{}\"\ncustomer = \"{}\"\nprojects = [\"{}\"]\nkind = \"time_and_materials\"\n\
             currency = \"{}\"\namount_rounding = \"half_even\"\nfrom = \"{}\"\n\
             to = \"2026-12-{to:02}\"\n{together}",
            self.id,
            self.project.customer,
            self.project.erp,
            self.project.currency,
            self.day(0),
        )
    }

    /// What an entry has in common with the others of its line.
    fn line_of(&self, entry: &Entry) -> String {
        match self.grouping() {
            None => entry.id.clone(),
            // What was sold is always kept apart.
            Some("[]" | "[\"task\"]") => entry.issue.to_owned(),
            Some("[\"worker\"]") => format!("{} {}", entry.issue, entry.user),
            Some(_) => format!("{} {}", entry.issue, entry.day),
        }
    }

    /// The entries by line.
    fn lines(&self) -> BTreeMap<String, Vec<&Entry>> {
        let mut lines: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            lines.entry(self.line_of(entry)).or_default().push(entry);
        }
        lines
    }

    fn amount(&self, hundredths: i128) -> i128 {
        amount(hundredths, self.rate_e4, self.project.digits)
    }

    /// Quantity in hundredths and amount of each line.
    fn printed(&self) -> Vec<(i128, i128)> {
        let quantity = |own: &Vec<&Entry>| own.iter().map(|entry| entry.hundredths).sum();
        let lines = self.lines();
        let quantities = lines.values().map(quantity);
        let mut all: Vec<_> = quantities.map(|of| (of, self.amount(of))).collect();
        all.sort_unstable();
        all
    }

    fn total(&self) -> i128 {
        self.printed().iter().map(|(_, amount)| amount).sum()
    }

    /// By how much the total changes when an entry on an issued line gets other hours: its old hours
    /// are credited and the new ones billed, or the whole line if that credit would not multiply out.
    fn changes_by(&self, entry: usize, now: i128) -> i128 {
        let entry = &self.entries[entry];
        let lines = self.lines();
        let own = &lines[&self.line_of(entry)];
        let all: i128 = own.iter().map(|entry| entry.hundredths).sum();
        let rest = all - entry.hundredths;
        let before = self.amount(all);
        let multiplies_out = self.amount(rest) + self.amount(entry.hundredths) == before;
        let after = if multiplies_out || rest == 0 {
            self.amount(rest) + self.amount(now)
        } else {
            self.amount(rest + now)
        };
        after - before
    }
}

fn agree(config: &mut Config, deals: &[Deal]) {
    config
        .contracts
        .retain(|text| text.starts_with("id = \"INT\""));
    config.rates.clear();
    for deal in deals {
        config.contracts.push(deal.contract());
        let rate = rate(&deal.id, deal.project.currency, &in_e4(deal.rate_e4));
        config.rates.push(rate);
    }
}

fn book(world: &World, deals: &mut [Deal]) {
    let mut count = 0_i128;
    for deal in deals {
        for number in 0..4_usize {
            count += 1;
            let minutes = 7 + (count * 37) % 463;
            let hundredths = hundredths(minutes);
            let hours = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let (user, issue) = (
                USERS[number % 2],
                deal.project.issues[usize::from(number > 1)],
            );
            let (day, comment) = (deal.day(number % 3), format!("{} {number}", deal.id));
            let id = world.book(Work {
                user,
                project: deal.project.redmine,
                issue,
                day: &day,
                hours: &hours,
                comment: &comment,
                ..Work::default()
            });
            deal.entries.push(Entry {
                id,
                user,
                issue,
                day,
                hundredths,
            });
        }
    }
}

/// A decimal of Tryton in the coin of a currency.
fn minor(value: Micro, digits: u32) -> i128 {
    let unit = 10_i128.pow(6 - digits);
    let micro = i128::from(value.micro());
    assert_eq!(micro % unit, 0, "{value}");
    micro / unit
}

fn of<'a>(invoices: &'a [Invoice], deal: &Deal) -> Vec<&'a Invoice> {
    let name = format!("{} ", deal.id);
    let all = invoices.iter();
    all.filter(|invoice| invoice.label.starts_with(&name))
        .collect()
}

/// Every document is what was predicted: its total, and each line of it.
fn as_predicted(world: &World, deals: &[Deal]) {
    let (invoices, lines) = (world.tryton.invoices(), world.tryton.lines());
    assert_eq!(invoices.len(), 50);
    for deal in deals {
        let own = of(&invoices, deal);
        assert_eq!(own.len(), 1, "{}: {own:?}", deal.id);
        let digits = deal.project.digits;
        assert_eq!(minor(own[0].untaxed, digits), deal.total(), "{}", deal.id);
        let on_it = |line: &&Line| line.invoice == own[0].id;
        let mut found: Vec<(i128, i128)> = lines
            .iter()
            .filter(on_it)
            .map(|line| (minor(line.quantity, 2), minor(line.amount, digits)))
            .collect();
        found.sort_unstable();
        assert_eq!(found, deal.printed(), "{}", deal.id);
    }
}

/// What a dry run says of each contract: lines and amount.
fn plan(world: &World) -> BTreeMap<String, (u64, Micro)> {
    let mut words = world.pass().to_vec();
    words.push("--dry-run");
    let said = world.run(&words);
    assert_eq!(said.code, Some(0), "{said:?}");
    let plan = said.json();
    let lines = plan["lines"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let group = line["group"].as_str().unwrap();
            let id = group.strip_prefix("contract:").unwrap();
            let (_, amount) = line["amount"].as_str().unwrap().split_once(' ').unwrap();
            let amount: Micro = amount.parse().unwrap();
            (id.to_owned(), (line["lines"].as_u64().unwrap(), amount))
        })
        .collect()
}

#[test]
fn fifty_documents_come_to_what_was_predicted_grouped_and_not() {
    let Some(mut world) = World::new("mixed", Kind::Module, DAYS) else {
        return;
    };
    let mut deals = Deal::all();
    world.change(|config| agree(config, &deals));
    book(&world, &mut deals);
    let planned = plan(&world);
    let first = world.sync_clean();
    assert_eq!(first["new"], 200, "{first}");
    as_predicted(&world, &deals);
    for deal in &deals {
        let (lines, amount) = planned[&deal.id];
        assert_eq!(lines, u64::try_from(deal.printed().len()).unwrap());
        assert_eq!(
            minor(amount, deal.project.digits),
            deal.total(),
            "{}",
            deal.id
        );
    }
    world.ties_out();

    // Those in euros of the first half are issued, and one entry of each gets other hours.
    let invoices = world.tryton.invoices();
    let mut expected: BTreeMap<String, i128> = BTreeMap::new();
    for (number, deal) in deals.iter().enumerate() {
        let mut total = deal.total();
        if deal.number < 5 && deal.project.currency == "EUR" {
            world.tryton.issue(of(&invoices, deal)[0].id);
            let now = 25 * (i128::try_from(number).unwrap() % 7 + 1);
            total += deal.changes_by(0, now);
            let hours = format!("{}.{:02}", now / 100, now % 100);
            let id = &deal.entries[0].id;
            world
                .redmine()
                .edit(id, &serde_json::json!({ "hours": hours }));
        }
        expected.insert(deal.id.clone(), total);
    }
    let second = world.sync_clean();
    assert_eq!(second["revisions"], 15, "{second}");
    let third = world.sync_clean();
    assert_eq!(third["calls"], 0, "{third}");
    let invoices = world.tryton.invoices();
    assert_eq!(invoices.len(), 65);
    for deal in &deals {
        let digits = deal.project.digits;
        let own = of(&invoices, deal);
        let total: i128 = own.iter().map(|own| minor(own.untaxed, digits)).sum();
        assert_eq!(total, expected[&deal.id], "{}", deal.id);
    }
    world.ties_out();
    world.audit();
}
