//! Whatever somebody writes for a number, a date, an id or a record: a value or an error, and a
//! value that is written and read again is the same.

use counterfoil_domain as domain;
use domain::contract::Contract;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::ids::ItemId;
use domain::labor::LaborTransaction;
use domain::money::Money;
use domain::quantity::{SECONDS_MAX_PER_ENTRY, SourceResolution, recorded_seconds};
use domain::time::work_date;
use fuzz::{Finding, Fuzz, Seen};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Display};
use std::str::FromStr;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Read a text; what was read is written and read again.
fn there_and_back<T>(bytes: &[u8]) -> Result<Seen, String>
where
    T: FromStr<Err: ToString> + Display + Debug + PartialEq,
{
    let result = text(bytes).parse::<T>();
    if let Ok(value) = &result {
        let again = value.to_string().parse::<T>();
        if again.as_ref().ok() != Some(value) {
            return Err(format!("wrote {value}, which does not read as the same"));
        }
    }
    Ok(Seen::of(result))
}

/// The same for a record in JSON. The reader's message holds no more than the library's own words.
fn json_there_and_back<T>(bytes: &[u8]) -> Result<Seen, String>
where
    T: DeserializeOwned + Serialize + Debug + PartialEq,
{
    let result = serde_json::from_slice::<T>(bytes);
    if let Ok(value) = &result {
        let written = serde_json::to_vec(value).map_err(|error| error.to_string())?;
        let again = serde_json::from_slice::<T>(&written).map_err(|error| error.to_string())?;
        if again != *value {
            return Err("a record changed when written and read again".to_owned());
        }
    }
    Ok(match result {
        Ok(value) => Seen::read("record", &value),
        Err(error) => Seen {
            // How long it is says nothing: our own messages cut what they repeat, the library's
            // do not, and no caller shows them.
            told: String::new(),
            ..Seen::refused(&error)
        },
    })
}

const NUMBERS: [&str; 6] = [
    "0",
    "187.1234",
    "-0.000001",
    "1.5",
    "24",
    "9223372036854.775807",
];

#[test]
fn fuzz_decimal() -> Result<(), Finding> {
    Fuzz::new("decimal", env!("CARGO_MANIFEST_DIR"))
        .seeds(NUMBERS)
        .run(there_and_back::<Micro>)
}

#[test]
fn fuzz_money() -> Result<(), Finding> {
    let codes = ["EUR", "JPY", "KWD", "CLF"];
    Fuzz::new("money", env!("CARGO_MANIFEST_DIR"))
        .seeds(NUMBERS)
        .run(move |bytes| {
            let Ok(micro) = text(bytes).parse::<Micro>() else {
                return Ok(Seen::refused(&"no decimal"));
            };
            let mut seen = Seen::read("decimal", &micro);
            for code in codes {
                let currency: Currency = code.parse().map_err(|_| code.to_owned())?;
                let money = Money::from_decimal(micro.decimal(), currency);
                if let Ok(money) = &money
                    && money.decimal() != micro.decimal()
                {
                    return Err(format!("{micro} became {money}"));
                }
                let rounding = domain::rounding::Rounding::HalfEven;
                let times = Money::times(micro, micro, currency, rounding);
                let of_time = Money::of_time(micro.micro(), micro, currency, rounding);
                seen = seen
                    .and(&Seen::of(money))
                    .and(&Seen::of(times))
                    .and(&Seen::of(of_time));
            }
            Ok(seen)
        })
}

#[test]
fn fuzz_hours() -> Result<(), Finding> {
    Fuzz::new("hours", env!("CARGO_MANIFEST_DIR"))
        .seeds(["0.67", "7.99", "24", "2.5e0", "8.0", "1e-2"])
        .run(|bytes| {
            let hours = text(bytes);
            let mut seen = Seen::read("both", &());
            for resolution in [SourceResolution::HundredthHour, SourceResolution::Exact] {
                let seconds = recorded_seconds(&hours, resolution);
                if seconds
                    .as_ref()
                    .is_ok_and(|s| !(0..=SECONDS_MAX_PER_ENTRY).contains(s))
                {
                    return Err(format!("an entry of {seconds:?} seconds"));
                }
                seen = seen.and(&Seen::of(seconds));
            }
            Ok(seen)
        })
}

#[test]
fn fuzz_currency() -> Result<(), Finding> {
    Fuzz::new("currency", env!("CARGO_MANIFEST_DIR"))
        .seeds(["EUR", "USD", "JPY", "KWD", "eur"])
        .run(there_and_back::<Currency>)
}

#[test]
fn fuzz_id() -> Result<(), Finding> {
    Fuzz::new("id", env!("CARGO_MANIFEST_DIR"))
        .seed(ItemId::derive("ledger", "redmine", "4711").to_string())
        .seed("itm_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .run(there_and_back::<ItemId>)
}

#[test]
fn fuzz_work_date() -> Result<(), Finding> {
    Fuzz::new("work_date", env!("CARGO_MANIFEST_DIR"))
        .seeds(["2026-11-23", "2024-02-29", "2000-01-01", "2099-12-31"])
        .run(|bytes| Ok(Seen::of(work_date(&text(bytes)))))
}

#[test]
fn fuzz_labor_transaction() -> Result<(), Finding> {
    Fuzz::new("labor_transaction", env!("CARGO_MANIFEST_DIR"))
        .seed(
            r#"{"version":1,"source":"redmine","source_transaction_id":"4711","revision":2,
            "worker":"W1","worker_kind":"employee","role":"senior","legal_entity":"KA",
            "business_unit":"Advisory","customer":"C1","contract":"K1",
            "contract_kind":"time_and_materials","project":"P1","task":"T1","service_item":"CONS",
            "work_date":"2026-03-05","zone":"Europe/Berlin","recorded_seconds":4500,
            "quantity":"1.25","unit":"hour","narrative":"Review","approval_status":"approved",
            "billing_status":"unbilled","billable":true,"cost_rate":"80","cost_currency":"EUR","bill_rate":"150",
            "currency":"EUR"}"#,
        )
        .run(json_there_and_back::<LaborTransaction>)
}

#[test]
fn fuzz_contract() -> Result<(), Finding> {
    Fuzz::new("contract", env!("CARGO_MANIFEST_DIR"))
        .seed(
            r#"{"id":"ACME-2026","customer":"C-ACME","projects":["P-ACME"],
            "kind":"time_and_materials","currency":"EUR","amount_rounding":"half_even",
            "increment":{"step_minutes":15,"minimum_minutes":30,"rounding":"up"}}"#,
        )
        .run(json_there_and_back::<Contract>)
}
