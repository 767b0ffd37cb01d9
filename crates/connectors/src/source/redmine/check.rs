//! The doctor of a connection: looks at everything that real work will need and changes nothing.

use super::Redmine;
use super::check_fields::{definition_lines, seen_lines};
use super::check_roles::permission_lines;
use super::config::WorkerCode;
use super::errors::{classify, of_body};
use super::wire::{self, BodyError, FieldDefinition, Role, User};
use connector_sdk::call::CallError;
use connector_sdk::check::{CheckLine, Verdict};
use connector_sdk::transport::{Effect, Method, Reply};
use std::collections::BTreeMap;

/// A difference between the clocks that is worth a line, in seconds.
const SKEW_WARNING_S: i64 = 60;
pub(super) fn bad(subject: &str, found: impl Into<String>, hint: impl Into<String>) -> CheckLine {
    CheckLine::with_hint(Verdict::Bad, subject, found, hint)
}

pub(super) fn warning(
    subject: &str,
    found: impl Into<String>,
    hint: impl Into<String>,
) -> CheckLine {
    CheckLine::with_hint(Verdict::Warning, subject, found, hint)
}

impl Redmine {
    pub(super) async fn examine(&self) -> Vec<CheckLine> {
        let mut lines = Vec::new();
        if let Some(line) = self.encryption() {
            lines.push(line);
        }
        let path = "users/current.json?include=memberships";
        let reply = match self.exchange(Method::Get, path).await {
            Ok(reply) => reply,
            Err(error) => {
                let hint = "Check base_url, the network and whether Redmine runs.";
                lines.push(bad("connection", error.to_string(), hint));
                return lines;
            }
        };
        let user = match self.signed_in(&reply) {
            Ok(user) => user,
            Err(line) => {
                lines.push(line);
                return lines;
            }
        };
        let login = user.login.clone().unwrap_or_default();
        let found = format!("Redmine answers; the key belongs to user '{login}'.");
        lines.push(CheckLine::good("connection", found));
        lines.push(self.clocks(&reply));
        lines.extend(self.permissions(&user).await);
        lines.extend(self.entries_and_fields().await);
        if self.config.worker_code == WorkerCode::Mail && !user.admin {
            lines.push(warning(
                "worker codes",
                "Mail addresses are only shown to administrators, or where a user does not hide it.",
                "Use login or a custom field for worker_code, or name the workers in the crosswalk.",
            ));
        }
        lines
    }

    fn encryption(&self) -> Option<CheckLine> {
        let host = self.base_url.strip_prefix("http://")?;
        let local = ["127.", "localhost", "[::1]"];
        if local.iter().any(|start| host.starts_with(start)) {
            return None;
        }
        Some(warning(
            "encryption",
            "base_url begins with http://, so the API key and all time travel unencrypted.",
            "Use https:// if Redmine offers it.",
        ))
    }

    fn signed_in(&self, reply: &Reply) -> Result<User, CheckLine> {
        if reply.status == 403 {
            return Err(bad(
                "REST web service",
                "Redmine forbids every call, as it does when its REST web service is off.",
                "Switch on 'Enable REST web service' in Administration, Settings, API.",
            ));
        }
        let user = classify(reply, Effect::Read, self.clock.now_us()).and_then(|()| {
            wire::single(&reply.body, "user")
                .and_then(|user| serde_json::from_str(&user.text).map_err(|_| BodyError::Shape))
                .map_err(|error| of_body(error, Effect::Read))
        });
        user.map_err(|error| {
            let (subject, hint) = match error {
                CallError::Unauthorized { .. } => (
                    "API key",
                    "Copy the key from 'My account' of the connector's user into the secret.",
                ),
                CallError::NotExecuted { .. }
                | CallError::Throttled { .. }
                | CallError::Ambiguous { .. } => (
                    "connection",
                    "Wait and run check again; Redmine's log says more.",
                ),
                CallError::Refused { .. } | CallError::Contract { .. } => (
                    "address",
                    "Set base_url to Redmine's start page and check its version (5.0 or later).",
                ),
            };
            bad(subject, error.to_string(), hint)
        })
    }

    fn clocks(&self, reply: &Reply) -> CheckLine {
        let date = reply
            .header("date")
            .and_then(|value| jiff::fmt::rfc2822::parse(value).ok());
        let Some(date) = date else {
            let found = "Redmine's server does not tell its time, so clocks were not compared.";
            return CheckLine::good("clock", found);
        };
        let ours = self.clock.now_us() / 1_000_000;
        let skew_s = date.timestamp().as_second().saturating_sub(ours);
        if skew_s.abs() < SKEW_WARNING_S {
            return CheckLine::good("clock", "Both clocks agree.");
        }
        warning(
            "clock",
            format!("Redmine's clock is {skew_s} seconds ahead of ours."),
            "Let both machines set their clocks by a time server (NTP).",
        )
    }

    async fn permissions(&self, user: &User) -> Vec<CheckLine> {
        if user.admin {
            return vec![CheckLine::good(
                "permissions",
                "The key belongs to an administrator: everything is allowed.",
            )];
        }
        let mut roles: BTreeMap<u64, Role> = BTreeMap::new();
        for role in user.memberships.iter().flat_map(|m| &m.roles) {
            if roles.contains_key(&role.id) {
                continue;
            }
            match self.role(role.id).await {
                Ok(found) => {
                    roles.insert(role.id, found);
                }
                Err(error) => {
                    return vec![warning(
                        "permissions",
                        format!("The roles could not be read: {error}"),
                        "Compare the role of the connector's user with the documentation.",
                    )];
                }
            }
        }
        permission_lines(&user.memberships, &roles)
    }

    async fn role(&self, id: u64) -> Result<Role, CallError> {
        let reply = self.get(&format!("roles/{id}.json")).await?;
        wire::single(&reply.body, "role")
            .and_then(|role| serde_json::from_str(&role.text).map_err(|_| BodyError::Shape))
            .map_err(|error| of_body(error, Effect::Read))
    }

    async fn entries_and_fields(&self) -> Vec<CheckLine> {
        let mut lines = Vec::new();
        let sample = async |path: &str, list: &str| -> Result<wire::Page, CallError> {
            let reply = self.get(&format!("{path}limit=1&offset=0")).await?;
            wire::page(&reply.body, list).map_err(|error| of_body(error, Effect::Read))
        };
        let entries = match sample("time_entries.json?", "time_entries").await {
            Ok(page) => page,
            Err(error) => {
                let hint = "Give the connector's role 'View spent time' in the projects to bill.";
                lines.push(bad("time entries", error.to_string(), hint));
                return lines;
            }
        };
        lines.push(if entries.total == 0 {
            warning(
                "time entries",
                "The connector's user sees no time entry at all.",
                "Make it a member of the projects to bill, with a role that sees all spent time.",
            )
        } else {
            let found = format!("{} time entries can be seen.", entries.total);
            CheckLine::good("time entries", found)
        });
        match self.definitions().await {
            Ok(Some(definitions)) => lines.extend(definition_lines(&self.config, &definitions)),
            Ok(None) => {
                let projects = sample("projects.json?", "projects").await;
                let issues = sample("issues.json?status_id=*&", "issues").await;
                let rows = |page: Result<wire::Page, CallError>| page.map_or(vec![], |p| p.rows);
                lines.extend(seen_lines(
                    &self.config,
                    &entries.rows,
                    &rows(projects),
                    &rows(issues),
                ));
            }
            Err(error) => lines.push(bad(
                "custom fields",
                error.to_string(),
                "Run check again; Redmine's log says more.",
            )),
        }
        lines
    }

    /// The definitions of custom fields; `None` where only an administrator may read them.
    pub(super) async fn definitions(&self) -> Result<Option<Vec<FieldDefinition>>, CallError> {
        let reply = self.exchange(Method::Get, "custom_fields.json").await?;
        if reply.status == 403 {
            return Ok(None);
        }
        classify(&reply, Effect::Read, self.clock.now_us())?;
        wire::whole(&reply.body, "custom_fields")
            .map(Some)
            .map_err(|error| of_body(error, Effect::Read))
    }
}
