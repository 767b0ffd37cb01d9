//! The tracker's API, as `docs/reference-api/tracker.openapi.json` describes it.

use super::state::{Entry, Project, Task, Tracker};
use crate::page::{Cut, Quirk, page};
use crate::wire::{WireReply, WireRequest, no_such_address, problem, reply};
use domain::time::instant_text;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn answer(
    tracker: &mut Tracker,
    request: &WireRequest,
    now_us: i64,
    quirk: Quirk,
) -> WireReply {
    let segments = request.segments();
    let parts: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["tracker"]) => reply(
            200,
            &json!({
                "id": tracker.id,
                "name": tracker.name,
                "api_version": "1",
                "page_size_max": tracker.page_size_max,
                "may_write_billing": true,
                "may_write_masters": true,
            }),
        ),
        ("GET", ["entries"]) => entries(tracker, request, quirk),
        ("GET", ["entries", id]) => found(tracker, id).map_or_else(
            || problem(404, "ENTRY_NOT_FOUND", "there is no entry with this id"),
            |(number, entry)| reply(200, &entry_json(number, entry)),
        ),
        ("PUT", ["entries", id, "billing"]) => billing(tracker, id, request, now_us),
        ("GET", [collection]) => masters(tracker, collection, request, quirk),
        ("PUT", ["projects", "by-code", code]) => put_project(tracker, code, request),
        ("PUT", ["tasks", "by-code", project, code]) => put_task(tracker, project, code, request),
        _ => no_such_address(),
    }
}

fn found<'a>(tracker: &'a Tracker, id: &str) -> Option<(u64, &'a Entry)> {
    let number: u64 = id.parse().ok()?;
    tracker.entries.get(&number).map(|entry| (number, entry))
}

pub(super) fn entry_json(id: u64, entry: &Entry) -> Value {
    json!({
        "id": id.to_string(),
        "user_id": entry.user_id,
        "project_id": entry.project_id,
        "task_id": entry.task_id,
        "activity_id": entry.activity_id,
        "date": entry.date,
        "hours": entry.hours,
        "narrative": entry.narrative,
        "approved": entry.approved_by.is_some(),
        "approved_by": entry.approved_by,
        "approved_at": entry.approved_at_us.map(instant_text),
        "billable": entry.billable,
        "billing_status": entry.billing_status,
        "erp_reference": entry.erp_reference,
        "updated_at": instant_text(entry.updated_at_us),
    })
}

fn entries(tracker: &Tracker, request: &WireRequest, quirk: Quirk) -> WireReply {
    let (Some(from), Some(to)) = (request.param("from"), request.param("to")) else {
        return problem(400, "MALFORMED", "from and to are needed");
    };
    let mut inside: Vec<(&str, u64, &Entry)> = tracker
        .entries
        .iter()
        .filter(|(_, entry)| from <= entry.date.as_str() && entry.date.as_str() <= to)
        .map(|(id, entry)| (entry.date.as_str(), *id, entry))
        .collect();
    inside.sort_unstable_by_key(|(date, id, _)| (*date, *id));
    let cut = Cut {
        size_max: tracker.page_size_max,
        snapshot: &format!("v{}", tracker.version),
        quirk,
    };
    let render = |row: &(&str, u64, &Entry)| entry_json(row.1, row.2);
    page(request, &inside, render, &cut)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Billing {
    status: String,
    reference: String,
}

fn billing(tracker: &mut Tracker, id: &str, request: &WireRequest, now_us: i64) -> WireReply {
    let Some((number, _)) = found(tracker, id) else {
        return problem(404, "ENTRY_NOT_FOUND", "there is no entry with this id");
    };
    let wanted: Billing = match request.json() {
        Ok(wanted) => wanted,
        Err(reply) => return reply,
    };
    let Some(entry) = tracker.entries.get_mut(&number) else {
        return problem(404, "ENTRY_NOT_FOUND", "there is no entry with this id");
    };
    let before = entry.clone();
    entry.billing_status = Some(wanted.status);
    entry.erp_reference = Some(wanted.reference);
    entry.updated_at_us = now_us;
    let after = entry.clone();
    let answer = reply(200, &entry_json(number, &after));
    tracker.record(now_us, number, "billing", Some(before), Some(after));
    answer
}

fn project_json(id: &str, project: &Project) -> Value {
    json!({
        "id": id,
        "name": project.name,
        "erp_code": project.erp_code,
        "closed": project.closed,
    })
}

fn task_json(id: &str, task: &Task) -> Value {
    json!({
        "id": id,
        "project_id": task.project_id,
        "name": task.name,
        "erp_code": task.erp_code,
        "closed": task.closed,
    })
}

fn masters(tracker: &Tracker, collection: &str, request: &WireRequest, quirk: Quirk) -> WireReply {
    let rows: Vec<Value> = match collection {
        "projects" => tracker
            .projects
            .iter()
            .map(|(id, project)| project_json(id, project))
            .collect(),
        "tasks" => tracker
            .tasks
            .iter()
            .map(|(id, task)| task_json(id, task))
            .collect(),
        "users" => tracker
            .users
            .iter()
            .map(|(id, user)| {
                json!({
                    "id": id,
                    "name": user.name,
                    "employee_code": user.employee_code,
                    "active": user.active,
                })
            })
            .collect(),
        "activities" => tracker
            .activities
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name}))
            .collect(),
        _ => return no_such_address(),
    };
    let cut = Cut {
        size_max: tracker.page_size_max,
        snapshot: "masters",
        quirk,
    };
    page(request, &rows, Value::clone, &cut)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    name: String,
    closed: bool,
}

fn put_project(tracker: &mut Tracker, code: &str, request: &WireRequest) -> WireReply {
    let offered: Offered = match request.json() {
        Ok(offered) => offered,
        Err(reply) => return reply,
    };
    let known = tracker
        .projects
        .iter()
        .find(|(_, project)| project.erp_code.as_deref() == Some(code))
        .map(|(id, _)| id.clone());
    let (status, id) = match known {
        Some(id) => (200, id),
        None => (201, format!("p-{code}")),
    };
    let project = Project {
        name: offered.name,
        erp_code: Some(code.to_owned()),
        closed: offered.closed,
    };
    let answer = reply(status, &project_json(&id, &project));
    tracker.projects.insert(id, project);
    answer
}

fn put_task(
    tracker: &mut Tracker,
    project_code: &str,
    code: &str,
    request: &WireRequest,
) -> WireReply {
    let offered: Offered = match request.json() {
        Ok(offered) => offered,
        Err(reply) => return reply,
    };
    let Some(project_id) = tracker
        .projects
        .iter()
        .find(|(_, project)| project.erp_code.as_deref() == Some(project_code))
        .map(|(id, _)| id.clone())
    else {
        return problem(404, "PROJECT_NOT_FOUND", "no project carries this code");
    };
    let known = tracker
        .tasks
        .iter()
        .find(|(_, task)| task.project_id == project_id && task.erp_code.as_deref() == Some(code))
        .map(|(id, _)| id.clone());
    let (status, id) = match known {
        Some(id) => (200, id),
        None => (201, format!("t-{project_code}-{code}")),
    };
    let task = Task {
        project_id,
        name: offered.name,
        erp_code: Some(code.to_owned()),
        closed: offered.closed,
    };
    let answer = reply(status, &task_json(&id, &task));
    tracker.tasks.insert(id, task);
    answer
}
