//! Configurations that cannot work: refused with the place and the remedy, before anything is sent.

use crate::home::Home;

fn refused(home: &Home, text: &str, words: &[&str]) {
    home.write_config(text);
    for command in [&["sync"][..], &["check"], &["status"]] {
        home.run(command).is_clear(2, words);
    }
    assert!(!home.path("data").exists(), "nothing is written");
}

#[test]
fn configurations_that_cannot_work_are_refused_with_their_place() {
    let home = Home::new(51);
    let good = home.text(&home.tracker_url, &home.erp_url);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let unknown = [
        ("[flow]\n", "[flow]\nlook_bak_days = 3\n", "look_bak_days"),
        ("[secrets]\n", "[secrets]\nsauce = 1\n", "sauce"),
        (
            "[source.reference]\n",
            "[source.reference]\ntoken = \"x\"\n",
            "token",
        ),
        (
            "[target.reference]\n",
            "[target.reference]\npasswort = 1\n",
            "passwort",
        ),
        (
            "[[contract]]\n",
            "[[contract]]\ncurency = \"EUR\"\n",
            "curency",
        ),
        ("[[rate]]\n", "[[rate]]\nprice = \"1\"\n", "price"),
    ];
    for (at, to, key) in unknown {
        refused(&home, &with(at, to), &[key, "line"]);
    }
    refused(&home, &with("ledger = ", "ledger = = "), &["line"]);
    refused(&home, &good.replace("[flow]", "[flow"), &["line"]);
    refused(&home, &with("\"EUR\"", "\"ZZZ\""), &["ZZZ"]);
    refused(&home, "\u{0}\u{1}\u{2}", &["line"]);
    refused(&home, "", &["counterfoil.toml"]);
    // A secret in the wrong place is not repeated.
    let pasted = with(
        "target = { file = \"erp.token\" }",
        "target = \"canary-erp-91bcd204ee\"",
    );
    refused(
        &home,
        &pasted,
        &["secrets do not stand in the configuration"],
    );
    std::fs::write(home.path("counterfoil.toml"), [0xff, 0xfe, 0x00]).unwrap();
    home.run(&["sync"]).is_clear(2, &["counterfoil.toml"]);
}
