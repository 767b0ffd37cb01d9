//! Measures what the product does against floors and peers that do the least that the work needs, in
//! one run. `cargo xtask bench` builds it as it is shipped and starts it.

#![expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
#![expect(clippy::print_stderr, reason = "a command-line tool talks to its user")]

mod clock;
mod limits;
mod measure;
mod pricing;
mod report;

use anyhow::{Result, bail};
use measure::{Effort, Measured, Subject};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask bench [SUBJECT] [--quick] [--output json]
  limits    what of an account's quota a burst uses, and how often the account refuses
  pricing   entries priced with explanations by the group engine
  --quick   a small count and one try: whether it runs, no figure to quote
";

struct Args {
    effort: Effort,
    json: bool,
    subject: Option<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    let args = parse(words)?;
    let mut measured: Vec<Measured> = Vec::new();
    for subject in subjects(&args)? {
        measured.push(measure::measure(subject, args.effort)?);
    }
    let used = if args.wants("limits") {
        limits::measure()?
    } else {
        Vec::new()
    };
    if args.json {
        println!("{}", report::json(&measured, &used)?);
    } else {
        print!("{}{}", report::table(&measured), report::limits(&used));
    }
    Ok(())
}

impl Args {
    /// Whether a subject is asked for: by its name, or all of them.
    fn wants(&self, name: &str) -> bool {
        self.subject.as_deref().is_none_or(|asked| asked == name)
    }
}

fn parse(words: &[String]) -> Result<Args> {
    let mut args = Args {
        effort: Effort::Full,
        json: false,
        subject: None,
    };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--quick" => args.effort = Effort::Quick,
            "--output" => match words.next() {
                Some("json") => args.json = true,
                Some("table") => args.json = false,
                _ => bail!("--output is json or table\n{HELP}"),
            },
            name if !name.starts_with('-') && args.subject.is_none() => {
                args.subject = Some(name.to_owned());
            }
            _ => bail!("'{word}' is not known\n{HELP}"),
        }
    }
    Ok(args)
}

/// The subjects that are asked for; all of them where none is named.
fn subjects(args: &Args) -> Result<Vec<Subject>> {
    match args.subject.as_deref() {
        None | Some("pricing") => Ok(vec![pricing::subject(args.effort)?]),
        Some("limits") => Ok(Vec::new()),
        Some(other) => bail!("there is no subject '{other}'\n{HELP}"),
    }
}
