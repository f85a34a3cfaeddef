//! Warnings from the parts of a run that Burn owns while they work.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Takes warnings on their way to whoever is told; clones lead to the same one.
#[derive(Debug, Clone)]
pub(super) struct Warnings(Sender<Option<String>>);

impl Warnings {
    /// Calls `work` with what takes warnings, and `warn` with each of them, at once, in a thread of its own. All were told when
    /// this returns.
    pub(super) fn told<R>(warn: &(dyn Fn(&str) + Sync), work: impl FnOnce(&Self) -> R) -> R {
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            scope.spawn(move || tell(&receiver, warn));
            // However the work ends, and whoever else still has a clone.
            let end = End(Self(sender));
            work(&end.0)
        })
    }

    /// Warns.
    pub(super) fn warn(&self, text: String) {
        let _ = self.0.send(Some(text)); // nobody listens after the end of the work
    }
}

fn tell(warnings: &Receiver<Option<String>>, warn: &(dyn Fn(&str) + Sync)) {
    while let Ok(Some(text)) = warnings.recv() {
        warn(&text);
    }
}

/// Ends the telling when it is dropped.
struct End(Warnings);

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.0.send(None);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn all_warnings_are_told_though_a_clone_stays() {
        let told = Mutex::new(Vec::new());
        let warn = |text: &str| told.lock().unwrap().push(text.to_owned());
        let left = Warnings::told(&warn, |warnings| {
            warnings.warn("one".to_owned());
            warnings.warn("two".to_owned());
            warnings.clone()
        });
        left.warn("late".to_owned());
        assert_eq!(told.into_inner().unwrap(), ["one", "two"]);
    }

    #[test]
    fn a_panic_passes_through() {
        let work = || Warnings::told(&|_| (), |_| panic!("made-up failure"));
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
    }
}
