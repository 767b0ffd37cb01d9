//! What a running process says about itself.

use crate::failed::Failed;
use crate::operations::pass::PassDone;
use serde::{Deserialize, Serialize};

/// Where it is served.
pub const PATH: &str = "/v1/process";

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The version of the interface it serves.
    pub interface: u32,
    /// The version of the program.
    pub version: String,
    /// Its number in the system.
    pub pid: u32,
    /// The configuration it works with.
    pub config: String,
    /// Since when it runs (microseconds since the epoch).
    pub started_at_us: i64,
    /// What it does just now.
    pub under_way: Option<UnderWay>,
    /// How many wait for their turn.
    pub waiting: u32,
    /// When the next pass begins by itself.
    pub next_pass_us: Option<i64>,
    /// The pass that ended last.
    pub last_pass: Option<LastPass>,
}

/// What has the turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// In words.
    pub what: String,
    /// Since when.
    pub since_us: i64,
}

/// A pass that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPass {
    /// When it began.
    pub started_at_us: i64,
    /// When it ended.
    pub ended_at_us: i64,
    /// How.
    pub outcome: Outcome,
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It came to its end.
    Done(PassDone),
    /// It was stopped.
    Failed(Failed),
}
