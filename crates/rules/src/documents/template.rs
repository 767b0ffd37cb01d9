//! What a template of a line may say. Everything is refused that is not named here.

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, filters};

/// The names that a template may use.
const NAMES: [&str; 17] = [
    "amount",
    "client_reference",
    "contract",
    "from",
    "narratives",
    "project",
    "purchase_order",
    "quantity",
    "rate",
    "role",
    "service_item",
    "task",
    "tasks",
    "to",
    "unit",
    "worker",
    "workers",
];
/// The statements. `set` and macros are left out: each could double a text, again and again.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// The most steps a template may take.
const FUEL: u64 = 50_000;
/// The longest separator of a list: a long one would multiply what it joins.
const SEPARATOR_CHARS_MAX: usize = 40;

/// An environment in which only what is listed here exists.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("join", join);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment
}

/// The texts of a list in one.
fn join(list: &Value, separator: Option<String>) -> Result<String, Error> {
    let separator = separator.unwrap_or_default();
    if separator.chars().count() > SEPARATOR_CHARS_MAX {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a separator has at most {SEPARATOR_CHARS_MAX} characters"),
        ));
    }
    let texts: Vec<String> = list.try_iter()?.map(|value| value.to_string()).collect();
    Ok(texts.join(&separator))
}

/// Refuse statements that are not known: the line, and what is wrong.
pub(super) fn refuse_statements(source: &str) -> Result<(), (usize, String)> {
    for (at, part) in tags(source) {
        let word: String = part
            .trim_start_matches(['-', '+'])
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if !STATEMENTS.contains(&word.as_str()) {
            return Err((
                line_of(source, at),
                format!("'{word}' is not taken; write if, elif, else, endif, for or endfor"),
            ));
        }
    }
    Ok(())
}

/// Refuse names that are not known: the line, and what is wrong.
pub(super) fn refuse_names(
    environment: &Environment<'_>,
    template: &str,
    source: &str,
) -> Result<(), (usize, String)> {
    let read = environment
        .get_template(template)
        .map_err(|error| (1, words_of(&error)))?;
    let mut unknown: Vec<String> = read.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !NAMES.contains(&name.as_str()));
    unknown.sort();
    match unknown.first() {
        None => Ok(()),
        Some(name) => Err((
            line_of(source, source.find(name.as_str()).unwrap_or(0)),
            format!("'{name}' is no name of a line; write {}", NAMES.join(", ")),
        )),
    }
}

/// What stands after each `{%`, with its place.
fn tags(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source
        .match_indices("{%")
        .map(|(at, mark)| (at, source.get(at + mark.len()..).unwrap_or_default()))
}

fn line_of(source: &str, at: usize) -> usize {
    source.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// The library's words about an error.
pub(super) fn words_of(error: &Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}
