//! Work whose quantities are worked out with the rest of its document: what rounding leaves is carried
//! to the next entry, or an increment looks at the whole line.
//!
//! A book may be a part of a ledger. The accounts of such a contract know which work stands where, so
//! that a book that lacks some of it says so.

use super::accounts::Accounts;
use super::known::Id;
use super::{Book, Told};
use crate::charge::{Disposition, Placement};
use domain::contract::Contract;
use domain::contract::quantity::{IncrementScope, Residual};
use std::collections::BTreeSet;

/// Whether what else is on the document decides about quantities of the contract's work.
pub fn counts_by_document(contract: &Contract) -> bool {
    contract.residual == Residual::Carry || contract.increment_scope == IncrementScope::Line
}

fn name(home: &Placement) -> String {
    format!("{} {} {}", home.period, home.group_key, home.bill_to)
}

impl Accounts {
    /// Note where work stands, or that it stands nowhere.
    pub(super) fn note_home(&mut self, id: &str, home: Option<&Placement>) {
        match home {
            Some(home) => self.homes.insert_mut(id.to_owned(), name(home)),
            None => {
                self.homes.remove_mut(id);
            }
        }
    }

    /// The work that stands somewhere.
    fn standing_at<'a>(&'a self, home: &Placement) -> impl Iterator<Item = &'a String> {
        let name = name(home);
        let all = self.homes.iter();
        all.filter(move |(_, at)| **at == name).map(|(id, _)| id)
    }
}

impl Book {
    /// Say what of some homes the book does not hold.
    pub(super) fn note_missing<'a>(
        &self,
        contract: &str,
        homes: impl IntoIterator<Item = &'a Placement>,
        told: &mut Told,
    ) {
        let Some(accounts) = self.known.accounts(contract) else {
            return;
        };
        if accounts.homes.is_empty() {
            return;
        }
        let homes: BTreeSet<&Placement> = homes.into_iter().collect();
        for home in homes {
            let standing = accounts.standing_at(home);
            let missing = standing.filter(|id| self.known.work(id).is_none());
            told.missing.extend(missing.cloned());
        }
    }

    /// Note where the works of a contract stand by now.
    pub(super) fn note_homes<'a>(
        &self,
        contract: &Contract,
        accounts: &mut Accounts,
        works: impl IntoIterator<Item = &'a Id>,
    ) {
        if !counts_by_document(contract) {
            accounts.homes = crate::shared::SharedMap::default();
            return;
        }
        for id in works {
            let own = self
                .known
                .gross(id)
                .filter(|gross| gross.contract == contract.id && gross.pays == Disposition::Bill);
            accounts.note_home(id, own.map(|gross| &*gross.placement));
        }
    }
}
