//! Whether a line found in the ERP is the one we mean.

use crate::outcome::Settlement;
use connector_sdk::target::{FoundLine, PostLine, Shape};
use domain::exception::{Code, Problem};
use domain::posting::PostingKind;
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
use rust_decimal::Decimal;

/// Whether a line in the ERP is the one we mean: quantity, rate, amount and day agree. Booked time
/// is compared by its time alone: what the ERP makes of it is the ERP's price.
pub fn agrees(shape: Shape, line: &PostLine, found: &FoundLine) -> bool {
    if found.shape.is_some_and(|stands| stands != shape) {
        // Time that the client pays is not the cost that was meant, whatever its hours.
        return false;
    }
    let day = found.work_date.is_none_or(|day| day == line.work_date);
    match shape {
        Shape::DraftLine => {
            day && found.quantity == line.quantity
                && found.rate.is_none_or(|rate| rate == line.rate)
                && found.amount.is_none_or(|amount| amount == line.amount)
        }
        Shape::Timesheet | Shape::Cost => {
            let hundredth = |hours: Decimal| Rounding::HalfUp.to_digits(hours, 2);
            let recorded = hours_printed(line.recorded_seconds, 6, Rounding::HalfUp);
            day && recorded.is_some_and(|hours| {
                hundredth(hours.decimal()) == hundredth(found.quantity.decimal())
            })
        }
    }
}

pub(crate) fn other_content(line: &PostLine, found: &FoundLine) -> Problem {
    let amount = found
        .amount
        .map_or_else(|| "no amount".to_owned(), |amount| amount.to_string());
    let sign = line.unit.sign();
    Problem::new(
        Code::KeyHeldByOtherContent,
        format!(
            "line {} of the ERP carries the key with {} {sign} and {amount}, ours has {} {sign} and {}",
            found.line_ref, found.quantity, line.quantity, line.amount
        ),
    )
}

/// What a look-up says about one line; `None` if only absence could have decided.
pub(crate) fn judge_found(
    shape: Shape,
    kind: PostingKind,
    line: &PostLine,
    found: Option<&FoundLine>,
) -> Option<Settlement> {
    let posted = |found: &FoundLine| Settlement::Posted {
        line_ref: found.line_ref.clone(),
    };
    match (kind, found) {
        (kind, Some(found)) if kind.makes_line() => Some(if agrees(shape, line, found) {
            posted(found)
        } else {
            Settlement::Rejected(other_content(line, found))
        }),
        (PostingKind::ReplaceLine, Some(found)) if agrees(shape, line, found) => {
            Some(posted(found))
        }
        (PostingKind::DeleteLine | PostingKind::Void, None) => Some(Settlement::Posted {
            line_ref: line.erp_line_ref.clone().unwrap_or_default(),
        }),
        _ => None,
    }
}
