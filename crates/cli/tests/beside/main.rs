//! Commands beside a running process: the real binary against twins on loopback. What was billed is
//! judged by what the twin of the ERP holds.

#[cfg(test)]
mod ends;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod world;
#[cfg(test)]
mod writes;
