//! Downloading one file over HTTP, with resumption.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;

use ureq::http::{Response, header};
use ureq::{Agent, Body};

use crate::answer::Answer;
use crate::{FetchError, Patience};

/// The largest size that is accepted of a file whose size isn't known beforehand: 4 GiB.
const MOST_BYTES: u64 = 4 << 30;

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that are there, those of an earlier download included.
    pub received: u64,
    /// The bytes of the whole file, once they are known.
    pub total: Option<u64>,
}

/// The reason why an attempt ended before the file was complete.
enum Failure {
    /// Another attempt may help.
    Passing(String),
    /// No other attempt can help.
    Final(FetchError),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

/// A download in progress.
pub(crate) struct Download<'a> {
    /// The address.
    pub url: &'a str,
    /// The file's size in bytes, if it is known; the server's answer may tell it.
    pub total: Option<u64>,
    /// The path it is written to. Bytes that are there are taken for the file's beginning.
    pub part: &'a Path,
    /// How a bad connection is dealt with.
    pub patience: &'a Patience,
}

impl Download<'_> {
    /// Downloads until `part` has its full size.
    ///
    /// A lost connection is taken up again where it broke; on an error what was received stays, for a later call.
    pub(crate) fn run(mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let agent = self.agent();
        if self.received()? > self.total.unwrap_or(MOST_BYTES) {
            self.start_over()?;
        }
        let mut furthest = self.received()?;
        let mut attempts = 0;
        loop {
            if Some(self.received()?) == self.total {
                return Ok(());
            }
            let last = match self.attempt(&agent, progress) {
                Ok(()) => return Ok(()),
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
                return Err(FetchError::Interrupted {
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
            .accept_encoding("identity") // the file's own bytes
            .user_agent(concat!("xception/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(self.patience.connect))
            .timeout_recv_response(Some(self.patience.connect))
            .timeout_per_read(Some(self.patience.read));
        if !self.patience.proxy {
            config = config.proxy(None);
        }
        config.build().into()
    }

    /// Makes one request, for the bytes that are missing.
    fn attempt(
        &mut self,
        agent: &Agent,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let start = self.received()?;
        let mut request = agent.get(self.url);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| self.classify(error))?;
        match Answer::read(&response, start, self.total) {
            Answer::Whole(total) => {
                self.start_over()?;
                self.learn(total)?;
                self.receive(response, 0, progress)
            }
            Answer::Rest(total) => {
                self.learn(total)?;
                self.receive(response, start, progress)
            }
            Answer::Complete => Ok(()),
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
                Err(FetchError::Status { url, status }.into())
            }
        }
    }

    /// Takes over the size that the server tells, where none was known.
    fn learn(&mut self, told: Option<u64>) -> Result<(), FetchError> {
        if self.total.is_some() {
            return Ok(());
        }
        if let Some(found) = told.filter(|bytes| *bytes > MOST_BYTES) {
            return Err(self.too_large(found));
        }
        self.total = told;
        Ok(())
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
        let total = self.total;
        progress(Progress { received, total });
        while Some(received) != total {
            let count = match body.read(&mut buffer) {
                Ok(0) if total.is_none() => return Ok(()),
                Ok(0) => return Err(Failure::Passing("the connection ended early".into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Passing(error.to_string())),
            };
            let next = received + count as u64;
            if next > total.unwrap_or(MOST_BYTES) {
                drop(file);
                self.start_over()?;
                return Err(match total {
                    Some(_) => self.wrong_size(next).into(),
                    None => self.too_large(next).into(),
                });
            }
            file.write_all(&buffer[..count])
                .map_err(|source| self.write_error(source))?;
            received = next;
            progress(Progress { received, total });
        }
        Ok(())
    }

    /// Decides whether another attempt may help after no answer came.
    fn classify(&self, error: ureq::Error) -> Failure {
        use ureq::Error;
        match error {
            Error::Timeout(_) | Error::Io(_) | Error::ConnectionFailed | Error::Protocol(_) => {
                Failure::Passing(error.to_string())
            }
            _ => {
                let (url, problem) = (self.url.to_owned(), error.to_string());
                Failure::Final(FetchError::Address { url, problem })
            }
        }
    }

    /// Returns the bytes that are there.
    fn received(&self) -> Result<u64, FetchError> {
        match fs::metadata(self.part) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(FetchError::Read {
                path: self.part.to_path_buf(),
                source,
            }),
        }
    }

    /// Throws away what is there.
    fn start_over(&self) -> Result<(), FetchError> {
        File::create(self.part)
            .map(drop)
            .map_err(|source| self.write_error(source))
    }

    fn wrong_size(&self, found: u64) -> FetchError {
        FetchError::DownloadSize {
            url: self.url.to_owned(),
            expected: self.total.unwrap_or_default(),
            found,
        }
    }

    fn too_large(&self, found: u64) -> FetchError {
        FetchError::TooLarge {
            url: self.url.to_owned(),
            found,
            most: MOST_BYTES,
        }
    }

    fn write_error(&self, source: io::Error) -> FetchError {
        FetchError::Write {
            path: self.part.to_path_buf(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
