//! What holds for everything that is found wrong with a rate card.

use crate::laws_rate_cards::{any_row, asked, choose, day};
use counterfoil_rules::card::lint::{Known, LintCode, LintInput, Place, Placed, has_errors, lint};
use counterfoil_rules::card::{RateUse, Refusal};
use domain::contract::rates::{RateGap, RateTerms};
use domain::rate::RateRow;
use proptest::prelude::*;

fn placed(rows: &[RateRow]) -> Vec<Placed> {
    let place = |row: &RateRow| Placed {
        row: row.clone(),
        place: Place::default(),
    };
    rows.iter().map(place).collect()
}

fn look(rows: &[Placed]) -> Vec<counterfoil_rules::card::lint::Finding> {
    lint(&LintInput {
        rows,
        used_for: RateUse::Bill,
        today: Some(day(1000)),
        decimals_max: 6,
        known: &Known::default(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_card_without_errors_never_ties(
        rows in proptest::collection::vec(any_row(), 0..8), on in 0..120,
        known in proptest::option::of(0..40), fall in any::<bool>(),
    ) {
        let all = placed(&rows);
        prop_assume!(!has_errors(&look(&all)));
        let gap = if fall { RateGap::FallThrough } else { RateGap::Refuse };
        let terms = RateTerms { gap, ..RateTerms::default() };
        let answer = choose(&rows, &asked(on, known), terms);
        prop_assert!(!matches!(answer, Err(Refusal::Tie { .. })), "{:?}", answer);
    }

    #[test]
    fn an_overlap_is_two_rows_of_one_version_on_one_day(
        rows in proptest::collection::vec(any_row(), 0..12),
    ) {
        let all = placed(&rows);
        let mut pairs = Vec::new();
        for (a, one) in rows.iter().enumerate() {
            for (b, two) in rows.iter().enumerate().skip(a + 1) {
                let share = (0..200).any(|d| one.covers(day(d)) && two.covers(day(d)));
                if one.key == two.key && one.recorded == two.recorded && share {
                    pairs.push(vec![a, b]);
                }
            }
        }
        let found: Vec<Vec<usize>> = look(&all)
            .into_iter()
            .filter(|finding| finding.code == LintCode::Overlap)
            .map(|finding| finding.rows)
            .collect();
        prop_assert_eq!(found, pairs);
    }

    #[test]
    fn the_order_of_rows_has_no_meaning_for_errors(
        rows in proptest::collection::vec(any_row(), 0..10),
    ) {
        let backwards: Vec<RateRow> = rows.iter().rev().cloned().collect();
        let codes = |rows: &[RateRow]| {
            let mut codes: Vec<&str> = look(&placed(rows)).iter().map(|f| f.code.text()).collect();
            codes.sort_unstable();
            codes
        };
        prop_assert_eq!(codes(&rows), codes(&backwards));
    }
}
