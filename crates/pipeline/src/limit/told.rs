//! What replies say about the quota, in the words of their vendor.

use connector_sdk::manifest::{LimitHeaders, Resets};
use connector_sdk::transport::Reply;
use jiff::Timestamp;

/// What is left, and when it is full again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Requests that are left.
    pub remaining: u64,
    /// When all of them are there again (microseconds).
    pub resets_us: Option<i64>,
}

/// A window beyond this is no window of requests: the header says something else.
const RESET_MAX_US: i64 = 40 * 86_400 * 1_000_000;

/// What a reply says. What cannot be read says nothing.
pub fn told(headers: &LimitHeaders, reply: &Reply, now_us: i64) -> Option<Told> {
    let remaining = reply.header(headers.remaining)?.trim().parse().ok()?;
    let resets_us = headers.resets.as_ref().and_then(|resets| {
        let (name, at_us): (_, fn(&str, i64) -> Option<i64>) = match resets {
            Resets::InSeconds(name) => (name, in_seconds),
            Resets::EpochSeconds(name) => (name, epoch_seconds),
            Resets::Instant(name) => (name, instant),
        };
        at_us(reply.header(name)?.trim(), now_us)
    });
    let believed = |at_us: &i64| (now_us..now_us.saturating_add(RESET_MAX_US)).contains(at_us);
    Some(Told {
        remaining,
        resets_us: resets_us.filter(believed),
    })
}

fn in_seconds(text: &str, now_us: i64) -> Option<i64> {
    let seconds: u32 = text.parse().ok()?;
    Some(now_us.saturating_add(i64::from(seconds).saturating_mul(1_000_000)))
}

fn epoch_seconds(text: &str, _: i64) -> Option<i64> {
    let seconds: i64 = text.parse().ok()?;
    seconds.checked_mul(1_000_000)
}

fn instant(text: &str, _: i64) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    Some(at.as_microsecond())
}
