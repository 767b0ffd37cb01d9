//! Damage: from one input and a generator to another input.
//!
//! The damage is of the kinds that servers, proxies, editors and attackers do: bits, cuts, splices,
//! tokens in each other's place, numbers that no type holds, text that is no text, nesting, length.

use std::ops::Range;

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::CANARY;
use crate::tokens::spans;

/// The longest input that is made.
pub(crate) const INPUT_BYTES_MAX: usize = 256 * 1024;
/// Most inputs stay below this, or a run would see few.
const USUAL_BYTES_MAX: usize = 16 * 1024;

/// Numbers at and beyond the edges of the types.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "00",
    "1",
    "-1",
    "0.5",
    "0.005",
    "1.005",
    "24",
    "24.01",
    "255",
    "256",
    "1e0",
    "1E+2",
    "1e-7",
    "1e28",
    "1e29",
    "1e400",
    "1e999999999",
    "-1e999999999",
    "1e-999999999",
    "0e999999999",
    "1e4294967296",
    "1e18446744073709551616",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854.775807",
    "9223372036854.775808",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "7.9228162514264337593543950335",
    "0.0000001",
    "0.0000000000000000000000000001",
    "0.00000000000000000000000000001",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "0x10",
    "0b1",
    "1_000",
    "1,5",
    "+1",
    "1.",
    ".5",
    "1.2.3",
    "--1",
    "e5",
    "\u{663}",
];

/// Tokens and texts that parsers stumble over.
const WORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"false",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[]]",
    b"{\"\":{}}",
    b"\"\\ud800\"",
    b"\"\\udc00\\ud800\"",
    b"\"\\u0000\"",
    b"\"\\u\"",
    b"\"\\",
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x91",
    "\u{202e}".as_bytes(),
    "e\u{301}\u{301}".as_bytes(),
    "\u{1f469}\u{200d}\u{1f4bb}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{130}\u{df}".as_bytes(),
    b"<!DOCTYPE html><html>",
    b"</script>",
    b"\r\n\r\n",
    b"\n",
    b"'",
    b"\"\"\"",
    b"/",
    b"../",
    b"%00",
    b"%",
    b"2026-02-30",
    b"2024-02-29",
    b"0000-00-00",
    b"9999-12-31",
    b"-009999-01-01",
    b"2026-11-23T24:00:60Z",
    b"2026-W53",
    b"EUR",
    b"XXX",
    b"JPY",
    CANARY.as_bytes(),
];

/// One to four damages.
pub(crate) fn mutated(seed: &[u8], other: &[u8], words: &[Vec<u8>], rng: &mut SmallRng) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        damage(&mut input, other, words, rng);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn damage(input: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>], rng: &mut SmallRng) {
    match rng.random_range(0..100) {
        0..12 => flip(input, rng),
        12..20 => {
            let at = place(input, rng);
            let word = word(words, rng);
            put(input, at..at, &word);
        }
        20..40 => replace_token(input, words, rng),
        40..52 => replace_number(input, rng),
        52..62 => swap_tokens(input, rng),
        62..70 => repeat_token(input, rng),
        70..78 => {
            let span = part(input, rng);
            put(input, span, &[]);
        }
        78..84 => {
            let at = place(input, rng);
            input.truncate(at);
        }
        84..92 => splice(input, other, rng),
        92..95 => nest(input, rng),
        95..98 => stretch(input, rng),
        _ => {
            let byte = rng.random();
            let at = place(input, rng);
            put(input, at..at, &[byte]);
        }
    }
}

fn put(input: &mut Vec<u8>, span: Range<usize>, with: &[u8]) {
    if span.start <= span.end && span.end <= input.len() {
        input.splice(span, with.iter().copied());
    }
}

fn place(input: &[u8], rng: &mut SmallRng) -> usize {
    rng.random_range(0..=input.len())
}

fn part(input: &[u8], rng: &mut SmallRng) -> Range<usize> {
    let (a, b) = (place(input, rng), place(input, rng));
    // Short parts are cut more often: a long one rarely leaves anything to read.
    if rng.random_bool(0.7) {
        a..(a + rng.random_range(0..8)).min(input.len())
    } else {
        a.min(b)..a.max(b)
    }
}

fn word(words: &[Vec<u8>], rng: &mut SmallRng) -> Vec<u8> {
    if rng.random_bool(0.3) {
        return number(rng);
    }
    if rng.random_bool(0.5)
        && let Some(own) = words.choose(rng)
    {
        return own.clone();
    }
    WORDS.choose(rng).map(|w| w.to_vec()).unwrap_or_default()
}

fn number(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..10) {
        0 => "9".repeat(rng.random_range(1..500)).into_bytes(),
        1 => format!("0.{}1", "0".repeat(rng.random_range(0..200))).into_bytes(),
        2 => format!(
            "{}.{}e{}",
            rng.random::<u32>(),
            rng.random::<u64>(),
            rng.random_range(-400..400)
        )
        .into_bytes(),
        3 => rng.random::<i64>().to_string().into_bytes(),
        _ => NUMBERS
            .choose(rng)
            .map(|n| n.as_bytes().to_vec())
            .unwrap_or_default(),
    }
}

fn flip(input: &mut [u8], rng: &mut SmallRng) {
    let bit = rng.random_range(0..8_u32);
    if let Some(last) = input.len().checked_sub(1)
        && let Some(byte) = input.get_mut(rng.random_range(0..=last))
    {
        *byte ^= 1_u8 << bit;
    }
}

fn token(input: &[u8], rng: &mut SmallRng) -> Option<Range<usize>> {
    spans(input).choose(rng).cloned()
}

fn replace_token(input: &mut Vec<u8>, words: &[Vec<u8>], rng: &mut SmallRng) {
    let Some(span) = token(input, rng) else {
        return;
    };
    let mut with = word(words, rng);
    // In the quotes of what was there, so that the text around it stays whole.
    let quoted = input.get(span.start) == Some(&b'"') && span.len() >= 2;
    if quoted && !with.contains(&b'"') && rng.random_bool(0.8) {
        with = [b"\"", with.as_slice(), b"\""].concat();
    }
    put(input, span, &with);
}

fn replace_number(input: &mut Vec<u8>, rng: &mut SmallRng) {
    let numbers: Vec<Range<usize>> = spans(input)
        .into_iter()
        .filter(|span| {
            let start = input.get(span.clone()).unwrap_or_default();
            start
                .iter()
                .find(|b| !matches!(b, b'"' | b'-'))
                .is_some_and(u8::is_ascii_digit)
        })
        .collect();
    let Some(span) = numbers.choose(rng).cloned() else {
        return;
    };
    let quoted = input.get(span.start) == Some(&b'"');
    let digits = number(rng);
    let with = if quoted {
        [b"\"", digits.as_slice(), b"\""].concat()
    } else {
        digits
    };
    put(input, span, &with);
}

fn swap_tokens(input: &mut Vec<u8>, rng: &mut SmallRng) {
    let (Some(to), Some(from)) = (token(input, rng), token(input, rng)) else {
        return;
    };
    let copy = input.get(from).unwrap_or_default().to_vec();
    put(input, to, &copy);
}

fn repeat_token(input: &mut Vec<u8>, rng: &mut SmallRng) {
    let Some(span) = token(input, rng) else {
        return;
    };
    let copy = input.get(span.clone()).unwrap_or_default().to_vec();
    let comma: &[u8] = if rng.random_bool(0.7) { b"," } else { b"" };
    put(input, span.end..span.end, &[comma, &copy].concat());
}

fn splice(input: &mut Vec<u8>, other: &[u8], rng: &mut SmallRng) {
    let at = place(input, rng);
    let from = place(other, rng);
    input.truncate(at);
    input.extend_from_slice(other.get(from..).unwrap_or_default());
}

/// Brackets in brackets, shallow around usual limits or as deep as the input may be long.
fn nest(input: &mut Vec<u8>, rng: &mut SmallRng) {
    let depth = match rng.random_range(0..4) {
        0 => rng.random_range(60..70),
        1 => rng.random_range(120..135),
        2 => rng.random_range(500..5_000),
        _ => 40_000,
    };
    let kinds = [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("[{\"id\":", "}]"),
        ("a.", ""),
    ];
    let Some((open, close)) = kinds.choose(rng) else {
        return;
    };
    let closed = rng.random_bool(0.5);
    let nest = format!(
        "{}1{}",
        open.repeat(depth),
        if closed {
            close.repeat(depth)
        } else {
            String::new()
        }
    );
    let span = token(input, rng).unwrap_or(0..input.len());
    put(input, span, nest.as_bytes());
}

/// A piece again and again, up to the longest input.
fn stretch(input: &mut Vec<u8>, rng: &mut SmallRng) {
    let span = token(input, rng).unwrap_or(0..input.len());
    let mut piece = input.get(span.clone()).unwrap_or_default().to_vec();
    if piece.is_empty() {
        return;
    }
    if rng.random_bool(0.5) {
        piece.push(b',');
    }
    let limit = if rng.random_bool(0.9) {
        USUAL_BYTES_MAX
    } else {
        INPUT_BYTES_MAX
    };
    let times = rng.random_range(1..=(limit / piece.len()).max(1));
    put(input, span, &piece.repeat(times));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_same_generator_makes_the_same_damage() {
        let seed = br#"{"hours":1.5,"name":"x"}"#;
        let run = |n| mutated(seed, b"[]", &[], &mut SmallRng::seed_from_u64(n));
        assert_eq!(run(7), run(7));
        let different = (0..50).filter(|n| run(*n) != seed.as_slice()).count();
        assert!(different > 40, "{different}");
    }

    #[test]
    fn every_kind_of_trouble_comes_up() {
        let mut rng = SmallRng::seed_from_u64(1);
        let seed = br#"{"hours":1.5,"name":"x","list":[1,2,3]}"#;
        let inputs: Vec<Vec<u8>> = (0..6_000)
            .map(|_| mutated(seed, seed, &[], &mut rng))
            .collect();
        let any = |law: &dyn Fn(&[u8]) -> bool| inputs.iter().any(|input| law(input));
        let holds =
            |part: &'static [u8]| move |input: &[u8]| input.windows(part.len()).any(|w| w == part);
        assert!(any(&holds(b"1e999999999")));
        assert!(any(&holds(b"\\ud800")));
        assert!(any(&holds(CANARY.as_bytes())));
        assert!(any(&|input| input
            .split(|b| *b != b'[')
            .any(|run| run.len() > 30_000)));
        assert!(any(&|input| input.contains(&0)));
        assert!(any(&|input| std::str::from_utf8(input).is_err()));
        assert!(any(&|input| input.len() > 100_000));
        assert!(inputs.iter().all(|input| input.len() <= INPUT_BYTES_MAX));
    }
}
