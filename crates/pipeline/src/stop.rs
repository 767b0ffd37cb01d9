//! Ending softly: a pass that is asked to stop ends between two steps, where nothing is under way
//! that only a look-up could settle. Who asks (a signal, a service manager) is not known here.

use connector_sdk::async_trait;

/// Tells whether the work is to end.
#[async_trait]
pub trait Stop: Send + Sync {
    /// Whether somebody asked for it.
    fn asked(&self) -> bool;

    /// Wait until somebody does.
    async fn wait(&self);
}

/// Nobody asks: a single command, a simulation.
#[derive(Debug, Clone, Copy, Default)]
pub struct NeverStop;

#[async_trait]
impl Stop for NeverStop {
    fn asked(&self) -> bool {
        false
    }

    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}
