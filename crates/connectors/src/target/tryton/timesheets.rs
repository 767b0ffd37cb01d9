//! Booked time: project time that Tryton prices and invoices itself, or that is cost and never
//! invoiced. Which of the two is decided by the project's invoice method in Tryton.

use super::booked::{changeable, done};
use super::drafts::one_line;
use super::errors::Fault;
use super::json::Json;
use super::states::parse_ref;
use super::wire::{date, duration};
use super::{KeyPlace, Tryton};
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, LineOutcome, PostBatch, PostLine};
use domain::exception::{Code, Problem};

/// How often a call is made again after a key of it was found taken.
const ROUNDS_MAX: usize = 4;

/// Time cannot be negative, and it has no document of ours.
pub(super) fn not_for_time(batch: &PostBatch) -> Vec<LineOutcome> {
    let facts = "booked time is corrected by replacing or deleting it; once Tryton has invoiced \
                 it, credit the invoice in Tryton";
    let refused = |_: &PostLine| LineOutcome::Refused(Problem::new(Code::ErpRejected, facts));
    batch.lines.iter().map(refused).collect()
}

impl Tryton {
    /// The values of an entry, or what is wrong with it.
    fn time_values(&self, line: &PostLine) -> Result<Vec<(String, Json)>, Problem> {
        let id = |text: Option<&String>, code: Code, what: &str| {
            text.and_then(|text| parse_ref(text))
                .ok_or_else(|| Problem::new(code, format!("the {what} has no id of Tryton")))
        };
        let employee = id(line.worker_ref.as_ref(), Code::WorkerUnmapped, "worker")?;
        let work = id(line.task_ref.as_ref(), Code::TaskUnmapped, "task")?;
        if line.recorded_seconds <= 0 {
            let facts = format!("{} seconds of work", line.recorded_seconds);
            return Err(Problem::new(Code::HoursInvalid, facts));
        }
        let text = one_line(&line.description);
        let description = match self.config.uniqueness {
            KeyPlace::Module => text,
            KeyPlace::LookUp if text.is_empty() => format!("[{}]", line.line_key),
            KeyPlace::LookUp => format!("{text} [{}]", line.line_key),
        };
        let mut values: Vec<(String, Json)> = [
            ("employee", Json::int(employee)),
            ("work", Json::int(work)),
            ("date", date(line.work_date)),
            ("duration", duration(line.recorded_seconds)),
            ("description", Json::text(description)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if self.config.uniqueness == KeyPlace::Module {
            values.push(("external_key".to_owned(), Json::text(&line.line_key)));
        }
        Ok(values)
    }

    /// New entries: one list, one transaction.
    pub(super) async fn create_times(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let facts = self.facts().await?;
        let mut outcomes: Vec<Option<LineOutcome>> = Vec::new();
        let mut values = Vec::new();
        for line in &batch.lines {
            let prepared = self.time_values(line);
            outcomes.push(prepared.as_ref().err().cloned().map(LineOutcome::Refused));
            values.push(prepared.unwrap_or_default());
        }
        for round in 0..ROUNDS_MAX {
            if round > 0 || self.config.uniqueness == KeyPlace::LookUp {
                self.settle_booked(batch, &mut outcomes).await?;
            }
            let open: Vec<usize> = (0..outcomes.len())
                .filter(|index| outcomes.get(*index).is_some_and(Option::is_none))
                .collect();
            if open.is_empty() {
                return Ok(outcomes.into_iter().flatten().collect());
            }
            let records = open
                .iter()
                .filter_map(|index| values.get(*index))
                .map(|members| {
                    let mut members = members.clone();
                    members.push(("company".to_owned(), Json::int(facts.company)));
                    Json::Object(members)
                })
                .collect();
            let method = "model.timesheet.line.create";
            let params = vec![Json::List(records)];
            match self.rpc.write(call, method, params, &facts.context()).await {
                Ok(created) => {
                    let ids: Option<Vec<i64>> = created
                        .items()
                        .and_then(|items| items.iter().map(Json::as_int).collect())
                        .filter(|ids: &Vec<i64>| ids.len() == open.len());
                    let Some(ids) = ids else {
                        return Err(CallError::Ambiguous {
                            words: "the created entries' ids are missing from the answer"
                                .to_owned(),
                        });
                    };
                    for (index, id) in open.iter().zip(ids) {
                        if let Some(slot) = outcomes.get_mut(*index) {
                            let line_ref = id.to_string();
                            *slot = Some(LineOutcome::Done {
                                line_ref,
                                document_ref: None,
                            });
                        }
                    }
                    return Ok(outcomes.into_iter().flatten().collect());
                }
                Err(Fault::KeyTaken { .. }) => {}
                Err(fault) => return Err(fault.into_call_error()),
            }
        }
        Err(CallError::NotExecuted {
            words: "keys of the call were taken by others again and again".to_owned(),
            retry_after_ms: Some(5000),
        })
    }

    async fn settle_booked(
        &self,
        batch: &PostBatch,
        outcomes: &mut [Option<LineOutcome>],
    ) -> Result<(), CallError> {
        let keys: Vec<String> = batch
            .lines
            .iter()
            .zip(outcomes.iter())
            .filter(|(_, outcome)| outcome.is_none())
            .map(|(line, _)| line.line_key.clone())
            .collect();
        let mut found = self.booked(&keys).await?;
        for (line, outcome) in batch.lines.iter().zip(outcomes.iter_mut()) {
            if outcome.is_none() {
                let there = found.remove(&line.line_key);
                *outcome = there.map(|booked| LineOutcome::AlreadyThere(Box::new(booked.found)));
            }
        }
        Ok(())
    }

    /// New content for entries that are not invoiced.
    pub(super) async fn replace_times(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let found = self.booked_of(batch).await?;
        let mut params = Vec::new();
        let mut outcomes = Vec::new();
        for line in &batch.lines {
            let change = self.time_values(line).and_then(|values| {
                let booked = changeable(line, &found)?.ok_or_else(|| {
                    Problem::new(Code::LineMissing, "the entry to replace is not in Tryton")
                })?;
                Ok((booked, values))
            });
            outcomes.push(match change {
                Ok((booked, values)) => {
                    params.push(Json::ints(&[booked.id]));
                    params.push(Json::Object(values));
                    done(booked)
                }
                Err(problem) => LineOutcome::Refused(problem),
            });
        }
        if !params.is_empty() {
            self.change_times(call, "model.timesheet.line.write", params)
                .await?;
        }
        Ok(outcomes)
    }

    /// Entries taken out. One that is not there is deleted.
    pub(super) async fn delete_times(
        &self,
        call: &Call,
        batch: &PostBatch,
    ) -> Result<Vec<LineOutcome>, CallError> {
        let found = self.booked_of(batch).await?;
        let mut ids = Vec::new();
        let mut outcomes = Vec::new();
        for line in &batch.lines {
            outcomes.push(match changeable(line, &found) {
                Ok(Some(booked)) => {
                    ids.push(booked.id);
                    done(booked)
                }
                Ok(None) => LineOutcome::Done {
                    line_ref: line.erp_line_ref.clone().unwrap_or_default(),
                    document_ref: None,
                },
                Err(problem) => LineOutcome::Refused(problem),
            });
        }
        if !ids.is_empty() {
            let params = vec![Json::ints(&ids)];
            self.change_times(call, "model.timesheet.line.delete", params)
                .await?;
        }
        Ok(outcomes)
    }

    /// The server itself refuses to change what it has invoiced, whoever was faster.
    async fn change_times(
        &self,
        call: &Call,
        method: &str,
        params: Vec<Json>,
    ) -> Result<(), CallError> {
        let context = self.facts().await?.context();
        self.rpc
            .write(call, method, params, &context)
            .await
            .map_err(Fault::into_call_error)?;
        Ok(())
    }
}
