//! Amounts beside work: what terms and accounts ask for, and what is booked of it.

use crate::world::{contract, reference};
use counterfoil_rules::account::hour_bank::HourBank;
use counterfoil_rules::account::{Account, Event};
use counterfoil_rules::charge::Disposition;
use counterfoil_rules::engine::Accounts;
use counterfoil_rules::fixed::{FixedAmount, FixedKind, fixed_amounts, price_fixed};
use domain::contract::{Contract, ContractKind, Grouping};
use domain::exception::Code;
use domain::money::Money;
use domain::quantity::Unit;
use jiff::civil::{Date, date};
use serde_json::json;

fn agreed(minor: i64, day: Date) -> FixedAmount {
    FixedAmount {
        kind: FixedKind::Milestone,
        item: "M1/2".to_owned(),
        text: "Milestone M1, revision 2".to_owned(),
        amount: Money {
            amount_minor: minor,
            currency: "EUR".parse().unwrap(),
        },
        day: Some(day),
    }
}

fn sold() -> Contract {
    let item = reference().masters.service_items.keys().next().cloned();
    Contract {
        fixed_service_item: item,
        ..contract("K1", ContractKind::FixedFee)
    }
}

#[test]
fn an_amount_given_back_is_less_than_no_piece_at_its_price() {
    let day = date(2026, 3, 5);
    let reference = reference();
    let fixed = price_fixed(&reference, &sold(), &agreed(-90_050, day), day).unwrap();
    let content = &fixed.priced.content;
    assert_eq!(content.quantity, "-1".parse().unwrap());
    assert_eq!(content.rate, "900.5".parse().unwrap());
    assert_eq!(content.amount.amount_minor, -90_050);
    assert_eq!(
        (content.unit, content.disposition),
        (Unit::Piece, Disposition::Bill)
    );
    assert_eq!(content.fault(), None);
    assert_eq!(content.placement.group_key, "contract:K1");
    let text = fixed.priced.explanation.text();
    assert!(text.contains("accepted by the client"), "{text}");
    assert!(text.contains("EUR -900.50"), "{text}");
}

#[test]
fn what_is_wrong_first_is_said() {
    let day = date(2026, 3, 5);
    let code = |change: &dyn Fn(&mut domain::reference::Reference, &mut Contract)| {
        let (mut reference, mut contract) = (reference(), sold());
        change(&mut reference, &mut contract);
        let fixed = price_fixed(&reference, &contract, &agreed(100, day), day);
        fixed.map(|_| ()).unwrap_err().code
    };
    assert_eq!(
        code(&|_, contract| contract.fixed_service_item = None),
        Code::ServiceItemUnmapped
    );
    assert_eq!(
        code(&|_, contract| contract.fixed_service_item = Some("NONE".to_owned())),
        Code::ServiceItemUnmapped
    );
    assert_eq!(
        code(&|reference, _| reference.customers_on_hold.push("C1".to_owned())),
        Code::CustomerOnHold
    );
    assert_eq!(
        code(&|reference, _| reference.masters.customers.clear()),
        Code::CustomerUnmapped
    );
    assert_eq!(
        code(&|reference, _| {
            for period in &mut reference.masters.periods {
                period.open = false;
            }
        }),
        Code::PeriodClosed
    );
}

#[test]
fn an_amount_of_a_closed_period_is_posted_in_the_next_open_one() {
    let day = date(2026, 2, 28);
    let mut reference = reference();
    for period in &mut reference.masters.periods {
        period.open = period.first >= date(2026, 3, 1);
    }
    let contract = Contract {
        grouping: Grouping::Customer,
        ..sold()
    };
    let fixed = price_fixed(&reference, &contract, &agreed(100, day), day).unwrap();
    let content = &fixed.priced.content;
    assert_eq!(content.work_date, day);
    assert_eq!(content.posting_date, date(2026, 3, 1));
    assert_eq!(content.placement.period, "2026-03");
    assert_eq!(content.placement.group_key, "customer:C1");
}

fn bank(to: Option<Date>) -> HourBank {
    let terms = json!({
        "id": "B", "allowance_hours": "4", "fee": "100", "overage_rate": "50", "to": to
    });
    let contract = contract("K1", ContractKind::TimeAndMaterials);
    HourBank::new(contract.printing(), serde_json::from_value(terms).unwrap()).unwrap()
}

#[test]
fn a_banks_months_open_as_they_begin_and_close_with_the_books() {
    let open = |first: Date, next: Date| Event::OpenPeriod { first, next };
    let close = |first: Date| Event::ClosePeriod { first };
    let (mid, feb, mar, apr) = (
        date(2026, 1, 15),
        date(2026, 2, 1),
        date(2026, 3, 1),
        date(2026, 4, 1),
    );
    let none = |_: Date| false;
    assert_eq!(bank(None).due(mid, date(2026, 1, 14), none), []);
    assert_eq!(
        bank(None).due(mid, date(2026, 2, 3), none),
        [open(mid, feb), open(feb, mar)]
    );
    // January's books are closed, March's as well: closing goes in order, and not into today's month.
    let books = |last: Date| last.month() != 2;
    assert_eq!(
        bank(None).due(mid, date(2026, 3, 31), books),
        [open(mid, feb), open(feb, mar), open(mar, apr), close(mid)]
    );
    // A bank that ends opens no month after that.
    assert_eq!(
        bank(Some(feb)).due(mid, date(2026, 3, 31), none),
        [open(mid, feb)]
    );
}

#[test]
fn a_month_open_for_work_to_come_is_not_due() {
    let mut contract = sold();
    contract.schedule = Some(
        serde_json::from_value(json!({
            "instalments": [{"id": "I1", "date": "2026-03-10", "amount": "70"}]
        }))
        .unwrap(),
    );
    let mut own = bank(None);
    let account = Account::HourBank(own.clone());
    for event in own.due(date(2026, 3, 1), date(2026, 4, 2), |_| false) {
        let applied = counterfoil_rules::account::apply(&Account::HourBank(own), &event).unwrap();
        let Account::HourBank(next) = applied.account else {
            panic!("a bank stays one");
        };
        own = next;
    }
    assert_ne!(account, Account::HourBank(own.clone()));
    let mut accounts = Accounts::default();
    accounts.hour_bank = Some(Account::HourBank(own));
    let names = |before: Date| -> Vec<String> {
        let all = fixed_amounts(&contract, Some(&accounts), before).unwrap();
        all.into_iter().map(|amount| amount.item).collect()
    };
    assert_eq!(names(date(2026, 3, 1)), Vec::<String>::new());
    assert_eq!(names(date(2026, 3, 2)), ["B/2026-03-01"]);
    assert_eq!(names(date(2026, 4, 1)), ["I1", "B/2026-03-01"]);
    assert_eq!(
        names(date(2026, 4, 2)),
        ["I1", "B/2026-03-01", "B/2026-04-01"]
    );
}
