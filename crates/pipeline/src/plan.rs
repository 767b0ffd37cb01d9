//! What to ask of the ERP next for one part of an item: the difference between what the ledger wants there
//! and what the ERP holds. Pure; run again after every settled posting, so that a chain of effects
//! (credit, then bill anew) needs no memory of its own.

use crate::facts::ErpRefs;
use connector_sdk::target::Shape;
use domain::currency::Currency;
use domain::decimal::Micro;
use domain::money::Money;
use domain::rounding::Rounding;
use jiff::civil::Date;

/// Which document a line belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// The shape.
    pub shape: Shape,
    /// The customer's code.
    pub bill_to: String,
    /// The currency.
    pub currency: Currency,
    /// The contract's grouping value.
    pub group_key: String,
    /// The accounting period.
    pub period: String,
}

/// The numbers of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Printed quantity.
    pub quantity: Micro,
    /// Rate.
    pub rate: Micro,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// The day of the work.
    pub work_date: Date,
    /// Recorded time, in seconds, where the line books it whatever its quantity is.
    pub booked_seconds: Option<i64>,
}

/// The line that the ledger wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The charge behind it.
    pub charge_no: i64,
    /// Where it belongs.
    pub home: Home,
    /// Its numbers.
    pub numbers: Numbers,
    /// What it is about: another task is another line, whatever the numbers.
    pub refs: ErpRefs,
    /// How an amount is rounded to the coin, for a line that may be credited in part.
    pub credit_in_part: Option<Rounding>,
}

/// A line of ours that the ERP holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLine {
    /// Its document.
    pub document_id: [u8; 16],
    /// The posting that gave it its present content.
    pub posting_no: i64,
    /// The charge that bills what is left of it.
    pub charge_no: i64,
    /// The key it carries.
    pub line_key: String,
    /// The ERP's id of it.
    pub erp_line_ref: String,
    /// Where it stands.
    pub home: Home,
    /// Its numbers: what is left of it after what was credited.
    pub numbers: Numbers,
    /// What it is about.
    pub refs: ErpRefs,
    /// Whether its document can still be changed.
    pub changeable: bool,
    /// Whether its document was credited or withdrawn as a whole: nothing of it is left to undo.
    pub undone: bool,
}

/// A posting that has not reached the ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// Its document.
    pub document_id: [u8; 16],
    /// Its number there.
    pub posting_no: i64,
    /// Whether it already does what is wanted.
    pub fits: bool,
}

/// How the part stands towards the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// The line the ERP holds, if any.
    pub held: Option<HeldLine>,
    /// A posting that was never sent or surely refused and could be withdrawn.
    pub unsent: Option<Unsent>,
    /// A call is under way or in doubt.
    pub in_flight: bool,
    /// Somebody changed or deleted the line in the ERP: a person decides.
    pub disturbed: bool,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The ERP holds what is wanted.
    Nothing,
    /// Wait until the call under way is settled, or a person decided.
    Wait,
    /// Withdraw an unsent posting first, then plan again.
    Withdraw(Unsent),
    /// A new line.
    Create,
    /// New content for a line on a draft.
    Replace(HeldLine),
    /// Take a line off a draft.
    Delete(HeldLine),
    /// Mirror a line of an issued document, or what is too much of it.
    Credit {
        /// The line.
        held: HeldLine,
        /// What is taken back: all that is left of it, or a part.
        taken_back: Numbers,
    },
}

/// What a credit has to take back of a line: what is left beyond what is wanted, where the line may
/// be credited in part and the credit multiplies out by itself; else all that is left.
pub fn taken_back(wanted: Option<&Wanted>, held: &HeldLine) -> Numbers {
    wanted
        .and_then(|wanted| part_taken_back(wanted, held))
        .unwrap_or(held.numbers)
}

/// The part of a line that is beyond what is wanted; none if it cannot be credited by itself.
pub fn part_taken_back(wanted: &Wanted, held: &HeldLine) -> Option<Numbers> {
    let rounding = wanted.credit_in_part?;
    let (left, wants) = (&held.numbers, &wanted.numbers);
    let same_line = wanted.home == held.home && wanted.refs == held.refs && wants.rate == left.rate;
    if !same_line || wants.quantity.micro() <= 0 {
        return None;
    }
    let quantity = left.quantity.micro().checked_sub(wants.quantity.micro())?;
    let amount_minor = left.amount_minor.checked_sub(wants.amount_minor)?;
    if quantity <= 0 {
        return None;
    }
    let quantity = Micro::from_micro(quantity);
    let printed = Money::times(quantity, left.rate, held.home.currency, rounding).ok()?;
    (printed.amount_minor == amount_minor).then_some(Numbers {
        quantity,
        amount_minor,
        ..*left
    })
}

/// Plan the next step.
pub fn next_step(wanted: Option<&Wanted>, view: &View) -> Next {
    if view.in_flight {
        return Next::Wait;
    }
    if view.disturbed {
        // What was not sent yet would overwrite what somebody did: it is planned again once a
        // person has decided.
        return view.unsent.map_or(Next::Wait, Next::Withdraw);
    }
    if let Some(unsent) = view.unsent {
        return if unsent.fits {
            Next::Nothing
        } else {
            Next::Withdraw(unsent)
        };
    }
    match (wanted, &view.held) {
        (None, None) => Next::Nothing,
        (Some(_), None) => Next::Create,
        (Some(wanted), Some(held)) if wanted.home == held.home => {
            if wanted.numbers == held.numbers && wanted.refs == held.refs {
                Next::Nothing
            } else if held.undone {
                Next::Create
            } else if held.changeable {
                Next::Replace(held.clone())
            } else {
                credit(Some(wanted), held)
            }
        }
        (Some(_), Some(held)) if held.undone => Next::Create,
        (None, Some(held)) if held.undone => Next::Nothing,
        (_, Some(held)) if held.changeable => Next::Delete(held.clone()),
        (wanted, Some(held)) => credit(wanted, held),
    }
}

fn credit(wanted: Option<&Wanted>, held: &HeldLine) -> Next {
    Next::Credit {
        held: held.clone(),
        taken_back: taken_back(wanted, held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(period: &str) -> Home {
        Home {
            shape: Shape::DraftLine,
            bill_to: "C1".into(),
            currency: "EUR".parse().unwrap(),
            group_key: "contract:K1".into(),
            period: period.into(),
        }
    }

    fn numbers(hours: &str) -> Numbers {
        Numbers {
            quantity: hours.parse().unwrap(),
            rate: "100".parse().unwrap(),
            amount_minor: 100,
            work_date: jiff::civil::date(2026, 11, 3),
            booked_seconds: None,
        }
    }

    fn wanted(hours: &str, period: &str) -> Wanted {
        Wanted {
            charge_no: 3,
            home: home(period),
            numbers: numbers(hours),
            refs: refs("tk1"),
            credit_in_part: None,
        }
    }

    fn refs(task: &str) -> ErpRefs {
        ErpRefs {
            customer: Some("cu1".into()),
            service_item: "si1".into(),
            task: Some(task.into()),
            worker: Some("w1".into()),
        }
    }

    fn held(hours: &str, changeable: bool) -> HeldLine {
        HeldLine {
            document_id: [1; 16],
            posting_no: 1,
            charge_no: 1,
            line_key: "K".into(),
            erp_line_ref: "7".into(),
            home: home("2026-11"),
            numbers: numbers(hours),
            refs: refs("tk1"),
            changeable,
            undone: false,
        }
    }

    fn all_of(held: &HeldLine) -> Next {
        Next::Credit {
            held: held.clone(),
            taken_back: held.numbers,
        }
    }

    fn step(wanted: Option<&Wanted>, held: Option<HeldLine>) -> Next {
        next_step(
            wanted,
            &View {
                held,
                ..View::default()
            },
        )
    }

    #[test]
    fn the_smallest_step_for_every_state() {
        let same = wanted("1", "2026-11");
        let edited = wanted("2", "2026-11");
        let moved = wanted("1", "2026-12");
        assert_eq!(step(None, None), Next::Nothing);
        assert_eq!(step(Some(&same), None), Next::Create);
        assert_eq!(step(Some(&same), Some(held("1", true))), Next::Nothing);
        assert_eq!(step(Some(&same), Some(held("1", false))), Next::Nothing);
        let other_task = Wanted {
            refs: refs("tk2"),
            ..same.clone()
        };
        assert_eq!(
            step(Some(&other_task), Some(held("1", true))),
            Next::Replace(held("1", true))
        );
        let undone = HeldLine {
            undone: true,
            ..held("1", false)
        };
        assert_eq!(step(None, Some(undone.clone())), Next::Nothing);
        assert_eq!(step(Some(&same), Some(undone.clone())), Next::Nothing);
        assert_eq!(step(Some(&edited), Some(undone)), Next::Create);
        assert_eq!(
            step(Some(&edited), Some(held("1", true))),
            Next::Replace(held("1", true))
        );
        assert_eq!(
            step(Some(&edited), Some(held("1", false))),
            all_of(&held("1", false))
        );
        assert_eq!(
            step(Some(&moved), Some(held("1", true))),
            Next::Delete(held("1", true))
        );
        assert_eq!(
            step(Some(&moved), Some(held("1", false))),
            all_of(&held("1", false))
        );
        assert_eq!(
            step(None, Some(held("1", true))),
            Next::Delete(held("1", true))
        );
        assert_eq!(
            step(None, Some(held("1", false))),
            all_of(&held("1", false))
        );
    }

    /// 10.00 h at 99.99 are 999.90; what is wanted of them, and what the credit takes back.
    #[test]
    fn a_line_is_credited_in_part_where_the_credit_multiplies_out() {
        let stands = |hours: &str, minor: i64| {
            let mut numbers = numbers(hours);
            (numbers.rate, numbers.amount_minor) = ("99.99".parse().unwrap(), minor);
            numbers
        };
        let held = HeldLine {
            numbers: stands("10", 99_990),
            ..held("10", false)
        };
        let wants = |hours: &str, minor: i64, in_part: bool| Wanted {
            numbers: stands(hours, minor),
            credit_in_part: in_part.then_some(Rounding::HalfUp),
            ..wanted("1", "2026-11")
        };
        let taken = |wanted: &Wanted| match step(Some(wanted), Some(held.clone())) {
            Next::Credit { taken_back, .. } => {
                (taken_back.quantity.to_string(), taken_back.amount_minor)
            }
            other => panic!("{other:?}"),
        };
        let all = ("10".to_owned(), 99_990);
        assert_eq!(taken(&wants("7", 69_993, true)), ("3".to_owned(), 29_997));
        assert_eq!(taken(&wants("7", 69_993, false)), all);
        // 9.25 h are 924.91, and the credit of 0.75 h 74.99: the same in sum. 9.50 h are 949.91
        // and 0.50 h 50.00, a cent more than the line had.
        assert_eq!(
            taken(&wants("9.25", 92_491, true)),
            ("0.75".to_owned(), 7_499)
        );
        assert_eq!(taken(&wants("9.5", 94_991, true)), all);
        // More is no credit, and another rate is another line.
        assert_eq!(taken(&wants("11", 109_989, true)), all);
        let mut dearer = wants("7", 70_000, true);
        dearer.numbers.rate = "100".parse().unwrap();
        assert_eq!(taken(&dearer), all);
        assert_eq!(step(None, Some(held.clone())), all_of(&held));
    }

    #[test]
    fn nothing_moves_while_a_call_is_in_doubt_or_a_person_has_to_decide() {
        let edited = wanted("2", "2026-11");
        let unsent = Some(Unsent {
            document_id: [1; 16],
            posting_no: 2,
            fits: false,
        });
        for (in_flight, disturbed, unsent) in [
            (true, false, unsent),
            (true, true, unsent),
            (false, true, None),
        ] {
            let view = View {
                held: Some(held("1", true)),
                unsent,
                in_flight,
                disturbed,
            };
            assert_eq!(next_step(Some(&edited), &view), Next::Wait);
        }
        let view = View {
            held: Some(held("1", true)),
            unsent,
            in_flight: false,
            disturbed: true,
        };
        assert!(matches!(next_step(Some(&edited), &view), Next::Withdraw(_)));
        let view = View {
            held: None,
            unsent,
            in_flight: false,
            disturbed: false,
        };
        assert!(matches!(next_step(Some(&edited), &view), Next::Withdraw(_)));
    }
}
