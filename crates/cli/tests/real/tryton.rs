//! A Tryton database of a test's own: its records, and a person who works in it.

use crate::http;
use crate::lab::Lab;
use data_encoding::BASE64;
use domain::decimal::Micro;
use serde_json::{Value, json};
use std::time::Duration;

/// With our module that holds keys unique, or without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    LookUp,
}

impl Kind {
    /// The word of the configuration.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::LookUp => "look_up",
        }
    }
}

/// A database.
pub(crate) struct Tryton {
    lab: Lab,
    /// Its name.
    pub(crate) name: String,
    session: String,
    user: i64,
}

/// An invoice line as Tryton has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) invoice: i64,
    pub(crate) description: String,
    pub(crate) quantity: Micro,
    pub(crate) rate: Micro,
    pub(crate) amount: Micro,
}

/// An invoice as Tryton has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoice {
    pub(crate) id: i64,
    pub(crate) state: String,
    pub(crate) number: String,
    pub(crate) currency: String,
    pub(crate) untaxed: Micro,
    pub(crate) label: String,
}

/// Booked time as Tryton has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) id: i64,
    pub(crate) description: String,
    pub(crate) seconds: i64,
    pub(crate) work: i64,
    pub(crate) invoiced: bool,
}

/// A decimal of Tryton, or the float it uses for quantities.
pub(crate) fn decimal(value: &Value) -> Micro {
    match value["decimal"].as_str() {
        Some(text) => text.parse().expect("a decimal"),
        None if value.is_null() => Micro::default(),
        None => value.to_string().parse().expect("a number"),
    }
}

impl Tryton {
    /// A fresh, seeded database.
    pub(crate) fn fresh(lab: &Lab, name: &str, kind: Kind) -> Self {
        let mut words = vec![name];
        if kind == Kind::LookUp {
            words.push("--plain");
        }
        lab.run("/clone_tryton_command", &words)
            .unwrap_or_else(|error| panic!("clone: {error}"));
        let mut tryton = Self {
            lab: lab.clone(),
            name: name.to_owned(),
            session: String::new(),
            user: 0,
        };
        let login = lab.text("/tryton/logins/admin/login").to_owned();
        let password = lab.text("/tryton/logins/admin/password").to_owned();
        let answer = tryton.raw(
            "common.db.login",
            &json!([login, {"password": password}, "en"]),
        );
        let session = answer["result"].as_array().expect("a session").clone();
        let token = session[1].as_str().expect("a token");
        let words = format!("{login}:{}:{token}", session[0]);
        tryton.user = session[0].as_i64().expect("a user");
        tryton.session = format!("Session {}", BASE64.encode(words.as_bytes()));
        tryton
    }

    fn raw(&self, method: &str, params: &Value) -> Value {
        let url = format!("{}/{}/rpc/", self.lab.text("/tryton/url"), self.name);
        let body = json!({"id": 1, "method": method, "params": params}).to_string();
        let mut headers = Vec::new();
        if !self.session.is_empty() {
            headers.push(("Authorization", self.session.as_str()));
        }
        for _ in 0..50 {
            let (status, text) = http::send("POST", &url, &headers, &body);
            // Two people at one number sequence: the second presses the button again.
            if status != 503 {
                return serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{method}: {status} {error} {text}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("Tryton stays busy");
    }

    fn context(&self) -> Value {
        json!({"company": self.lab.id("/tryton/seed/company/id"), "language": "en"})
    }

    /// A call as a person's screen makes it; its whole answer.
    pub(crate) fn tries(&self, method: &str, mut params: Vec<Value>) -> Value {
        params.push(self.context());
        self.raw(&format!("model.{method}"), &Value::Array(params))
    }

    /// The same, where it has to succeed.
    pub(crate) fn does(&self, method: &str, params: Vec<Value>) -> Value {
        let answer = self.tries(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn rows(&self, model: &str, domain: Value, fields: &[&str]) -> Vec<Value> {
        let found = self.does(
            &format!("{model}.search_read"),
            vec![
                domain,
                json!(0),
                Value::Null,
                json!([["id", "ASC"]]),
                json!(fields),
            ],
        );
        found.as_array().expect("a list").clone()
    }

    /// Every invoice line, in order of ids.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let fields = ["invoice", "description", "quantity", "unit_price", "amount"];
        self.rows("account.invoice.line", json!([]), &fields)
            .iter()
            .map(|row| Line {
                id: row["id"].as_i64().unwrap(),
                invoice: row["invoice"].as_i64().unwrap_or_default(),
                description: row["description"].as_str().unwrap_or_default().to_owned(),
                quantity: decimal(&row["quantity"]),
                rate: decimal(&row["unit_price"]),
                amount: decimal(&row["amount"]),
            })
            .collect()
    }

    /// Every customer invoice.
    pub(crate) fn invoices(&self) -> Vec<Invoice> {
        let fields = [
            "state",
            "number",
            "currency.code",
            "untaxed_amount",
            "description",
        ];
        self.rows("account.invoice", json!([["type", "=", "out"]]), &fields)
            .iter()
            .map(|row| Invoice {
                id: row["id"].as_i64().unwrap(),
                state: row["state"].as_str().unwrap().to_owned(),
                number: row["number"].as_str().unwrap_or_default().to_owned(),
                currency: row["currency."]["code"].as_str().unwrap().to_owned(),
                untaxed: decimal(&row["untaxed_amount"]),
                label: row["description"].as_str().unwrap_or_default().to_owned(),
            })
            .collect()
    }

    /// Every time line.
    pub(crate) fn times(&self) -> Vec<Time> {
        let fields = ["description", "duration", "work", "invoice_line"];
        self.rows("timesheet.line", json!([]), &fields)
            .iter()
            .map(|row| Time {
                id: row["id"].as_i64().unwrap(),
                description: row["description"].as_str().unwrap_or_default().to_owned(),
                seconds: decimal(&row["duration"]["seconds"]).micro() / 1_000_000,
                work: row["work"].as_i64().unwrap(),
                invoiced: !row["invoice_line"].is_null(),
            })
            .collect()
    }

    /// The one line whose text ends so.
    pub(crate) fn line(&self, comment: &str) -> Line {
        let mut found = self.lines_of(comment);
        assert_eq!(found.len(), 1, "{comment}: {found:?}");
        found.remove(0)
    }

    /// All lines whose text ends so.
    pub(crate) fn lines_of(&self, comment: &str) -> Vec<Line> {
        let mut all = self.lines();
        all.retain(|line| line.description.ends_with(comment));
        all
    }

    /// An invoice.
    pub(crate) fn invoice(&self, id: i64) -> Option<Invoice> {
        self.invoices().into_iter().find(|invoice| invoice.id == id)
    }

    /// Write fields of a record.
    pub(crate) fn write(&self, model: &str, id: i64, values: Value) {
        self.does(&format!("{model}.write"), vec![json!([id]), values]);
    }

    /// Delete a record.
    pub(crate) fn delete(&self, model: &str, id: i64) {
        self.does(&format!("{model}.delete"), vec![json!([id])]);
    }

    /// Issue a draft. A person reads Tryton's warnings and goes on.
    pub(crate) fn issue(&self, invoice: i64) {
        self.insists(|| self.tries("account.invoice.post", vec![json!([invoice])]));
    }

    /// Confirm warnings until it is done.
    fn insists(&self, act: impl Fn() -> Value) {
        for _ in 0..5 {
            let answer = act();
            let Some(error) = answer.get("error") else {
                return;
            };
            assert_eq!(error[0], "UserWarning", "{answer}");
            let warning = json!([{"user": self.user, "name": error[1][0], "always": false}]);
            self.does("res.user.warning.create", vec![warning]);
        }
        panic!("Tryton does not stop warning");
    }

    /// Run a wizard on an invoice, with the values of its first form.
    fn wizard(&self, name: &str, invoice: i64, start: &Value, state: &str) {
        let made = self.raw(&format!("wizard.{name}.create"), &json!([self.context()]));
        let session = made["result"][0].clone();
        assert!(session.is_i64(), "{made}");
        let mut context = self.context();
        context["active_model"] = json!("account.invoice");
        context["active_id"] = json!(invoice);
        context["active_ids"] = json!([invoice]);
        let params = json!([session, {"start": start}, state, context]);
        self.insists(|| self.raw(&format!("wizard.{name}.execute"), &params));
    }

    /// Credit an issued invoice and refund it at once.
    pub(crate) fn credit(&self, invoice: i64, day: &str) {
        let start = json!({"with_refund": true, "invoice_date": date(day)});
        self.wizard("account.invoice.credit", invoice, &start, "credit");
    }

    /// Record the full payment of an issued invoice.
    pub(crate) fn pay(&self, invoice: i64, day: &str) {
        let fields = ["amount_to_pay", "currency", "company", "party"];
        let row = self.rows("account.invoice", json!([["id", "=", invoice]]), &fields);
        let row = row.first().expect("the invoice").clone();
        let start = json!({
            "payee": row["party"], "payees": [row["party"]], "amount": row["amount_to_pay"],
            "currency": row["currency"], "company": row["company"],
            "date": date(day),
            "invoice_account": self.lab.id("/tryton/seed/accounts/receivable"),
            "payment_method": self.lab.id("/tryton/seed/payment_methods/bank"),
            "description": "paid by transfer",
        });
        self.wizard("account.invoice.pay", invoice, &start, "choice");
    }

    /// Let Tryton invoice the booked time of a project.
    pub(crate) fn invoice_project(&self, project: i64) {
        self.does("project.work.invoice", vec![json!([project])]);
    }
}

/// A date as Tryton writes it.
pub(crate) fn date(day: &str) -> Value {
    let parts: Vec<i64> = day.split('-').map(|part| part.parse().unwrap()).collect();
    json!({"__class__": "date", "year": parts[0], "month": parts[1], "day": parts[2]})
}

impl Drop for Tryton {
    fn drop(&mut self) {
        // The lab drops left-over clones with `drop-clones`; a failure here hides none of a test's.
        let _left_over = self.lab.run("/drop_tryton_command", &[&self.name]);
    }
}
