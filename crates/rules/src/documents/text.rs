//! The words of a line. The original words stay with the charges; this makes what the client reads.
//!
//! A template can loop over narratives but not for ever: its work is limited, and so is the text.

use super::lines::LineCharge;
use domain::contract::lines::LineTerms;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use minijinja::{Environment, context};
use thiserror::Error;

/// The longest text of a line, in characters.
pub const TEXT_CHARS_MAX: usize = 500;
/// The longest template, in characters.
const TEMPLATE_CHARS_MAX: usize = 2_000;
/// The most steps a template may take.
const FUEL: u64 = 50_000;

const USUAL: &str = "{% if from == to %}{{ from }}{% else %}{{ from }} to {{ to }}{% endif %} \
{{ workers | join(', ') }}, {{ tasks | join(', ') }}\
{% if narratives %}: {{ narratives | join('; ') }}{% endif %}";

/// Why a text cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// The template is no template.
    #[error("the text of lines cannot be read: line {line}: {reason}")]
    Template {
        /// The line in the template, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The template failed on real work.
    #[error("the text of a line of contract {contract} cannot be made: {reason}")]
    Render {
        /// The contract.
        contract: String,
        /// What is wrong.
        reason: String,
    },
}

/// A template that was read and can be rendered.
#[derive(Debug)]
pub struct TextTemplate {
    environment: Environment<'static>,
}

const NAME: &str = "line";

impl TextTemplate {
    /// Read the template of a contract's lines.
    pub fn of(terms: &LineTerms) -> Result<Self, TextError> {
        let source = terms.text.as_deref().unwrap_or(USUAL);
        let length = source.chars().count();
        if length > TEMPLATE_CHARS_MAX {
            return Err(TextError::Template {
                line: 1,
                reason: format!(
                    "it has {length} characters, at most {TEMPLATE_CHARS_MAX} are taken"
                ),
            });
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| TextError::Template {
                line: error.line().unwrap_or(1),
                reason: words(&error),
            })?;
        Ok(Self { environment })
    }

    /// The text of a line.
    pub(super) fn render(
        &self,
        terms: &LineTerms,
        members: &[&LineCharge],
        quantity: Micro,
        unit: Unit,
        amount: Money,
    ) -> Result<String, TextError> {
        let contract = members
            .first()
            .map_or("", |charge| charge.contract.as_str());
        let failed = |error: minijinja::Error| TextError::Render {
            contract: contract.to_owned(),
            reason: words(&error),
        };
        let template = self.environment.get_template(NAME).map_err(failed)?;
        let first = members.first();
        let text = template
            .render(context! {
                contract,
                workers => distinct(members, |charge| &charge.worker),
                worker => distinct(members, |charge| &charge.worker).join(", "),
                role => distinct(members, |charge| &charge.role).join(", "),
                project => distinct(members, |charge| &charge.project).join(", "),
                tasks => distinct(members, |charge| &charge.task),
                task => distinct(members, |charge| &charge.task).join(", "),
                service_item => first.map(|charge| charge.service_item.clone()).unwrap_or_default(),
                from => first.map(|charge| charge.work_date.to_string()).unwrap_or_default(),
                to => members.last().map(|charge| charge.work_date.to_string()).unwrap_or_default(),
                quantity => quantity.to_string(),
                unit => unit.name(),
                rate => first.map(|charge| charge.rate.to_string()).unwrap_or_default(),
                amount => amount.to_string(),
                narratives => distinct(members, |charge| &charge.narrative),
                purchase_order => terms.purchase_order.as_deref().unwrap_or(""),
                client_reference => terms.client_reference.as_deref().unwrap_or(""),
            })
            .map_err(failed)?;
        Ok(plain(&text))
    }
}

/// The values that are there, each once, in the order of the charges.
fn distinct(members: &[&LineCharge], of: impl Fn(&LineCharge) -> &String) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for charge in members {
        let value = of(charge).trim();
        if !value.is_empty() && !seen.iter().any(|known| known == value) {
            seen.push(value.to_owned());
        }
    }
    seen
}

fn words(error: &minijinja::Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}

/// One line of printable text, cut where it is too long.
fn plain(text: &str) -> String {
    let one_line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let trimmed = one_line.split_whitespace().collect::<Vec<_>>().join(" ");
    if trimmed.chars().count() <= TEXT_CHARS_MAX {
        return trimmed;
    }
    let mut cut: String = trimmed.chars().take(TEXT_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}
