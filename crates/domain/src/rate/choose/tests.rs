use super::*;
use jiff::civil::date;

fn row(key: RateKey, rate: &str, from: Date, to: Option<Date>) -> RateRow {
    RateRow {
        key,
        rate: rate.parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        from,
        to,
        recorded: None,
        origin: RateSource::Card,
    }
}

fn query(day: Date) -> RateQuery<'static> {
    RateQuery {
        customer: "C1",
        contract: "K1",
        project: "P1",
        task: "T1",
        worker: "W1",
        role: "senior",
        service_item: "CONS",
        day,
    }
}

fn key(set: impl FnOnce(&mut RateKey)) -> RateKey {
    let mut key = RateKey::default();
    set(&mut key);
    key
}

#[test]
fn the_most_specific_key_wins() {
    let start = date(2026, 1, 1);
    let day = date(2026, 3, 5);
    let mut rows = Vec::new();
    let ladder: [(&str, RateKey); 6] = [
        ("100", RateKey::default()),
        ("110", key(|k| k.role = Some("senior".into()))),
        ("120", key(|k| k.customer = Some("C1".into()))),
        ("130", key(|k| k.contract = Some("K1".into()))),
        (
            "140",
            key(|k| {
                k.project = Some("P1".into());
                k.role = Some("senior".into());
            }),
        ),
        (
            "150",
            key(|k| {
                k.project = Some("P1".into());
                k.worker = Some("W1".into());
            }),
        ),
    ];
    for (rate, key) in ladder {
        rows.insert(0, row(key, rate, start, None));
        assert_eq!(
            choose_rate(&rows, &query(day)).unwrap().rate.to_string(),
            rate
        );
    }
    rows.push(row(
        key(|k| k.worker = Some("W2".into())),
        "999",
        start,
        None,
    ));
    assert_eq!(
        choose_rate(&rows, &query(day)).unwrap().rate.to_string(),
        "150"
    );
}

#[test]
fn a_gap_of_the_most_specific_key_is_missing_and_never_falls_through() {
    let rows = [
        row(RateKey::default(), "100", date(2026, 1, 1), None),
        row(
            key(|k| k.project = Some("P1".into())),
            "150",
            date(2026, 1, 1),
            Some(date(2026, 3, 1)),
        ),
    ];
    assert_eq!(
        choose_rate(&rows, &query(date(2026, 2, 28)))
            .unwrap()
            .rate
            .to_string(),
        "150"
    );
    let gap = choose_rate(&rows, &query(date(2026, 3, 1)));
    assert_eq!(
        gap,
        Err(NoRate::Gap {
            key: "project P1".into()
        })
    );
    assert_eq!(
        choose_rate(&[], &query(date(2026, 3, 1))),
        Err(NoRate::NoRow)
    );
}

#[test]
fn two_rows_of_one_key_on_one_day_are_a_mistake() {
    let rows = [
        row(RateKey::default(), "100", date(2026, 1, 1), None),
        row(RateKey::default(), "110", date(2026, 3, 1), None),
    ];
    assert_eq!(
        choose_rate(&rows, &query(date(2026, 2, 1)))
            .unwrap()
            .rate
            .to_string(),
        "100"
    );
    assert!(matches!(
        choose_rate(&rows, &query(date(2026, 3, 1))),
        Err(NoRate::Tie { .. })
    ));
}
