//! The run: kill, act, restart; then calm, and the judgement.

use crate::asked::{Asked, Kind};
use crate::cluster::Cluster;
use crate::disk::Disk;
use crate::evidence::Evidence;
use crate::node::Node;
use crate::people::People;
use crate::systems::Systems;
use anyhow::{Context, Result, bail};
use connector_sdk::clock::{Clock, SystemClock};
use rand::rngs::SmallRng;
use rand::seq::IndexedMutRandom as _;
use rand::{Rng as _, SeedableRng};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every so many cycles the database server is killed.
const CUT_EVERY: u64 = 60;
/// Every so many cycles the disk is full for one life of a process.
const FULL_EVERY: u64 = 40;
/// A day after all work that is booked.
const TODAY: &str = "2026-11-27";
/// The most passes until a calm world is at rest.
const REST_PASSES_MAX: usize = 20;
/// The longest that one of them may take, in microseconds.
const PASS_US: i64 = 180_000_000;

/// So many lives that end by themselves, one after the other, mean that the product does not run.
const DEAD_MAX: u32 = 20;

struct Stage {
    systems: Systems,
    people: People,
    nodes: Vec<Node>,
    cluster: Option<Cluster>,
    disk: Option<Disk>,
    dice: SmallRng,
    killed_after: BTreeMap<String, u64>,
    kills: u64,
    kills_us: Vec<i64>,
    /// Lives in a row that had ended before the kill came.
    dead_already: u32,
    cuts: u64,
    full: u64,
}

/// Play it.
pub(crate) async fn play(asked: &Asked) -> Result<Evidence> {
    let started_us = SystemClock.steady_us();
    let folder = tempfile::tempdir()?;
    open_to_all(folder.path())?;
    let systems = Systems::start(asked.seed, asked.entries).await?;
    let cluster = match asked.store {
        Kind::Postgres => Some(Cluster::start(folder.path())?),
        Kind::Sqlite => None,
    };
    let mut nodes = Vec::new();
    for number in 0..asked.nodes {
        let home = folder.path().join(format!("node-{number}"));
        std::fs::create_dir_all(&home)?;
        let url = cluster.as_ref().map(Cluster::url);
        systems.configure(&home, url.as_deref())?;
        nodes.push(Node::new(number, &asked.binary, home));
    }
    let disk = match (asked.store, nodes.first()) {
        (Kind::Sqlite, Some(node)) => Disk::mount(&node.folder().join("data"))?,
        _ => None,
    };
    let people = People::of(&systems);
    let mut stage = Stage {
        systems,
        people,
        nodes,
        cluster,
        disk,
        dice: SmallRng::seed_from_u64(asked.seed),
        killed_after: BTreeMap::new(),
        kills: 0,
        kills_us: Vec::new(),
        dead_already: 0,
        cuts: 0,
        full: 0,
    };
    // The first life founds the ledger: it may be killed in the middle of that, too.
    while stage.kills < asked.cycles {
        stage.cycle(asked).await?;
        if stage.kills.is_multiple_of(50) {
            println!("{} of {} kills", stage.kills, asked.cycles);
        }
    }
    stage.end(asked, started_us).await
}

/// The database's own account has to get to its folder.
fn open_to_all(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

impl Stage {
    async fn wait_ms(&mut self, from: u64, to: u64) {
        let ms = self.dice.random_range(from..=to.max(from + 1));
        let us = i64::try_from(ms).unwrap_or(0).saturating_mul(1000);
        let clock = SystemClock;
        clock
            .sleep_until_us(clock.now_us().saturating_add(us))
            .await;
    }

    async fn cycle(&mut self, asked: &Asked) -> Result<()> {
        for _ in 0..self.dice.random_range(1..=3) {
            self.people.act(&self.systems, &mut self.dice)?;
        }
        for node in &mut self.nodes {
            node.start()?;
        }
        let is_full = self.disk.is_some() && self.kills % FULL_EVERY == FULL_EVERY - 1;
        if is_full {
            // In the middle of its life, so that it has something under way.
            self.wait_ms(50, 300).await;
            if let Some(disk) = &self.disk {
                disk.fill()?;
            }
            self.full += 1;
        }
        if self.cluster.is_some() && self.kills % CUT_EVERY == CUT_EVERY - 1 {
            self.wait_ms(50, 300).await;
            if let Some(cluster) = &mut self.cluster {
                cluster.cut()?;
            }
            self.cuts += 1;
        }
        // Some die young, most when they are at work.
        let youth_ms = if self.dice.random_range(0..5) == 0 {
            20
        } else {
            400
        };
        self.wait_ms(youth_ms, asked.life_ms_max).await;
        // Mostly one that works: the others only wait for their turn.
        let of_work = self.dice.random_range(0..5) > 0 && self.nodes.iter().any(Node::is_at_work);
        let mut nodes: Vec<&mut Node> = self.nodes.iter_mut().collect();
        nodes.retain(|node| !of_work || node.is_at_work());
        let victim = nodes.choose_mut(&mut self.dice);
        let victim = victim.context("there is a node")?;
        if let Some(step) = victim.kill()? {
            *self.killed_after.entry(step).or_default() += 1;
            self.kills += 1;
            self.kills_us.push(SystemClock.now_us());
            self.dead_already = 0;
        } else {
            self.dead_already += 1;
            if self.dead_already > DEAD_MAX {
                bail!("processes end by themselves: {:?}", victim.ended_by_itself);
            }
        }
        if let Some(disk) = &self.disk {
            disk.empty()?;
        }
        Ok(())
    }

    async fn end(mut self, asked: &Asked, started_us: i64) -> Result<Evidence> {
        for node in &mut self.nodes {
            node.kill()?;
            self.kills_us.push(SystemClock.now_us());
        }
        self.systems.calm();
        let node = self.nodes.first().context("there is a node")?;
        let mut problems = Vec::new();
        at_rest(node, &mut problems)?;
        let verified = node.run(&["audit", "verify"], PASS_US)?;
        let counters = counters(node)?;
        let mut ended_by_themselves = BTreeMap::new();
        for node in &self.nodes {
            for (words, count) in &node.ended_by_itself {
                *ended_by_themselves.entry(words.clone()).or_default() += count;
            }
            for panic in node.panics() {
                problems.push(format!("node {} panicked: {panic}", node.number));
            }
        }
        let pauses_unheard = self.systems.excuse(&self.kills_us);
        let verdict = self.systems.judge().await?;
        if verified.code != Some(0) {
            problems.push(format!("audit verify: {}{}", verified.out, verified.err));
        }
        Ok(Evidence {
            commit: asked.commit.clone(),
            day: jiff::Timestamp::from_microsecond(SystemClock.now_us())?
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date()
                .to_string(),
            store: asked.store.name(),
            nodes: self.nodes.len(),
            seed: asked.seed,
            kills: self.kills,
            killed_after: self.killed_after,
            database_cuts: self.cuts,
            disk_full: self.full,
            ended_by_themselves,
            pauses_unheard,
            booked_meanwhile: self.people.made(),
            requests: self.systems.requests(),
            seconds: (SystemClock.steady_us() - started_us) / 1_000_000,
            counters,
            audit_verified: verified.code == Some(0),
            verdict,
            problems,
        })
    }
}

/// Passes until nothing waits and nothing new happens.
fn at_rest(node: &Node, problems: &mut Vec<String>) -> Result<()> {
    let pass = ["--output", "json", "sync", "--today", TODAY];
    let mut last = String::new();
    for _ in 0..REST_PASSES_MAX {
        let said = node.run(&pass, PASS_US)?;
        if !matches!(said.code, Some(0 | 3)) {
            last = format!("{:?}: {}", said.code, said.err);
            continue;
        }
        let result: Value = serde_json::from_str(&said.out).context("the result of a pass")?;
        let quiet = [
            "left",
            "posted",
            "adopted",
            "told",
            "not_told",
            "revisions",
            "new",
        ]
        .iter()
        .all(|name| result.get(name).and_then(Value::as_u64) == Some(0));
        if quiet {
            return Ok(());
        }
        last = said.out;
    }
    problems.push(format!("no rest after {REST_PASSES_MAX} passes: {last}"));
    Ok(())
}

fn counters(node: &Node) -> Result<BTreeMap<String, i64>> {
    let said = node.run(&["--output", "json", "status"], PASS_US)?;
    if said.code != Some(0) {
        bail!("status: {}", said.err);
    }
    let status: Value = serde_json::from_str(&said.out)?;
    let counters = status.get("counters").cloned().unwrap_or_default();
    Ok(serde_json::from_value(counters)?)
}
