//! Tryton: scripted exchanges, parsers under arbitrary bytes, and the running system.
//!
//! The tests against the running system use the lab (`cargo xtask lab up`), named by the
//! environment variable `COUNTERFOIL_LAB_JSON`; without it they return at once. They work on
//! clones of the lab's databases, never on the databases themselves.

mod batch;
mod lab;
mod real_drafts;
mod real_masters;
mod real_times;
