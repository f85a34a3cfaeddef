//! The settings of the program's memory allocator.
//!
//! A training step allocates and frees the same large tensors over and over. The system's allocator, and mimalloc
//! with its defaults, return their pages to the system and get them back zeroed, page by page. Here pages are kept,
//! and requested as large pages, so that the process keeps the memory of its peak.

use libmimalloc_sys::{mi_option_large_os_pages, mi_option_set_default, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, the milliseconds after which freed pages go back to the system; never, below zero.
/// The bindings don't name it; the manifest pins their version, and a test holds the number against mimalloc.
const PURGE_DELAY: mi_option_t = 15;

/// Keeps freed pages, and requests large ones. mimalloc's environment variables, `MIMALLOC_PURGE_DELAY` and
/// `MIMALLOC_ALLOW_LARGE_OS_PAGES`, take precedence.
#[allow(unsafe_code)] // foreign functions
pub fn keep_pages() {
    // SAFETY: these options may be set at any time.
    unsafe {
        mi_option_set_default(PURGE_DELAY, -1);
        mi_option_set_default(mi_option_large_os_pages, 1);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use libmimalloc_sys::mi_option_get;

    use super::PURGE_DELAY;

    /// A variable of mimalloc's, and a value that nothing else has.
    const VARIABLE: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "1234");

    #[test]
    #[allow(unsafe_code)] // a foreign function
    fn the_purge_delay_has_its_number() {
        let (name, value) = VARIABLE;
        if std::env::var(name).as_deref() == Ok(value) {
            // SAFETY: options may be read at any time.
            let found = unsafe { mi_option_get(PURGE_DELAY) };
            assert_eq!(found.to_string(), value);
            return;
        }
        // mimalloc reads its variables when the process starts.
        let test = "allocator::tests::the_purge_delay_has_its_number";
        let output = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact"])
            .env(name, value)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
}
