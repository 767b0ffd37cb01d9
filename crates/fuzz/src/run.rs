//! One run of one target: seeds, mutations, the judge, and the way from a finding to a small one.

use std::collections::HashSet;
use std::fmt::Debug;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::CANARY;
use crate::corpus::{self, Current, fnv};
use crate::finding::Finding;
use crate::mutate::mutated;
use crate::panics::caught;
use crate::plan::{Length, Plan};
use crate::watch::{Watch, now};

/// The longest text that a parser may say about an input, in characters.
const TOLD_CHARS_MAX: usize = 2_000;
/// Inputs that are kept as seeds of a run.
const POOL_MAX: usize = 3_000;
/// Kept inputs are shorter than this, or they would slow the whole run.
const KEPT_BYTES_MAX: usize = 8 * 1024;
const SHRINK_SECONDS_MAX: u64 = 10;

/// What a parser made of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The result, whole; it has to be the same when asked twice.
    pub result: String,
    /// The kind of result in few words; a new one makes the input a seed.
    pub kind: String,
    /// What a person would be shown.
    pub told: String,
}

impl Seen {
    /// The parser refused, with a text that people see.
    pub fn refused(error: &impl ToString) -> Self {
        let told = error.to_string();
        Self {
            result: told.clone(),
            kind: kind_of(&told),
            told,
        }
    }

    /// The parser read something; `kind` is what sort of thing.
    pub fn read(kind: impl Into<String>, value: &impl Debug) -> Self {
        Self {
            result: format!("{value:?}"),
            kind: kind.into(),
            told: String::new(),
        }
    }

    /// A result or an error in one.
    pub fn of<T: Debug, E: ToString>(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::read("read", &value),
            Err(error) => Self::refused(&error),
        }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            result: self.result + "\n" + &other.result,
            kind: self.kind + "+" + &other.kind,
            told: self.told + "\n" + &other.told,
        }
    }
}

/// A message without what it repeats of the input: quoted parts and numbers.
fn kind_of(told: &str) -> String {
    let outside = told.split(['\'', '"', '`']).step_by(2);
    let letters = outside.flat_map(|part| part.chars().filter(|c| !c.is_ascii_digit()));
    letters.take(120).collect()
}

/// A target: its name, its seeds, and what it demands.
pub struct Fuzz {
    target: &'static str,
    folder: PathBuf,
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    keeps_secret: bool,
    shares: u64,
}

impl Fuzz {
    /// A target. `manifest_dir` is `env!("CARGO_MANIFEST_DIR")`: files in `fuzz/<target>` beside
    /// the manifest are seeds, and so is what was found and mended.
    pub fn new(target: &'static str, manifest_dir: &str) -> Self {
        Self {
            target,
            folder: Path::new(manifest_dir).join("fuzz").join(target),
            seeds: Vec::new(),
            words: Vec::new(),
            keeps_secret: false,
            shares: 1,
        }
    }

    /// One more seed.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Vec<u8>>) -> Self {
        self.seeds.push(seed.into());
        self
    }

    /// More seeds.
    #[must_use]
    pub fn seeds<T: AsRef<[u8]>>(mut self, seeds: impl IntoIterator<Item = T>) -> Self {
        let seeds = seeds.into_iter().map(|seed| seed.as_ref().to_vec());
        self.seeds.extend(seeds);
        self
    }

    /// Words of the format, to be put in other places.
    #[must_use]
    pub fn words<T: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_vec());
        self.words.extend(words);
        self
    }

    /// What the parser says never holds [`CANARY`].
    #[must_use]
    pub fn keeps_secret(mut self) -> Self {
        self.keeps_secret = true;
        self
    }

    /// Each input costs as much as so many of others: fewer in an ordinary test run.
    #[must_use]
    pub fn costly(mut self, shares: u64) -> Self {
        self.shares = shares.max(1);
        self
    }

    /// Run it. `Err` of the parser's closure is a broken law.
    pub fn run(self, parser: impl Fn(&[u8]) -> Result<Seen, String>) -> Result<(), Finding> {
        let set_up = |what: String| Finding::of_set_up(self.target, what);
        let plan = Plan::of_variables().map_err(set_up)?;
        if let Some(file) = &plan.replay {
            let input = std::fs::read(file)
                .map_err(|error| set_up(format!("{} cannot be read: {error}", file.display())))?;
            return self.judge_watched(&plan, &parser, &input);
        }
        let found = corpus::read_folder(&self.folder).map_err(|error| {
            set_up(format!("{} cannot be read: {error}", self.folder.display()))
        })?;
        let mut pool = self.seeds.clone();
        pool.extend(found);
        if pool.is_empty() {
            return Err(set_up("it has no seeds".to_owned()));
        }
        self.play(&plan, &parser, pool)
    }

    fn judge_watched(
        &self,
        plan: &Plan,
        parser: &impl Fn(&[u8]) -> Result<Seen, String>,
        input: &[u8],
    ) -> Result<(), Finding> {
        let watch = Watch::start(self.target, plan.folder.clone());
        watch.begins(input);
        let outcome = self.judge(parser, input);
        watch.ended();
        outcome.map(|_| ()).map_err(|what| Finding {
            target: self.target,
            what,
            input: input.to_vec(),
            file: plan.replay.clone(),
        })
    }

    fn play(
        &self,
        plan: &Plan,
        parser: &impl Fn(&[u8]) -> Result<Seen, String>,
        mut pool: Vec<Vec<u8>>,
    ) -> Result<(), Finding> {
        let unwritable = |error: std::io::Error| {
            let what = format!("{} cannot be written: {error}", plan.folder.display());
            Finding::of_set_up(self.target, what)
        };
        let mut current = if plan.keeps_current {
            Some(Current::open(&plan.folder, self.target).map_err(unwritable)?)
        } else {
            None
        };
        let mut rng = SmallRng::seed_from_u64(plan.seed ^ fnv(self.target.as_bytes()));
        let watch = Watch::start(self.target, plan.folder.clone());
        let start = now();
        let mut kinds = HashSet::new();
        let seeds = pool.len();
        let mut inputs: u64 = 0;
        loop {
            let number = usize::try_from(inputs).unwrap_or(usize::MAX);
            let input = match pool.get(number).filter(|_| number < seeds) {
                Some(seed) => seed.clone(),
                None => self.next(&pool, &mut rng),
            };
            if number >= seeds && self.is_over(plan, inputs, start.elapsed()) {
                break;
            }
            if let Some(current) = &mut current {
                current.put(&input).map_err(unwritable)?;
            }
            watch.begins(&input);
            let outcome = self.judge(parser, &input);
            watch.ended();
            inputs += 1;
            match outcome {
                Ok(seen) => {
                    if kinds.insert(fnv(seen.kind.as_bytes()))
                        && number >= seeds
                        && pool.len() < POOL_MAX
                        && input.len() < KEPT_BYTES_MAX
                    {
                        pool.push(input);
                    }
                }
                Err(what) => {
                    let finding = self.shrunk(plan, parser, input, what);
                    drop(watch);
                    if let Some(current) = current {
                        current.remove().map_err(unwritable)?;
                    }
                    return Err(finding);
                }
            }
        }
        if let Some(current) = current {
            current.remove().map_err(unwritable)?;
            let _closed = writeln!(
                std::io::stdout(),
                "fuzz {}: {inputs} inputs, {} kinds of answers, seed {}",
                self.target,
                kinds.len(),
                plan.seed
            );
        }
        Ok(())
    }

    fn next(&self, pool: &[Vec<u8>], rng: &mut SmallRng) -> Vec<u8> {
        let none = Vec::new();
        let seed = pool.choose(rng).unwrap_or(&none);
        let other = pool.choose(rng).unwrap_or(&none);
        // Now and then bytes that come from nowhere.
        if rng.random_bool(0.01) {
            let length = rng.random_range(0..64);
            return (0..length).map(|_| rng.random()).collect();
        }
        mutated(seed, other, &self.words, rng)
    }

    fn is_over(&self, plan: &Plan, inputs: u64, elapsed: Duration) -> bool {
        match plan.length {
            Length::Inputs(count) => inputs >= count / self.shares,
            Length::Seconds(seconds) => elapsed >= Duration::from_secs(seconds),
        }
    }

    fn judge(
        &self,
        parser: &impl Fn(&[u8]) -> Result<Seen, String>,
        input: &[u8],
    ) -> Result<Seen, String> {
        let ask = || caught(|| parser(input)).map_err(|said| format!("panicked: {said}"));
        let seen = ask()??;
        let again = ask()??;
        if seen != again {
            return Err("answered otherwise when asked twice".to_owned());
        }
        if seen.told.chars().nth(TOLD_CHARS_MAX).is_some() {
            return Err(format!(
                "said more than {TOLD_CHARS_MAX} characters about an input"
            ));
        }
        if self.keeps_secret && seen.told.contains(CANARY) {
            return Err("showed what may be a secret".to_owned());
        }
        Ok(seen)
    }

    /// Cut away what the finding does not need, for a while.
    fn shrunk(
        &self,
        plan: &Plan,
        parser: &impl Fn(&[u8]) -> Result<Seen, String>,
        mut input: Vec<u8>,
        mut what: String,
    ) -> Finding {
        let start = now();
        let mut step = (input.len() / 2).max(1);
        loop {
            let mut at = 0;
            let mut smaller = false;
            while at < input.len() && start.elapsed() < Duration::from_secs(SHRINK_SECONDS_MAX) {
                let mut shorter = input.clone();
                shorter.drain(at..(at + step).min(input.len()));
                match self.judge(parser, &shorter) {
                    Err(said) => {
                        (input, what, smaller) = (shorter, said, true);
                    }
                    Ok(_) => at += step,
                }
            }
            if start.elapsed() >= Duration::from_secs(SHRINK_SECONDS_MAX) || step == 1 && !smaller {
                break;
            }
            step = (step / 2).max(1);
        }
        Finding {
            file: corpus::keep(&plan.folder, self.target, &input).ok(),
            target: self.target,
            what,
            input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fuzz() -> Fuzz {
        Fuzz::new("of_the_judge", env!("CARGO_MANIFEST_DIR")).seeds(["{\"hours\": 1.5}"])
    }

    #[test]
    fn a_parser_that_behaves_passes() {
        fuzz()
            .run(|bytes| Ok(Seen::read("bytes", &bytes.len())))
            .unwrap();
    }

    #[test]
    fn a_panic_is_found_and_made_small() {
        let finding = fuzz()
            .run(|bytes| {
                assert!(!bytes.contains(&b'9'), "no nines");
                Ok(Seen::read("bytes", &()))
            })
            .unwrap_err();
        assert!(finding.what.contains("no nines"), "{finding:?}");
        assert_eq!(finding.input, b"9");
        let file = finding.file.unwrap();
        assert_eq!(std::fs::read(file).unwrap(), b"9");
    }

    #[test]
    fn a_shown_secret_a_whole_body_and_a_changing_answer_are_found() {
        let told = |bytes: &[u8]| Seen::refused(&String::from_utf8_lossy(bytes).into_owned());
        let short = |bytes: &[u8]| told(bytes.get(..500).unwrap_or(bytes));
        let secret = fuzz().keeps_secret().run(|bytes| Ok(short(bytes)));
        let secret = secret.unwrap_err();
        assert!(secret.what.contains("secret"), "{secret:?}");
        let body = fuzz().run(|bytes| Ok(told(bytes)));
        let body = body.unwrap_err();
        assert!(body.what.contains("characters"), "{body:?}");
        let times = std::cell::Cell::new(0);
        let changing = fuzz().run(|_| {
            times.set(times.get() + 1);
            Ok(Seen::read("count", &times.get()))
        });
        assert!(changing.unwrap_err().what.contains("twice"));
    }
}
