use super::*;

#[test]
fn numbers_keep_their_digits() {
    for digits in [
        "0",
        "-1",
        "1.10",
        "187.1234",
        "1e-05",
        "99999999999999999999.000001",
    ] {
        assert_eq!(
            Json::parse(digits.as_bytes()),
            Ok(Json::Number(digits.into()))
        );
    }
}

#[test]
fn reads_what_it_writes() {
    let text = r#"{"a":[1,2.50,null,true,false],"b":{"c":"é \" \\ \n"},"d":[],"e":{}}"#;
    let value = Json::parse(text.as_bytes()).unwrap();
    assert_eq!(value.write(), text);
    assert_eq!(
        value.get("b").and_then(|b| b.get("c")).unwrap().as_text(),
        Some("é \" \\ \n")
    );
}

#[test]
fn a_cut_answer_is_told_from_a_wrong_one() {
    let whole = r#"{"id": 1, "result": ["é", -1.5e3, true, null]}"#.as_bytes();
    assert!(Json::parse(whole).is_ok());
    for end in 0..whole.len() {
        assert_eq!(
            Json::parse(&whole[..end]),
            Err(JsonError::Truncated),
            "{end}"
        );
    }
    for wrong in [
        "<html>", "{'a':1}", "[1 2]", "{1:2}", "nul ", "1 1", "\"\\x\"", "-a", "NaN",
    ] {
        assert_eq!(
            Json::parse(wrong.as_bytes()),
            Err(JsonError::Malformed),
            "{wrong}"
        );
    }
    assert_eq!(Json::parse(b"\"\xff\""), Err(JsonError::Malformed));
    assert_eq!(
        Json::parse("[".repeat(200).as_bytes()),
        Err(JsonError::TooDeep)
    );
}
