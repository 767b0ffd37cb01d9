//! Replies that no server should give, where something is read: each stops the pass in clear words
//! and leaves nothing behind.

use crate::home::Home;
use crate::hostile::{Hostile, What};
use std::sync::atomic::Ordering;

/// The most memory that a reply of 200 MB may cost, in kilobytes.
const PEAK_KB_MAX: u64 = 100 * 1024;

fn every_reply(which: &str, configure: impl Fn(&Home, &str)) -> Home {
    let home = Home::new(31);
    let elsewhere = Hostile::always(What::Html);
    let cases = [
        (What::Huge { length: true }, &["larger than"][..]),
        (What::Huge { length: false }, &["larger than"]),
        (What::Malformed, &["no JSON"]),
        (What::Cut, &["ended before"]),
        (What::Html, &["HTML page"]),
        (What::Denied, &["credentials", "401"]),
        (What::Echo, &["check"]),
        (What::Redirect(elsewhere.url.clone()), &["302"]),
        (What::Drip, &["time-out"]),
    ];
    for (what, words) in cases {
        let server = Hostile::always(what.clone());
        configure(&home, &server.url);
        let said = home.sync();
        said.is_clear(1, &[&[which][..], words].concat());
        assert!(said.out.is_empty(), "{said:?}");
        assert!(said.peak_kb > 0, "the peak was seen");
        assert!(said.peak_kb < PEAK_KB_MAX, "{what:?}: {} kB", said.peak_kb);
        assert!(server.visits.load(Ordering::SeqCst) > 0, "{what:?}");
        if !matches!(what, What::Denied | What::Html) {
            continue;
        }
        // A look at the connection says it too, and that somebody has to act.
        let said = home.run(&["check"]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.out.contains("bad"), "{said:?}");
    }
    assert_eq!(
        elsewhere.visits.load(Ordering::SeqCst),
        0,
        "it was followed"
    );
    home
}

/// Mended, everything flows, once.
fn mended(home: &Home) {
    home.configure(&home.tracker_url, &home.erp_url);
    let said = home.sync();
    assert_eq!(said.code, Some(0), "{said:?}");
    let verdict = home.all_is_well();
    assert!(verdict.posted > 10, "{verdict:?}");
    assert_eq!(home.sync().json()["posted"], 0);
}

#[test]
fn a_tracker_that_answers_as_no_server_should() {
    let home = every_reply("tracker", |home, url| home.configure(url, &home.erp_url));
    mended(&home);
}

#[test]
fn an_erp_that_answers_as_no_server_should() {
    let home = every_reply("ERP", |home, url| home.configure(&home.tracker_url, url));
    mended(&home);
}
