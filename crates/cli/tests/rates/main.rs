//! Rate cards at the command line.

#[cfg(test)]
mod commands;
