//! The program's memory.
//!
//! A step of training allocates and frees the same large tensors over and over. The system's allocator, and
//! mimalloc with its defaults, give their pages back and get them again zeroed, page by page; here they are kept, and
//! asked for as large pages, so that the memory of the process is its peak's from then on.

use libmimalloc_sys::{mi_option_large_os_pages, mi_option_set_default, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, the milliseconds after which freed pages go back to the system; never, below zero.
/// The bindings don't name it; the manifest pins their version, and a test holds the number against mimalloc.
const PURGE_DELAY: mi_option_t = 15;

/// Keeps freed pages, and asks for large ones. mimalloc's environment variables, `MIMALLOC_PURGE_DELAY` and
/// `MIMALLOC_ALLOW_LARGE_OS_PAGES`, have the last word.
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
