//! Tests of the store through its public face, one file per rule.

#[cfg(test)]
mod exercise;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tamper;
