//! Playing a schedule to its end and judging it.

mod takeover;

use crate::acts;
use crate::bugs::Bug;
use crate::coverage::Coverage;
use crate::rng::Dice;
use crate::schedule::Schedule;
use crate::world::{Broken, World};
use pipeline::env::Env;
use pipeline::error::PassError;
use pipeline::exceptions::Choice;
use pipeline::sync::{SyncOptions, SyncResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use twins::auditor::Verdict;

/// After this, every call made before has ended.
const REST_MS: u64 = 200_000;
/// How long it takes until a lost ledger is restored.
const RESTORE_MS: u64 = 200_000;
/// The most passes until a calm world comes to rest.
const REST_PASSES_MAX: u64 = 30;

/// How a run ended.
#[derive(Debug)]
pub struct Played {
    /// The schedule.
    pub schedule: Schedule,
    /// What happened, in words.
    pub story: String,
    /// What the auditor says; nothing if the run broke off.
    pub verdict: Option<Verdict>,
    /// Why the run broke off: a panic, a ledger that fails, no rest.
    pub broke: Option<String>,
    /// What it has been through.
    pub coverage: Coverage,
}

impl Played {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.broke.is_none() && self.verdict.as_ref().is_some_and(Verdict::is_good)
    }

    /// Everything that a person needs to look into a failure.
    pub fn report(&self) -> String {
        let mut lines = vec![self.schedule.to_string()];
        lines.push(self.story.clone());
        if let Some(why) = &self.broke {
            lines.push(format!("BROKE OFF: {why}"));
        }
        if let Some(verdict) = &self.verdict {
            let text = serde_json::to_string_pretty(verdict).unwrap_or_default();
            lines.push(text);
        }
        lines.push(format!(
            "replay with: cargo xtask sim --schedules 1 --seed {} --verbose",
            self.schedule.seed
        ));
        lines.join("\n")
    }
}

/// Play a seed.
pub fn play(seed: u64) -> Played {
    play_schedule(Schedule::from_seed(seed), Bug::None)
}

/// Play a schedule with a planted bug.
pub fn play_schedule(schedule: Schedule, bug: Bug) -> Played {
    let mut played = Played {
        schedule,
        story: String::new(),
        verdict: None,
        broke: None,
        coverage: Coverage::default(),
    };
    let world = match World::new(&played.schedule, bug) {
        Ok(world) => world,
        Err(why) => {
            played.broke = Some(why);
            return played;
        }
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(&world, &played.schedule, &mut played.coverage)
    }));
    match outcome {
        Ok(Ok(verdict)) => {
            for (code, count) in &verdict.exceptions {
                played.coverage.exception(code, *count);
            }
            played.verdict = Some(verdict);
        }
        Ok(Err(why)) => played.broke = Some(why),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            played.broke = Some(format!("panic: {}", words.unwrap_or_default()));
        }
    }
    world.tell(&mut played.coverage);
    played.story = world.story.text();
    played
}

fn run(world: &World, schedule: &Schedule, coverage: &mut Coverage) -> Result<Verdict, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut player = Player {
            env: world.session()?,
            world,
            dice: Dice::new(schedule.seed ^ 0xfeed),
            coverage,
        };
        player.under_fire(schedule).await?;
        if schedule.mends {
            player.mend().await?;
        }
        player.rest().await?;
        world.examine().await?;
        world.verdict().await
    })
}

struct Player<'a> {
    env: Env,
    world: &'a World,
    dice: Dice,
    coverage: &'a mut Coverage,
}

/// Nothing new, nothing left, everybody told.
const fn quiet(result: &SyncResult) -> bool {
    let SyncResult {
        intake,
        post,
        states,
        ..
    } = result;
    intake.new_items + intake.revisions + intake.withdrawn == 0
        && post.calls + post.adopted + post.left == 0
        && states.documents_changed + states.lines_missing + states.lines_altered == 0
        && result.told + result.not_told == 0
}

/// What a pass came to, without what did not happen.
fn words(result: &SyncResult) -> String {
    let SyncResult {
        intake,
        post,
        states,
        ..
    } = result;
    let counts = [
        ("new", intake.new_items),
        ("revised", intake.revisions),
        ("withdrawn", intake.withdrawn),
        ("calls", post.calls),
        ("posted", post.posted),
        ("adopted", post.adopted),
        ("rejected", post.rejected),
        ("in doubt", post.doubts),
        ("left", post.left),
        ("documents changed", states.documents_changed),
        ("lines missing", states.lines_missing),
        ("lines altered", states.lines_altered),
        ("told", result.told),
        ("not told", result.not_told),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = counts
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if words.is_empty() {
        return "nothing to do".to_owned();
    }
    words.join(", ")
}

impl Player<'_> {
    async fn under_fire(&mut self, schedule: &Schedule) -> Result<(), Broken> {
        for pass in 0..=schedule.passes {
            self.lose_ledger(schedule, pass)?;
            let acts = schedule.acts.iter().filter(|act| act.pass == pass);
            for act in acts {
                let done = acts::perform(self.world, act.kind, act.pick);
                if done.is_some() || act.kind == acts::Kind::Replay {
                    self.coverage.act(act.kind.name());
                }
                if let Some(done) = done {
                    self.world.story.tell(format!("  person: {done}"));
                }
                if act.kind.replays() {
                    self.replay().await?;
                }
            }
            match schedule.takeovers.iter().find(|one| one.pass == pass) {
                Some(takeover) => self.taken_over(*takeover).await?,
                None => {
                    self.pass().await?;
                }
            }
        }
        Ok(())
    }

    /// Take the backup, or put it in the ledger's place.
    fn lose_ledger(&mut self, schedule: &Schedule, pass: u64) -> Result<(), Broken> {
        let Some(restore) = schedule.restore else {
            return Ok(());
        };
        if restore.taken == pass {
            self.world.story.tell("a backup is taken".to_owned());
            self.world.back_up()?;
        }
        if restore.used == pass {
            self.world.story.tell("the ledger is lost".to_owned());
            // Calls that were under way when the ledger was lost have ended when it is back.
            self.world.clock.pass_ms(RESTORE_MS);
            if self.world.restore()? {
                self.coverage.restored();
                self.world.story.tell("the backup is restored".to_owned());
                self.env = self.world.session()?;
            }
        }
        Ok(())
    }

    /// People mend what made the ERP refuse lines in the middle of a pass, and replay.
    async fn mend(&mut self) -> Result<(), Broken> {
        self.world.calm();
        for kind in [acts::Kind::LiftHolds, acts::Kind::Reopen] {
            if let Some(done) = acts::perform(self.world, kind, 0) {
                self.world.story.tell(format!("  person: {done}"));
            }
        }
        // What was sent before is executed by now, and a restored ledger has seen both systems.
        self.world.clock.pass_ms(REST_MS);
        self.pass().await?;
        self.replay().await
    }

    /// Nothing goes wrong any more: the product has to come to rest by itself.
    async fn rest(&mut self) -> Result<(), Broken> {
        self.world.calm();
        // What was sent before is executed by now.
        self.world.clock.pass_ms(REST_MS);
        for _ in 0..REST_PASSES_MAX {
            if self.pass().await?.is_some_and(|result| quiet(&result)) {
                return Ok(());
            }
        }
        Err("the product does not come to rest".to_owned())
    }

    async fn pass(&mut self) -> Result<Option<SyncResult>, Broken> {
        let wait_ms = self.dice.between(60_000, 7_200_000);
        self.world.clock.pass_ms(wait_ms);
        self.world.story.tell("a pass begins".to_owned());
        let result =
            pipeline::sync::sync(&self.env, self.world.today, SyncOptions::default()).await;
        match result {
            Ok(result) => {
                self.world
                    .story
                    .tell(format!("a pass ended: {}", words(&result)));
                Ok(Some(result))
            }
            Err(error) => {
                self.survive(&error)?;
                Ok(None)
            }
        }
    }

    async fn replay(&mut self) -> Result<(), Broken> {
        self.world
            .story
            .tell("finance replays all exceptions".to_owned());
        match pipeline::sync::replay(&self.env, &Choice::All, "finance").await {
            Ok((replayed, result)) => {
                let result = words(&result);
                self.world
                    .story
                    .tell(format!("replayed: {replayed:?}, {result}"));
                Ok(())
            }
            Err(error) => self.survive(&error),
        }
    }

    /// A pass may stop at a fault or die; a ledger that fails is a defect.
    fn survive(&mut self, error: &PassError) -> Result<(), Broken> {
        self.world.story.tell(format!("STOPPED: {error}"));
        match error {
            PassError::System { .. } => Ok(()),
            PassError::Crashed(_) => {
                let down_ms = self.dice.below(240_000);
                self.world.clock.pass_ms(down_ms);
                self.world.forget()?;
                self.world.story.tell("the process starts again".to_owned());
                self.env = self.world.session()?;
                Ok(())
            }
            // Nobody asks a simulated process to stop, and nobody else has its lease.
            PassError::Store(_)
            | PassError::Refused { .. }
            | PassError::Elsewhere { .. }
            | PassError::LeaseLost { .. }
            | PassError::Stopped => Err(error.to_string()),
        }
    }
}
