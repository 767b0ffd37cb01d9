//! One explanation, word by word.

use crate::world;
use domain::rounding::{Increment, Rounding};

#[test]
fn an_hour_and_a_bit_explained() {
    let mut reference = world::reference();
    reference.contracts[0].increment = Some(Increment {
        step_minutes: 15,
        minimum_minutes: 30,
        rounding: Rounding::Up,
    });
    reference.bill_rates[0].key.role = Some("senior".into());
    let mut fields = world::fields();
    fields.recorded_seconds = 76 * 60;
    let text = world::price(&reference, &fields)
        .unwrap()
        .explanation
        .text();
    let expected = "\
1. who pays: contract K1 is time and materials, the entry is billable -> the client is billed
2. increment: 76 min recorded, up to 15 min, at least 30 min -> 90 min
3. printed quantity: 90 min as hours, half_up to 2 decimals -> 1.5 h
4. bill rate: work date 2026-03-05, role senior (from 2026-01-01, open end) -> EUR 150 per hour
5. amount: 1.5 h x EUR 150, half_up to the smallest coin -> EUR 225.00
6. cost: 76 min recorded x EUR 80 per hour (standard (from 2026-01-01, open end)) -> EUR 101.33
7. posting date: work date 2026-03-05 -> 2026-03-05, its period is open
";
    assert_eq!(text, expected);
}
