//! Overtime shared out among the clients of a week by their hours.
//!
//! Each client bears its part in hundredths of an hour; what is left goes to the largest
//! remainders, ties to the first code, and nobody bears more than was worked for it. Double time
//! is shared out first, then premium time. Inside a client its last hours bear it, double last.

use crate::overtime::{EntryTiers, OvertimeError};
use std::collections::BTreeMap;

/// A hundredth of an hour.
const SHARE_SECONDS: i64 = 36;

/// The tiers of entries, given with their clients in the order of the clock and returned in it.
pub(crate) fn by_clients(ordered: &[(&str, EntryTiers)]) -> Result<Vec<EntryTiers>, OvertimeError> {
    let mut hours: BTreeMap<&str, i64> = BTreeMap::new();
    let (mut premium, mut double) = (0_i64, 0_i64);
    for (client, tiers) in ordered {
        *hours.entry(client).or_default() += tiers.parts().iter().sum::<i64>();
        premium += tiers.premium_seconds;
        double += tiers.double_seconds;
    }
    let mut double_left = shares(double, &hours, &hours)?;
    let room: BTreeMap<&str, i64> = hours
        .iter()
        .map(|(client, worked)| {
            let taken = double_left.get(client).copied().unwrap_or_default();
            (*client, worked - taken)
        })
        .collect();
    let mut premium_left = shares(premium, &hours, &room)?;
    let mut borne: Vec<EntryTiers> = ordered
        .iter()
        .rev()
        .map(|(client, tiers)| {
            let worked: i64 = tiers.parts().iter().sum();
            let double_seconds = take(&mut double_left, client, worked);
            let premium_seconds = take(&mut premium_left, client, worked - double_seconds);
            EntryTiers {
                source_ref: tiers.source_ref.clone(),
                straight_seconds: worked - double_seconds - premium_seconds,
                premium_seconds,
                double_seconds,
            }
        })
        .collect();
    borne.reverse();
    Ok(borne)
}

fn take(left: &mut BTreeMap<&str, i64>, client: &str, most: i64) -> i64 {
    let Some(own) = left.get_mut(client) else {
        return 0;
    };
    let taken = most.min(*own);
    *own -= taken;
    taken
}

/// The parts of `total` by hours, each within its room.
fn shares<'a>(
    total: i64,
    hours: &BTreeMap<&'a str, i64>,
    room: &BTreeMap<&'a str, i64>,
) -> Result<BTreeMap<&'a str, i64>, OvertimeError> {
    let whole: i64 = hours.values().sum();
    let unit = i128::from(whole) * i128::from(SHARE_SECONDS);
    let mut got = BTreeMap::new();
    let mut remainders: Vec<(i128, &str)> = Vec::with_capacity(hours.len());
    let mut left = total;
    for (client, worked) in hours {
        // In hundredths of an hour: total x worked / (whole x 36), cut down.
        let product = i128::from(total) * i128::from(*worked);
        let units = product.checked_div(unit).unwrap_or_default();
        remainders.push((units * unit - product, client));
        let cut = i64::try_from(units * i128::from(SHARE_SECONDS))
            .map_err(|_| OvertimeError::TooLarge)?;
        let own = cut.min(room.get(client).copied().unwrap_or_default());
        left -= own;
        got.insert(*client, own);
    }
    // The greatest remainder has the least negative here; ties by the client's code.
    remainders.sort_unstable();
    while left > 0 {
        let before = left;
        for (_, client) in &remainders {
            let free = room.get(client).copied().unwrap_or_default();
            let own = got.entry(client).or_default();
            let more = SHARE_SECONDS.min(left).min(free - *own);
            *own += more;
            left -= more;
        }
        if left == before {
            // No room anywhere: more overtime than hours, which the walk never makes.
            return Err(OvertimeError::TooLarge);
        }
    }
    Ok(got)
}
