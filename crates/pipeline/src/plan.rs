//! What to ask of the ERP next for one part of an item: the difference between what the ledger wants there
//! and what the ERP holds. Pure; run again after every settled posting, so that a chain of effects
//! (credit, then bill anew) needs no memory of its own.

use crate::difference::{LineDifference, difference, same_but_period};
use crate::facts::ErpRefs;
use connector_sdk::target::Shape;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::posting::PostingKind;
use domain::rounding::Rounding;
use jiff::civil::Date;

/// Which document a line belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// The shape.
    pub shape: Shape,
    /// The customer's code.
    pub bill_to: String,
    /// The currency.
    pub currency: Currency,
    /// The contract's grouping value.
    pub group_key: String,
    /// The accounting period.
    pub period: String,
}

/// The numbers of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Printed quantity.
    pub quantity: Micro,
    /// Rate.
    pub rate: Micro,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// The day of the work.
    pub work_date: Date,
    /// Recorded time, in seconds, where the line books it whatever its quantity is.
    pub booked_seconds: Option<i64>,
}

/// How a line is corrected once it was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// It is credited as a whole and billed anew.
    Whole,
    /// What is too much of it is credited where that multiplies out, for a line that several charges
    /// share. How amounts are rounded to the coin.
    InPart(Rounding),
    /// The difference is billed or credited where that multiplies out, for a line of its own. How
    /// amounts are rounded to the coin.
    Difference(Rounding),
}

/// The line that the ledger wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The charge behind it.
    pub charge_no: i64,
    /// Where it belongs.
    pub home: Home,
    /// Its numbers.
    pub numbers: Numbers,
    /// What it is about: another task is another line, whatever the numbers.
    pub refs: ErpRefs,
    /// How it is corrected once it was issued.
    pub correction: Correction,
}

/// A line of ours that the ERP holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLine {
    /// Its document.
    pub document_id: [u8; 16],
    /// The posting that gave it its present content.
    pub posting_no: i64,
    /// The charge that bills what is left of it.
    pub charge_no: i64,
    /// The key it carries.
    pub line_key: String,
    /// The ERP's id of it.
    pub erp_line_ref: String,
    /// Where it stands.
    pub home: Home,
    /// Its numbers: what is left of it after what was credited.
    pub numbers: Numbers,
    /// What it and the lines that it corrects come to together.
    pub comes_to: Numbers,
    /// What it is about.
    pub refs: ErpRefs,
    /// Whether its document can still be changed.
    pub changeable: bool,
    /// Whether its document was credited or withdrawn as a whole: nothing of it is left to undo.
    pub undone: bool,
}

impl HeldLine {
    /// Add to what it has: less than nothing of what was credited.
    pub(crate) fn add(&mut self, quantity_micro: i64, amount_minor: i64) {
        for numbers in [&mut self.numbers, &mut self.comes_to] {
            let micro = numbers.quantity.micro().saturating_add(quantity_micro);
            numbers.quantity = Micro::from_micro(micro);
            numbers.amount_minor = numbers.amount_minor.saturating_add(amount_minor);
        }
    }
}

/// A posting that has not reached the ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// Its document.
    pub document_id: [u8; 16],
    /// Its number there.
    pub posting_no: i64,
    /// What it does.
    pub kind: PostingKind,
    /// The charge it carries.
    pub charge_no: i64,
    /// The line that it is about, by document and posting; none of a new one.
    pub amends: Option<([u8; 16], i64)>,
    /// The quantity that it sends.
    pub quantity: Micro,
    /// The rate that it sends.
    pub rate: Micro,
    /// Whether its document still takes lines.
    pub takes_lines: bool,
}

/// How the part stands towards the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// The latest line the ERP holds, if any.
    pub held: Option<HeldLine>,
    /// The lines that it corrects, oldest first: all of them bill the part together.
    pub below: Vec<HeldLine>,
    /// A posting that was never sent or surely refused and could be withdrawn.
    pub unsent: Option<Unsent>,
    /// A call is under way or in doubt.
    pub in_flight: bool,
    /// Somebody changed or deleted the line in the ERP: a person decides.
    pub disturbed: bool,
}

impl View {
    /// How it stands once a step is taken that takes something back; none after any other, which is
    /// the last.
    pub fn after(&self, step: &Next) -> Option<Self> {
        let (line, taken_back) = match step {
            Next::Delete(held) => (held, held.numbers),
            Next::Credit { held, taken_back } => (held, *taken_back),
            _ => return None,
        };
        let mut lines = self.below.clone();
        lines.extend(self.held.clone());
        let at = lines.iter().position(|known| known == line)?;
        lines.get_mut(at)?.add(
            taken_back.quantity.micro().checked_neg()?,
            taken_back.amount_minor.checked_neg()?,
        );
        lines.retain(|line| line.numbers.quantity != Micro::ZERO);
        Some(Self {
            held: lines.pop(),
            below: lines,
            ..self.clone()
        })
    }
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The ERP holds what is wanted.
    Nothing,
    /// Wait until the call under way is settled, or a person decided.
    Wait,
    /// Withdraw an unsent posting first, then plan again.
    Withdraw(Unsent),
    /// A new line.
    Create,
    /// New content for a line on a draft.
    Replace {
        /// The line.
        held: HeldLine,
        /// What it is to be.
        numbers: Numbers,
    },
    /// Take a line off a draft.
    Delete(HeldLine),
    /// Mirror a line of an issued document, or what is too much of it.
    Credit {
        /// The line.
        held: HeldLine,
        /// What is taken back: all that is left of it, or a part.
        taken_back: Numbers,
    },
    /// A further line for what an issued one is to be more or less.
    Differ {
        /// The line.
        held: HeldLine,
        /// The further line.
        numbers: Numbers,
    },
}

impl Next {
    /// Whether an unsent posting does just this.
    fn is(&self, unsent: &Unsent, wanted: Option<&Wanted>) -> bool {
        let wants = wanted.is_some_and(|wanted| wanted.charge_no == unsent.charge_no);
        let of = |held: &HeldLine| unsent.amends == Some((held.document_id, held.posting_no));
        match (self, unsent.kind) {
            (Self::Create, PostingKind::CreateLine) => wants,
            (Self::Replace { held, .. }, PostingKind::ReplaceLine) => wants && of(held),
            (Self::Delete(held), PostingKind::DeleteLine) => of(held),
            (Self::Credit { held, taken_back }, PostingKind::Credit) => {
                of(held) && unsent.quantity.micro() == -taken_back.quantity.micro()
            }
            (Self::Differ { held, numbers }, PostingKind::Difference) => {
                wants
                    && of(held)
                    && (unsent.quantity, unsent.rate) == (numbers.quantity, numbers.rate)
            }
            _ => false,
        }
    }
}

/// The part of a line that several charges share that is beyond what is wanted; none if it cannot be
/// credited by itself.
pub fn part_taken_back(wanted: &Wanted, held: &HeldLine) -> Option<Numbers> {
    let Correction::InPart(rounding) = wanted.correction else {
        return None;
    };
    let (left, wants) = (&held.numbers, &wanted.numbers);
    let same_line = wanted.home == held.home && wanted.refs == held.refs && wants.rate == left.rate;
    if !same_line || wants.quantity.micro() <= 0 {
        return None;
    }
    let quantity = left.quantity.micro().checked_sub(wants.quantity.micro())?;
    let amount_minor = left.amount_minor.checked_sub(wants.amount_minor)?;
    if quantity <= 0 {
        return None;
    }
    let quantity = Micro::from_micro(quantity);
    let printed = Money::times(quantity, left.rate, held.home.currency, rounding).ok()?;
    (printed.amount_minor == amount_minor).then_some(Numbers {
        quantity,
        amount_minor,
        ..*left
    })
}

/// Plan the next step.
pub fn next_step(wanted: Option<&Wanted>, view: &View) -> Next {
    if view.in_flight {
        return Next::Wait;
    }
    if view.disturbed {
        // What was not sent yet would overwrite what somebody did: it is planned again once a
        // person has decided.
        return view.unsent.map_or(Next::Wait, Next::Withdraw);
    }
    let step = match &view.held {
        None if wanted.is_some() => Next::Create,
        None => Next::Nothing,
        Some(held) => beside(wanted, held, &view.below),
    };
    match view.unsent {
        None => step,
        Some(unsent) if unsent.takes_lines && step.is(&unsent, wanted) => Next::Nothing,
        Some(unsent) => Next::Withdraw(unsent),
    }
}

/// The next step where lines stand.
fn beside(wanted: Option<&Wanted>, held: &HeldLine, below: &[HeldLine]) -> Next {
    if wanted.is_some_and(|wanted| stands_as(wanted, held)) {
        return Next::Nothing;
    }
    let whole = |held: &HeldLine| Next::Credit {
        held: held.clone(),
        taken_back: held.numbers,
    };
    if held.undone {
        // Nothing is corrected by a difference any more: what still stands is taken back.
        let stands = below.iter().rfind(|line| !line.undone);
        return match (stands, wanted) {
            (Some(line), _) => whole(line),
            (None, Some(_)) => Next::Create,
            (None, None) => Next::Nothing,
        };
    }
    let undone = below.iter().any(|line| line.undone);
    if held.changeable {
        let numbers = wanted.filter(|wanted| wanted.home == held.home && !undone);
        let numbers = numbers.and_then(|wanted| match below.last() {
            None => Some(wanted.numbers),
            Some(corrected) => match difference(wanted, corrected) {
                Some(LineDifference::Further(numbers)) => Some(numbers),
                Some(LineDifference::InPart(_)) | None => None,
            },
        });
        return match numbers {
            Some(numbers) => Next::Replace {
                held: held.clone(),
                numbers,
            },
            None => Next::Delete(held.clone()),
        };
    }
    let by_difference = wanted.filter(|_| !undone);
    match by_difference.and_then(|wanted| difference(wanted, held)) {
        Some(LineDifference::Further(numbers)) => Next::Differ {
            held: held.clone(),
            numbers,
        },
        Some(LineDifference::InPart(taken_back)) => Next::Credit {
            held: held.clone(),
            taken_back,
        },
        None => match wanted.and_then(|wanted| part_taken_back(wanted, held)) {
            Some(taken_back) => Next::Credit {
                held: held.clone(),
                taken_back,
            },
            None => whole(held),
        },
    }
}

/// Whether the lines bill what is wanted. What was issued stays where it is although its corrections go
/// to a later period.
fn stands_as(wanted: &Wanted, held: &HeldLine) -> bool {
    let there = wanted.home == held.home
        || (matches!(wanted.correction, Correction::Difference(_))
            && !held.changeable
            && !held.undone
            && same_but_period(&wanted.home, &held.home));
    there && wanted.numbers == held.comes_to && wanted.refs == held.refs
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
