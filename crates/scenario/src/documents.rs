//! The documents of a scenario: where lines stand, and what happens to them when their charges
//! change. A draft takes changes; an issued document stays as it is, and a correction credits its
//! line in full and bills the new one on the next document of the same home; or it bills the difference,
//! where the contract says so.

use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use domain::rounding::Rounding;
use jiff::civil::Date;
use rules::corrections::{Difference, LineNumbers, difference};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineContent {
    pub(crate) home: Home,
    pub(crate) contract: String,
    pub(crate) quantity: Micro,
    pub(crate) unit: Unit,
    pub(crate) rate: Micro,
    /// Quantity times rate.
    pub(crate) amount: Money,
    /// What the client pays less for the line.
    pub(crate) allowance: Money,
    pub(crate) work_date: Date,
    pub(crate) sort: String,
    pub(crate) item: String,
    /// The text of a fixed amount: it is one piece at its price, and no time of a person.
    pub(crate) fixed: Option<String>,
    /// How amounts are rounded, where the contract bills differences.
    pub(crate) by_difference: Option<Rounding>,
    pub(crate) words: Words,
}

/// Who and what, for the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words {
    pub(crate) worker: String,
    pub(crate) role: String,
    pub(crate) project: String,
    pub(crate) task: String,
    pub(crate) service_item: String,
    pub(crate) narrative: String,
}

/// What documents are told apart by, their generation aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Home {
    pub(crate) bill_to: String,
    pub(crate) currency: Currency,
    pub(crate) group_key: String,
    pub(crate) period: String,
}

impl LineContent {
    /// Whether a client would see no difference that counts: money, day, place, person and kind of
    /// work. Another comment alone changes no line that is there.
    fn same_to_the_client(&self, other: &Self) -> bool {
        let words = |line: &Self| Words {
            narrative: String::new(),
            ..line.words.clone()
        };
        self.home == other.home
            && self.quantity == other.quantity
            && self.rate == other.rate
            && self.amount == other.amount
            && self.allowance == other.allowance
            && self.work_date == other.work_date
            && self.sort == other.sort
            && self.fixed == other.fixed
            && words(self) == words(other)
    }

    /// Whether both are one supply, whatever period each is billed in.
    fn same_supply(&self, other: &Self) -> bool {
        let like = Self {
            home: Home {
                period: other.home.period.clone(),
                ..self.home.clone()
            },
            quantity: other.quantity,
            rate: other.rate,
            amount: other.amount,
            ..self.clone()
        };
        like.same_to_the_client(other) && self.allowance.amount_minor == 0
    }

    fn numbers(&self) -> LineNumbers {
        LineNumbers {
            quantity: self.quantity,
            rate: self.rate,
            amount: self.amount,
        }
    }

    fn with(&self, numbers: LineNumbers) -> Self {
        Self {
            quantity: numbers.quantity,
            rate: numbers.rate,
            amount: numbers.amount,
            ..self.clone()
        }
    }

    fn mirrored(&self) -> Self {
        Self {
            quantity: Micro::from_micro(self.quantity.micro().saturating_neg()),
            amount: mirrored(self.amount),
            allowance: mirrored(self.allowance),
            ..self.clone()
        }
    }
}

const fn mirrored(amount: Money) -> Money {
    Money {
        amount_minor: amount.amount_minor.saturating_neg(),
        currency: amount.currency,
    }
}

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// It takes changes.
    Draft,
    /// The client has it.
    Issued,
    /// The client paid it.
    Paid,
}

#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) home: Home,
    generation: u32,
    pub(crate) state: DocumentState,
    /// By the charge's name; a credit's name says so.
    pub(crate) lines: BTreeMap<String, LineContent>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    pub(crate) all: Vec<Document>,
    /// The lines that bill a strand now: one, and those that are differences to what is below them.
    standing: BTreeMap<String, Vec<Standing>>,
    credits: u32,
    differences: u32,
}

/// A line that stands.
#[derive(Debug, Clone)]
struct Standing {
    /// The document's place.
    place: usize,
    /// The line's name.
    name: String,
    /// What is left of it.
    left: LineContent,
    /// What it comes to with those below it.
    comes_to: LineContent,
}

impl Documents {
    /// The draft of a home, a new one where there is none.
    fn draft(&mut self, home: &Home) -> usize {
        let same = |document: &Document| document.home == *home;
        let open = self
            .all
            .iter()
            .position(|d| same(d) && d.state == DocumentState::Draft);
        if let Some(place) = open {
            return place;
        }
        let generation = self.all.iter().filter(|d| same(d)).count();
        let generation = u32::try_from(generation)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let (_, group) = home
            .group_key
            .split_once(':')
            .unwrap_or(("", &home.group_key));
        let again = if generation > 1 {
            format!(" #{generation}")
        } else {
            String::new()
        };
        self.all.push(Document {
            name: format!("{group} {}{again}", home.period),
            home: home.clone(),
            generation,
            state: DocumentState::Draft,
            lines: BTreeMap::new(),
        });
        self.all.len() - 1
    }

    /// Put a line on the draft of its home. `comes_to` is what it bills with those below it.
    fn add(&mut self, strand: &str, name: String, line: LineContent, comes_to: LineContent) {
        let place = self.draft(&line.home);
        if let Some(document) = self.all.get_mut(place) {
            document.lines.insert(name.clone(), line.clone());
        }
        let standing = self.standing.entry(strand.to_owned()).or_default();
        standing.push(Standing {
            place,
            name,
            left: line,
            comes_to,
        });
    }

    /// Bring the lines of a strand to what is wanted.
    pub(crate) fn want(&mut self, strand: &str, wanted: Option<LineContent>) {
        let mut name = strand.to_owned();
        loop {
            let standing = self.standing.entry(strand.to_owned()).or_default();
            let Some(latest) = standing.pop() else {
                if let Some(line) = wanted {
                    self.add(strand, name, line.clone(), line);
                }
                return;
            };
            let draft = self.is_draft(latest.place);
            if wanted
                .as_ref()
                .is_some_and(|line| stands_as(line, &latest, draft))
            {
                self.put_back(strand, latest);
                return;
            }
            if draft {
                if let Some(document) = self.all.get_mut(latest.place) {
                    document.lines.remove(&latest.name);
                }
                name = latest.name;
                continue;
            }
            let found = wanted
                .as_ref()
                .and_then(|line| difference_to(line, &latest));
            match (found, &wanted) {
                (Some(Difference::Further(numbers)), Some(line)) => {
                    self.put_back(strand, latest);
                    self.differences += 1;
                    let name = format!("{strand} difference {}", self.differences);
                    self.add(strand, name, line.with(numbers), line.clone());
                    return;
                }
                (Some(Difference::InPart(numbers)), Some(line)) => {
                    let part = latest.left.with(numbers);
                    self.credit(&latest, &part);
                    let rest = less(&latest.left, &part);
                    self.put_back(
                        strand,
                        Standing {
                            left: rest,
                            comes_to: line.clone(),
                            ..latest
                        },
                    );
                    return;
                }
                _ => {
                    self.credit(&latest, &latest.left);
                    name = format!("{strand} after credit {}", self.credits);
                }
            }
        }
    }

    fn put_back(&mut self, strand: &str, line: Standing) {
        let standing = self.standing.entry(strand.to_owned()).or_default();
        standing.push(line);
    }

    /// Mirror a line, or a part of one, on the draft of its home.
    fn credit(&mut self, of: &Standing, part: &LineContent) {
        self.credits += 1;
        let name = format!("credit {} of {}", self.credits, of.name);
        let into = self.draft(&part.home.clone());
        if let Some(document) = self.all.get_mut(into) {
            document.lines.insert(name, part.mirrored());
        }
    }

    fn is_draft(&self, place: usize) -> bool {
        let document = self.all.get(place);
        document.is_some_and(|document| document.state == DocumentState::Draft)
    }

    /// Whether a line of a strand stands on a document that a client has.
    pub(crate) fn is_issued(&self, strand: &str) -> bool {
        let mut lines = self.standing.get(strand).into_iter().flatten();
        lines.any(|line| !self.is_draft(line.place))
    }

    /// Credit what the client has of a strand, and bill it again as it is.
    pub(crate) fn rebill(&mut self, strand: &str) {
        if !self.is_issued(strand) {
            return;
        }
        let latest = self.standing.get(strand).and_then(|lines| lines.last());
        if let Some(line) = latest.map(|latest| latest.comes_to.clone()) {
            self.want(strand, None);
            let name = format!("{strand} after credit {}", self.credits);
            self.add(strand, name, line.clone(), line);
        }
    }

    /// Move a document on. Gives the items that have lines on it.
    pub(crate) fn move_to(
        &mut self,
        name: &str,
        from: DocumentState,
        to: DocumentState,
    ) -> Result<BTreeSet<String>, String> {
        let there = |d: &&Document| !d.lines.is_empty();
        let named = |d: &&Document| d.name == name;
        match self.all.iter().filter(there).filter(named).count() {
            0 => {
                let names = self.all.iter().filter(there).map(|d| d.name.as_str());
                let names: Vec<&str> = names.collect();
                return Err(format!(
                    "there is no document '{name}'; there are: {}",
                    names.join(", ")
                ));
            }
            1 => {}
            more => {
                return Err(format!(
                    "{more} documents are called '{name}'; give the contracts or projects they group by names of their own"
                ));
            }
        }
        let same = |d: &&mut Document| d.name == name && !d.lines.is_empty();
        let Some(document) = self.all.iter_mut().find(same) else {
            return Err(format!("there is no document '{name}'"));
        };
        if document.state != from {
            return Err(format!("document '{name}' is {:?}", document.state).to_lowercase());
        }
        document.state = to;
        Ok(document.lines.values().map(|l| l.item.clone()).collect())
    }
}

/// Whether a line that stands bills what is wanted. What was issued stays where it is although its
/// corrections go to a later period.
fn stands_as(wanted: &LineContent, latest: &Standing, draft: bool) -> bool {
    let held = &latest.comes_to;
    let issued = !draft && wanted.by_difference.is_some();
    wanted.same_to_the_client(held)
        || (issued && wanted.same_supply(held) && wanted.numbers() == held.numbers())
}

fn difference_to(wanted: &LineContent, latest: &Standing) -> Option<Difference> {
    let rounding = wanted.by_difference?;
    let held = &latest.comes_to;
    if !wanted.same_supply(held) {
        return None;
    }
    difference(
        &held.numbers(),
        &wanted.numbers(),
        &latest.left.numbers(),
        rounding,
    )
}

/// What is left of a line without a part of it.
fn less(line: &LineContent, part: &LineContent) -> LineContent {
    let amount_minor = line.amount.amount_minor - part.amount.amount_minor;
    line.with(LineNumbers {
        quantity: Micro::from_micro(line.quantity.micro() - part.quantity.micro()),
        rate: line.rate,
        amount: Money {
            amount_minor,
            currency: line.amount.currency,
        },
    })
}

impl Document {
    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
}
