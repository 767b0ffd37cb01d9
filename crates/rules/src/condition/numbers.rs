//! How large a whole number of a condition can become, known before any work is seen.
//!
//! The language treats an overflow or a division by zero as an error that an `||` beside it can
//! swallow. So that no error is ever swallowed, none can happen: what could overflow is refused.

/// The longest time that a condition sees, in minutes.
pub(super) const MINUTES_MAX: i64 = 1_000_000;

/// From the least to the greatest a number can be; both fit an `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    low: i64,
    high: i64,
}

impl Range {
    /// From one number to another, the lesser first.
    pub(super) const fn new(low: i64, high: i64) -> Self {
        Self { low, high }
    }

    /// One number.
    pub(super) const fn just(number: i64) -> Self {
        Self::new(number, number)
    }

    /// What is one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self::new(self.low.min(other.low), self.high.max(other.high))
    }

    /// Whether both can be the same number.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    /// Whether it can be this number.
    pub(super) const fn holds(self, number: i64) -> bool {
        self.low <= number && number <= self.high
    }

    /// The range of an operation, from what it comes to at the ends; none = it could overflow.
    fn of_ends(ends: [Option<i64>; 4]) -> Option<Self> {
        let [a, b, c, d] = ends;
        let (a, b, c, d) = (a?, b?, c?, d?);
        Some(Self::new(a.min(b).min(c).min(d), a.max(b).max(c).max(d)))
    }

    fn at_ends(self, other: Self, of: fn(i64, i64) -> Option<i64>) -> Option<Self> {
        Self::of_ends([
            of(self.low, other.low),
            of(self.low, other.high),
            of(self.high, other.low),
            of(self.high, other.high),
        ])
    }

    /// The sum.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        self.at_ends(other, i64::checked_add)
    }

    /// The difference.
    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.at_ends(other, i64::checked_sub)
    }

    /// The product.
    pub(super) fn times(self, other: Self) -> Option<Self> {
        self.at_ends(other, i64::checked_mul)
    }

    /// A quotient or remainder, by a number that is never zero: no further from zero than the
    /// dividend was.
    pub(super) fn within(self) -> Option<Self> {
        let far = self.low.checked_abs()?.max(self.high.checked_abs()?);
        Some(Self::new(far.checked_neg()?, far))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {}", self.low, self.high)
        }
    }
}
