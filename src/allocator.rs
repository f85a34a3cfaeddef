//! The settings of the program's memory allocator.
//!
//! A training step allocates and frees the same large tensors over and over. The system's allocator, and mimalloc
//! with its defaults, return their pages to the system and get them back zeroed, page by page. Here pages are kept,
//! and requested as large pages, so that the process keeps the memory of its peak.

use libmimalloc_sys::{mi_option_large_os_pages, mi_option_set_default, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Option `mi_option_purge_delay`, which the bindings don't name: the milliseconds after which freed pages are
/// returned to the system; a negative value keeps them.
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
