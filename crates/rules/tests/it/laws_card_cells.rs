//! What holds for every cell of a rate card file.

use counterfoil_rules::card::cell::{
    DateOrder, DecimalMark, read_code, read_date, read_number, write_code, write_rate,
};
use domain::decimal::Micro;
use jiff::civil::Date;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_rate_that_was_written_reads_as_it_was(micro in any::<i64>()) {
        let rate = Micro::from_micro(micro);
        prop_assert_eq!(read_number(&write_rate(rate), None).map(|m| m.value), Ok(rate));
    }

    #[test]
    fn a_code_that_was_written_reads_as_it_was(code in "[^\\p{Cc}]{1,12}") {
        let written = write_code(&code);
        prop_assert!(!written.starts_with(['=', '+', '-', '@']));
        prop_assert_eq!(read_code(&written), Ok(code));
    }

    #[test]
    fn a_number_that_is_taken_means_the_same_in_every_reading(text in "-?[0-9]{1,4}([., '][0-9]{1,4}){0,3}") {
        if let Ok(meaning) = read_number(&text, None) {
            for mark in [DecimalMark::Point, DecimalMark::Comma] {
                if let Ok(stated) = read_number(&text, Some(mark)) {
                    prop_assert_eq!(stated.value, meaning.value);
                    prop_assert!(meaning.style.is_none_or(|style| style == mark));
                }
            }
        }
    }

    #[test]
    fn a_date_that_is_taken_means_the_same_in_every_reading(text in "[0-9]{1,2}[-/.][0-9]{1,2}[-/.]20[0-9]{2}") {
        if let Ok(meaning) = read_date(&text, None) {
            for order in [DateOrder::DayFirst, DateOrder::MonthFirst] {
                if let Ok(stated) = read_date(&text, Some(order)) {
                    prop_assert_eq!(stated.value, meaning.value);
                }
            }
        }
    }

    #[test]
    fn a_date_reads_as_it_is_written(year in 1900_i16..2200, month in 1_i8..=12, day in 1_i8..=28) {
        let date = Date::new(year, month, day).unwrap();
        prop_assert_eq!(read_date(&date.to_string(), None).map(|m| m.value), Ok(date));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,30}") {
        let _ = read_number(&text, None);
        let _ = read_date(&text, None);
        let _ = read_code(&text);
    }
}
