//! The rules against tables that finance can read, and their laws.

mod explanation;
mod golden;
mod golden_rates;
mod golden_work;
mod labor;
mod laws;
mod table;
mod world;
