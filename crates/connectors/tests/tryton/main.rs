//! Tryton: scripted exchanges, parsers under arbitrary bytes, and the running system.
//!
//! The tests against the running system use the lab (`cargo xtask lab up`), named by the
//! environment variable `COUNTERFOIL_LAB_JSON`; without it they return at once. They work on
//! clones of the lab's databases, never on the databases themselves.

#[cfg(test)]
mod batch;
#[cfg(test)]
mod conformance;
#[cfg(test)]
#[path = "../fuzzing/conversation.rs"]
mod conversation;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod real_doubt;
#[cfg(test)]
mod real_drafts;
#[cfg(test)]
mod real_masters;
#[cfg(test)]
mod real_people;
#[cfg(test)]
mod real_times;
#[cfg(test)]
mod scripted;
