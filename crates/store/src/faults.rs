//! Faults for the tests of this thread: a commit that is refused, or kept while its answer is lost.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::error::StoreError;

#[derive(Clone, Copy)]
pub(crate) enum Commit {
    Refused,
    AnswerLost,
}

thread_local! {
    static PLAN: RefCell<VecDeque<Option<Commit>>> = const { RefCell::new(VecDeque::new()) };
}

/// What happens at the next commits of this thread, in order.
pub(crate) fn plan(next: impl IntoIterator<Item = Option<Commit>>) {
    PLAN.with(|plan| plan.borrow_mut().extend(next));
}

pub(crate) fn at_commit() -> Option<Commit> {
    PLAN.with(|plan| plan.borrow_mut().pop_front().flatten())
}

pub(crate) fn lost() -> StoreError {
    StoreError::Database {
        doing: "COMMIT".to_owned(),
        again: true,
        source: "a planned fault".into(),
    }
}
