//! What a scenario comes to: tables of a second program, laws, attacks.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;
