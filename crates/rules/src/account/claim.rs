//! How much of an item may still be billed, once final credits took some of it.

use super::cut::{less, more};
use super::refusal::Refusal;
use domain::decimal::Micro;
use serde::{Deserialize, Serialize};

/// What is asked for an item, and what final credits took for good.
///
/// Hours that a final credit took do not come back when the entry is looked at again. An entry that
/// is corrected downwards afterwards loses those hours first, so that nobody is credited twice; one
/// that grows asks for the growth alone. The answer depends on the asked quantity only, not on the
/// way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The quantity asked for last.
    pub asked: Micro,
    /// What was asked for when the last final credit was made.
    pub credit_base: Micro,
    /// What final credits took of that.
    pub credited: Micro,
}

impl Claim {
    /// Whether a final credit has to be remembered.
    pub const fn has_credit(&self) -> bool {
        self.credited.micro() != 0
    }

    /// The quantity that may be billed.
    pub(super) fn live(&self) -> Result<Micro, Refusal> {
        if self.asked >= self.credit_base {
            return less(self.asked, self.credited);
        }
        Ok(self.asked.min(less(self.credit_base, self.credited)?))
    }

    /// After a final credit that leaves so much alive.
    pub(super) fn credited_down_to(self, live: Micro) -> Result<Self, Refusal> {
        Ok(Self {
            asked: self.asked,
            credit_base: self.asked,
            credited: less(self.asked, live)?,
        })
    }

    /// A credit of a quantity has to stand on something billed.
    pub(super) fn check_credit(item: &str, asked: Micro, billed: Micro) -> Result<(), Refusal> {
        if asked.is_negative() {
            return Err(Refusal::Negative {
                item: item.to_owned(),
                quantity: asked,
                rate: Micro::ZERO,
            });
        }
        if asked > billed {
            return Err(Refusal::CreditAboveBilled {
                item: item.to_owned(),
                asked,
                billed,
            });
        }
        // What is left has to be representable too.
        more(billed, asked).map(|_| ())
    }
}
