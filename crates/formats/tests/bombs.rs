//! Small archives that unpack to much are errors within bounded memory. A test program of its own, as its allocator counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover
#![allow(unsafe_code)] // of the allocator

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use support::readers::{self, Outcome};

type Reader = fn(&[u8]) -> Outcome;

/// The system's allocator with a count of the bytes in use and of the most that were.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let in_use = IN_USE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(in_use, Relaxed);
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps to the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Returns what `work` gives and the most bytes that it had in use at once.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed) - before)
}

/// A single test, so that no other allocates at the same time.
#[test]
fn bombs_are_errors_within_bounded_memory() {
    let (_, bytes) = peak(|| vec![0_u8; 10 << 20]);
    assert!(bytes >= 10 << 20, "the allocator counts {bytes}");
    let cases: [(&str, Reader, &str, usize); 3] = [
        // 128 MiB in a pickle.
        (
            "hostile_bomb.pth",
            readers::pytorch,
            "134217728 bytes, above the 104857600 byte limit",
            4 << 20,
        ),
        // 32 MiB of a configuration, which may have 16.
        (
            "hostile_bomb_config.keras",
            readers::keras_archive,
            "config.json takes more than 16777216 bytes",
            4 << 20,
        ),
        // 64 MiB of weights that don't begin like HDF5.
        (
            "hostile_bomb_model.keras",
            readers::keras_archive,
            "model.weights.h5 is in another format",
            4 << 20,
        ),
    ];
    for (name, reader, reason, limit) in cases {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        assert_refused(name, &std::fs::read(path).unwrap(), reader, reason, limit);
    }
    // 64 MiB of weights that begin like HDF5 are unpacked, but take no more than that.
    let bomb = archive(&[HDF5, &vec![0; 64 << 20]].concat());
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_refused(
        "inflated",
        &bomb,
        readers::keras_archive,
        "as HDF5",
        68 << 20,
    );
    // A size that the archive makes up is no reason to allocate as much.
    let mut liar = archive(HDF5);
    let directory = liar.windows(4).rposition(|four| four == b"PK\x01\x02");
    let size = directory.unwrap() + 24;
    liar[size..size + 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    assert_refused(
        "liar",
        &liar,
        readers::keras_archive,
        "FILE can't be read as",
        1 << 20,
    );
}

/// The signature of HDF5.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Returns a Keras archive with these weights.
fn archive(weights: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in [("config.json", &b"{}"[..]), ("model.weights.h5", weights)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Asserts that a file is an error for this reason, and that reading it takes fewer bytes of memory than `limit`.
fn assert_refused(name: &str, file: &[u8], reader: Reader, reason: &str, limit: usize) {
    let (outcome, bytes) = peak(|| reader(file));
    let error = outcome.unwrap_err();
    println!("{name}: {bytes} bytes, {error}");
    assert!(error.contains(reason), "{name}: {error}");
    assert!(bytes < limit, "{name} took {bytes} bytes");
}
