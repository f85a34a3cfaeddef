//! A note for whoever waits while a graphics backend tunes its kernels.

use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use burn::prelude::Device;
use indicatif::ProgressBar;
use xception::kernels::runs_natively;

/// How long a first result may take without a note.
const PATIENCE: Duration = Duration::from_secs(5);

const NOTE: &str = "compiling and tuning kernels for this device; results of tuning are kept, so that later runs begin sooner";

/// Says that kernels are tuned, if the first result takes some seconds on a device that tunes them.
pub struct TuningNote {
    first_result: Option<Sender<()>>,
}

impl TuningNote {
    /// Begins to wait for the first result on this device. The note goes above the bar, on standard error.
    pub fn start(device: &Device, bar: &ProgressBar) -> Self {
        let bar = bar.clone();
        let say = move || {
            // A closed standard error is no reason to stop.
            let _ = bar.suspend(|| writeln!(std::io::stderr(), "{NOTE}"));
        };
        match runs_natively(device) {
            true => Self { first_result: None },
            false => Self::start_after(PATIENCE, say),
        }
    }

    fn start_after(patience: Duration, say: impl FnOnce() + Send + 'static) -> Self {
        let (first_result, waits) = mpsc::channel();
        thread::spawn(move || {
            if waits.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                say();
            }
        });
        Self {
            first_result: Some(first_result),
        }
    }

    /// Ends the wait: there is a result.
    pub fn finish(&mut self) {
        self.first_result = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slow_result_gets_the_note() {
        let (said, hears) = mpsc::channel();
        let slow = said.clone();
        let note = TuningNote::start_after(Duration::from_millis(1), move || {
            slow.send("slow").unwrap();
        });
        assert_eq!(hears.recv(), Ok("slow"));
        drop(note);
        let mut note = TuningNote::start_after(Duration::from_secs(60), move || {
            said.send("quick").unwrap();
        });
        note.finish();
        assert!(hears.recv().is_err()); // the thread has ended without a note
    }

    #[test]
    fn the_processor_tunes_nothing() {
        let note = TuningNote::start(&Device::flex(), &ProgressBar::hidden());
        assert!(note.first_result.is_none());
    }
}
