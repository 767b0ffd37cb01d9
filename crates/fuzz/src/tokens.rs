//! Where the tokens of a text lie, read loosely: strings, words and numbers, marks, and whole
//! brackets. It serves JSON, TOML and plain values alike and never refuses bytes.

use std::ops::Range;

/// Tokens that are looked at; long inputs are mutated at their start only.
const TOKENS_MAX: usize = 4000;

/// The spans of single tokens, and of brackets with their content.
pub(crate) fn spans(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at)
        && found.len() < TOKENS_MAX
    {
        let end = match byte {
            b'"' => end_of_string(bytes, at + 1),
            byte if is_word(byte) => end_of_word(bytes, at),
            _ => at + 1,
        };
        match byte {
            b'[' | b'{' => open.push(at),
            b']' | b'}' => {
                if let Some(start) = open.pop() {
                    found.push(start..end);
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            found.push(at..end);
        }
        at = end;
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_') || byte >= 0x80
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| is_word(**byte)).count();
    start + length.max(1)
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_numbers_and_brackets_are_found_whole() {
        let text = br#"{"a\"b": [-1.5e3, null]}"#;
        let found: Vec<&[u8]> = spans(text).into_iter().map(|span| &text[span]).collect();
        for wanted in [
            br#""a\"b""#.as_slice(),
            b"-1.5e3",
            b"null",
            b"[-1.5e3, null]",
            text,
        ] {
            assert!(found.contains(&wanted), "{}", wanted.escape_ascii());
        }
    }

    #[test]
    fn any_bytes_have_spans_inside_them() {
        for text in [
            b"\"".as_slice(),
            b"\"\\",
            b"]]}",
            b"\xff\xfe",
            b"",
            b"\"a\nb",
        ] {
            assert!(spans(text).iter().all(|span| span.end <= text.len()));
        }
    }
}
