//! The real binary between a real Redmine and a real Tryton. What happened is judged by the records
//! of those two systems, never by our own database.
//!
//! Without `COUNTERFOIL_LAB_JSON` every test returns at once, but for those on the twins that the
//! binary itself serves. Each takes a Tryton database, a ledger
//! and days of 2026 of its own, so that they can run side by side on the one Redmine.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod config;
#[cfg(test)]
mod corrections;
#[cfg(test)]
mod differences;
#[cfg(test)]
mod fixed;
#[cfg(test)]
mod http;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod late_answer;
#[cfg(test)]
mod mixed_documents;
#[cfg(test)]
mod month_end;
#[cfg(test)]
mod negative;
#[cfg(test)]
mod people;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod redmine;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod retro;
#[cfg(test)]
mod switch;
#[cfg(test)]
mod tryton;
#[cfg(test)]
mod twin;
#[cfg(test)]
mod units;
#[cfg(test)]
mod world;
