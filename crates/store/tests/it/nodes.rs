//! Several nodes over one ledger: no update is lost, and a fenced node writes nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use counterfoil_store::leases::Asked;
use counterfoil_store::{
    Abort, Command, Guard, GuardSet, Store, StoreError, Tx, WriteError, attempts, audit, leases,
    limits, settings, writers,
};

use crate::fresh::Fresh;
use crate::support::{START_US, attempt, options, run};

/// Reads, decides, writes: what two nodes may do at the same time.
struct Spend {
    guarded: bool,
}

impl Command for Spend {
    type Out = i64;
    type Rejection = std::convert::Infallible;
    fn name(&self) -> &'static str {
        "spend"
    }
    fn guards(&self) -> GuardSet {
        if self.guarded {
            GuardSet::none().and(Guard::Limit("erp".into()))
        } else {
            GuardSet::none()
        }
    }
    fn apply(&self, tx: &mut Tx<'_>) -> Result<i64, Abort<Self::Rejection>> {
        let before = limits::get(tx, "erp")?;
        let spent = before
            .as_ref()
            .map_or(1, |row| row.body.parse::<i64>().unwrap() + 1);
        match before {
            // Unguarded, the version that was read is what protects the decision.
            Some(mut row) if !self.guarded => {
                row.body = spent.to_string();
                limits::save(tx, &mut row, "spent")?;
            }
            _ => limits::put(tx, "erp", &spent.to_string(), "spent")?,
        }
        Ok(spent)
    }
}

/// Returns how many spends were acknowledged and what the ledger says.
async fn spend(nodes: [&Store; 2], guarded: bool) -> (usize, i64) {
    let mut tasks = Vec::new();
    for number in 0..8 {
        let store = nodes[number % 2].clone();
        tasks.push(tokio::spawn(async move {
            let mut kept = Vec::new();
            for _ in 0..15 {
                match store.write(Spend { guarded }).await {
                    Ok(total) => kept.push(total),
                    Err(WriteError::Store(error)) => {
                        assert!(!guarded && error.again(), "{error}");
                    }
                    Err(WriteError::Rejected(never)) => match never {},
                }
            }
            kept
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    let acknowledged = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(
        all.len(),
        acknowledged,
        "two commands were told the same total"
    );
    let total = nodes[0]
        .read(|tx| limits::get(tx, "erp"))
        .await
        .unwrap()
        .unwrap();
    (acknowledged, total.body.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_is_lost_between_nodes() {
    for guarded in [true, false] {
        let Some(fresh) = Fresh::database(if guarded { "guarded" } else { "unguarded" }) else {
            return;
        };
        let first = Store::open_postgres(&fresh.url, options("a")).unwrap();
        let second = Store::open_postgres(&fresh.url, options("b")).unwrap();
        if !guarded {
            run(&first, |tx| limits::put(tx, "erp", "0", "opened"))
                .await
                .unwrap();
        }
        let (acknowledged, total) = spend([&first, &second], guarded).await;
        assert_eq!(i64::try_from(acknowledged).unwrap(), total);
        assert!(!guarded || total == 120, "{total}");
        assert_eq!(audit::verify(&first).await.unwrap().problems, []);
    }
}

/// Two nodes of either kind: `b` declares `a` dead.
async fn fence(dead: &Store, living: &Store) {
    run(dead, |tx| {
        attempts::insert(tx, &attempt(1, 1, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    let doubtful = run(living, |tx| writers::fence_node(tx, "a"))
        .await
        .unwrap();
    assert_eq!(doubtful, 1);
    for _ in 0..4 {
        let late = run(dead, |tx| settings::put(tx, "late", "1", "test")).await;
        let fenced = matches!(late, Err(WriteError::Store(StoreError::Fenced { .. })));
        assert!(fenced, "{late:?}");
    }
    assert_eq!(
        living.read(|tx| settings::get(tx, "late")).await.unwrap(),
        None
    );
    let open = living.read(attempts::list_open).await.unwrap();
    assert_eq!(open[0].state, "ambiguous");
    run(living, |tx| settings::put(tx, "alive", "1", "test"))
        .await
        .unwrap();
    assert_eq!(audit::verify(living).await.unwrap().problems, []);
}

const MINUTE_US: i64 = 60_000_000;

/// Two nodes of either kind ask for one lease, which ends, is extended, given back and taken over.
async fn leased(first: &Store, second: &Store, minute_passes: impl AsyncFn()) {
    let ask = async |store: &Store| {
        run(store, |tx| leases::take(tx, "erp", MINUTE_US))
            .await
            .unwrap()
    };
    let Asked::Taken {
        lease,
        fenced: None,
    } = ask(first).await
    else {
        panic!("the first who asks");
    };
    let Asked::Others {
        lease: held,
        left_us,
    } = ask(second).await
    else {
        panic!("the other has it");
    };
    assert_eq!(held, lease);
    assert!((1..=MINUTE_US).contains(&left_us), "{left_us}");

    // Given back, it is free, and nobody is fenced.
    let ours = lease.clone();
    assert!(
        run(first, move |tx| leases::give_back(tx, &ours))
            .await
            .unwrap()
    );
    let Asked::Taken {
        lease: second_one,
        fenced: None,
    } = ask(second).await
    else {
        panic!("it was given back");
    };
    assert_eq!(second_one.epoch, 2);
    let late = lease.clone();
    assert!(
        !run(first, move |tx| leases::extend(tx, &late, MINUTE_US))
            .await
            .unwrap()
    );
    let back = second_one.clone();
    assert!(
        run(second, move |tx| leases::give_back(tx, &back))
            .await
            .unwrap()
    );

    // One that ran out is taken by fencing whoever had it.
    let Asked::Taken { lease, .. } = ask(first).await else {
        panic!("free again");
    };
    run(first, |tx| {
        attempts::insert(tx, &attempt(1, 1, tx.writer_no()), "sent")
    })
    .await
    .unwrap();
    let ours = lease.clone();
    assert!(
        run(first, move |tx| leases::extend(tx, &ours, 1))
            .await
            .unwrap()
    );
    minute_passes().await;
    let Asked::Taken { fenced, .. } = ask(second).await else {
        panic!("it ran out");
    };
    assert_eq!(fenced, Some(("a".to_owned(), 1)));
    let ours = lease.clone();
    assert!(
        !run(first, move |tx| leases::extend(tx, &ours, MINUTE_US))
            .await
            .unwrap()
    );
    let late = run(first, |tx| leases::take(tx, "erp", MINUTE_US)).await;
    assert!(
        matches!(late, Err(WriteError::Store(StoreError::Fenced { .. }))),
        "{late:?}"
    );
    assert_eq!(audit::verify(second).await.unwrap().problems, []);
}

#[tokio::test]
async fn a_lease_changes_hands_in_memory() {
    let now_us = Arc::new(AtomicI64::new(START_US));
    let at = |node: &str| {
        let now_us = Arc::clone(&now_us);
        let mut options = options(node);
        options.clock = Arc::new(move || now_us.load(Ordering::SeqCst));
        options
    };
    let first = Store::open_in_memory(at("a")).unwrap();
    let second = first.join_in_memory(at("b")).unwrap();
    let passes = async || {
        now_us.fetch_add(MINUTE_US, Ordering::SeqCst);
    };
    leased(&first, &second, passes).await;
}

#[tokio::test]
async fn a_lease_changes_hands_on_postgres() {
    let Some(fresh) = Fresh::database("lease") else {
        return;
    };
    let first = Store::open_postgres(&fresh.url, options("a")).unwrap();
    let second = Store::open_postgres(&fresh.url, options("b")).unwrap();
    // The database has a clock of its own, and one microsecond was asked for.
    leased(&first, &second, async || {
        std::thread::sleep(Duration::from_millis(2));
    })
    .await;
}

#[tokio::test]
async fn a_fenced_node_writes_nothing_more_in_memory() {
    let dead = Store::open_in_memory(options("a")).unwrap();
    let living = dead.join_in_memory(options("b")).unwrap();
    fence(&dead, &living).await;
}

#[tokio::test]
async fn a_fenced_node_writes_nothing_more_on_postgres() {
    let Some(fresh) = Fresh::database("fence") else {
        return;
    };
    let dead = Store::open_postgres(&fresh.url, options("a")).unwrap();
    let living = Store::open_postgres(&fresh.url, options("b")).unwrap();
    fence(&dead, &living).await;
}

#[test]
fn many_nodes_open_a_new_ledger_at_once() {
    let Some(fresh) = Fresh::database("openings") else {
        return;
    };
    let openings: Vec<_> = (0..6)
        .map(|number| {
            let url = fresh.url.clone();
            std::thread::spawn(move || Store::open_postgres(&url, options(&format!("n{number}"))))
        })
        .collect();
    let opened: Vec<_> = openings
        .into_iter()
        .map(|one| one.join().unwrap().map(drop))
        .collect();
    for one in opened {
        one.unwrap();
    }
}
