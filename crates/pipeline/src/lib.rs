//! The imperative shell: an entry's way from the source to the ERP and back, as commands (each one
//! transaction) and stages (the calls between them). It decides with `rules` and [`plan`], keeps
//! with `store`, and reaches other systems only through the roles of `connector-sdk`.
//!
//! It knows no vendor, holds no SQL, and reads no clock but the one it is given.

pub mod acts;
pub mod admit;
pub mod asking;
pub mod book;
pub mod books;
mod classes;
pub mod compare;
pub mod contracts;
pub mod crash;
mod description;
mod difference;
pub mod dry_run;
pub mod env;
pub mod error;
pub mod exceptions;
pub mod explain;
pub mod facts;
pub mod feedback;
pub mod fixed;
mod foreign;
pub(crate) mod group;
pub mod intake;
mod intent;
mod kept;
pub mod labor;
pub mod lease;
pub mod limit;
mod line_allowance;
mod loaded;
mod new_item;
pub mod nodes;
pub mod outcome;
pub mod patience;
pub mod payload;
pub mod plan;
pub mod post;
pub mod postings;
pub mod preview;
pub mod reconcile;
pub mod reference;
pub mod rehearse;
pub mod reprice;
pub mod restored;
pub mod settings;
pub mod shared;
pub mod stake;
pub mod states;
pub mod status;
pub mod stop;
pub mod strand;
mod strays;
mod survey;
pub mod sync;
mod telling;
mod walk;
