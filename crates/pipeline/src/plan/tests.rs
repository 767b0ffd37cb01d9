use super::samples::{held, numbers, refs, wanted};
use super::*;

fn replaced(held: HeldLine, hours: &str) -> Next {
    let numbers = numbers(hours);
    Next::Replace { held, numbers }
}

fn all_of(held: &HeldLine) -> Next {
    Next::Credit {
        held: held.clone(),
        taken_back: held.numbers,
    }
}

fn unsent(kind: PostingKind) -> Unsent {
    Unsent {
        document_id: [1; 16],
        posting_no: 2,
        kind,
        charge_no: 3,
        amends: Some(([1; 16], 1)),
        quantity: Micro::ZERO,
        rate: Micro::ZERO,
        takes_lines: true,
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
        replaced(held("1", true), "1")
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
        replaced(held("1", true), "2")
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
        correction: if in_part {
            Correction::InPart(Rounding::HalfUp)
        } else {
            Correction::Whole
        },
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
    let unsent = Some(unsent(PostingKind::CreateLine));
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
            ..View::default()
        };
        assert_eq!(next_step(Some(&edited), &view), Next::Wait);
    }
    let view = View {
        held: Some(held("1", true)),
        unsent,
        disturbed: true,
        ..View::default()
    };
    assert!(matches!(next_step(Some(&edited), &view), Next::Withdraw(_)));
    let view = View {
        held: Some(held("1", false)),
        unsent,
        ..View::default()
    };
    assert!(matches!(next_step(Some(&edited), &view), Next::Withdraw(_)));
}

fn by_difference(hours: &str, minor: i64, period: &str) -> Wanted {
    Wanted {
        numbers: Numbers {
            amount_minor: minor,
            ..numbers(hours)
        },
        correction: Correction::Difference(Rounding::HalfUp),
        ..wanted(hours, period)
    }
}

fn stands(no: i64, hours: &str, comes_to: (&str, i64), changeable: bool) -> HeldLine {
    let of = |hours: &str| Numbers {
        amount_minor: numbers(hours).quantity.micro() / 100,
        ..numbers(hours)
    };
    HeldLine {
        posting_no: no,
        numbers: of(hours),
        comes_to: Numbers {
            amount_minor: comes_to.1,
            ..numbers(comes_to.0)
        },
        ..held(hours, changeable)
    }
}

/// 8 h at 100 were issued, then 1 h more.
#[test]
fn differences_lie_on_what_they_correct() {
    let first = stands(1, "8", ("8", 80_000), false);
    let second = |changeable| stands(2, "1", ("9", 90_000), changeable);
    let both = |changeable| View {
        held: Some(second(changeable)),
        below: vec![first.clone()],
        ..View::default()
    };
    let of = |hours: &str, minor: i64| by_difference(hours, minor, "2026-12");
    let one = View {
        held: Some(first.clone()),
        ..View::default()
    };
    let Next::Differ { held, numbers } = next_step(Some(&of("9", 90_000)), &one) else {
        panic!("a further line");
    };
    assert_eq!((held.posting_no, numbers.amount_minor), (1, 10_000));
    // It stands as it is, whatever period it was corrected in.
    assert_eq!(
        next_step(Some(&of("9", 90_000)), &both(false)),
        Next::Nothing
    );
    // Issued, half an hour of it is credited; more than it has cannot be, and all of it goes.
    let credit = |view: &View, wanted: Option<&Wanted>| match next_step(wanted, view) {
        Next::Credit { held, taken_back } => (held.posting_no, taken_back.quantity.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        credit(&both(false), Some(&of("8.5", 85_000))),
        (2, "0.5".to_owned())
    );
    assert_eq!(
        credit(&both(false), Some(&of("7", 70_000))),
        (2, "1".to_owned())
    );
    assert_eq!(credit(&both(false), None), (2, "1".to_owned()));
    assert_eq!(credit(&one, Some(&of("7", 70_000))), (1, "1".to_owned()));
    // On a draft it is replaced as long as it has a place there, and taken off else.
    let there = |hours: &str, minor: i64| by_difference(hours, minor, "2026-11");
    let Next::Replace { numbers, .. } = next_step(Some(&there("10", 100_000)), &both(true)) else {
        panic!("other content");
    };
    assert_eq!(numbers.amount_minor, 20_000);
    for gone in [Some(of("10", 100_000)), Some(there("7", 70_000)), None] {
        assert_eq!(
            next_step(gone.as_ref(), &both(true)),
            Next::Delete(second(true))
        );
    }
}

/// Somebody credited one of the documents as a whole.
#[test]
fn what_is_left_beside_a_credited_document_is_taken_back() {
    let first = stands(1, "8", ("8", 80_000), false);
    let second = stands(2, "1", ("9", 90_000), false);
    let undone = |line: &HeldLine| HeldLine {
        undone: true,
        ..line.clone()
    };
    let view = |top: HeldLine, below: HeldLine| View {
        held: Some(top),
        below: vec![below],
        ..View::default()
    };
    let of = by_difference("10", 100_000, "2026-12");
    let taken = |view: &View| match next_step(Some(&of), view) {
        Next::Credit { held, .. } => held.posting_no,
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(&view(undone(&second), first.clone())), 1);
    assert_eq!(taken(&view(second.clone(), undone(&first))), 2);
    let neither = view(undone(&second), undone(&first));
    assert_eq!(next_step(Some(&of), &neither), Next::Create);
    assert_eq!(next_step(None, &neither), Next::Nothing);
}

#[test]
fn an_unsent_posting_stays_if_it_is_the_next_step() {
    let first = stands(1, "8", ("8", 80_000), false);
    let view = |unsent: Unsent| View {
        held: Some(first.clone()),
        unsent: Some(unsent),
        ..View::default()
    };
    let of = by_difference("9", 90_000, "2026-12");
    let one = Unsent {
        quantity: "1".parse().unwrap(),
        rate: "100".parse().unwrap(),
        ..unsent(PostingKind::Difference)
    };
    assert_eq!(next_step(Some(&of), &view(one)), Next::Nothing);
    let others = [
        Unsent {
            takes_lines: false,
            ..one
        },
        Unsent {
            charge_no: 2,
            ..one
        },
        Unsent {
            amends: None,
            ..one
        },
        Unsent {
            rate: Micro::ZERO,
            ..one
        },
        Unsent {
            kind: PostingKind::Credit,
            ..one
        },
    ];
    for other in others {
        assert_eq!(next_step(Some(&of), &view(other)), Next::Withdraw(other));
    }
}
