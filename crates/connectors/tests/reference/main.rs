//! The reference pair against the twins: in process, where time is simulated, and over HTTP.

#[cfg(test)]
#[path = "../fuzzing/conversation.rs"]
mod conversation;
#[cfg(test)]
mod description;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod http;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod people;
#[cfg(test)]
mod source;
#[cfg(test)]
mod support;
#[cfg(test)]
mod target;
#[cfg(test)]
mod truth;
