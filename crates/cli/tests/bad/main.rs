//! Bad input through the real binary: hostile servers, impossible entries, broken configurations.
//! Both systems are on loopback and inside the test; nothing else is needed.

#[cfg(test)]
mod configs;
#[cfg(test)]
mod home;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod writes;
