//! The documents of a scenario: where lines stand, and what happens to them when their charges
//! change. A draft takes changes; an issued document stays as it is, and a correction credits its
//! line in full and bills the new one on the next document of the same home.

use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use jiff::civil::Date;
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
    /// Where the line of a strand stands now: the document's place and the line's name.
    standing: BTreeMap<String, (usize, String)>,
    credits: u32,
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

    fn add(&mut self, strand: &str, name: String, line: LineContent) {
        let place = self.draft(&line.home);
        if let Some(document) = self.all.get_mut(place) {
            document.lines.insert(name.clone(), line);
        }
        self.standing.insert(strand.to_owned(), (place, name));
    }

    /// Bring the line of a strand to what is wanted.
    pub(crate) fn want(&mut self, strand: &str, wanted: Option<LineContent>) {
        let Some((place, name)) = self.standing.get(strand).cloned() else {
            if let Some(line) = wanted {
                self.add(strand, strand.to_owned(), line);
            }
            return;
        };
        let Some(held) = self
            .all
            .get(place)
            .and_then(|document| document.lines.get(&name))
            .cloned()
        else {
            return;
        };
        if wanted
            .as_ref()
            .is_some_and(|line| line.same_to_the_client(&held))
        {
            return;
        }
        let changeable = self
            .all
            .get(place)
            .is_some_and(|document| document.state == DocumentState::Draft);
        self.standing.remove(strand);
        if changeable {
            if let Some(document) = self.all.get_mut(place) {
                document.lines.remove(&name);
            }
            if let Some(line) = wanted {
                self.add(strand, name, line);
            }
            return;
        }
        self.credits += 1;
        let credit = format!("credit {} of {name}", self.credits);
        let home = held.home.clone();
        let into = self.draft(&home);
        if let Some(document) = self.all.get_mut(into) {
            document.lines.insert(credit.clone(), held.mirrored());
        }
        if let Some(line) = wanted {
            self.add(
                strand,
                format!("{strand} after credit {}", self.credits),
                line,
            );
        }
    }

    /// Whether the line of a strand stands on a document that a client has.
    pub(crate) fn is_issued(&self, strand: &str) -> bool {
        self.standing.get(strand).is_some_and(|(place, _)| {
            self.all
                .get(*place)
                .is_some_and(|document| document.state != DocumentState::Draft)
        })
    }

    /// Credit a line that the client has, and bill it again as it is.
    pub(crate) fn rebill(&mut self, strand: &str) {
        if !self.is_issued(strand) {
            return;
        }
        let held = self.standing.get(strand).and_then(|(place, name)| {
            let document = self.all.get(*place)?;
            document.lines.get(name).cloned()
        });
        if let Some(line) = held {
            self.want(strand, None);
            let name = format!("{strand} after credit {}", self.credits);
            self.add(strand, name, line);
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

impl Document {
    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
}
