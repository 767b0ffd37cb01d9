//! An entry that comes out in parts, and what the ERP holds of each.

use crate::stage::Stage;
use connector_sdk::target::Shape;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::ids::ItemId;
use domain::money::Money;
use domain::rounding::Rounding;
use pipeline::book::{Desired, Judgement, apply, judge};
use pipeline::books::Books;
use pipeline::env::Terms;
use pipeline::facts::{self, ItemFacts};
use pipeline::strand::{charge_of, part_of, postings_of_part};
use pipeline::sync::SetPosting;
use rules::account::ask::Outcome;
use rules::charge::Disposition;
use rules::overtime::Tier;
use rules::part::Part;
use std::collections::BTreeMap;
use std::convert::Infallible;
use store::items::{self, ItemRow};
use store::{Abort, Command, Guard, GuardSet, Tx, charges, postings};

pub(crate) const PREMIUM: Part = part(Tier::Premium, Outcome::Billed);
pub(crate) const DRAWN: Part = part(Tier::Straight, Outcome::Drawn);
pub(crate) const HELD: Part = part(Tier::Straight, Outcome::Held);

const fn part(tier: Tier, outcome: Outcome) -> Part {
    Part { outcome, tier }
}

/// A part beside the whole: its time, and how many times the rate it costs.
pub(crate) type Beside = (Part, i64, i64);

/// Book an entry in parts: those that are named, and what they leave as the whole.
struct BookParts {
    terms: Terms,
    item_id: [u8; 16],
    beside: Vec<Beside>,
}

impl Command for BookParts {
    type Out = ();
    type Rejection = Infallible;

    fn name(&self) -> &'static str {
        "book parts"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none().and(Guard::Item(self.item_id))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Infallible>> {
        tx.act_as("test");
        let mut item = items::get(tx, &self.item_id)?.unwrap();
        let content: Option<ItemFacts> = facts::open(tx, item.content)?;
        let fields = content.unwrap().fields.unwrap();
        let Judgement::Priced(whole) = judge(&self.terms, &item.source_ref, &fields, None, false)
        else {
            panic!("{} has a price", item.source_ref);
        };
        let desired = self.cut(*whole, item.recorded_seconds);
        let mut books = Books::default();
        let judgement = Judgement::Priced(Box::new(desired));
        apply(tx, &mut books, &self.terms, &mut item, &judgement, false)?;
        item.changed_at_us = tx.now_us();
        items::update(tx, &mut item, "cut into parts")?;
        books.flush(tx, &self.terms, "cut into parts")?;
        Ok(())
    }
}

impl BookParts {
    fn cut(&self, mut whole: Desired, recorded_seconds: i64) -> Desired {
        // Nothing was priced so.
        whole.inputs = None;
        let priced = whole.parts.remove(0);
        let base = &priced.content;
        let taken: i64 = self.beside.iter().map(|(_, seconds, _)| seconds).sum();
        let rest = (Part::WHOLE, recorded_seconds - taken, 1);
        for (part, seconds, times) in std::iter::once(rest).chain(self.beside.clone()) {
            let mut one = priced.clone();
            let content = &mut one.content;
            content.part = part;
            content.disposition = part.disposition();
            content.recorded_seconds = seconds;
            content.quantity = hours(seconds);
            content.rate = Micro::from_micro(base.rate.micro() * times);
            content.value = value(content.quantity, content.rate, base.currency());
            content.amount = match content.disposition {
                Disposition::Bill => content.value,
                _ => Money::zero(base.currency()),
            };
            content.cost_rate = Micro::ZERO;
            content.cost = Money::zero(base.cost.currency);
            whole.parts.push(one);
        }
        whole
    }
}

fn hours(seconds: i64) -> Micro {
    assert_eq!(seconds % 36, 0, "hundredths of hours");
    Micro::from_micro(seconds / 36 * 10_000)
}

fn value(quantity: Micro, rate: Micro, currency: Currency) -> Money {
    Money::times(quantity, rate, currency, Rounding::HalfUp).unwrap()
}

/// What the ERP holds of a part under its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InErp {
    /// Lines of documents: their ids.
    pub(crate) lines: Vec<u64>,
    /// Their hours, credits taken off.
    pub(crate) quantity_micro: i64,
    /// Their money.
    pub(crate) amount_minor: i64,
    /// Recorded time that is booked as cost.
    pub(crate) cost_seconds: i64,
}

/// An entry on the stage whose line is on a draft.
pub(crate) struct Parted {
    pub(crate) stage: Stage,
    pub(crate) id: String,
    item_id: [u8; 16],
    rate: Micro,
    currency: Currency,
    pub(crate) recorded_seconds: i64,
}

impl Parted {
    /// The longest entry that is a draft line by the hour, booked and (unless it is to wait) posted.
    pub(crate) async fn new(stage: Stage, posted: bool) -> Self {
        if !posted {
            let off = Some("not yet".to_owned());
            stage.env.write(SetPosting { off }).await.unwrap();
        }
        stage.pass().await;
        let (item, charge) = stage
            .env
            .store
            .read(|tx| {
                let mut found = Vec::new();
                for item in items::page(tx, &[0; 16], 1_000)? {
                    for charge in charges::list_for_item(tx, &item.item_id)? {
                        let document = match charge.document_id {
                            Some(id) => store::documents::get(tx, &id)?,
                            None => None,
                        };
                        if document.is_some_and(|d| d.shape == Shape::DraftLine.name())
                            && item.recorded_seconds % 36 == 0
                        {
                            found.push((item.clone(), charge));
                        }
                    }
                }
                Ok(found)
            })
            .await
            .unwrap()
            .into_iter()
            .max_by_key(|(item, _)| (item.recorded_seconds, item.item_id))
            .unwrap();
        assert!(item.recorded_seconds >= 4 * 3_600, "{item:?}");
        Self {
            stage,
            id: item.source_ref.clone(),
            item_id: item.item_id,
            rate: Micro::from_micro(charge.rate_micro),
            currency: charge.currency.parse().unwrap(),
            recorded_seconds: item.recorded_seconds,
        }
    }

    pub(crate) async fn go_on(&self) {
        self.stage
            .env
            .write(SetPosting { off: None })
            .await
            .unwrap();
    }

    pub(crate) async fn book(&self, beside: &[Beside]) {
        let terms = pipeline::reference::load(&self.stage.env)
            .await
            .unwrap()
            .terms;
        self.stage.cut_by_hand.set(true);
        let book = BookParts {
            terms,
            item_id: self.item_id,
            beside: beside.to_vec(),
        };
        self.stage.env.write(book).await.unwrap();
    }

    /// What was asked of the ERP for a part: rate and amount of each posting.
    pub(crate) async fn asked(&self, part: Part) -> Vec<(i64, i64)> {
        let id = self.item_id;
        let read = self.stage.env.store.read(move |tx| {
            let rows = charges::list_for_item(tx, &id)?;
            let all = postings::list_for_item(tx, &id)?;
            postings_of_part(&rows, &all, part)
        });
        let own = read.await.unwrap();
        own.iter()
            .map(|row| (row.rate_micro, row.amount_minor))
            .collect()
    }

    pub(crate) async fn item(&self) -> ItemRow {
        let id = self.item_id;
        let read = self.stage.env.store.read(move |tx| items::get(tx, &id));
        read.await.unwrap().unwrap()
    }

    pub(crate) fn name(&self) -> String {
        ItemId(self.item_id).to_string()
    }

    /// What the ERP holds of each part, by the keys that the ledger knows.
    pub(crate) async fn in_erp(&self) -> BTreeMap<Part, InErp> {
        let id = self.item_id;
        let keys = self.stage.env.store.read(move |tx| {
            let rows = charges::list_for_item(tx, &id)?;
            let mut keys = BTreeMap::new();
            for posting in postings::list_for_item(tx, &id)? {
                let part = part_of(charge_of(&rows, &posting)?)?;
                keys.insert(posting.line_key, part);
            }
            Ok(keys)
        });
        let keys: BTreeMap<String, Part> = keys.await.unwrap();
        let mut parts: BTreeMap<Part, InErp> = BTreeMap::new();
        self.stage.world.erp.with(|state| {
            for (id, line) in &state.machine.lines {
                let key = line.key.as_ref();
                let Some(part) = key.and_then(|key| keys.get(key)) else {
                    continue;
                };
                let held = parts.entry(*part).or_default();
                held.lines.push(*id);
                held.quantity_micro += line.quantity.micro();
                held.amount_minor += line.amount.amount_minor;
            }
            for line in state.machine.time_lines.values() {
                if let Some(part) = keys.get(&line.key) {
                    parts.entry(*part).or_default().cost_seconds += line.recorded_seconds;
                }
            }
        });
        parts
    }

    /// The ERP holds these parts and no other, each once, and everything ties out: what is on a
    /// document and under no key of the ledger would be a foreign line.
    pub(crate) async fn holds(&self, beside: &[Beside]) {
        let taken: i64 = beside.iter().map(|(_, seconds, _)| seconds).sum();
        let whole = (Part::WHOLE, self.recorded_seconds - taken, 1);
        let mut held = self.in_erp().await;
        for (part, seconds, times) in std::iter::once(whole).chain(beside.iter().copied()) {
            let found = held.remove(&part).unwrap_or_default();
            let rate = Micro::from_micro(self.rate.micro() * times);
            let worth = value(hours(seconds), rate, self.currency);
            let (quantity_micro, amount_minor, cost_seconds) = match part.disposition() {
                Disposition::Bill => (hours(seconds).micro(), worth.amount_minor, 0),
                Disposition::Held => (0, 0, 0),
                _ => (0, 0, seconds),
            };
            let expected = InErp {
                lines: found.lines.clone(),
                quantity_micro,
                amount_minor,
                cost_seconds,
            };
            assert_eq!(found, expected, "{part}");
        }
        for (part, left) in held {
            let sums = (left.quantity_micro, left.amount_minor, left.cost_seconds);
            assert_eq!(sums, (0, 0, 0), "{part} is not wanted");
        }
        let report = self.stage.reconcile().await;
        let differences: Vec<_> = report.differences().collect();
        assert!(differences.is_empty(), "{differences:?}");
        self.stage.world.examine().await.unwrap();
    }
}
