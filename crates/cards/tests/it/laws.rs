//! What holds for every file.

use counterfoil_cards::{Format, ReadOptions, read, write};
use domain::decimal::Micro;
use domain::rate::{RateKey, RateRow, RateSource};
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

fn code() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(
        "[\\p{L}\\p{N}\\p{P}\\p{S}]([\\p{L}\\p{N}\\p{P}\\p{S} ]{0,8}[\\p{L}\\p{N}\\p{P}\\p{S}])?",
    )
}

fn currency() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("EUR"), Just("USD"), Just("JPY")]
}

prop_compose! {
    fn key()(
        customer in code(), contract in code(), project in code(), task in code(), practice in code(),
        worker in code(), role in code(), service_item in code(),
    ) -> RateKey {
        RateKey { customer, contract, project, task, practice, worker, role, service_item }
    }
}

prop_compose! {
    fn row()(
        key in key(), micro in prop_oneof![any::<i64>(), 0_i64..1_000_000_000], currency in currency(),
        from in 0..200_000, length in proptest::option::of(-5..5000), recorded in proptest::option::of(0..60_000),
        erp in any::<bool>(),
    ) -> RateRow {
        let day = |number: i32| date(1700, 1, 1).checked_add(number.days()).unwrap();
        RateRow {
            key,
            rate: Micro::from_micro(micro),
            currency: currency.parse().unwrap(),
            from: day(from + 10),
            to: length.map(|length| day(from + 10 + length)),
            recorded: recorded.map(day),
            origin: if erp { RateSource::Erp } else { RateSource::Card },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_reads_as_it_was(rows in proptest::collection::vec(row(), 0..6)) {
        let all: Vec<&RateRow> = rows.iter().collect();
        for (format, name) in [(Format::Csv, "rates.csv"), (Format::Xlsx, "rates.xlsx")] {
            let bytes = write(format, &all).unwrap();
            let back = read(name, format, &bytes, ReadOptions::default());
            let back: Vec<RateRow> = back.unwrap().into_iter().map(|placed| placed.row).collect();
            prop_assert_eq!(&back, &rows);
            // Equal cards make equal files.
            prop_assert_eq!(write(format, &all).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read("rates.csv", Format::Csv, &bytes, ReadOptions::default());
        prop_assert!(read("rates.xlsx", Format::Xlsx, &bytes, ReadOptions::default()).is_err());
    }

    #[test]
    fn no_text_breaks_the_reader(text in "rate,currency,from,project\n([0-9a-zA-Z,.;\"'\n=-]{0,60}\n){0,4}") {
        let _ = read("rates.csv", Format::Csv, text.as_bytes(), ReadOptions::default());
    }

    #[test]
    fn a_damaged_workbook_is_refused_or_read(at in 0_usize..4000, byte in any::<u8>()) {
        let one = RateRow {
            key: RateKey::default(),
            rate: "187.1234".parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            from: date(2026, 1, 1),
            to: None,
            recorded: None,
            origin: RateSource::Card,
        };
        let mut bytes = write(Format::Xlsx, &[&one]).unwrap();
        let place = at % bytes.len();
        bytes[place] = byte;
        if let Ok(rows) = read("rates.xlsx", Format::Xlsx, &bytes, ReadOptions::default()) {
            // The checksums of the archive leave no third way.
            prop_assert!(rows.is_empty() || rows[0].row == one);
        }
    }
}
