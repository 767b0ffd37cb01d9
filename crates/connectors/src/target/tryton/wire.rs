//! Tryton's own JSON forms (dates, decimals, durations) and typed access to its records.
//!
//! Related fields come nested: asking for `party.code` answers a member `party.` that holds `code`.

use super::json::Json;
use connector_sdk::call::CallError;
use domain::decimal::Micro;
use domain::rounding::Rounding;
use jiff::civil::Date;
use rust_decimal::Decimal;
use thiserror::Error;

/// A field of an answer that is not what the connector knows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the field '{field}' of the answer is not {expected}")]
pub struct Unreadable {
    /// The field, as it was asked for.
    pub field: String,
    /// What it should be.
    pub expected: &'static str,
}

impl From<Unreadable> for CallError {
    fn from(error: Unreadable) -> Self {
        Self::Contract {
            words: error.to_string(),
        }
    }
}

/// A date as Tryton wants it.
pub fn date(day: Date) -> Json {
    Json::object([
        ("__class__", Json::text("date")),
        ("year", Json::int(day.year().into())),
        ("month", Json::int(day.month().into())),
        ("day", Json::int(day.day().into())),
    ])
}

/// An exact decimal as Tryton wants it.
pub fn decimal(value: Decimal) -> Json {
    Json::object([
        ("__class__", Json::text("Decimal")),
        ("decimal", Json::text(value.to_string())),
    ])
}

/// A duration of whole seconds as Tryton wants it.
pub fn duration(seconds: i64) -> Json {
    Json::object([
        ("__class__", Json::text("timedelta")),
        ("seconds", Json::int(seconds)),
    ])
}

/// A quantity: a bare number with exactly its own digits.
pub fn quantity(value: Micro) -> Json {
    Json::Number(value.to_string())
}

fn class(value: &Json) -> Option<&str> {
    value.get("__class__").and_then(Json::as_text)
}

/// A date, from the object or from ISO text.
pub fn read_date(value: &Json) -> Option<Date> {
    if let Some(text) = value.as_text() {
        return text.parse().ok();
    }
    if class(value) != Some("date") {
        return None;
    }
    let part = |name: &str| value.get(name).and_then(Json::as_int);
    Date::new(
        i16::try_from(part("year")?).ok()?,
        i8::try_from(part("month")?).ok()?,
        i8::try_from(part("day")?).ok()?,
    )
    .ok()
}

/// An exact decimal, from the object or from a bare number.
pub fn read_decimal(value: &Json) -> Option<Decimal> {
    let digits = match value {
        Json::Number(digits) => digits,
        Json::Object(_) if class(value) == Some("Decimal") => value.get("decimal")?.as_text()?,
        _ => return None,
    };
    if digits.len() > 40 {
        return None;
    }
    let read = digits
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(digits));
    read.ok()
}

/// Whole seconds of a duration; fractions of a second are cut.
pub fn read_seconds(value: &Json) -> Option<i64> {
    use rust_decimal::prelude::ToPrimitive as _;
    if class(value) != Some("timedelta") {
        return None;
    }
    read_decimal(value.get("seconds")?)?.trunc().to_i64()
}

/// A number at the six digits the ledger keeps. Tryton stores quantities in binary: what lies
/// beyond the sixth digit is noise of that, since the unit allows two.
pub fn read_micro(value: &Json) -> Option<Micro> {
    Micro::from_decimal(Rounding::HalfEven.to_digits(read_decimal(value)?, 6)).ok()
}

/// One record of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a>(pub &'a Json);

impl<'a> Record<'a> {
    /// A field by its path; `None` where it is null or a relation on the way is empty.
    pub fn value(self, path: &str) -> Option<&'a Json> {
        let mut at = self.0;
        let mut rest = path;
        while let Some((relation, field)) = rest.split_once('.') {
            at = at.get(&format!("{relation}."))?;
            rest = field;
        }
        at.get(rest).filter(|value| !matches!(value, Json::Null))
    }

    fn optional<T>(
        self,
        path: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let unreadable = || Unreadable {
            field: path.to_owned(),
            expected,
        };
        self.value(path)
            .map(|value| read(value).ok_or_else(unreadable))
            .transpose()
    }

    fn present<T>(path: &str, expected: &'static str, value: Option<T>) -> Result<T, Unreadable> {
        value.ok_or_else(|| Unreadable {
            field: path.to_owned(),
            expected,
        })
    }

    /// A text; `None` where it is null or empty.
    pub fn text(self, path: &str) -> Result<Option<&'a str>, Unreadable> {
        let text = self.optional(path, "a text", Json::as_text)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// An id.
    pub fn id(self, path: &str) -> Result<i64, Unreadable> {
        Self::present(path, "an id", self.id_or_none(path)?)
    }

    /// An id of an optional relation.
    pub fn id_or_none(self, path: &str) -> Result<Option<i64>, Unreadable> {
        self.optional(path, "an id", Json::as_int)
    }

    /// The ids of a list of records.
    pub fn ids(self, path: &str) -> Result<Vec<i64>, Unreadable> {
        let read = |value: &Json| value.items()?.iter().map(Json::as_int).collect();
        Ok(self
            .optional(path, "a list of ids", read)?
            .unwrap_or_default())
    }

    /// Yes or no.
    pub fn flag(self, path: &str) -> Result<bool, Unreadable> {
        let read = |value: &Json| match value {
            Json::Bool(flag) => Some(*flag),
            _ => None,
        };
        Self::present(path, "yes or no", self.optional(path, "yes or no", read)?)
    }

    /// A date.
    pub fn date(self, path: &str) -> Result<Option<Date>, Unreadable> {
        self.optional(path, "a date", read_date)
    }

    /// An exact decimal.
    pub fn decimal(self, path: &str) -> Result<Option<Decimal>, Unreadable> {
        self.optional(path, "a decimal number", read_decimal)
    }

    /// A number at the ledger's six digits.
    pub fn micro(self, path: &str) -> Result<Option<Micro>, Unreadable> {
        self.optional(path, "a number", read_micro)
    }

    /// Whole seconds of a duration.
    pub fn seconds(self, path: &str) -> Result<Option<i64>, Unreadable> {
        self.optional(path, "a duration", read_seconds)
    }
}

/// The records of an answer.
pub fn records(result: &Json) -> Result<Vec<Record<'_>>, Unreadable> {
    let all = || -> Option<Vec<Record<'_>>> {
        let items = result.items()?;
        items
            .iter()
            .map(|item| matches!(item, Json::Object(_)).then_some(Record(item)))
            .collect()
    };
    all().ok_or_else(|| Unreadable {
        field: "result".to_owned(),
        expected: "a list of records",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn writes_tryton_forms() {
        let day = jiff::civil::date(2026, 10, 31);
        assert_eq!(
            date(day).write(),
            r#"{"__class__":"date","year":2026,"month":10,"day":31}"#
        );
        let price: Micro = "187.1234".parse().unwrap();
        assert_eq!(
            decimal(price.decimal()).write(),
            r#"{"__class__":"Decimal","decimal":"187.1234"}"#
        );
        assert_eq!(
            duration(4800).write(),
            r#"{"__class__":"timedelta","seconds":4800}"#
        );
        assert_eq!(quantity("-1.33".parse().unwrap()).write(), "-1.33");
        assert_eq!(read_date(&date(day)), Some(day));
    }

    #[test]
    fn reads_tryton_forms() {
        let record = parse(
            r#"{"id":5,"quantity":1.33,"noise":0.30000000000000004,"small":1e-05,
            "unit_price":{"__class__":"Decimal","decimal":"98.7500"},"party.":{"code":"C-ACME","id":7},
            "invoice.":null,"duration":{"__class__":"timedelta","seconds":4800.0},"active":true,
            "date":{"__class__":"date","year":2026,"month":2,"day":28},"lines":[1,2],"note":""}"#,
        );
        let record = Record(&record);
        let micro = |path: &str| record.micro(path).unwrap().unwrap().to_string();
        assert_eq!(micro("quantity"), "1.33");
        assert_eq!(micro("noise"), "0.3");
        assert_eq!(micro("small"), "0.00001");
        assert_eq!(micro("unit_price"), "98.75");
        assert_eq!(record.text("party.code"), Ok(Some("C-ACME")));
        assert_eq!(record.text("invoice.number"), Ok(None));
        assert_eq!(record.text("note"), Ok(None));
        assert_eq!(record.seconds("duration"), Ok(Some(4800)));
        assert_eq!(
            record.date("date"),
            Ok(Some(jiff::civil::date(2026, 2, 28)))
        );
        assert_eq!(record.ids("lines"), Ok(vec![1, 2]));
        assert_eq!(record.flag("active"), Ok(true));
        assert_eq!(record.id("id"), Ok(5));
    }

    #[test]
    fn refuses_what_is_something_else() {
        let record = parse(
            r#"{"id":"5","date":{"__class__":"date","year":2026,"month":13,"day":1},"quantity":"x",
            "code":7,"active":1,"lines":[1,"2"],"big":1e400,"price":{"__class__":"Decimal","decimal":"NaN"}}"#,
        );
        let record = Record(&record);
        assert!(record.id("id").is_err());
        assert!(record.id("absent").is_err());
        assert!(record.date("date").is_err());
        assert!(record.micro("quantity").is_err());
        assert!(record.text("code").is_err());
        assert!(record.flag("active").is_err());
        assert!(record.ids("lines").is_err());
        assert!(record.micro("big").is_err());
        assert!(record.decimal("price").is_err());
        assert!(records(&parse("[1]")).is_err());
        assert!(records(&Json::Null).is_err());
    }
}
