//! Playing a schedule to its end and judging it.

use crate::acts;
use crate::bugs::Bug;
use crate::coverage::Coverage;
use crate::rng::Dice;
use crate::schedule::Schedule;
use crate::world::{Broken, World};
use connector_sdk::clock::Clock;
use pipeline::env::Env;
use pipeline::error::PassError;
use pipeline::exceptions::Choice;
use pipeline::sync::{SyncOptions, SyncResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use twins::auditor::Verdict;

/// The most passes until a calm world comes to rest.
const REST_PASSES_MAX: u64 = 30;

/// How a run ended.
#[derive(Debug)]
pub struct Played {
    /// The schedule.
    pub schedule: Schedule,
    /// What happened, in words.
    pub log: Vec<String>,
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
        lines.extend(self.log.iter().cloned());
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
        log: Vec::new(),
        verdict: None,
        broke: None,
        coverage: Coverage::default(),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut played, bug)));
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
    played
}

fn run(played: &mut Played, bug: Bug) -> Result<Verdict, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| error.to_string())?;
    let world = World::new(&played.schedule, bug)?;
    let ended = runtime.block_on(async {
        let mut player = Player {
            env: world.session()?,
            world: &world,
            dice: Dice::new(played.schedule.seed ^ 0xfeed),
            log: &mut played.log,
            coverage: &mut played.coverage,
        };
        player.under_fire(&played.schedule).await?;
        player.rest().await?;
        world.verdict().await
    });
    world.tell(&mut played.coverage);
    ended
}

struct Player<'a> {
    env: Env,
    world: &'a World,
    dice: Dice,
    log: &'a mut Vec<String>,
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

impl Player<'_> {
    async fn under_fire(&mut self, schedule: &Schedule) -> Result<(), Broken> {
        for pass in 0..=schedule.passes {
            for act in schedule.acts.iter().filter(|act| act.pass == pass) {
                let done = acts::perform(self.world, act.kind, act.pick);
                if let Some(done) = done {
                    self.coverage.act(act.kind.name());
                    self.log.push(format!("  {done}"));
                }
                if act.kind.replays() {
                    self.replay().await?;
                }
            }
            self.pass().await?;
        }
        Ok(())
    }

    /// Nothing goes wrong any more: the product has to come to rest by itself.
    async fn rest(&mut self) -> Result<(), Broken> {
        self.world.calm();
        // What was sent before is executed by now.
        self.world.clock.pass_ms(200_000);
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
        let result =
            pipeline::sync::sync(&self.env, self.world.today, SyncOptions::default()).await;
        let at_s = self.world.clock.now_us() / 1_000_000;
        match result {
            Ok(result) => {
                self.log.push(format!(
                    "pass until {at_s}: {:?} {:?} {:?} told {}/{}",
                    result.intake, result.post, result.states, result.told, result.not_told
                ));
                Ok(Some(result))
            }
            Err(error) => {
                self.survive(&error)?;
                Ok(None)
            }
        }
    }

    async fn replay(&mut self) -> Result<(), Broken> {
        match pipeline::sync::replay(&self.env, &Choice::All, "finance").await {
            Ok((replayed, result)) => {
                self.log
                    .push(format!("  replay: {replayed:?} {:?}", result.post));
                Ok(())
            }
            Err(error) => self.survive(&error),
        }
    }

    /// A pass may stop at a fault or die; a ledger that fails is a defect.
    fn survive(&mut self, error: &PassError) -> Result<(), Broken> {
        self.log.push(format!("  stopped: {error}"));
        match error {
            PassError::System { .. } => Ok(()),
            PassError::Crashed(_) => {
                let down_ms = self.dice.below(240_000);
                self.world.clock.pass_ms(down_ms);
                self.env = self.world.session()?;
                Ok(())
            }
            // Nobody asks a simulated process to stop.
            PassError::Store(_) | PassError::Refused { .. } | PassError::Stopped => {
                Err(error.to_string())
            }
        }
    }
}
