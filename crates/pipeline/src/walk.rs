//! What a lost ledger did with one part of an item, read off the lines that it left in the ERP.

use crate::env::Terms;
use connector_sdk::target::{FoundLine, Shape};
use domain::ids::ItemId;
use domain::posting::{DocumentState, PostingKeyParts, PostingKind, posting_key};
use rules::part::Part;

/// For what a key was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) item_id: [u8; 16],
    pub(crate) effect: i64,
    pub(crate) kind: PostingKind,
    pub(crate) part: Part,
}

/// The kinds of effects that put a line under a key of its own.
pub(crate) const MAKES_KEY: [PostingKind; 3] = [
    PostingKind::CreateLine,
    PostingKind::Credit,
    PostingKind::Difference,
];

impl Origin {
    /// The key that this effect of this item has, whichever ledger of the same id plans it.
    pub(crate) fn key(self, terms: &Terms) -> String {
        posting_key(&PostingKeyParts {
            ledger: &terms.settings.ledger,
            flow: &terms.settings.flow,
            target_identity: &terms.target_identity,
            item: ItemId(self.item_id),
            effect: self.effect,
            kind: self.kind,
            part: self.part.code(),
        })
    }
}

/// A line that the ledger does not know.
#[derive(Debug, Clone)]
pub(crate) struct Unknown {
    pub(crate) origin: Origin,
    pub(crate) shape: Shape,
    pub(crate) found: FoundLine,
}

impl Unknown {
    pub(crate) fn undone(&self) -> bool {
        let state = self.found.document_state;
        matches!(state, DocumentState::Credited | DocumentState::Void)
    }
}

/// What the lines of one part come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    /// The line that stands, by its place in the list; none if nothing of them does.
    pub(crate) live: Option<usize>,
    /// The credit of the line that the ledger knows.
    pub(crate) credits_held: Option<usize>,
    /// Whether the line that the ledger knows still stands.
    pub(crate) held: bool,
}

#[derive(Clone, Copy)]
enum Stands {
    Nothing,
    Held,
    Line(usize),
}

fn negates(credit: &FoundLine, line: &FoundLine) -> bool {
    let amounts = match (credit.amount, line.amount) {
        (Some(credit), Some(line)) => {
            credit.currency == line.currency
                && credit.amount_minor == line.amount_minor.saturating_neg()
        }
        (None, None) => true,
        _ => false,
    };
    amounts && credit.quantity.micro() == line.quantity.micro().saturating_neg()
}

/// Follow the lost ledger through lines that are in the order of their effects. It never put a
/// second line beside one that stood, and never credited but what stood: lines that tell anything
/// else were touched by people, or are not all there, and prove nothing. Neither do differences: what
/// they were differences to cannot be read off them.
pub(crate) fn walk(held: Option<&FoundLine>, lines: &[Unknown]) -> Option<Walk> {
    let mut stands = held.map_or(Stands::Nothing, |_| Stands::Held);
    let mut credits_held = None;
    for (at, line) in lines.iter().enumerate() {
        stands = match (line.origin.kind, stands) {
            (PostingKind::Credit, Stands::Held) if negates(&line.found, held?) => {
                credits_held = Some(at);
                Stands::Nothing
            }
            (PostingKind::Credit, Stands::Line(of))
                if negates(&line.found, &lines.get(of)?.found) =>
            {
                Stands::Nothing
            }
            (PostingKind::CreateLine, Stands::Nothing) => Stands::Line(at),
            (PostingKind::CreateLine, Stands::Line(of)) if lines.get(of)?.undone() => {
                Stands::Line(at)
            }
            _ => return None,
        };
    }
    Some(Walk {
        live: match stands {
            Stands::Line(at) => Some(at),
            Stands::Nothing | Stands::Held => None,
        },
        credits_held,
        held: matches!(stands, Stands::Held),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(hours: &str, minor: i64, state: DocumentState) -> FoundLine {
        FoundLine {
            line_key: "K".into(),
            shape: Some(Shape::DraftLine),
            line_ref: "7".into(),
            document_ref: Some("1".into()),
            document_state: state,
            document_number: None,
            quantity: hours.parse().unwrap(),
            rate: None,
            amount: Some(domain::money::Money {
                amount_minor: minor,
                currency: "EUR".parse().unwrap(),
            }),
            work_date: None,
        }
    }

    fn line(kind: PostingKind, hours: &str, minor: i64) -> Unknown {
        Unknown {
            origin: Origin {
                item_id: [1; 16],
                effect: 2,
                kind,
                part: Part::WHOLE,
            },
            shape: Shape::DraftLine,
            found: found(hours, minor, DocumentState::Issued),
        }
    }

    fn create(hours: &str, minor: i64) -> Unknown {
        line(PostingKind::CreateLine, hours, minor)
    }

    fn credit(hours: &str, minor: i64) -> Unknown {
        line(PostingKind::Credit, hours, minor)
    }

    fn seen(
        held: Option<&FoundLine>,
        lines: &[Unknown],
    ) -> Option<(Option<usize>, Option<usize>, bool)> {
        walk(held, lines).map(|walk| (walk.live, walk.credits_held, walk.held))
    }

    #[test]
    fn credits_and_lines_of_the_lost_ledger_are_followed_in_order() {
        let held = found("1", 100, DocumentState::Issued);
        assert_eq!(seen(Some(&held), &[]), Some((None, None, true)));
        let credited = [credit("-1", -100)];
        assert_eq!(seen(Some(&held), &credited), Some((None, Some(0), false)));
        let anew = [credit("-1", -100), create("2", 200)];
        assert_eq!(seen(Some(&held), &anew), Some((Some(1), Some(0), false)));
        let and_back = [
            credit("-1", -100),
            create("2", 200),
            credit("-2", -200),
            create("1", 100),
        ];
        assert_eq!(
            seen(Some(&held), &and_back),
            Some((Some(3), Some(0), false))
        );
        let pair = [create("2", 200), credit("-2", -200)];
        assert_eq!(seen(None, &pair), Some((None, None, false)));
    }

    #[test]
    fn lines_that_no_ledger_of_ours_would_have_written_prove_nothing() {
        let held = found("1", 100, DocumentState::Issued);
        // A second line beside one that stands.
        assert_eq!(seen(Some(&held), &[create("2", 200)]), None);
        assert_eq!(seen(None, &[create("1", 100), create("1", 100)]), None);
        // A credit of something else, twice, or of nothing.
        assert_eq!(seen(Some(&held), &[credit("-1", -99)]), None);
        assert_eq!(seen(Some(&held), &[credit("-2", -100)]), None);
        let twice = [credit("-1", -100), credit("-1", -100)];
        assert_eq!(seen(Some(&held), &twice), None);
        assert_eq!(seen(None, &[credit("-1", -100)]), None);
    }

    #[test]
    fn a_line_whose_invoice_people_credited_gives_way_to_the_next() {
        let mut undone = create("1", 100);
        undone.found.document_state = DocumentState::Credited;
        let lines = [undone, create("2", 200)];
        assert_eq!(seen(None, &lines), Some((Some(1), None, false)));
    }
}
