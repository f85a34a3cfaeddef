//! Downloads from a server that misbehaves.

use super::*;
use tempfile::tempdir;
use xception_testing::server::{Reply, TestServer};

/// The outcome of a download.
struct Outcome {
    result: Result<(), FetchError>,
    /// The file as it was left.
    file: Vec<u8>,
    /// The first byte that each request asked for.
    ranges: Vec<Option<u64>>,
    steps: Vec<u64>,
}

impl Outcome {
    /// Checks that the file is complete, and gives the ranges asked for.
    fn complete(self) -> Vec<Option<u64>> {
        self.result.unwrap();
        assert_eq!(self.file, content());
        assert_eq!(self.steps.last().unwrap_or(&10_000), &10_000);
        self.ranges
    }
}

/// Downloads a file thought to have `total` bytes, `before` of which are there, from a server that has [`content`].
fn download(before: &[u8], total: impl Into<Option<u64>>, replies: &[Reply]) -> Outcome {
    let dir = tempdir().unwrap();
    let part = dir.path().join("file.part");
    if !before.is_empty() {
        fs::write(&part, before).unwrap();
    }
    let server = TestServer::start(content(), replies);
    let url = format!("{}/file", server.base());
    let mut steps = Vec::new();
    let download = Download {
        url: &url,
        total: total.into(),
        part: &part,
        patience: &Patience::short(),
    };
    let result = download.run(&mut |progress| steps.push(progress.received));
    let file = fs::read(&part).unwrap_or_default();
    Outcome {
        result,
        file,
        ranges: server.ranges(),
        steps,
    }
}

fn content() -> Vec<u8> {
    (0..10_000u32).map(|i| (i * i % 253) as u8).collect()
}

#[test]
fn whole_file_in_one_go() {
    let outcome = download(&[], 10_000, &[Reply::Serve]);
    assert_eq!(outcome.steps[0], 0);
    assert_eq!(outcome.complete(), [None]);
}

#[test]
fn nothing_is_asked_for_where_all_is_there() {
    assert_eq!(download(&content(), 10_000, &[Reply::Serve]).complete(), []);
}

#[test]
fn broken_and_stalled_connections_are_resumed() {
    let replies = [
        Reply::Cut(4_000),
        Reply::Status(503),
        Reply::Stall(3_000),
        Reply::Serve,
    ];
    let ranges = download(&[], 10_000, &replies).complete();
    assert_eq!(ranges, [None, Some(4_000), Some(4_000), Some(7_000)]);
}

#[test]
fn an_earlier_download_is_resumed() {
    let outcome = download(&content()[..6_000], 10_000, &[Reply::Serve]);
    assert_eq!(outcome.steps[0], 6_000);
    assert_eq!(outcome.complete(), [Some(6_000)]);
}

#[test]
fn a_server_that_cannot_resume_starts_over() {
    let outcome = download(&content()[..6_000], 10_000, &[Reply::IgnoreRange]);
    assert_eq!(outcome.complete(), [Some(6_000)]);
}

#[test]
fn a_refused_or_wrong_range_starts_over() {
    for reply in [Reply::Status(416), Reply::WrongRange] {
        let outcome = download(&content()[..6_000], 10_000, &[reply, Reply::Serve]);
        assert_eq!(outcome.complete(), [Some(6_000), None]);
    }
}

#[test]
fn too_large_a_part_is_thrown_away() {
    let outcome = download(&[1; 10_001], 10_000, &[Reply::Serve]);
    assert_eq!(outcome.complete(), [None]);
}

#[test]
fn endless_interruptions_end() {
    let outcome = download(&[], 10_000, &[Reply::Cut(100), Reply::Cut(0)]);
    let error = outcome.result.unwrap_err().to_string();
    assert!(
        error.contains("broke off 4 times in a row, 100 of 10000 bytes received"),
        "{error}"
    );
    assert_eq!(outcome.file.len(), 100);
    assert_eq!(outcome.ranges.len(), 5);
}

#[test]
fn starting_over_again_and_again_is_no_progress() {
    let outcome = download(&[], 10_000, &[Reply::CutIgnoringRange(5_000)]);
    assert!(matches!(
        outcome.result,
        Err(FetchError::Interrupted {
            received: 5_000,
            ..
        })
    ));
    assert_eq!(outcome.ranges.len(), 5);
}

#[test]
fn another_size_is_an_error_at_once() {
    for (total, before) in [(9_999, 0), (10_001, 0), (9_999, 500)] {
        let outcome = download(&content()[..before], total, &[Reply::Serve]);
        let error = outcome.result.unwrap_err().to_string();
        assert!(
            error.contains(&format!("has 10000 bytes, expected {total}")),
            "{error}"
        );
        assert_eq!(outcome.ranges.len(), 1);
    }
}

#[test]
fn the_server_tells_an_unknown_size() {
    let replies = [Reply::Cut(4_000), Reply::Serve];
    let ranges = download(&[], None, &replies).complete();
    assert_eq!(ranges, [None, Some(4_000)]);
    let outcome = download(&content()[..6_000], None, &[Reply::IgnoreRange]);
    assert_eq!(outcome.complete(), [Some(6_000)]);
}

#[test]
fn a_size_that_nobody_tells_is_where_the_body_ends() {
    let outcome = download(&[], None, &[Reply::WithoutLength]);
    assert_eq!(outcome.complete(), [None]);
}

#[test]
fn a_server_without_more_ends_the_download() {
    let outcome = download(&content(), None, &[Reply::Serve]);
    assert_eq!(outcome.complete(), [Some(10_000)]);
    let replies = [Reply::Serve, Reply::Serve];
    let outcome = download(&[1; 10_001], None, &replies);
    assert_eq!(outcome.complete(), [Some(10_001), None]);
}

#[test]
fn a_file_that_is_too_large_is_an_error_at_once() {
    let outcome = download(&[], None, &[Reply::Announce(5 << 30)]);
    let error = outcome.result.unwrap_err().to_string();
    assert!(
        error.contains("has 5368709120 bytes or more, expected 4294967296 at most"),
        "{error}"
    );
    assert_eq!(outcome.ranges.len(), 1);
}

#[test]
fn a_redirection_is_followed_with_the_range() {
    let replies = [Reply::Redirect, Reply::Serve];
    let outcome = download(&content()[..6_000], 10_000, &replies);
    assert_eq!(outcome.complete(), [Some(6_000), Some(6_000)]);
}

#[test]
fn not_found_is_an_error_at_once() {
    let outcome = download(&[], 10_000, &[Reply::Status(404)]);
    assert!(matches!(
        outcome.result,
        Err(FetchError::Status { status: 404, .. })
    ));
    assert_eq!(outcome.ranges.len(), 1);
}

#[test]
fn an_address_that_is_none_is_an_error_at_once() {
    let dir = tempdir().unwrap();
    let part = dir.path().join("part");
    for url in ["nothing", "http://", "ftp://127.0.0.1/x"] {
        let download = Download {
            url,
            total: Some(1),
            part: &part,
            patience: &Patience::short(),
        };
        let error = download.run(&mut |_| ()).unwrap_err();
        assert!(
            matches!(error, FetchError::Address { .. }),
            "{url}: {error}"
        );
    }
}
