//! Any calls under any limits, with restarts: no window ever holds more than is allowed, and a burst
//! uses nearly all of it.

use super::*;

/// Small and repeatable; what matters here is many cases, not good chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn restarted(state: &LimitState) -> LimitState {
    let text = serde_json::to_string(state).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Calls as often as possible until an instant; the instants of those that went out.
fn burst(limits: &[Limit], until_us: i64, dice: &mut Dice) -> Vec<i64> {
    let (mut state, mut now_us, mut sent) = (LimitState::default(), 1_000_000, Vec::new());
    while now_us < until_us {
        if dice.below(50) == 0 {
            state = restarted(&state);
        }
        match state.take(limits, now_us, 1_000) {
            Permit::Granted(permit) => {
                state.give_back(limits, permit, false, now_us);
                sent.push(now_us);
                now_us += i64::try_from(dice.below(3_000)).unwrap();
            }
            Permit::NotBefore(at_us) => {
                assert!(at_us > now_us);
                now_us = at_us;
            }
        }
    }
    sent
}

fn most_in_any(sent: &[i64], window_us: i64) -> usize {
    let mut most = 0;
    for (at, start) in sent.iter().enumerate() {
        let end = sent.partition_point(|one| *one < start + window_us);
        most = most.max(end - at);
    }
    most
}

#[test]
fn no_sliding_window_ever_holds_more_and_a_burst_uses_it() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let requests =
            u32::try_from(1 + dice.below(if seed % 4 == 0 { 3_000 } else { 60 })).unwrap();
        let window_ms = 1_000 + dice.below(20_000);
        let limits = [Limit::Window {
            requests,
            window_ms,
        }];
        let windows = 6;
        let until_us = 1_000_000 + us(window_ms) * windows;
        let sent = burst(&limits, until_us, &mut dice);
        let most = most_in_any(&sent, us(window_ms));
        assert!(
            most <= usize::try_from(requests).unwrap(),
            "{most} of {requests}, seed {seed}"
        );
        // As long as calls take no time worth speaking of beside the window.
        if u64::from(requests) * 3 < window_ms / 10 {
            let could = u64::from(requests) * u64::try_from(windows).unwrap();
            let did = u64::try_from(sent.len()).unwrap();
            assert!(did * 100 >= could * 98, "{did} of {could}, seed {seed}");
        }
    }
}

#[test]
fn a_window_of_thousands_is_a_small_state() {
    let limits = [Limit::Window {
        requests: 6_000,
        window_ms: 300_000,
    }];
    let mut state = LimitState::default();
    for call in 0..6_000 {
        assert!(matches!(
            state.take(&limits, call * 50_000, 0),
            Permit::Granted(_)
        ));
    }
    let text = serde_json::to_string(&state).unwrap();
    assert!(text.len() < 16_384, "{} bytes", text.len());
    assert!(matches!(
        state.take(&limits, 299_999_999, 0),
        Permit::NotBefore(_)
    ));
}

#[test]
fn windows_by_the_accounts_clock_hold_whatever_its_clock_says() {
    let limits = [Limit::FixedWindow {
        requests: 40,
        window_ms: 60_000,
        apart_ms: 500,
    }];
    for seed in 0..50 {
        let mut dice = Dice(seed);
        let sent = burst(&limits, 600_000_000, &mut dice);
        let apart_us = i64::try_from(dice.below(1_000)).unwrap() * 1_000 - 500_000;
        let mut counted: BTreeMap<i64, u32> = BTreeMap::new();
        for at_us in &sent {
            *counted
                .entry((at_us + apart_us).div_euclid(60_000_000))
                .or_default() += 1;
        }
        assert!(counted.values().all(|calls| *calls <= 40), "{counted:?}");
        let full = counted.values().filter(|calls| **calls == 40).count();
        assert!(full >= 8, "{counted:?}");
    }
}

#[test]
fn days_and_months_are_used_whole_and_begin_at_their_midnight() {
    // 2026-03-28 in Berlin: the next day has 23 hours.
    let start_us = 1_774_652_400_000_000;
    let day = |requests| Limit::Day {
        requests,
        zone: "Europe/Berlin".to_owned(),
    };
    let limits = [
        day(100),
        Limit::Month {
            requests: 350,
            zone: "UTC".to_owned(),
        },
    ];
    let mut state = LimitState::default();
    let mut now_us = start_us;
    let mut by_day: BTreeMap<String, u32> = BTreeMap::new();
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    while by_day.values().sum::<u32>() < 700 {
        match state.take(&limits, now_us, 0) {
            Permit::Granted(_) => {
                let at = jiff::Timestamp::from_microsecond(now_us).unwrap();
                let date = at.to_zoned(zone.clone()).date().to_string();
                *by_day.entry(date).or_default() += 1;
            }
            Permit::NotBefore(at_us) => {
                assert!(at_us > now_us);
                now_us = at_us;
                state = restarted(&state);
            }
        }
    }
    assert_eq!(by_day["2026-03-28"], 100);
    assert_eq!(by_day["2026-03-29"], 100);
    // The month ends at midnight in UTC, two hours into the first of April in Berlin.
    let march: u32 = by_day
        .range(..="2026-03-31".to_owned())
        .map(|(_, n)| n)
        .sum();
    assert_eq!(march, 350, "{by_day:?}");
    assert_eq!(by_day["2026-04-01"], 100, "{by_day:?}");
}

#[test]
fn never_more_at_one_time_and_a_dead_call_gives_its_place_back_late() {
    let limits = [Limit::Concurrency { requests: 3 }];
    let mut state = LimitState::default();
    let mut out = Vec::new();
    for _ in 0..3 {
        let Permit::Granted(permit) = state.take(&limits, 0, 30_000) else {
            panic!("there is room");
        };
        out.push(permit);
    }
    assert_eq!(
        state.take(&limits, 1, 30_000),
        Permit::NotBefore(30_000_000)
    );
    state.give_back(&limits, out[1], false, 2);
    assert!(matches!(state.take(&limits, 3, 30_000), Permit::Granted(_)));
    // The process died; nobody gives anything back.
    let mut state = restarted(&state);
    assert!(matches!(
        state.take(&limits, 29_999_999, 1),
        Permit::NotBefore(_)
    ));
    for _ in 0..2 {
        assert!(matches!(
            state.take(&limits, 30_000_000, 60_000),
            Permit::Granted(_)
        ));
    }
    assert_eq!(
        state.take(&limits, 30_000_000, 1),
        Permit::NotBefore(30_000_003)
    );
}

#[test]
fn errors_have_a_budget_of_their_own() {
    let limits = [Limit::Errors {
        errors: 2,
        window_ms: 3_600_000,
    }];
    let mut state = LimitState::default();
    let take = |state: &mut LimitState, now_us| match state.take(&limits, now_us, 10) {
        Permit::Granted(permit) => Ok(permit),
        Permit::NotBefore(at_us) => Err(at_us),
    };
    for (now_us, failed) in [(0, false), (1, true), (2, false), (20_000_000, true)] {
        let permit = take(&mut state, now_us).unwrap();
        state.give_back(&limits, permit, failed, now_us);
    }
    assert_eq!(take(&mut state, 20_000_010), Err(3_600_000_001));
    let permit = take(&mut state, 3_600_000_001).unwrap();
    // One error is left, and it is out already.
    assert!(take(&mut state, 3_600_000_012).is_err());
    state.give_back(&limits, permit, false, 3_600_000_012);
    assert!(take(&mut state, 3_600_000_012).is_ok());
}

#[test]
fn several_limits_hold_at_once() {
    let limits = [
        Limit::Window {
            requests: 10,
            window_ms: 1_000,
        },
        Limit::Window {
            requests: 25,
            window_ms: 10_000,
        },
        Limit::Concurrency { requests: 2 },
    ];
    let sent = burst(&limits, 60_000_000, &mut Dice(3));
    assert!(most_in_any(&sent, 1_000_000) <= 10);
    assert_eq!(most_in_any(&sent, 10_000_000), 25);
}

#[test]
fn what_the_account_says_is_believed_if_it_is_less() {
    let limits = [Limit::Window {
        requests: 10,
        window_ms: 1_000,
    }];
    let mut state = LimitState::default();
    let told = |remaining, resets_us| Told {
        remaining,
        resets_us,
    };
    state.hear(&limits, told(500, None), 0);
    assert_eq!(state.used(&limits, 0)[0].used, 0);
    state.hear(&limits, told(3, None), 0);
    assert_eq!(state.used(&limits, 0)[0].used, 7);
    for _ in 0..3 {
        assert!(matches!(state.take(&limits, 0, 0), Permit::Granted(_)));
    }
    assert_eq!(state.take(&limits, 2, 0), Permit::NotBefore(1_000_000));
    state.hear(&limits, told(0, Some(1_500_000)), 600_000);
    // No reset is believed that lies beyond the window.
    assert_eq!(
        state.take(&limits, 700_000, 0),
        Permit::NotBefore(1_500_000)
    );
    state.hear(&limits, told(0, Some(900_000_000)), 700_000);
    assert_eq!(state.paused_until_us, 1_700_000);
}

#[test]
fn a_changed_window_does_not_forget_what_was_spent() {
    let window = |requests, window_ms| {
        [Limit::Window {
            requests,
            window_ms,
        }]
    };
    let mut state = LimitState::default();
    for _ in 0..5 {
        assert!(matches!(
            state.take(&window(5, 1_000), 0, 0),
            Permit::Granted(_)
        ));
    }
    assert!(matches!(
        state.take(&window(6, 2_000), 0, 0),
        Permit::Granted(_)
    ));
    assert_eq!(
        state.take(&window(6, 2_000), 2, 0),
        Permit::NotBefore(2_000_000)
    );
}

#[test]
fn a_used_up_quota_waits_for_its_day() {
    let limits = [Limit::Day {
        requests: 5_000,
        zone: "UTC".to_owned(),
    }];
    let mut state = LimitState::default();
    state.used_up(&limits, 86_399_000_000);
    assert_eq!(
        state.take(&limits, 86_399_500_000, 0),
        Permit::NotBefore(86_401_000_000)
    );
    let mut state = LimitState::default();
    state.used_up(&[], 0);
    assert_eq!(state.take(&[], 1, 0), Permit::NotBefore(USED_UP_US));
}

#[test]
fn a_state_of_before_reads() {
    let old = "{\"taken_at_us\":[1,2,3],\"paused_until_us\":77}";
    let state: LimitState = serde_json::from_str(old).unwrap();
    assert_eq!(state.paused_until_us, 77);
}

#[test]
fn vendors_say_what_is_left_in_their_own_ways() {
    use connector_sdk::manifest::{LimitHeaders, Resets};
    use connector_sdk::transport::Reply;
    let reply = |remaining: &str, reset: &str| Reply {
        status: 200,
        headers: vec![
            ("left".to_owned(), remaining.to_owned()),
            ("reset".to_owned(), reset.to_owned()),
        ],
        body: Vec::new(),
    };
    let now_us = 1_800_000_000_000_000;
    let at = |resets, left, reset| {
        let headers = LimitHeaders {
            remaining: "left",
            resets: Some(resets),
        };
        told::told(&headers, &reply(left, reset), now_us).map(|t| (t.remaining, t.resets_us))
    };
    let soon_us = Some(now_us + 30_000_000);
    assert_eq!(
        at(Resets::InSeconds("reset"), "4", "30"),
        Some((4, soon_us))
    );
    assert_eq!(
        at(Resets::EpochSeconds("reset"), " 4 ", "1800000030"),
        Some((4, soon_us))
    );
    assert_eq!(
        at(Resets::Instant("reset"), "4", "2027-01-15T08:00:30Z"),
        Some((4, soon_us))
    );
    for (left, reset) in [("-1", "30"), ("many", "30"), ("4.5", "30"), ("", "")] {
        assert_eq!(at(Resets::InSeconds("reset"), left, reset), None);
    }
    for reset in ["-30", "soon", "99999999999999999999", ""] {
        assert_eq!(at(Resets::InSeconds("reset"), "4", reset), Some((4, None)));
        assert_eq!(
            at(Resets::EpochSeconds("reset"), "4", reset),
            Some((4, None))
        );
        assert_eq!(at(Resets::Instant("reset"), "4", reset), Some((4, None)));
    }
}
