//! Why a number is what it is: the steps of a charge, as text for finance and as data.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

/// One step of the way to a number.
///
/// A step is written once and then kept in many places: with what the work comes to, with its charges
/// and with all other work that the same rule said the same of. So its three texts stand in one piece
/// that copies share.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// Rule, inputs and result, one after the other.
    text: Arc<str>,
    rule_end: usize,
    inputs_end: usize,
}

thread_local! {
    /// Where a step is written before its length is known.
    static DRAFT: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Step {
    /// A step of its rule in words, what went in and what came out.
    pub fn new(rule: impl Display, inputs: impl Display, result: impl Display) -> Self {
        // What is shown here may itself write a step; it finds an empty place and leaves one.
        let mut draft = DRAFT.take();
        draft.clear();
        // Writing to a String cannot fail.
        let _ = write!(draft, "{rule}");
        let rule_end = draft.len();
        let _ = write!(draft, "{inputs}");
        let inputs_end = draft.len();
        let _ = write!(draft, "{result}");
        let step = Self {
            text: Arc::from(draft.as_str()),
            rule_end,
            inputs_end,
        };
        DRAFT.set(draft);
        step
    }

    /// The rule, in words.
    pub fn rule(&self) -> &str {
        self.text.get(..self.rule_end).unwrap_or_default()
    }

    /// What went in.
    pub fn inputs(&self) -> &str {
        let inputs = self.rule_end..self.inputs_end;
        self.text.get(inputs).unwrap_or_default()
    }

    /// What came out.
    pub fn result(&self) -> &str {
        self.text.get(self.inputs_end..).unwrap_or_default()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("rule", &self.rule())
            .field("inputs", &self.inputs())
            .field("result", &self.result())
            .finish()
    }
}

/// A step as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Step")]
struct Stored<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(borrow)]
    inputs: Cow<'a, str>,
    #[serde(borrow)]
    result: Cow<'a, str>,
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored {
            rule: self.rule().into(),
            inputs: self.inputs().into(),
            result: self.result().into(),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        Ok(Self::new(stored.rule, stored.inputs, stored.result))
    }
}

/// All steps of one charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Explanation {
    /// The version of the pricing rules.
    pub pricing_version: i64,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Explanation {
    /// Add a step.
    pub fn step(&mut self, rule: impl Display, inputs: impl Display, result: impl Display) {
        self.steps.push(Step::new(rule, inputs, result));
    }

    /// The steps as lines of text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (number, step) in (1_usize..).zip(&self.steps) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{number}. {}: {} -> {}",
                step.rule(),
                step.inputs(),
                step.result()
            );
        }
        text
    }
}
