//! One compiled condition, and the library that evaluates it.

use super::types::{Answers, Checker, money_of, names_in};
use super::{CONDITION_BYTES_MAX, ConditionFault, ConditionPlace, Work};
use crate::explanation::Step;
use ::cel::common::types::{CelBool, CelInt, CelString, STRING_TYPE, Type};
use ::cel::common::value::{CowVal, StaticVal, Val};
use ::cel::parser::{ParseError, PrattParser};
use ::cel::{Context, DeclarationError, Env, ExecutionError, IdedExpr, Value};
use domain::currency::Currency;
use domain::money::Money;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// How deep the parser goes.
const PARSE_DEPTH_MAX: u16 = 32;
/// How many mistakes the parser looks for; the first is told.
const PARSE_MISTAKES_MAX: u32 = 4;

/// A compiled condition.
pub(super) struct Compiled {
    term: &'static str,
    source: String,
    /// The names that it asks for, in their order.
    names: Vec<String>,
    expression: IdedExpr,
    environment: Arc<Env>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.term, self.source)
    }
}

impl Compiled {
    /// Compile a condition, or say what is wrong with it and where.
    pub(super) fn of(
        term: &'static str,
        source: &str,
        currency: Currency,
        sees_amount: bool,
        answers: Answers,
    ) -> Result<Self, ConditionFault> {
        let fault = |place, what: String, expected: String| ConditionFault {
            term,
            place,
            what,
            expected,
        };
        let start = ConditionPlace { line: 1, column: 1 };
        if source.len() > CONDITION_BYTES_MAX {
            return Err(fault(
                start,
                format!("it has {} bytes", source.len()),
                format!("at most {CONDITION_BYTES_MAX}"),
            ));
        }
        let expression = parser().parse(source).map_err(|errors| {
            let first = errors.errors.iter().min_by_key(|error| error.pos);
            fault(
                first.map_or(start, |error| place_of(source, error)),
                first.map_or_else(String::new, |error| error.msg.clone()),
                "a condition like task == \"TRAVEL\" && minutes > 60".to_owned(),
            )
        })?;
        let checker = Checker {
            currency,
            sees_amount,
        };
        checker.check(&expression, answers).map_err(|mistake| {
            let place = place_of_part(source, mistake.part).unwrap_or(start);
            fault(place, mistake.what, mistake.expected)
        })?;
        let environment = environment()
            .map_err(|error| fault(start, error.to_string(), "a sound library".to_owned()))?;
        Ok(Self {
            term,
            source: source.to_owned(),
            names: names_in(&expression),
            expression,
            environment: Arc::new(environment),
        })
    }

    /// The term.
    pub(super) const fn term(&self) -> &'static str {
        self.term
    }

    /// The condition as it is written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The explanation of an answer: the condition, and what the work had for each of its names.
    pub(super) fn step(
        &self,
        contract: &str,
        work: &Work<'_>,
        amount: Option<Money>,
        answer: &str,
    ) -> Step {
        let seen: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("{name} {}", value_of(name, contract, work, amount)))
            .collect();
        let with = if seen.is_empty() {
            String::new()
        } else {
            format!("; {}", seen.join(", "))
        };
        Step::new(
            format_args!("condition {}", self.term),
            format_args!("{}{with}", self.source),
            answer,
        )
    }

    /// Evaluate to yes or no.
    pub(super) fn yes_or_no(
        &self,
        contract: &str,
        work: &Work<'_>,
        amount: Option<Money>,
    ) -> Result<bool, String> {
        self.evaluate(contract, work, amount, |value| {
            value
                .downcast_ref::<CelBool>()
                .map(|answer| *answer.inner())
        })
    }

    /// Evaluate to a text.
    pub(super) fn text(&self, contract: &str, work: &Work<'_>) -> Result<String, String> {
        self.evaluate(contract, work, None, |value| {
            let text = value.downcast_ref::<CelString<'_>>();
            text.map(|text| text.inner().to_owned())
        })
    }

    fn evaluate<T>(
        &self,
        contract: &str,
        work: &Work<'_>,
        amount: Option<Money>,
        answer: impl Fn(&dyn Val) -> Option<T>,
    ) -> Result<T, String> {
        let date = work.date.to_string();
        let mut context = Context::with_env(Arc::clone(&self.environment));
        for (name, text) in [
            ("worker", work.worker),
            ("role", work.role),
            ("practice", work.practice),
            ("project", work.project),
            ("task", work.task),
            ("service_item", work.service_item),
            ("customer", work.customer),
            ("contract", contract),
            ("date", date.as_str()),
        ] {
            context.add_variable_as_val(name, Box::new(CelString::from(text)));
        }
        let weekday = i64::from(work.date.weekday().to_monday_one_offset());
        context.add_variable_as_val("weekday", Box::new(CelInt::from(weekday)));
        context.add_variable_as_val("minutes", Box::new(CelInt::from(work.minutes)));
        context.add_variable_as_val("billable", Box::new(CelBool::from(work.billable)));
        if let Some(amount) = amount {
            context.add_variable_as_val("amount", Box::new(Amount(amount)));
        }
        let value =
            Value::resolve_val(&self.expression, &context).map_err(|error| error.to_string())?;
        answer(value.as_ref()).ok_or_else(|| {
            format!(
                "it came to {}, which no condition can come to",
                value.get_type().name()
            )
        })
    }
}

/// What a name stands for, for people.
fn value_of(name: &str, contract: &str, work: &Work<'_>, amount: Option<Money>) -> String {
    let text = |value: &str| format!("\"{value}\"");
    match name {
        "worker" => text(work.worker),
        "role" => text(work.role),
        "practice" => text(work.practice),
        "project" => text(work.project),
        "task" => text(work.task),
        "service_item" => text(work.service_item),
        "customer" => text(work.customer),
        "contract" => text(contract),
        "date" => work.date.to_string(),
        "weekday" => work.date.weekday().to_monday_one_offset().to_string(),
        "minutes" => work.minutes.to_string(),
        "billable" => if work.billable { "yes" } else { "no" }.to_owned(),
        _ => amount.map_or_else(String::new, |amount| amount.to_string()),
    }
}

fn parser() -> PrattParser {
    PrattParser::new()
        .max_recursion_depth(PARSE_DEPTH_MAX)
        .error_recovery_limit(PARSE_MISTAKES_MAX)
        .error_reporting_limit(PARSE_MISTAKES_MAX)
        .max_expression_node_count(CONDITION_BYTES_MAX)
}

/// The library counts columns in bytes; people count characters.
fn place_of(source: &str, error: &ParseError) -> ConditionPlace {
    let line = usize::try_from(error.pos.0).unwrap_or(1).max(1);
    let bytes = usize::try_from(error.pos.1).unwrap_or(1).max(1) - 1;
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let before = text.char_indices().take_while(|(at, _)| *at < bytes);
    ConditionPlace {
        line,
        column: before.count() + 1,
    }
}

/// The library tells the places of parts only where it found a mistake. So the text is read once
/// more with a mistake after its end: all parts before it are numbered the same.
fn place_of_part(source: &str, part: u64) -> Option<ConditionPlace> {
    let errors = parser().parse(&format!("{source}\n)")).err()?;
    let info = errors
        .errors
        .iter()
        .find_map(|error| error.source_info.as_ref())?;
    let (start, _) = info.offset_for(part)?;
    let before = source.get(..usize::try_from(start).ok()?)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(ConditionPlace {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..)?.chars().count() + 1,
    })
}

static MONEY: Type = Type::new_unspecified_type("money");

/// Money as a value of the language. It has no signs and no digits there: two amounts can be
/// compared by name, and that is all.
#[derive(Debug, Clone, Copy)]
struct Amount(Money);

impl Val for Amount {
    fn get_type(&self) -> &Type {
        &MONEY
    }

    fn cel_type() -> &'static Type {
        &MONEY
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Amount {}

fn environment() -> Result<Env, DeclarationError> {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    env.add_overload("money", "money_string", vec![STRING_TYPE], money)?;
    let compared = || vec![MONEY.to_owned()];
    let than = MONEY.to_owned();
    env.add_member_overload("more_than", "more_than_money", than, compared(), more_than)?;
    let least = MONEY.to_owned();
    env.add_member_overload("at_least", "at_least_money", least, compared(), at_least)?;
    Ok(env)
}

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Returned<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "the library calls functions of this form"
)]
fn money<'b, 'v>(arguments: Arguments<'b, 'v>) -> Returned<'b, 'v> {
    let refused = |reason: String| ExecutionError::function_error("money", reason);
    let text = arguments
        .first()
        .and_then(|value| value.downcast_ref::<CelString<'_>>())
        .ok_or_else(|| refused("money takes a text".to_owned()))?;
    let money = money_of(text.inner()).map_err(refused)?;
    Ok(CowVal::owned(Amount(money)))
}

fn compare<'b, 'v>(
    name: &str,
    arguments: &Arguments<'b, 'v>,
    holds: fn(i64, i64) -> bool,
) -> Returned<'b, 'v> {
    let refused = |reason: String| ExecutionError::function_error(name, reason);
    let [one, other] = arguments.as_slice() else {
        return Err(refused("two amounts are compared".to_owned()));
    };
    let amount = |value: &CowVal<'b, 'v>| value.downcast_ref::<Amount>().map(|amount| amount.0);
    let (Some(one), Some(other)) = (amount(one), amount(other)) else {
        return Err(refused("only amounts of money are compared".to_owned()));
    };
    if one.currency != other.currency {
        return Err(refused(format!(
            "{one} and {other} are of different currencies"
        )));
    }
    Ok(CowVal::owned(CelBool::from(holds(
        one.amount_minor,
        other.amount_minor,
    ))))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the library calls functions of this form"
)]
fn more_than<'b, 'v>(arguments: Arguments<'b, 'v>) -> Returned<'b, 'v> {
    compare("more_than", &arguments, |one, other| one > other)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the library calls functions of this form"
)]
fn at_least<'b, 'v>(arguments: Arguments<'b, 'v>) -> Returned<'b, 'v> {
    compare("at_least", &arguments, |one, other| one >= other)
}
