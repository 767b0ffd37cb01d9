//! What an approved hour is worth, as pure functions: resolve the names, price the work, compare
//! with what is booked. No store, no network, no clock; the same inputs give the same charge.
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

pub mod account;
pub mod card;
pub mod charge;
pub mod condition;
pub mod corrections;
pub mod diff;
pub mod documents;
pub mod engine;
pub mod estimate;
pub mod explanation;
pub mod fixed;
pub mod labor;
pub mod overtime;
pub mod part;
pub mod period_report;
pub mod posting_date;
pub mod price;
pub mod quantity;
pub mod resolve;
mod shared;
pub mod wording;

/// The version of the pricing rules. Old versions stay callable through [`price::price`], so that
/// any amount can be derived again.
pub const PRICING_VERSION: i64 = 1;
