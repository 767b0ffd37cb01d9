//! Asking a running process to end softly.

use connector_sdk::async_trait;
use pipeline::stop::Stop;
use tokio::sync::watch;

/// Said once; everything that works sees it at its next step.
#[derive(Debug)]
pub struct Halt(watch::Sender<bool>);

impl Default for Halt {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Halt {
    /// Ask everything to end at its next step.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }
}

#[async_trait]
impl Stop for Halt {
    fn asked(&self) -> bool {
        *self.0.borrow()
    }

    async fn wait(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot be closed while this waits.
        let _seen = receiver.wait_for(|asked| *asked).await;
    }
}
