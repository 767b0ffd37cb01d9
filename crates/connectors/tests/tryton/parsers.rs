//! Whatever a server sends, the connector answers with a value or an error.

use connector_sdk::transport::{Effect, Reply};
use counterfoil_connectors::target::tryton::json::Json;
use counterfoil_connectors::target::tryton::wire::{
    Record, read_date, read_decimal, read_micro, read_seconds, records,
};
use counterfoil_connectors::target::tryton::{classify, of_error};
use proptest::prelude::*;

/// All readers on one value and everything in it.
pub(crate) fn read_all(value: &Json) {
    let _ = (
        read_date(value),
        read_decimal(value),
        read_micro(value),
        read_seconds(value),
    );
    let _ = (records(value), of_error(value));
    let record = Record(value);
    for path in ["id", "party.code", "a.b.c", ""] {
        let _ = (
            record.id(path),
            record.text(path),
            record.flag(path),
            record.ids(path),
        );
        let _ = (record.date(path), record.micro(path), record.seconds(path));
    }
    match value {
        Json::List(items) => items.iter().for_each(read_all),
        Json::Object(members) => members.iter().for_each(|(_, value)| read_all(value)),
        _ => {}
    }
}

fn json() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,6})?",
    ];
    let name = prop_oneof![
        Just("__class__".to_owned()),
        Just("decimal".to_owned()),
        Just("seconds".to_owned()),
        Just("year".to_owned()),
        Just("id".to_owned()),
        ".{0,8}",
    ];
    let text = prop_oneof![
        Just("date".to_owned()),
        Just("Decimal".to_owned()),
        Just("timedelta".to_owned()),
        Just("UserError".to_owned()),
        ".{0,20}",
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(Json::Number),
        text.prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(value) = Json::parse(&bytes) {
            read_all(&value);
        }
    }

    #[test]
    fn arbitrary_replies_never_panic_and_a_write_is_never_called_safe_by_guess(
        status in 100_u16..600,
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            json().prop_map(|value| value.write().into_bytes()),
        ],
    ) {
        let reply = Reply { status, headers: Vec::new(), body };
        for effect in [Effect::Read, Effect::Write] {
            let result = classify(effect, &reply, 0);
            prop_assert!(status == 200 || result.is_err());
        }
    }

    #[test]
    fn any_value_survives_the_wire(value in json()) {
        let text = value.write();
        prop_assert_eq!(Json::parse(text.as_bytes()), Ok(value.clone()));
        read_all(&value);
        for end in 0..text.len() {
            // A cut answer is never taken for a whole one, unless only a number was cut.
            if let Ok(cut) = Json::parse(&text.as_bytes()[..end]) {
                prop_assert!(matches!(cut, Json::Number(_)));
            }
        }
    }
}
