//! What `export labor` hands out is what was booked, in the form that is published.

#[cfg(test)]
mod schema;
#[cfg(test)]
mod transactions;
