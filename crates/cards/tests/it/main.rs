//! Rate cards as files.

#[cfg(test)]
mod csv;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod xlsx;
