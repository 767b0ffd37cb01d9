//! What a connector is: small roles, a manifest with its capabilities as data, one way out to the
//! network, and error classes that say what surely happened and what may have happened.
//!
//! A connector never decides: it reads, writes once, looks up, and classifies. It knows nothing of
//! the ledger.

pub mod call;
pub mod check;
pub mod clock;
pub mod conformance;
pub mod http;
pub mod manifest;
pub mod source;
pub mod target;
pub mod transport;

pub use async_trait::async_trait;
pub use secrecy;
