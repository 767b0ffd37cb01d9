//! What an operation says while it works and at its end: one JSON value a line.

use crate::failed::Failed;
use pipeline::env::Note;
use serde::{Deserialize, Serialize};

/// The media type of a stream of messages.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// A stage began, with the number of its steps if that is known.
    Stage {
        /// What is done in it.
        words: String,
        /// How many steps it has.
        steps: Option<u64>,
    },
    /// So many steps of the stage are done.
    Step(u64),
    /// A sentence.
    Says(String),
}

impl From<Note> for Heard {
    fn from(note: Note) -> Self {
        match note {
            Note::Stage(words, steps) => Self::Stage {
                words: words.to_owned(),
                steps,
            },
            Note::Step(done) => Self::Step(done),
            Note::Says(words) => Self::Says(words),
        }
    }
}

/// A line. The last one is `done` or `failed`; a stream without it broke off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message<A> {
    /// How far it is.
    Progress(Heard),
    /// The answer.
    Done(A),
    /// It could not be carried out.
    Failed(Failed),
}
