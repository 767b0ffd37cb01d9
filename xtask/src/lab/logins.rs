//! The passwords of the lab. They guard nothing: the servers answer on the loopback interface only.

pub(crate) const ADMIN: &str = "lab-admin-pw";
pub(crate) const CONNECTOR: &str = "lab-connector-pw";
