//! Tests of the store through its public face, one file per rule.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod copied;
#[cfg(test)]
mod equal;
#[cfg(test)]
mod exercise;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod writing;
