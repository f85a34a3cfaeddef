//! The meaning of a server's answer to a request for the bytes of a file from a certain one on.

use ureq::http::{HeaderName, Response, StatusCode, header};

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The whole file follows: nothing was there yet, or the server can't resume. With its size, if that is told.
    Whole(Option<u64>),
    /// The missing bytes follow. With the size of the whole file, if that is told.
    Rest(Option<u64>),
    /// Nothing is missing.
    Complete,
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
    /// Reads status and headers of the answer to a request for the bytes from `start` on of a file, of `total` bytes where
    /// that is known.
    pub(crate) fn read<T>(response: &Response<T>, start: u64, total: Option<u64>) -> Self {
        let wrong = |found| total.is_some_and(|total| total != found);
        match response.status() {
            StatusCode::OK => {
                match text(response, header::CONTENT_LENGTH).and_then(|text| text.parse().ok()) {
                    Some(found) if wrong(found) => Self::WrongSize(found),
                    found => Self::Whole(found),
                }
            }
            StatusCode::PARTIAL_CONTENT => {
                match text(response, header::CONTENT_RANGE).and_then(content_range) {
                    Some((_, Some(found))) if wrong(found) => Self::WrongSize(found),
                    Some((Some(first), found)) if first == start => Self::Rest(found),
                    _ => Self::CannotContinue,
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                match text(response, header::CONTENT_RANGE).and_then(content_range) {
                    Some((None, Some(found))) if found == start && !wrong(found) => Self::Complete,
                    _ => Self::CannotContinue,
                }
            }
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

/// Parses `bytes FIRST-LAST/SIZE` into the first byte, if bytes follow, and the size of the whole file, if it is told;
/// `SIZE` may be `*`, or `bytes */SIZE` if the range asked for isn't there.
fn content_range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    let first = match range.trim() {
        "*" => None,
        range => Some(range.split_once('-')?.0.trim().parse().ok()?),
    };
    Some((first, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the answer to a request for the bytes from 40 on of a file of `total`.
    fn read_of(total: Option<u64>, status: u16, headers: &[(HeaderName, &str)]) -> Answer {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, *value);
        }
        Answer::read(&response.body(()).unwrap(), 40, total)
    }

    /// Returns the answer to a request for the bytes from 40 on of a file of 100.
    fn read(status: u16, headers: &[(HeaderName, &str)]) -> Answer {
        read_of(Some(100), status, headers)
    }

    #[test]
    fn answers_are_told_apart() {
        let length = |value| [(header::CONTENT_LENGTH, value)];
        assert_eq!(read(200, &[]), Answer::Whole(None));
        assert_eq!(read(200, &length("100")), Answer::Whole(Some(100)));
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
        assert_eq!(part("bytes 40-99/100"), Answer::Rest(Some(100)));
        assert_eq!(part("bytes 40-99/*"), Answer::Rest(None));
        assert_eq!(part("bytes 41-99/100"), Answer::CannotContinue);
        assert_eq!(part("bytes 40-99/101"), Answer::WrongSize(101));
        assert_eq!(part("bytes */100"), Answer::CannotContinue);
        assert_eq!(part("bytes"), Answer::CannotContinue);
        assert_eq!(read(206, &[]), Answer::CannotContinue);
    }

    #[test]
    fn a_server_tells_an_unknown_size_and_that_all_is_there() {
        let range = |value| [(header::CONTENT_RANGE, value)];
        let length = [(header::CONTENT_LENGTH, "60")];
        assert_eq!(read_of(None, 200, &length), Answer::Whole(Some(60)));
        let part = range("bytes 40-59/60");
        assert_eq!(read_of(None, 206, &part), Answer::Rest(Some(60)));
        assert_eq!(read_of(None, 416, &range("bytes */40")), Answer::Complete);
        for (total, told) in [
            (None, "bytes */30"),
            (None, "bytes */*"),
            (Some(100), "bytes */40"),
        ] {
            let answer = read_of(total, 416, &range(told));
            assert_eq!(answer, Answer::CannotContinue, "{told}");
        }
    }
}
