//! S2 and S3: rows that come and go while a window is read.

use super::Law;
use super::laws::Run;
use super::meddler::Meddling;
use std::pin::Pin;
use std::sync::Arc;

impl Run {
    pub(super) async fn inserts(&mut self, mut ids: Vec<String>) -> Vec<String> {
        let law = Law::InsertsMoveNothing;
        let before = ids.clone();
        for at in 1..=self.requests_of_a_scan(law).await {
            let harness = Arc::clone(&self.harness);
            let booking = self.booking(0, "inserted meanwhile");
            let (tell, told) = std::sync::mpsc::channel();
            let act = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
                Box::pin(async move {
                    // Nobody listens once the scan is over.
                    let _ = tell.send(harness.book(&booking).await);
                })
            };
            self.harness
                .meddler()
                .plan(passes(at).chain([Meddling::Before(Box::new(act))]));
            let scan = self.scan(law).await;
            self.harness.meddler().plan([]);
            let when = format!("with an insert before request {at}");
            self.demand_each_once(law, &scan, &before, &when);
            ids.extend(told.try_iter());
        }
        ids
    }

    /// Rows that go, and rows that go while another comes: a count does not show the latter.
    pub(super) async fn deletes(&mut self, mut ids: Vec<String>) -> Vec<String> {
        let law = Law::DeletesMoveNothing;
        for exchange in [false, true] {
            for at in 1..=self.requests_of_a_scan(law).await {
                if ids.len() < 2 {
                    return ids;
                }
                // Those booked last stand on the first day, before all others.
                let Some(victim) = ids.pop() else { break };
                let harness = Arc::clone(&self.harness);
                let doomed = victim.clone();
                let late = self.booking(9, "came for another");
                let (tell, told) = std::sync::mpsc::channel();
                let act = move || -> Pin<Box<dyn Future<Output = ()> + Send>> {
                    Box::pin(async move {
                        harness.delete(&doomed).await;
                        let came = if exchange {
                            Some(harness.book(&late).await)
                        } else {
                            None
                        };
                        // Nobody listens once the scan is over.
                        let _ = tell.send(came);
                    })
                };
                self.harness
                    .meddler()
                    .plan(passes(at).chain([Meddling::Before(Box::new(act))]));
                let scan = self.scan(law).await;
                self.harness.meddler().plan([]);
                let what = if exchange { "an exchange" } else { "a delete" };
                let when = format!("with {what} before request {at}");
                self.demand_each_once(law, &scan, &ids, &when);
                match told.try_iter().next() {
                    // What came last goes in front: it is no victim of the next turn.
                    Some(came) => ids.splice(0..0, came).for_each(drop),
                    None => ids.push(victim),
                }
            }
        }
        ids
    }
}

fn passes(number: usize) -> impl Iterator<Item = Meddling> {
    std::iter::repeat_with(|| Meddling::Pass).take(number)
}
