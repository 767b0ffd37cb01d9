//! The words of a line, as the client or the ERP's people read them.

use crate::env::Terms;
use crate::facts::{ChargeFacts, Sharing};
use crate::shared::line_charge;
use connector_sdk::target::Shape;
use domain::posting::PostingKind;
use domain::quantity::Unit;
use rules::account::ask::Outcome;
use rules::charge::ChargeContent;
use rules::documents::shared_line;
use store::charges::ChargeRow;

/// The longest usual text of a line, in characters. What a contract says itself is longer at times.
const USUAL_CHARS_MAX: usize = 240;

/// The text of a line. On an invoice it is in the contract's words, or names day, person and task; on
/// booked time the ERP has those in fields of their own. `narrative` is what the person wrote.
pub(crate) fn description(
    terms: &Terms,
    shape: Shape,
    charge: &ChargeRow,
    facts: &ChargeFacts,
    (kind, narrative): (PostingKind, &str),
) -> String {
    if let Some(Sharing::Line(line)) = &facts.sharing {
        let in_part = kind == PostingKind::Credit && charge.reverses.is_none();
        let text = line.credit_text.as_ref().filter(|_| in_part);
        return text.unwrap_or(&line.text).clone();
    }
    let narrative = narrative.trim();
    match shape {
        Shape::DraftLine if facts.content.part.outcome == Outcome::LineAllowance => {
            one_line(&format!("Limit reached: {}", usual(facts, narrative)))
        }
        Shape::DraftLine if facts.content.unit == Unit::Piece => {
            // What was agreed needs no day and no person.
            one_line(narrative)
        }
        Shape::DraftLine => in_words_of_the_contract(terms, facts, narrative)
            .unwrap_or_else(|| usual(facts, narrative)),
        Shape::Timesheet | Shape::Cost => one_line(narrative),
    }
}

fn usual(facts: &ChargeFacts, narrative: &str) -> String {
    let (day, codes) = (facts.content.work_date, &facts.codes);
    let start = format!("{day} {}, {}", codes.worker_name, codes.task_name);
    if narrative.is_empty() {
        one_line(&start)
    } else {
        one_line(&format!("{start}: {narrative}"))
    }
}

/// What the contract says for its lines; none if it says nothing, or its template fails on what
/// people wrote (it was tried out when it was read).
fn in_words_of_the_contract(terms: &Terms, facts: &ChargeFacts, narrative: &str) -> Option<String> {
    let mut contracts = terms.reference.contracts.iter();
    let contract = contracts.find(|contract| contract.id == facts.content.contract)?;
    contract.lines.text.as_ref()?;
    let charge = line_charge("", facts, narrative);
    let (currency, rounding) = (facts.content.currency(), contract.amount_rounding);
    let line = shared_line(&[charge], &contract.lines, currency, rounding);
    line.ok().flatten().map(|line| line.text)
}

/// The text of a line that is the difference to an issued one: that of the line as it is billed `now`,
/// and what it corrects; none where the difference is taken back.
pub(crate) fn difference_to(
    text: &str,
    number: Option<&str>,
    now: Option<&ChargeContent>,
) -> String {
    let corrects = number.map_or_else(String::new, |number| format!(" to {number}"));
    let said = match now {
        Some(ChargeContent {
            quantity,
            rate,
            amount,
            ..
        }) => format!(" (difference{corrects}: now {quantity} x {rate} = {amount})"),
        None => format!(" (difference{corrects} taken back)"),
    };
    let room = USUAL_CHARS_MAX.saturating_sub(said.chars().count());
    let start: String = text.chars().take(room).collect();
    format!("{start}{said}")
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(USUAL_CHARS_MAX)
        .collect()
}
