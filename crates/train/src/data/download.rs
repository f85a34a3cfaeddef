//! Downloading one file of known size over HTTP, with resumption.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;

use ureq::http::{Response, header};
use ureq::{Agent, Body};

use crate::data::DataError;
use crate::data::answer::Answer;
use crate::data::patience::Patience;

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that are there, those of an earlier download included.
    pub received: u64,
    /// The bytes of the whole file.
    pub total: u64,
}

/// What ends an attempt before the file is complete.
enum Failure {
    /// Another attempt may help.
    Passing(String),
    /// No other attempt can help.
    Final(DataError),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Final(error)
    }
}

/// A download in progress.
pub(crate) struct Download<'a> {
    /// The address.
    pub url: &'a str,
    /// The file's size.
    pub total: u64,
    /// Where it is written. What is there is taken for the file's beginning.
    pub part: &'a Path,
    /// How a bad connection is dealt with.
    pub patience: Patience,
}

impl Download<'_> {
    /// Downloads until `part` has its full size.
    ///
    /// A lost connection is taken up again where it broke; on an error what was received stays, for a later call.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), DataError> {
        let agent = self.agent();
        if self.received()? > self.total {
            self.start_over()?;
        }
        let mut furthest = self.received()?;
        let mut attempts = 0;
        loop {
            if self.received()? == self.total {
                return Ok(());
            }
            let last = match self.attempt(&agent, progress) {
                Ok(()) => continue,
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(problem)) => problem,
            };
            // Measured against the furthest point: a server that starts over at each attempt and always breaks off at
            // the same place makes no progress.
            let received = self.received()?;
            if received >= furthest.saturating_add(self.patience.least_progress) {
                furthest = received;
                attempts = 0;
                continue;
            }
            attempts += 1;
            if attempts >= self.patience.attempts {
                let (url, total) = (self.url.to_owned(), self.total);
                return Err(DataError::Interrupted {
                    url,
                    attempts,
                    received,
                    total,
                    last,
                });
            }
            thread::sleep(self.patience.pause * (1 << (attempts - 1).min(5)));
        }
    }

    fn agent(&self) -> Agent {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .accept_encoding("identity") // the archive's own bytes
            .user_agent(concat!("xception/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(self.patience.connect))
            .timeout_recv_response(Some(self.patience.connect))
            .timeout_per_read(Some(self.patience.read));
        if !self.patience.proxy {
            config = config.proxy(None);
        }
        config.build().into()
    }

    /// One request, for what is missing.
    fn attempt(&self, agent: &Agent, progress: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
        let start = self.received()?;
        let mut request = agent.get(self.url);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| self.classify(error))?;
        match Answer::read(&response, start, self.total) {
            Answer::Whole => {
                self.start_over()?;
                self.receive(response, 0, progress)
            }
            Answer::Rest => self.receive(response, start, progress),
            Answer::WrongSize(found) => Err(self.wrong_size(found).into()),
            Answer::CannotContinue => {
                self.start_over()?;
                Err(Failure::Passing(
                    "the server can't continue from there".into(),
                ))
            }
            Answer::Trouble(status) => Err(Failure::Passing(format!("HTTP status {status}"))),
            Answer::Refused(status) => {
                let (url, status) = (self.url.to_owned(), status.as_u16());
                Err(DataError::Status { url, status }.into())
            }
        }
    }

    /// Appends the body of a response.
    fn receive(
        &self,
        mut response: Response<Body>,
        start: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.part)
            .map_err(|source| self.write_error(source))?;
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; 64 << 10];
        let mut received = start;
        progress(Progress {
            received,
            total: self.total,
        });
        while received < self.total {
            let count = match body.read(&mut buffer) {
                Ok(0) => return Err(Failure::Passing("the connection ended early".into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Passing(error.to_string())),
            };
            if received + count as u64 > self.total {
                drop(file);
                self.start_over()?;
                return Err(self.wrong_size(received + count as u64).into());
            }
            file.write_all(&buffer[..count])
                .map_err(|source| self.write_error(source))?;
            received += count as u64;
            progress(Progress {
                received,
                total: self.total,
            });
        }
        Ok(())
    }

    /// Whether another attempt may help where no answer came.
    fn classify(&self, error: ureq::Error) -> Failure {
        use ureq::Error;
        match error {
            Error::Timeout(_) | Error::Io(_) | Error::ConnectionFailed | Error::Protocol(_) => {
                Failure::Passing(error.to_string())
            }
            _ => {
                let (url, problem) = (self.url.to_owned(), error.to_string());
                Failure::Final(DataError::Address { url, problem })
            }
        }
    }

    /// The bytes that are there.
    fn received(&self) -> Result<u64, DataError> {
        match fs::metadata(self.part) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(DataError::Read {
                path: self.part.to_path_buf(),
                source,
            }),
        }
    }

    /// Throws away what is there.
    fn start_over(&self) -> Result<(), DataError> {
        File::create(self.part)
            .map(drop)
            .map_err(|source| self.write_error(source))
    }

    fn wrong_size(&self, found: u64) -> DataError {
        DataError::DownloadSize {
            url: self.url.to_owned(),
            expected: self.total,
            found,
        }
    }

    fn write_error(&self, source: io::Error) -> DataError {
        DataError::Write {
            path: self.part.to_path_buf(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::test_server::{Reply, TestServer, impatient};
    use tempfile::tempdir;

    /// What came of a download.
    struct Outcome {
        result: Result<(), DataError>,
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
    fn download(before: &[u8], total: u64, replies: &[Reply]) -> Outcome {
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
            total,
            part: &part,
            patience: impatient(),
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
            Err(DataError::Interrupted {
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
    fn not_found_is_an_error_at_once() {
        let outcome = download(&[], 10_000, &[Reply::Status(404)]);
        assert!(matches!(
            outcome.result,
            Err(DataError::Status { status: 404, .. })
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
                total: 1,
                part: &part,
                patience: impatient(),
            };
            let error = download.run(&mut |_| ()).unwrap_err();
            assert!(matches!(error, DataError::Address { .. }), "{url}: {error}");
        }
    }
}
