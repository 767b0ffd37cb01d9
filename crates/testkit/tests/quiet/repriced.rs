//! Every booked charge priced again from what was known when it was booked.

use crate::shared::{add_named, issue_all, together, with_work};
use crate::stage::{Stage, play};
use pipeline::reprice::{Repriced, reprice};
use std::sync::Arc;
use store::{Abort, Command, GuardSet, StoreError, Tx, charges, items};
use twins::erp::Uniqueness;

async fn again(stage: &Stage) -> Repriced {
    reprice(&stage.env).await.unwrap()
}

#[test]
fn charges_come_out_bit_for_bit_whatever_rates_and_terms_are_now() {
    play(async {
        let (mut stage, ids) = with_work(21, &["1.10", "0.33", "2.35"]).await;
        stage.with_contract(together(&[]));
        stage.pass().await;
        let first = again(&stage).await;
        assert_eq!(first.differing, []);
        assert_eq!(first.before_acts, 0);
        assert!(first.same >= 30 && first.same_lines >= 3, "{first:?}");

        // Other rates, another increment, another rounding: none of it was known then.
        let mut settings = (*stage.env.settings).clone();
        for rate in &mut settings.bill_rates {
            rate.rate = "999.99".parse().unwrap();
        }
        stage.env.settings = Arc::new(settings);
        stage.with_contract(|contract| contract.quantity_decimals = 1);
        issue_all(&stage);
        stage.pass().await;
        add_named(&stage, &stage.entry(&ids[0]), "0.60", "at the new rate");
        stage.pass().await;
        let second = again(&stage).await;
        assert_eq!(second.differing, []);
        assert!(second.same > first.same, "{second:?}");
    });
}

/// A charge of which the row says a cent more than its text.
struct OneCentMore([u8; 16]);

impl Command for OneCentMore {
    type Out = ();
    type Rejection = std::convert::Infallible;

    fn name(&self) -> &'static str {
        "one cent more"
    }

    fn guards(&self) -> GuardSet {
        GuardSet::none()
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Abort<Self::Rejection>> {
        tx.act_as("test");
        let of_item = charges::list_for_item(tx, &self.0)?;
        let mut row = of_item.into_iter().next().unwrap();
        let mut item = items::get(tx, &self.0)?.unwrap();
        (row.charge_no, row.amount_minor) = (item.charge_next, row.amount_minor + 1);
        item.charge_next += 1;
        items::update(tx, &mut item, "test")?;
        charges::insert(tx, &[row], "test").map_err(|error: StoreError| error.into())
    }
}

#[test]
fn a_charge_that_would_not_be_priced_so_is_named() {
    play(async {
        let stage = Stage::new(21, Uniqueness::UniqueKey);
        stage.pass().await;
        let ids = stage.posted(|_| true);
        let item = pipeline::explain::item_of(&stage.env, &ids[0])
            .await
            .unwrap();
        let written = stage.env.store.write(OneCentMore(item.bytes())).await;
        written.unwrap();
        let found = again(&stage).await.differing;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].item, item.to_string());
        assert_eq!(found[0].what, "its row says something else than its text");
    });
}
