//! Replies that no server should give to a call that posts: the lines are in doubt or still to be
//! sent, never lost, never there twice.

use crate::home::Home;
use crate::hostile::{Hostile, What};

fn posting_meets(seed: u64, what: &What) {
    let home = Home::new(seed);
    let meddler = Hostile::start(&home.erp_url, {
        let what = what.clone();
        move |method, path| {
            if method == "POST" && path.starts_with("/v1/lines") {
                what.clone()
            } else {
                What::Forward
            }
        }
    });
    home.configure(&home.tracker_url, &meddler.url);
    let said = home.sync();
    match said.code {
        Some(1) => said.is_clear(1, &["ERP"]),
        // What was in doubt is looked up in the same pass where there is time for it.
        Some(0) => assert!(said.json()["answers_lost"].as_u64() > Some(0), "{said:?}"),
        code => assert_eq!(code, Some(3), "{what:?}: {said:?}"),
    }
    for open in home.exceptions() {
        let words = |name: &str| open[name].as_str().unwrap_or_default().to_owned();
        assert!(!words("remedy").is_empty(), "{open}");
        assert!(!words("amount").is_empty(), "{open}");
    }
    home.configure(&home.tracker_url, &home.erp_url);
    let all = home.run(&["exceptions", "replay", "--all"]);
    assert!(matches!(all.code, Some(0 | 3)), "{all:?}");
    let mut said = home.sync();
    if said.json()["left"] != 0 {
        // Absence is proven by time alone: a doubt may outlive the patience of one pass.
        said = home.sync();
    }
    assert_eq!(said.code, Some(0), "{what:?}: {said:?}");
    assert!(home.all_is_well().posted > 10);
    assert_eq!(home.sync().json()["posted"], 0);
}

#[test]
fn a_lost_answer_is_looked_up() {
    posting_meets(32, &What::Lose);
}

#[test]
fn a_page_instead_of_an_answer_is_a_doubt() {
    posting_meets(33, &What::Html);
}

#[test]
fn a_huge_answer_is_a_doubt() {
    posting_meets(34, &What::Huge { length: false });
}

#[test]
fn a_slow_drip_is_a_doubt() {
    posting_meets(35, &What::Drip);
}

#[test]
fn a_refusal_that_repeats_the_token_keeps_it_secret() {
    posting_meets(36, &What::Echo);
}

#[test]
fn a_redirect_of_a_call_is_not_followed() {
    posting_meets(37, &What::Redirect("http://127.0.0.1:9".to_owned()));
}
