//! What a server's answer means to a download that asked for the bytes of a file from a certain one on.

use ureq::http::{HeaderName, Response, StatusCode, header};

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The whole file follows: nothing was there yet, or the server can't resume.
    Whole,
    /// The missing bytes follow.
    Rest,
    /// The server's file has another size.
    WrongSize(u64),
    /// The server can't continue from there; it may be able to start over.
    CannotContinue,
    /// The server is in trouble that may pass.
    Trouble(StatusCode),
    /// The server doesn't give the file.
    Refused(StatusCode),
}

impl Answer {
    /// Reads status and headers of the answer to a request for the bytes from `start` on of a file of `total` bytes.
    pub(crate) fn read<T>(response: &Response<T>, start: u64, total: u64) -> Self {
        match response.status() {
            StatusCode::OK => {
                match text(response, header::CONTENT_LENGTH).and_then(|text| text.parse().ok()) {
                    Some(found) if found != total => Self::WrongSize(found),
                    _ => Self::Whole,
                }
            }
            StatusCode::PARTIAL_CONTENT => {
                match text(response, header::CONTENT_RANGE).and_then(content_range) {
                    Some((_, Some(found))) if found != total => Self::WrongSize(found),
                    Some((first, _)) if first == start => Self::Rest,
                    _ => Self::CannotContinue,
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => Self::CannotContinue,
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Self::Trouble(status)
            }
            status if status.is_server_error() => Self::Trouble(status),
            status => Self::Refused(status),
        }
    }
}

fn text<T>(response: &Response<T>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok().map(str::trim)
}

/// The first byte and, where it is told, the size of the whole file: `bytes FIRST-LAST/SIZE`, where `SIZE` may be `*`.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to a request for the bytes from 40 on of a file of 100.
    fn read(status: u16, headers: &[(HeaderName, &str)]) -> Answer {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, *value);
        }
        Answer::read(&response.body(()).unwrap(), 40, 100)
    }

    #[test]
    fn answers_are_told_apart() {
        let length = |value| [(header::CONTENT_LENGTH, value)];
        assert_eq!(read(200, &[]), Answer::Whole);
        assert_eq!(read(200, &length("100")), Answer::Whole);
        assert_eq!(read(200, &length("60")), Answer::WrongSize(60));
        assert_eq!(
            read(404, &length("60")),
            Answer::Refused(StatusCode::NOT_FOUND)
        );
        assert_eq!(read(304, &[]), Answer::Refused(StatusCode::NOT_MODIFIED));
        assert_eq!(read(416, &[]), Answer::CannotContinue);
        assert_eq!(
            read(429, &[]),
            Answer::Trouble(StatusCode::TOO_MANY_REQUESTS)
        );
        assert_eq!(
            read(503, &[]),
            Answer::Trouble(StatusCode::SERVICE_UNAVAILABLE)
        );
    }

    #[test]
    fn a_part_must_be_the_one_asked_for() {
        let part = |range| read(206, &[(header::CONTENT_RANGE, range)]);
        assert_eq!(part("bytes 40-99/100"), Answer::Rest);
        assert_eq!(part("bytes 40-99/*"), Answer::Rest);
        assert_eq!(part("bytes 41-99/100"), Answer::CannotContinue);
        assert_eq!(part("bytes 40-99/101"), Answer::WrongSize(101));
        assert_eq!(part("bytes"), Answer::CannotContinue);
        assert_eq!(read(206, &[]), Answer::CannotContinue);
    }
}
