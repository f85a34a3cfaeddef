//! Stopping a training from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

/// Why a training was to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A person wants the end, as by Ctrl-C.
    Interrupted,
    /// The system wants the end, as by SIGTERM.
    Terminated,
}

/// A request to stop, which any thread can make and every training that has a clone of it obeys after its
/// current batch.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(Arc<AtomicU8>);

const INTERRUPTED: u8 = 1;
const TERMINATED: u8 = 2;

impl StopSignal {
    /// Returns a signal that nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end; returns whether this is the first time. The first reason stays.
    pub fn request(&self, reason: StopReason) -> bool {
        let reason = match reason {
            StopReason::Interrupted => INTERRUPTED,
            StopReason::Terminated => TERMINATED,
        };
        let exchange = self
            .0
            .compare_exchange(0, reason, Ordering::Relaxed, Ordering::Relaxed);
        exchange.is_ok()
    }

    /// Why to stop, where that was asked for.
    pub fn reason(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Relaxed) {
            INTERRUPTED => Some(StopReason::Interrupted),
            TERMINATED => Some(StopReason::Terminated),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays_and_clones_share_it() {
        let signal = StopSignal::new();
        let other = signal.clone();
        assert_eq!(other.reason(), None);
        assert!(signal.request(StopReason::Terminated));
        assert!(!other.request(StopReason::Interrupted));
        assert_eq!(other.reason(), Some(StopReason::Terminated));
    }
}
