//! The time-entry half of the source: windows, single entries, and the parser on its own.

use super::errors::{classify, of_body};
use super::map::{self, Read};
use super::wire::{self, BodyError};
use super::{Redmine, RedmineConfig};
use connector_sdk::async_trait;
use connector_sdk::call::CallError;
use connector_sdk::check::CheckLine;
use connector_sdk::manifest::Manifest;
use connector_sdk::source::{DateWindow, Fetched, Scan, TimeSource};
use connector_sdk::transport::{Effect, Method};
use domain::entry::UnreadableEntry;
use domain::exception::{Code, Problem};
use domain::masters::SourceMasters;
use jiff::civil::Date;

/// Read a whole page of `/time_entries.json`, as a fuzzer or a tool with a saved answer would.
pub fn parse_page(body: &[u8], config: &RedmineConfig) -> Result<Vec<Read>, BodyError> {
    let page = wire::page(body, "time_entries")?;
    Ok(page
        .rows
        .iter()
        .map(|raw| map::entry(raw, page.mended, config))
        .collect())
}

/// Read one answer of `/time_entries/<id>.json`.
pub fn parse_entry(body: &[u8], config: &RedmineConfig) -> Result<Read, BodyError> {
    let single = wire::single(body, "time_entry")?;
    Ok(map::entry(&single.text, single.mended, config))
}

impl Redmine {
    /// The key's own user. A wrong key fails here and nowhere later: lists answer an anonymous
    /// visitor with what the public may see, and all else would look deleted.
    pub(super) async fn own_user(&self, include: &str) -> Result<wire::User, CallError> {
        let reply = self.get(&format!("users/current.json{include}")).await?;
        let user =
            wire::single(&reply.body, "user").map_err(|error| of_body(error, Effect::Read))?;
        serde_json::from_str(&user.text).map_err(|_| of_body(BodyError::Shape, Effect::Read))
    }
}

fn outside(window: DateWindow, day: Date) -> CallError {
    CallError::Contract {
        words: format!(
            "Redmine was asked for time entries of {} to {} and gave one of {day}: it ignores the \
             filter, so that nothing it says about this window can be trusted. Report it with \
             Redmine's version",
            window.from, window.to
        ),
    }
}

#[async_trait]
impl TimeSource for Redmine {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn check(&self) -> Vec<CheckLine> {
        self.examine().await
    }

    async fn scan(&self, window: DateWindow) -> Result<Scan, CallError> {
        self.own_user("").await?;
        let path = format!(
            "time_entries.json?from={}&to={}&sort=spent_on%2Cid",
            window.from, window.to
        );
        let mut scan = Scan::default();
        for row in self.list(&path, "time_entries").await? {
            let read = map::entry(&row.text, row.mended, &self.config);
            let day = match &read {
                Ok(entry) => Some(entry.fields.work_date),
                Err(bad) => bad.work_date,
            };
            if let Some(day) = day
                && !window.holds(day)
            {
                return Err(outside(window, day));
            }
            match read {
                Ok(entry) => scan.entries.push(*entry),
                Err(bad) => scan.unreadable.push(*bad),
            }
        }
        Ok(scan)
    }

    async fn fetch(&self, source_ref: &str) -> Result<Fetched, CallError> {
        let Some(id) = map::id_text(source_ref) else {
            // No entry of Redmine ever had such an id.
            return Ok(Fetched::Gone);
        };
        let reply = self
            .exchange(Method::Get, &format!("time_entries/{id}.json"))
            .await?;
        if is_missing_record(&reply.body, reply.status) {
            return Ok(Fetched::Gone);
        }
        if reply.status == 403 {
            self.own_user("").await?;
            return Ok(Fetched::Unreadable(Box::new(out_of_sight(id))));
        }
        classify(&reply, Effect::Read, self.clock.now_us())?;
        let read =
            parse_entry(&reply.body, &self.config).map_err(|error| of_body(error, Effect::Read))?;
        let found = match &read {
            Ok(entry) => Some(entry.source_ref.clone()),
            Err(bad) => bad.source_ref.clone(),
        };
        if found.is_some_and(|found| found != id) {
            return Err(CallError::Contract {
                words: format!("Redmine was asked for time entry {id} and gave another one"),
            });
        }
        Ok(match read {
            Ok(entry) => Fetched::Present(entry),
            Err(bad) => Fetched::Unreadable(Box::new(UnreadableEntry {
                source_ref: Some(id),
                ..*bad
            })),
        })
    }

    async fn masters(&self) -> Result<SourceMasters, CallError> {
        self.own_user("").await?;
        self.source_masters().await
    }
}

/// Redmine's own 404 of a record has an empty body; an HTML page means that the address is wrong,
/// and must not make an entry look deleted.
pub(super) fn is_missing_record(body: &[u8], status: u16) -> bool {
    status == 404 && body.iter().all(u8::is_ascii_whitespace)
}

fn out_of_sight(id: String) -> UnreadableEntry {
    let facts = format!(
        "Time entry {id} exists, but Redmine does not show it: its project is archived, or the \
         connector's user has lost the permission to see its time."
    );
    UnreadableEntry {
        source_ref: Some(id),
        work_date: None,
        raw: Vec::new(),
        problem: Problem::new(Code::RecordUnreadable, facts),
    }
}
