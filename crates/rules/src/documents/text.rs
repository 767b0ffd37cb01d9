//! The words of a line: what the client reads. The original words stay beside it, untouched.
//!
//! A template is written by finance and filled with what people wrote, so both are bounded: a
//! template knows `if`, `for` and a few filters and nothing that could make a text grow without
//! end; its work and its output are limited; what people wrote is printed and never carried out.
//! A template is tried out on a made-up line when it is read, so that a mistake is found before
//! the first real document.

use super::lines::LineCharge;
use super::template::{environment, refuse_names, refuse_statements, words_of};
use domain::contract::lines::LineTerms;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::quantity::Unit;
use jiff::civil::Date;
use minijinja::{Environment, context};
use std::io::{Error as WriteError, Write};
use thiserror::Error;

/// The longest text of a line, in characters.
pub const TEXT_CHARS_MAX: usize = 500;
/// The longest template, in characters.
const TEMPLATE_CHARS_MAX: usize = 2_000;
/// The most bytes that a template may write before its text is cut.
const OUTPUT_BYTES_MAX: usize = 1 << 16;
/// The most characters of one person's words that a template is given.
const WORDS_CHARS_MAX: usize = 2_000;

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
        /// What is wrong, and what to write.
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

/// A template that was read and can be filled. Reading it takes longer than filling it: keep it
/// beside the contract for as long as its terms stay the same.
#[derive(Debug)]
pub struct TextTemplate {
    environment: Environment<'static>,
}

/// What the client reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineText {
    /// One line of printable text.
    pub text: String,
    /// Whether more was to be said.
    pub cut: bool,
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
        let refused = |(line, reason)| TextError::Template { line, reason };
        refuse_statements(source).map_err(refused)?;
        let mut environment = environment();
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| refused((error.line().unwrap_or(1), words_of(&error))))?;
        refuse_names(&environment, NAME, source).map_err(refused)?;
        let template = Self { environment };
        template.try_out(terms).map_err(refused)?;
        Ok(template)
    }

    /// Fill it with a made-up line.
    fn try_out(&self, terms: &LineTerms) -> Result<(), (usize, String)> {
        let currency: Currency = "EUR".parse().map_err(|_| (1, String::new()))?;
        let charge = LineCharge {
            id: "1".to_owned(),
            contract: "contract".to_owned(),
            worker: "worker".to_owned(),
            worker_name: "worker".to_owned(),
            role: "role".to_owned(),
            project: "project".to_owned(),
            task: "task".to_owned(),
            task_name: "task".to_owned(),
            service_item: "service item".to_owned(),
            sort: "straight".to_owned(),
            work_date: Date::constant(2026, 1, 1),
            quantity: Micro::from_micro(1_000_000),
            unit: Unit::Hour,
            rate: Micro::from_micro(1_000_000),
            amount: Money {
                amount_minor: 100,
                currency,
            },
            narrative: "words".to_owned(),
        };
        self.fill(
            terms,
            &[&charge],
            charge.quantity,
            charge.unit,
            charge.amount,
        )
        .map(|_| ())
        .map_err(|error| (error.line().unwrap_or(1), words_of(&error)))
    }

    /// The text of a line.
    pub(super) fn render(
        &self,
        terms: &LineTerms,
        members: &[&LineCharge],
        quantity: Micro,
        unit: Unit,
        amount: Money,
    ) -> Result<LineText, TextError> {
        self.fill(terms, members, quantity, unit, amount)
            .map_err(|error| TextError::Render {
                contract: members
                    .first()
                    .map_or_else(String::new, |charge| charge.contract.clone()),
                reason: words_of(&error),
            })
    }

    fn fill(
        &self,
        terms: &LineTerms,
        members: &[&LineCharge],
        quantity: Micro,
        unit: Unit,
        amount: Money,
    ) -> Result<LineText, minijinja::Error> {
        let first = members.first();
        let workers = distinct(members, |charge| &charge.worker_name);
        let tasks = distinct(members, |charge| &charge.task_name);
        let values = context! {
            contract => first.map_or("", |charge| charge.contract.as_str()),
            worker => workers.join(", "),
            workers,
            role => distinct(members, |charge| &charge.role).join(", "),
            project => distinct(members, |charge| &charge.project).join(", "),
            task => tasks.join(", "),
            tasks,
            service_item => first.map_or("", |charge| charge.service_item.as_str()),
            from => first.map(|charge| charge.work_date.to_string()).unwrap_or_default(),
            to => members.last().map(|charge| charge.work_date.to_string()).unwrap_or_default(),
            quantity => quantity.to_string(),
            unit => unit.name(),
            rate => first.map(|charge| charge.rate.to_string()).unwrap_or_default(),
            amount => amount.to_string(),
            narratives => distinct(members, |charge| &charge.narrative),
            purchase_order => terms.purchase_order.as_deref().unwrap_or(""),
            client_reference => terms.client_reference.as_deref().unwrap_or(""),
        };
        let mut output = Bounded::default();
        let result = self
            .environment
            .get_template(NAME)?
            .render_captured_to(values, &mut output)
            .map(|_| ());
        if !output.full {
            result?;
        }
        Ok(plain(&String::from_utf8_lossy(&output.bytes)))
    }
}

/// What a template writes, as far as there is room: far more than is ever printed.
#[derive(Debug, Default)]
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, WriteError> {
        let room = OUTPUT_BYTES_MAX.saturating_sub(self.bytes.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.bytes.extend_from_slice(taken);
        if taken.len() < bytes.len() {
            self.full = true;
            return Err(WriteError::other("the text is too long"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

/// The values that are there, each once, in the order of the charges.
fn distinct(members: &[&LineCharge], of: impl Fn(&LineCharge) -> &String) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for charge in members {
        let value: String = of(charge).trim().chars().take(WORDS_CHARS_MAX).collect();
        if !value.is_empty() && !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// Signs that print nothing but turn the reading direction or hide: a client could read another
/// text than the one that is there.
const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// One line of printable text, cut where it is too long.
fn plain(text: &str) -> LineText {
    let shown: String = text
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let trimmed = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if trimmed.chars().count() <= TEXT_CHARS_MAX {
        return LineText {
            text: trimmed,
            cut: false,
        };
    }
    let mut text: String = trimmed.chars().take(TEXT_CHARS_MAX - 1).collect();
    text.push('…');
    LineText { text, cut: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TextTemplate, TextError> {
        TextTemplate::of(&LineTerms {
            text: Some(text.to_owned()),
            ..LineTerms::default()
        })
    }

    #[test]
    fn a_mistake_is_named_when_the_template_is_read() {
        for (text, says) in [
            ("{{ taks }}", "'taks' is no name"),
            ("{% if 1 == 2 %}{{ taks }}{% endif %}", "'taks' is no name"),
            ("\n{% for w in narratives %}{{ w }}", "line 2"),
            ("{% set a = 1 %}", "'set' is not taken"),
            ("{%- macro a() %}{% endmacro %}", "'macro' is not taken"),
            ("{{ rate | float }}", "filter float is unknown"),
            ("{{ rate * 2.5 }}", "strings can only be multiplied"),
            ("{{ narratives | join(narratives | join(task)) }}", ""),
            ("{{ range(10) }}", "'range' is no name"),
            ("{{ task.length }}", "undefined"),
            (&"x".repeat(2_001), "2001 characters"),
        ] {
            let read = read(text);
            if says.is_empty() {
                assert!(read.is_ok(), "{text}");
                continue;
            }
            let error = read.unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(read("{{ task | upper }} {% if purchase_order %}PO{% endif %}").is_ok());
    }

    #[test]
    fn a_template_that_would_go_on_for_ever_is_refused() {
        let nested = "{% for a in narratives %}".repeat(50);
        let ends = "{% endfor %}".repeat(50);
        assert!(
            read(&format!("{nested}x{ends}")).is_ok(),
            "one word, one turn"
        );
        let loops = "{% for a in 'xxxxxxxxxxxxxxxxxxxx' %}".repeat(20);
        let ends = "{% endfor %}".repeat(20);
        let error = read(&format!("{loops}x{ends}")).unwrap_err().to_string();
        assert!(
            error.contains("fuel") || error.contains("sequence") || error.contains("iter"),
            "{error}"
        );
        assert!(read("{{ 'x' * 100000000000 }}").is_err());
        let separator =
            "{{ narratives | join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}";
        assert!(
            read(separator)
                .unwrap_err()
                .to_string()
                .contains("separator")
        );
    }

    #[test]
    fn what_hides_or_turns_is_not_printed() {
        let text = plain("a\u{202e}b\u{200b}c\u{0}d\te\u{feff}");
        assert_eq!(text.text, "abc d e");
    }
}
