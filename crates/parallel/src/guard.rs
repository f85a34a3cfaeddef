//! Panics of a lost device as errors.
//!
//! Burn's operations on a device of another machine return at once. That the connection is lost shows where a value is read,
//! and some of Burn's interfaces can't return an error there: they panic.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::{DataParallel, DeviceError};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl DataParallel {
    /// Calls a function that computes on the devices. A panic in it, in this thread, is an error where one of the devices has
    /// failed; any other panic goes on as it would have without the guard, once it has been caught here.
    ///
    /// The first call replaces the process's panic hook by one that keeps still within guards, and calls the hook that was
    /// there otherwise.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] of the first device that doesn't answer, after a panic.
    pub fn guard<T>(&self, function: impl FnOnce() -> T) -> Result<T, DeviceError> {
        keep_still_within_guards();
        let outer = GUARDED.replace(true);
        let result = catch_unwind(AssertUnwindSafe(function));
        let payload = match result {
            Ok(value) => {
                GUARDED.set(outer);
                return Ok(value);
            }
            Err(payload) => payload,
        };
        let checked = catch_unwind(AssertUnwindSafe(|| self.check()));
        GUARDED.set(outer);
        match checked {
            Ok(Err(error)) => Err(error),
            _ => {
                if let Some(message) = MESSAGE.take() {
                    eprintln!("{message}");
                }
                resume_unwind(payload)
            }
        }
    }
}

fn keep_still_within_guards() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| match GUARDED.get() {
            true => MESSAGE.set(Some(info.to_string())),
            false => before(info),
        }));
    });
}

#[cfg(test)]
mod tests {
    use burn::prelude::Device;

    use super::*;
    use crate::NamedDevice;

    #[test]
    fn a_panic_that_no_device_is_the_reason_of_goes_on() {
        let devices = [NamedDevice::new("flex", Device::flex())];
        let parallel = DataParallel::new(devices).unwrap();
        assert_eq!(parallel.guard(|| 7), Ok(7));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            parallel.guard(|| assert_eq!(1 + 1, 3, "a mistake"))
        }));
        let payload = panicked.unwrap_err();
        let message = payload.downcast_ref::<String>().unwrap();
        assert!(message.contains("a mistake"), "{message}");
        assert!(!GUARDED.get());
    }
}
