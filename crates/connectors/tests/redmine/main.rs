//! Redmine as a source: its parser, the laws over a scripted Redmine, and a running one.

#[cfg(test)]
#[path = "../fuzzing/conversation.rs"]
mod conversation;
#[cfg(test)]
mod entry;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod parse;
#[cfg(test)]
mod real;
#[cfg(test)]
mod real_laws;
#[cfg(test)]
mod scripted;
