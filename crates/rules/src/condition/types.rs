//! The types of a condition: everything that is not named here is refused, with its place.

use super::numbers::{MINUTES_MAX, Range};
use ::cel::IdedExpr;
use ::cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use domain::currency::Currency;
use domain::money::Money;
use jiff::civil::Date;

/// How deep parts may stand in each other.
const DEPTH_MAX: usize = 32;
/// The longest text whose length a condition may ask for, in characters.
const TEXT_CHARS_MAX: i64 = 1 << 31;

/// What a condition has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// Yes or no.
    YesNo,
    /// A text.
    Text,
}

/// The type of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    YesNo,
    Text,
    /// The day of the work, as text.
    Day,
    Number(Range),
    Money,
}

impl Type {
    const fn words(self) -> &'static str {
        match self {
            Self::YesNo => "yes or no",
            Self::Text | Self::Day => "a text",
            Self::Number(_) => "a whole number",
            Self::Money => "an amount of money",
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Day)
    }
}

/// A mistake: the part, what is wrong, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The library's number of the part.
    pub(super) part: u64,
    /// What is wrong.
    pub(super) what: String,
    /// What was expected.
    pub(super) expected: String,
}

type Checked = Result<Type, Mistake>;

fn wrong<T>(part: u64, what: impl Into<String>, expected: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake {
        part,
        what: what.into(),
        expected: expected.into(),
    })
}

/// What conditions of one contract may say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checker {
    /// The contract's currency.
    pub(super) currency: Currency,
    /// Whether the amount is known.
    pub(super) sees_amount: bool,
}

const TEXTS: [&str; 8] = [
    "contract",
    "customer",
    "practice",
    "project",
    "role",
    "service_item",
    "task",
    "worker",
];
const NAMES: &str = "worker, role, practice, project, task, service_item, customer, contract, date, \
                     weekday, minutes or billable";
const LOOPS: [&str; 9] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "optFlatMap",
    "optMap",
    "sortBy",
];

impl Checker {
    /// Check a whole condition.
    pub(super) fn check(self, part: &IdedExpr, answers: Answers) -> Result<(), Mistake> {
        let is = self.type_of(part, 0)?;
        match answers {
            Answers::YesNo if is != Type::YesNo => wrong(
                part.id,
                format!("the condition comes to {}", is.words()),
                "a condition that is true or false",
            ),
            Answers::Text if !is.is_text() => wrong(
                part.id,
                format!("it comes to {}", is.words()),
                "a text, like project + \"/\" + role",
            ),
            Answers::YesNo | Answers::Text => Ok(()),
        }
    }

    fn type_of(self, part: &IdedExpr, depth: usize) -> Checked {
        if depth > DEPTH_MAX {
            return wrong(
                part.id,
                format!("parts stand in each other more than {DEPTH_MAX} deep"),
                "a simpler condition",
            );
        }
        match &part.expr {
            Expr::Ident(name) => self.name(part.id, name),
            Expr::Literal(value) => literal(part.id, value),
            Expr::Call(call) => self.call(part.id, call, depth + 1),
            Expr::Comprehension(_) => loops(part.id),
            Expr::Select(select) => wrong(
                part.id,
                format!("nothing has a part called {}", select.field),
                format!("a name by itself: {NAMES}"),
            ),
            Expr::List(_) => wrong(part.id, "a list stands alone", "a list after `in` only"),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => wrong(
                part.id,
                "this is no part of a condition",
                "names, texts, whole numbers, money and comparisons",
            ),
        }
    }

    fn name(self, part: u64, name: &str) -> Checked {
        match name {
            "date" => Ok(Type::Day),
            "weekday" => Ok(Type::Number(Range::new(1, 7))),
            "minutes" => Ok(Type::Number(Range::new(0, MINUTES_MAX))),
            "billable" => Ok(Type::YesNo),
            "amount" if self.sees_amount => Ok(Type::Money),
            "amount" => wrong(
                part,
                "`amount` is not known before the work is priced",
                "`amount` in `hold_when` only",
            ),
            _ if TEXTS.contains(&name) => Ok(Type::Text),
            _ => wrong(part, format!("`{name}` is no name of a condition"), NAMES),
        }
    }

    fn call(self, part: u64, call: &CallExpr, depth: usize) -> Checked {
        if let Some(target) = &call.target {
            return self.method(part, call, target, depth);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [one]) => self.yes_no(one, depth),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [one, other]) => {
                self.yes_no(one, depth)?;
                self.yes_no(other, depth)
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.yes_no(condition, depth)?;
                let (yes, otherwise) = (self.type_of(yes, depth)?, self.type_of(no, depth)?);
                either(no.id, yes, otherwise)
            }
            (
                operator @ (operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS),
                [one, other],
            ) => self.comparison(part, operator, one, other, depth),
            (operators::IN, [one, list]) => self.is_in(one, list, depth),
            (operators::NEGATE, [one]) => {
                let range = self.number(one, depth)?;
                in_range(part, Range::just(0).minus(range))
            }
            (
                operator @ (operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO),
                [one, other],
            ) => self.arithmetic(part, operator, one, other, depth),
            ("money", [text]) => self.money(text),
            ("string", [number]) => {
                self.number(number, depth)?;
                Ok(Type::Text)
            }
            (name, _) if LOOPS.contains(&name) => loops(part),
            (name, _) => unknown_function(part, name),
        }
    }

    fn method(self, part: u64, call: &CallExpr, target: &IdedExpr, depth: usize) -> Checked {
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("more_than" | "at_least", [other]) => {
                for money in [target, other] {
                    let is = self.type_of(money, depth)?;
                    if is != Type::Money {
                        return wrong(
                            money.id,
                            format!("this is {}", is.words()),
                            "an amount of money, like amount or money(\"5000 EUR\")",
                        );
                    }
                }
                Ok(Type::YesNo)
            }
            ("startsWith" | "endsWith" | "contains", [other]) => {
                self.text(target, depth)?;
                self.text(other, depth)?;
                Ok(Type::YesNo)
            }
            ("size", []) => {
                self.text(target, depth)?;
                Ok(Type::Number(Range::new(0, TEXT_CHARS_MAX)))
            }
            (name, _) if LOOPS.contains(&name) => loops(part),
            (name, _) => unknown_function(part, name),
        }
    }

    fn comparison(
        self,
        part: u64,
        operator: &str,
        one: &IdedExpr,
        other: &IdedExpr,
        depth: usize,
    ) -> Checked {
        let (is, with) = (self.type_of(one, depth)?, self.type_of(other, depth)?);
        let equality = matches!(operator, operators::EQUALS | operators::NOT_EQUALS);
        match (is, with) {
            (Type::Money, _) | (_, Type::Money) => wrong(
                part,
                "amounts of money are not compared by signs",
                "amount.more_than(money(\"5000 EUR\")) or amount.at_least(...)",
            ),
            (Type::Number(a), Type::Number(b)) if equality && !a.meets(b) => wrong(
                part,
                format!("a number of {a} is never {b}"),
                "a number that it can be",
            ),
            (Type::YesNo, Type::YesNo) if equality => Ok(Type::YesNo),
            (Type::Number(_), Type::Number(_)) => Ok(Type::YesNo),
            (a, b) if a.is_text() && b.is_text() => {
                written_day(is, other)?;
                written_day(with, one)?;
                Ok(Type::YesNo)
            }
            _ => wrong(
                part,
                format!("{} is compared with {}", is.words(), with.words()),
                "two texts or two whole numbers",
            ),
        }
    }

    fn is_in(self, one: &IdedExpr, list: &IdedExpr, depth: usize) -> Checked {
        let is = self.type_of(one, depth)?;
        let Expr::List(elements) = &list.expr else {
            return wrong(
                list.id,
                "`in` is followed by no list",
                "like in [\"A\", \"B\"]",
            );
        };
        if elements.elements.is_empty() || !elements.optional_indices.is_empty() {
            return wrong(list.id, "nothing is in this list", "like in [\"A\", \"B\"]");
        }
        for element in &elements.elements {
            let with = self.type_of(element, depth)?;
            let fits = match (is, with) {
                (Type::Number(a), Type::Number(b)) => a.meets(b),
                (a, b) => a.is_text() && b.is_text(),
            };
            if !fits {
                return wrong(
                    element.id,
                    format!("{} is never among {}", is.words(), with.words()),
                    "elements that it can be, texts or whole numbers",
                );
            }
            written_day(is, element)?;
        }
        Ok(Type::YesNo)
    }

    fn arithmetic(
        self,
        part: u64,
        operator: &str,
        one: &IdedExpr,
        other: &IdedExpr,
        depth: usize,
    ) -> Checked {
        let is = self.type_of(one, depth)?;
        if operator == operators::ADD && is.is_text() {
            self.text(other, depth)?;
            return Ok(Type::Text);
        }
        let (a, b) = (number_of(one.id, is)?, self.number(other, depth)?);
        let range = match operator {
            operators::ADD => a.plus(b),
            operators::SUBSTRACT => a.minus(b),
            operators::MULTIPLY => a.times(b),
            _ if b.holds(0) => {
                return wrong(
                    other.id,
                    format!("a number of {b} may be zero, and nothing is divided by zero"),
                    "a number that is never zero, like 60",
                );
            }
            _ => a.within(),
        };
        in_range(part, range)
    }

    /// Money is written out, so that a mistake in it is found now and not at the first work.
    fn money(self, text: &IdedExpr) -> Checked {
        let example = format!("a text like \"5000 {}\"", self.currency);
        let Expr::Literal(LiteralValue::String(written)) = &text.expr else {
            return wrong(text.id, "money is not written out", example);
        };
        match money_of(written.inner()) {
            Err(reason) => wrong(text.id, reason, example),
            Ok(money) if money.currency != self.currency => wrong(
                text.id,
                format!(
                    "money in {} cannot be compared with amounts of a contract in {}",
                    money.currency, self.currency
                ),
                example,
            ),
            Ok(_) => Ok(Type::Money),
        }
    }

    fn yes_no(self, part: &IdedExpr, depth: usize) -> Checked {
        let is = self.type_of(part, depth)?;
        if is == Type::YesNo {
            return Ok(is);
        }
        wrong(
            part.id,
            format!("this is {}", is.words()),
            "something that is true or false",
        )
    }

    fn text(self, part: &IdedExpr, depth: usize) -> Result<(), Mistake> {
        match self.type_of(part, depth)? {
            is if is.is_text() => Ok(()),
            is => wrong(
                part.id,
                format!("this is {}", is.words()),
                "a text; string(weekday) makes one of a number",
            ),
        }
    }

    fn number(self, part: &IdedExpr, depth: usize) -> Result<Range, Mistake> {
        number_of(part.id, self.type_of(part, depth)?)
    }
}

/// The day of the work sorts as text only beside days written in full.
fn written_day(is: Type, beside: &IdedExpr) -> Result<(), Mistake> {
    let Expr::Literal(LiteralValue::String(written)) = &beside.expr else {
        return Ok(());
    };
    let written = written.inner();
    let is_day = written
        .parse::<Date>()
        .is_ok_and(|day| day.to_string() == written);
    if is == Type::Day && !is_day {
        return wrong(
            beside.id,
            format!("\"{written}\" is no day"),
            "a day like \"2026-03-02\"",
        );
    }
    Ok(())
}

fn number_of(part: u64, is: Type) -> Result<Range, Mistake> {
    if let Type::Number(range) = is {
        return Ok(range);
    }
    wrong(part, format!("this is {}", is.words()), "a whole number")
}

fn in_range(part: u64, range: Option<Range>) -> Checked {
    range.map_or_else(
        || {
            wrong(
                part,
                "this number can become too large",
                "smaller numbers: minutes are at most 1000000",
            )
        },
        |range| Ok(Type::Number(range)),
    )
}

fn either(part: u64, yes: Type, no: Type) -> Checked {
    match (yes, no) {
        (Type::Number(a), Type::Number(b)) => Ok(Type::Number(a.or(b))),
        (a, b) if a == b => Ok(a),
        (a, b) if a.is_text() && b.is_text() => Ok(Type::Text),
        (a, b) => wrong(
            part,
            format!("one side is {}, the other {}", a.words(), b.words()),
            "the same on both sides of the colon",
        ),
    }
}

fn literal(part: u64, value: &LiteralValue) -> Checked {
    match value {
        LiteralValue::Boolean(_) => Ok(Type::YesNo),
        LiteralValue::String(_) => Ok(Type::Text),
        LiteralValue::Int(number) => Ok(Type::Number(Range::just(*number.inner()))),
        LiteralValue::Double(_) => wrong(
            part,
            "numbers with a decimal point are not exact and are not taken",
            "a whole number, or money(\"0.50 EUR\")",
        ),
        LiteralValue::UInt(_) | LiteralValue::Bytes(_) | LiteralValue::Null => wrong(
            part,
            "this is no value of a condition",
            "a text like \"A\", a whole number like 60, true or false",
        ),
    }
}

fn loops(part: u64) -> Checked {
    wrong(
        part,
        "loops are not taken: all, exists, exists_one, filter and map could run for ever",
        "like task in [\"A\", \"B\"]",
    )
}

fn unknown_function(part: u64, name: &str) -> Checked {
    wrong(
        part,
        format!("`{name}` is no function here, or is called in another way"),
        "money(\"5000 EUR\"), amount.more_than(...), amount.at_least(...), text.startsWith(...), \
         text.endsWith(...), text.contains(...), text.size() or string(number)",
    )
}

/// The names that a condition asks for, each once. Only checked conditions are looked through, so
/// that no part is deeper than they may be.
pub(super) fn names_in(part: &IdedExpr) -> Vec<String> {
    fn look(part: &IdedExpr, names: &mut Vec<String>) {
        match &part.expr {
            Expr::Ident(name) => {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            Expr::Call(call) => {
                let parts = call.target.as_deref().into_iter().chain(&call.args);
                parts.for_each(|part| look(part, names));
            }
            Expr::List(list) => list.elements.iter().for_each(|part| look(part, names)),
            // None of these passes the check.
            Expr::Literal(_)
            | Expr::Comprehension(_)
            | Expr::Select(_)
            | Expr::Map(_)
            | Expr::Struct(_)
            | Expr::Unspecified => {}
        }
    }
    let mut names = Vec::new();
    look(part, &mut names);
    names
}

/// Money as a condition writes it.
pub(super) fn money_of(written: &str) -> Result<Money, String> {
    let (amount, currency) = written
        .split_once(' ')
        .ok_or_else(|| format!("\"{written}\" is no amount with its currency"))?;
    let currency: Currency = currency.parse().map_err(|error| format!("{error}"))?;
    let amount: domain::decimal::Micro = amount.parse().map_err(|error| format!("{error}"))?;
    Money::from_decimal(amount.decimal(), currency).map_err(|error| error.to_string())
}
