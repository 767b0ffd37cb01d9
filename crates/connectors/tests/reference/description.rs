//! The published description agrees with what is spoken: every request that the connectors send
//! and every reply of the twins is held against `docs/reference-api`, and every described
//! operation occurs.

use crate::support::{Bench, batch, call, line, token};
use connector_sdk::async_trait;
use connector_sdk::source::{DateWindow, Feedback, MasterWriter, TimeSource, WriteBack};
use connector_sdk::target::{LineOutcome, Shape, Target};
use connector_sdk::transport::{Reply, Request, Transport, TransportError};
use counterfoil_connectors::source::reference::{ReferenceTracker, ReferenceTrackerConfig};
use counterfoil_connectors::target::reference::{KeyMode, ReferenceErp, ReferenceErpConfig};
use domain::posting::PostingKind;
use domain::status::BillingStatus;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use twins::erp::ErpAct;
use twins::frame::Machine as _;

const TRACKER: &str = include_str!("../../../../docs/reference-api/tracker.openapi.json");
const ERP: &str = include_str!("../../../../docs/reference-api/erp.openapi.json");

/// A transport that holds every exchange against a description.
struct Witness {
    inner: Arc<dyn Transport>,
    description: Value,
    seen: Mutex<BTreeSet<String>>,
}

impl Witness {
    fn new(inner: Arc<dyn Transport>, text: &str) -> Arc<Self> {
        Arc::new(Self {
            inner,
            description: serde_json::from_str(text).unwrap(),
            seen: Mutex::default(),
        })
    }

    fn all_operations(&self) -> BTreeSet<String> {
        let paths = self.description["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .keys()
                    .map(move |method| format!("{method} {path}"))
            })
            .collect()
    }

    /// The described path that an address means; fixed parts win over parameters.
    fn template(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('/').collect();
        self.description["paths"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|template| {
                let wanted: Vec<&str> = template.split('/').collect();
                wanted.len() == parts.len()
                    && wanted
                        .iter()
                        .zip(&parts)
                        .all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
            })
            .min_by_key(|template| template.matches('{').count())
            .unwrap_or_else(|| panic!("{path} is not described"))
            .clone()
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self
                .description
                .pointer(name.strip_prefix('#').unwrap())
                .unwrap_or_else(|| panic!("{name} is missing")),
            None => schema,
        }
    }

    /// Names, kinds and listed values; every field has a meaning in words.
    fn agrees(&self, schema: &Value, value: &Value, place: &str) {
        let schema = self.resolved(schema);
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().map(|k| k.as_str().unwrap()).collect(),
            other => panic!("{place}: no type but {other}"),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert!(kinds.contains(&kind), "{place} is {value}, not {kinds:?}");
        if let Some(listed) = schema["enum"].as_array() {
            assert!(listed.contains(value), "{place} is {value}");
        }
        match value {
            Value::Object(fields) => self.object_agrees(schema, fields, place),
            Value::Array(items) => {
                for item in items {
                    self.agrees(&schema["items"], item, &format!("{place}[]"));
                }
            }
            _ => {}
        }
    }

    fn object_agrees(&self, schema: &Value, fields: &Map<String, Value>, place: &str) {
        let described = schema["properties"].as_object().unwrap();
        for name in schema["required"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert!(fields.contains_key(name), "{place}.{name} is missing");
        }
        for (name, value) in fields {
            let schema = described
                .get(name)
                .unwrap_or_else(|| panic!("{place}.{name} is not described"));
            let says = self.resolved(schema)["description"].as_str();
            assert!(says.is_some_and(|says| says.len() > 3), "{place}.{name}");
            self.agrees(schema, value, &format!("{place}.{name}"));
        }
    }

    fn holds(&self, request: &Request, reply: &Reply) {
        let rest = request.url.split_once("://").unwrap().1;
        let address = &rest[rest.find('/').unwrap()..];
        let path = address.split('?').next().unwrap();
        let template = self.template(path);
        let method = request.method.name().to_lowercase();
        let operation = &self.description["paths"][&template][&method];
        assert!(
            operation.is_object(),
            "{method} {template} is not described"
        );
        let name = format!("{method} {template}");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema.is_null(), request.body.is_empty(), "{name}");
        if !request.body.is_empty() {
            let body = serde_json::from_slice(&request.body).unwrap();
            self.agrees(schema, &body, &format!("{name} request"));
        }
        let status = reply.status.to_string();
        let class = format!("{}XX", &status[..1]);
        let responses = operation["responses"].as_object().unwrap();
        let response = responses
            .get(&status)
            .or_else(|| responses.get(&class))
            .unwrap_or_else(|| panic!("{name} answers {status}, which is not described"));
        let content = response["content"].as_object().unwrap();
        let kind = reply.header("content-type").unwrap();
        let body = serde_json::from_slice(&reply.body).unwrap();
        self.agrees(&content[kind]["schema"], &body, &format!("{name} {status}"));
        self.seen.lock().unwrap().insert(name);
    }
}

#[async_trait]
impl Transport for Witness {
    async fn send(&self, request: Request) -> Result<Reply, TransportError> {
        let reply = self.inner.send(request.clone()).await?;
        self.holds(&request, &reply);
        Ok(reply)
    }
}

#[tokio::test]
async fn the_tracker_is_as_described() {
    let bench = Bench::new();
    let witness = Witness::new(bench.transport.clone(), TRACKER);
    let config = ReferenceTrackerConfig::at("http://tracker.twin");
    let tracker =
        ReferenceTracker::new(config, &token(), witness.clone(), bench.clock.clone()).unwrap();
    tracker.check().await;
    let window = DateWindow {
        from: jiff::civil::date(2026, 10, 1),
        to: jiff::civil::date(2026, 10, 31),
    };
    tracker.scan(window).await.unwrap();
    for id in ["1", "99"] {
        tracker.fetch(id).await.unwrap();
        for status in BillingStatus::ALL {
            let update = WriteBack {
                source_ref: id.to_owned(),
                status,
                reference: "R".to_owned(),
            };
            tracker.write_back(&update).await.unwrap();
        }
    }
    tracker.scan(window).await.unwrap();
    tracker.masters().await.unwrap();
    let mut masters = bench.erp().masters().await.unwrap();
    let mut more = masters.projects["BRIDGE"].clone();
    more.code = "TUNNEL".to_owned();
    masters.projects.insert(more.code.clone(), more);
    tracker.publish(&masters, false).await.unwrap();
    masters.projects.get_mut("TUNNEL").unwrap().active = false;
    tracker.publish(&masters, false).await.unwrap();
    let bench = Bench {
        transport: witness.clone(),
        ..bench
    };
    bench
        .ask_with_token("http://tracker.twin/v1/activities")
        .await;
    bench
        .ask_with_token("http://tracker.twin/v1/entries?from=1")
        .await;
    bench.tracker_twin.with(|state| state.plan.throttled = 1000);
    bench.ask_with_token("http://tracker.twin/v1/users").await;
    bench.tracker_twin.with(|state| {
        state.plan.throttled = 0;
        state.plan.unavailable = 1000;
    });
    bench.ask_with_token("http://tracker.twin/v1/users").await;
    bench
        .tracker_twin
        .with(|state| state.token = Some("other".to_owned()));
    bench.ask_with_token("http://tracker.twin/v1/users").await;
    assert_eq!(*witness.seen.lock().unwrap(), witness.all_operations());
}

#[tokio::test]
async fn the_erp_is_as_described() {
    let bench = Bench::new();
    let witness = Witness::new(bench.transport.clone(), ERP);
    let config = ReferenceErpConfig::at("http://erp.twin", KeyMode::UniqueKey);
    let erp = ReferenceErp::new(config, &token(), witness.clone(), bench.clock.clone()).unwrap();
    erp.check().await;
    erp.masters().await.unwrap();
    for shape in Shape::ALL {
        let [one, two] = [1, 2].map(|number| format!("{}{number}", shape.name()));
        let mut create = batch(PostingKind::CreateLine, vec![line(&one), line(&two)]);
        create.document.shape = shape;
        let made = erp.post(&call(), &create).await.unwrap();
        let again = erp.post(&call(), &create).await.unwrap();
        assert!(matches!(again[0], LineOutcome::AlreadyThere(_)));
        let mut change = create.clone();
        change.kind = PostingKind::ReplaceLine;
        for (line, outcome) in change.lines.iter_mut().zip(&made) {
            let LineOutcome::Done { line_ref, .. } = outcome else {
                panic!("{outcome:?}");
            };
            line.erp_line_ref = Some(line_ref.clone());
        }
        erp.post(&call(), &change).await.unwrap();
        change.kind = PostingKind::DeleteLine;
        change.lines.truncate(1);
        erp.post(&call(), &change).await.unwrap();
        assert!(erp.post(&call(), &change).await.is_ok());
        change.kind = PostingKind::ReplaceLine;
        assert!(erp.post(&call(), &change).await.is_err());
        erp.look_up(shape, &[one, two]).await.unwrap();
        erp.look_up_document(shape, "DOC1").await.unwrap();
    }
    bench.erp_twin.with(|state| {
        let act = ErpAct::InvoiceTime {
            project: "BRIDGE".to_owned(),
            document_date: jiff::civil::date(2026, 10, 31),
        };
        state.machine.act(&act, 1).unwrap();
        state.machine.act(&ErpAct::IssueAll, 2).unwrap();
    });
    for shape in Shape::ALL {
        let key = format!("{}2", shape.name());
        erp.look_up(shape, &[key]).await.unwrap();
    }
    let issued = erp
        .look_up(Shape::DraftLine, &["draft_line2".to_owned()])
        .await
        .unwrap();
    let mut credit = batch(PostingKind::Credit, vec![line("C1")]);
    credit.document.document_key = "DOC2".to_owned();
    credit.lines[0].erp_line_ref = Some(issued[0].line_ref.clone());
    credit.lines[0].quantity = "-1.33".parse().unwrap();
    credit.lines[0].amount.amount_minor = -24_887;
    let made = erp.post(&call(), &credit).await.unwrap();
    let LineOutcome::Done { document_ref, .. } = &made[0] else {
        panic!("{made:?}");
    };
    credit.kind = PostingKind::Void;
    credit.document.erp_ref.clone_from(document_ref);
    erp.post(&call(), &credit).await.unwrap();
    let refs: Vec<String> = (1..20).map(|id| id.to_string()).collect();
    erp.document_states(Shape::DraftLine, &refs).await.unwrap();
    bench
        .erp_twin
        .with(|state| state.machine.settings.batch_lines_max = 1);
    let large = batch(PostingKind::CreateLine, vec![line("L1"), line("L2")]);
    assert!(erp.post(&call(), &large).await.is_err());
    let bench = Bench {
        transport: witness.clone(),
        ..bench
    };
    bench.erp_twin.with(|state| state.plan.unavailable = 1000);
    bench.ask_with_token("http://erp.twin/v1/company").await;
    assert_eq!(*witness.seen.lock().unwrap(), witness.all_operations());
}
