//! JSON whose numbers stay the digits that were sent.
//!
//! Tryton writes quantities as bare JSON numbers. A library value would pass them through binary
//! floating point; here a number is its text until somebody asks for an exact decimal. Any bytes
//! are answered with a value or an error, never with a panic, and nesting is bounded.

use std::fmt::Write as _;
use thiserror::Error;

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its digits.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order it was written.
    Object(Vec<(String, Json)>),
}

/// Why bytes are no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonError {
    /// It ends in the middle: the connection was probably cut.
    #[error("the answer ends in the middle")]
    Truncated,
    /// It is something else.
    #[error("the answer is no JSON")]
    Malformed,
    /// It nests deeper than [`DEPTH_MAX`].
    #[error("the answer nests too deeply")]
    TooDeep,
}

impl Json {
    /// A text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// A whole number.
    pub fn int(value: i64) -> Self {
        Self::Number(value.to_string())
    }

    /// A list of whole numbers.
    pub fn ints(values: &[i64]) -> Self {
        Self::List(values.iter().copied().map(Self::int).collect())
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(values: &[T]) -> Self {
        Self::List(values.iter().map(|v| Self::text(v.as_ref())).collect())
    }

    /// An object from name and value pairs.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        let named = members.map(|(name, value)| (name.to_owned(), value));
        Self::Object(named.into())
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// Read one value that fills the whole input.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|error| match error.error_len() {
            None => JsonError::Truncated,
            Some(_) => JsonError::Malformed,
        })?;
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.blanks();
        if parser.at == text.len() {
            Ok(value)
        } else {
            Err(JsonError::Malformed)
        }
    }

    /// The value as JSON text.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_to(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                // Writing to a text cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.blanks();
        match self.peek().ok_or(JsonError::Truncated)? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.string().map(Json::Text),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(JsonError::Malformed),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        for expected in word.bytes() {
            if self.next()? != expected {
                return Err(JsonError::Malformed);
            }
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            if self.peek().ok_or(JsonError::Truncated)? != b'"' {
                return Err(JsonError::Malformed);
            }
            let name = self.string()?;
            self.blanks();
            if self.next()? != b':' {
                return Err(JsonError::Malformed);
            }
            members.push((name, self.value(depth + 1)?));
            self.blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Json::Object(members)),
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Json::List(items)),
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    /// The cursor stands on the opening quote. The library undoes the escapes.
    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.next()? {
                b'\\' => {
                    self.next()?;
                }
                b'"' => break,
                _ => {}
            }
        }
        let token = self.text.get(start..self.at).ok_or(JsonError::Malformed)?;
        serde_json::from_str(token).map_err(|_| JsonError::Malformed)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.digits() == 0 {
            return Err(self.cut());
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.cut());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.cut());
            }
        }
        let digits = self.text.get(start..self.at).ok_or(JsonError::Malformed)?;
        Ok(Json::Number(digits.to_owned()))
    }

    const fn cut(&self) -> JsonError {
        if self.at >= self.text.len() {
            JsonError::Truncated
        } else {
            JsonError::Malformed
        }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
