//! How long large scenarios take. The bounds are wide, for an unoptimised build on a busy machine: they
//! catch work that grows with the square of the entries, and no slow machine.

use counterfoil_scenario::{play, read};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

fn head(terms: &str) -> String {
    format!(
        "version = 1\n[[worker]]\ncode = \"ada\"\n[[contract]]\nid = \"K1\"\ncustomer = \"C\"\n\
         projects = [\"P\"]\nkind = \"time_and_materials\"\ncurrency = \"EUR\"\n{terms}\n\
         [[rate]]\nrate = \"100\"\ncurrency = \"EUR\"\nfrom = \"2000-01-01\"\n"
    )
}

fn entries(count: u32) -> String {
    let mut text = String::new();
    for n in 0..count {
        let (year, month, day) = (2010 + n / 3600, n / 300 % 12 + 1, n % 28 + 1);
        writeln!(
            text,
            "[[event]]\nentry = {{ id = \"{n}\", worker = \"ada\", project = \"P\", \
             date = \"{year}-{month:02}-{day:02}\", minutes = 61 }}"
        )
        .unwrap();
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long it really takes is the question"
)]
fn seconds(terms: &str, count: u32) -> Duration {
    let text = head(terms) + &entries(count);
    let began = Instant::now();
    let read = read::read(&text).unwrap();
    let reading = began.elapsed();
    let outcome = play(&read).unwrap();
    assert_eq!(outcome.exceptions, Vec::new());
    assert!(outcome.charges.len() >= usize::try_from(count).unwrap());
    let took = began.elapsed();
    println!("{count} entries, {terms:?}: read {reading:?}, in all {took:?}");
    took
}

const CAP: &str = "[[contract.limit]]\nid = \"L\"\namount = \"400000\"";
const RETAINER: &str = "[contract.retainer]\nid = \"R\"";
const WEEK: &str = "[contract.overtime]\nterms = { rule = { form = \"weekly\", \
                    weekly_minutes = 2400 }, zone = \"UTC\" }";

#[test]
fn time_grows_with_the_entries_and_not_with_their_square() {
    for terms in ["", CAP, RETAINER, WEEK] {
        let (small, large) = (seconds(terms, 150), seconds(terms, 1_200));
        // Eight times as many; sixty-four times as long would be the square.
        assert!(
            large < small * 32 + Duration::from_secs(2),
            "{terms:?}: {small:?} for 150, {large:?} for 1,200"
        );
    }
}

/// `cargo test --release -p counterfoil-scenario -- --ignored --nocapture large` tells the figures.
#[test]
#[ignore = "measures an optimised build"]
fn large_scenarios_take_seconds() {
    for terms in ["", CAP, RETAINER, WEEK, "residual = \"carry\""] {
        assert!(
            seconds(terms, 10_000) < Duration::from_secs(10),
            "{terms:?}"
        );
    }
    // Short, so that as many as may be read fit into a file.
    assert!(seconds(CAP, 60_000) < Duration::from_mins(1));
}
