//! Holds a value to a JSON Schema, for the words that our published schemas use. A word or a pattern
//! that it does not know is a finding, so that a schema cannot grow past this check.

use serde_json::Value;

/// Words that say nothing about a value.
const WORDS_FOR_PEOPLE: [&str; 6] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "format",
];

/// Everything that is wrong with `value`, as place and rule.
pub(crate) fn findings(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (word, rule) in schema.as_object().expect("a schema is an object") {
        let holds = match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                let target = root.pointer(pointer).expect("a reference has a target");
                check(root, target, value, at, found);
                true
            }
            "type" => match rule {
                Value::Array(any) => any.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" | "oneOf" => {
                let fits = |one: &&Value| {
                    let mut inner = Vec::new();
                    check(root, one, value, at, &mut inner);
                    inner.is_empty()
                };
                let count = rule.as_array().unwrap().iter().filter(fits).count();
                count == 1 || count > 1 && word == "anyOf"
            }
            "minimum" => value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap()),
            "pattern" => value
                .as_str()
                .is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "required" => {
                let names = rule.as_array().unwrap().iter();
                names.map(|name| name.as_str().unwrap()).all(|name| {
                    value
                        .as_object()
                        .is_none_or(|object| object.contains_key(name))
                })
            }
            "properties" => {
                for (name, inner) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, inner, value, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false), "{at}");
                let known = schema["properties"].as_object().unwrap();
                value
                    .as_object()
                    .is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            word if WORDS_FOR_PEOPLE.contains(&word) => true,
            other => panic!("this check does not know the word '{other}' of the schema"),
        };
        if !holds {
            found.push(format!("{at}: {word} {rule} does not hold for {value}"));
        }
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type '{other}'"),
    }
}

/// The patterns that are published, each as what it means.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
        r"^-?[0-9]+(\.[0-9]{1,6})?$" => {
            let text = text.strip_prefix('-').unwrap_or(text);
            match text.split_once('.') {
                Some((whole, part)) => digits(whole) && digits(part) && part.len() <= 6,
                None => digits(text),
            }
        }
        other => panic!("this check does not know the pattern {other}"),
    }
}
