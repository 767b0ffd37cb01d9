//! Why a number is what it is: the steps of a charge, as text for finance and as data.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// One step of the way to a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The rule, in words.
    pub rule: String,
    /// What went in.
    pub inputs: String,
    /// What came out.
    pub result: String,
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
    pub fn step(
        &mut self,
        rule: impl Into<String>,
        inputs: impl Into<String>,
        result: impl Into<String>,
    ) {
        self.steps.push(Step {
            rule: rule.into(),
            inputs: inputs.into(),
            result: result.into(),
        });
    }

    /// The steps as lines of text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (number, step) in (1_usize..).zip(&self.steps) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{number}. {}: {} -> {}",
                step.rule, step.inputs, step.result
            );
        }
        text
    }
}
