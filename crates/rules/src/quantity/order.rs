//! The order in which pieces of work take their shares of what is rounded, or of what is limited.

use crate::quantity::WorkTime;
use jiff::civil::Date;

/// Work date, then start (else approval), then the source's id.
///
/// What has neither start nor approval comes last of its day: nothing is known of it but its id.
/// An approval is later than the work, so that an entry without a start falls behind those that
/// have one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkOrder<'a> {
    work_date: Date,
    moment: Moment,
    source: SourceOrder<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    At(i64),
    Unknown,
}

/// Ids that are numbers come first and in the order of numbers, so that 9 is before 10; the
/// others in the order of their text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SourceOrder<'a> {
    Number {
        digits: usize,
        value: &'a str,
        text: &'a str,
    },
    Text(&'a str),
}

impl<'a> SourceOrder<'a> {
    fn of(text: &'a str) -> Self {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Self::Text(text);
        }
        let value = text.trim_start_matches('0');
        Self::Number {
            digits: value.len(),
            value,
            text,
        }
    }
}

impl<'a> WorkOrder<'a> {
    /// The place of a piece of work.
    pub fn of(work: &WorkTime<'a>) -> Self {
        Self {
            work_date: work.work_date,
            moment: work
                .started_us
                .or(work.approved_us)
                .map_or(Moment::Unknown, Moment::At),
            source: SourceOrder::of(work.source_ref),
        }
    }
}

/// The positions of pieces of work, in their order.
pub(crate) fn in_order(works: &[WorkTime<'_>]) -> Vec<usize> {
    let mut places: Vec<(WorkOrder<'_>, usize)> = works
        .iter()
        .enumerate()
        .map(|(place, work)| (WorkOrder::of(work), place))
        .collect();
    places.sort();
    places.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::SourceOrder;

    #[test]
    fn numbers_before_text_and_by_value() {
        let sorted = ["", "-1", "1x", "a"];
        let numbers = ["0", "07", "7", "9", "10", "00011"];
        let all: Vec<&str> = numbers.into_iter().chain(sorted).collect();
        for pair in all.windows(2) {
            assert!(
                SourceOrder::of(pair[0]) < SourceOrder::of(pair[1]),
                "{pair:?}"
            );
        }
    }
}
