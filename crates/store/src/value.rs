//! The small layer between SQL and rows: parameters in, values out, nothing else.
//!
//! Both databases speak only 64-bit integers, text, bytes and null. There are no floats here.

use crate::error::StoreError;

/// A parameter of a statement, borrowed from the row it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param<'a> {
    /// SQL null.
    Null,
    /// A 64-bit integer; booleans are 0 and 1.
    Int(i64),
    /// Text without NUL.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}
impl From<Option<i64>> for Param<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}
impl<'a> From<&'a Option<String>> for Param<'a> {
    fn from(value: &'a Option<String>) -> Self {
        value.as_deref().map_or(Self::Null, Self::Text)
    }
}
impl<'a, const N: usize> From<&'a Option<[u8; N]>> for Param<'a> {
    fn from(value: &'a Option<[u8; N]>) -> Self {
        value
            .as_ref()
            .map_or(Self::Null, |bytes| Self::Bytes(bytes))
    }
}

/// A value read from the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// SQL null.
    #[default]
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Something no column of ours may hold: text that is not UTF-8, or a float. Kept so that
    /// `audit verify` can name the row instead of stopping at it.
    Garbled(Vec<u8>),
}

impl Value {
    /// The value as a parameter, for digests.
    pub(crate) fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Text(value) => Param::Text(value),
            Self::Bytes(value) | Self::Garbled(value) => Param::Bytes(value),
        }
    }
}

/// One row, read from the left.
#[derive(Debug)]
pub(crate) struct Row {
    statement: &'static str,
    values: Vec<Value>,
    at: usize,
}

impl Row {
    pub(crate) fn new(statement: &'static str, values: Vec<Value>) -> Self {
        Self {
            statement,
            values,
            at: 0,
        }
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    fn wrong(&self, wanted: &str, found: Option<&Value>) -> StoreError {
        StoreError::inconsistent(
            self.statement,
            &format!("column {}", self.at),
            format!("{wanted} expected, found {found:?}"),
        )
    }

    fn take(&mut self) -> Option<Value> {
        let value = self
            .values
            .get_mut(self.at)
            .map(|value| std::mem::replace(value, Value::Null));
        self.at += 1;
        value
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        match self.take() {
            Some(Value::Int(value)) => Ok(value),
            other => Err(self.wrong("an integer", other.as_ref())),
        }
    }

    pub(crate) fn int_opt(&mut self) -> Result<Option<i64>, StoreError> {
        match self.take() {
            Some(Value::Null) => Ok(None),
            Some(Value::Int(value)) => Ok(Some(value)),
            other => Err(self.wrong("an integer or null", other.as_ref())),
        }
    }

    pub(crate) fn bool(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        match self.take() {
            Some(Value::Text(value)) => Ok(value),
            other => Err(self.wrong("text", other.as_ref())),
        }
    }

    pub(crate) fn text_opt(&mut self) -> Result<Option<String>, StoreError> {
        match self.take() {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(value)) => Ok(Some(value)),
            other => Err(self.wrong("text or null", other.as_ref())),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.take() {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(self.wrong("bytes", other.as_ref())),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes()?;
        <[u8; N]>::try_from(bytes.as_slice())
            .map_err(|_| self.wrong(&format!("{N} bytes"), Some(&Value::Bytes(bytes))))
    }

    pub(crate) fn array_opt<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        if let Some(Value::Null) = self.values.get(self.at) {
            self.at += 1;
            return Ok(None);
        }
        self.array().map(Some)
    }
}
