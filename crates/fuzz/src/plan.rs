//! What this run is asked for, from the variables that `cargo xtask fuzz` sets.

use std::path::PathBuf;

/// Mutations that an ordinary test run makes of a target's seeds.
const USUAL_INPUTS: u64 = 400;
const USUAL_SEED: u64 = 1;

/// How long a run lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Inputs(u64),
    Seconds(u64),
}

/// One run of one target.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) length: Length,
    pub(crate) seed: u64,
    /// Where findings are written.
    pub(crate) folder: PathBuf,
    /// The one input to judge.
    pub(crate) replay: Option<PathBuf>,
    /// Whether the input at work is kept in a file, so that it is known after an abort.
    pub(crate) keeps_current: bool,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a development tool told by its runner"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str) -> Result<Option<u64>, String> {
    variable(name)
        .map(|text| {
            text.parse()
                .map_err(|_| format!("{name} is '{text}', which is no number"))
        })
        .transpose()
}

impl Plan {
    pub(crate) fn of_variables() -> Result<Self, String> {
        let seconds = number("COUNTERFOIL_FUZZ_SECONDS")?;
        Ok(Self {
            length: seconds.map_or(Length::Inputs(USUAL_INPUTS), Length::Seconds),
            seed: number("COUNTERFOIL_FUZZ_SEED")?.unwrap_or(USUAL_SEED),
            folder: variable("COUNTERFOIL_FUZZ_DIR").map_or_else(
                || std::env::temp_dir().join("counterfoil-fuzz"),
                PathBuf::from,
            ),
            replay: variable("COUNTERFOIL_FUZZ_REPLAY").map(PathBuf::from),
            keeps_current: seconds.is_some(),
        })
    }
}
