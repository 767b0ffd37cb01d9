//! Tests of the store through its public face, one file per rule.

mod exercise;
mod support;
mod tamper;
