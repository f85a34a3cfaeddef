//! Standard output, whose reader may close it, as in `xception ... | head`.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};

/// Returns standard output for a command that prints its result: if the reader has closed it, the command ends with
/// an error that [`reader_gone`] recognizes, as nothing is left to do.
pub fn result() -> Output {
    Output { result: true }
}

/// Returns standard output for a command whose result is in files or in its exit code: if the reader has closed it,
/// the command goes on.
pub fn notes() -> Output {
    Output { result: false }
}

/// Standard output; see [`result`] and [`notes`].
#[derive(Debug)]
pub struct Output {
    result: bool,
}

impl Output {
    fn check<T>(&self, written: io::Result<T>, lost: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => match self.result {
                true => Err(io::Error::new(ErrorKind::BrokenPipe, ReaderGone)),
                false => Ok(lost),
            },
            other => other,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check(io::stdout().flush(), ())
    }
}

/// The error that the reader has closed standard output. Other pipes break too, such as a connection.
#[derive(Debug)]
struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("nobody reads standard output any more")
    }
}

impl Error for ReaderGone {}

/// Returns whether a command ended because nobody reads its result any more.
pub fn reader_gone(error: &anyhow::Error) -> bool {
    let gone = |error: &io::Error| {
        error
            .get_ref()
            .is_some_and(|inner| inner.is::<ReaderGone>())
    };
    error.chain().any(|cause| {
        let csv = cause.downcast_ref::<csv::Error>().map(csv::Error::kind);
        match csv {
            Some(csv::ErrorKind::Io(error)) => gone(error),
            _ => cause.downcast_ref::<io::Error>().is_some_and(gone),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_no_closed_output() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(!reader_gone(&broken().into()));
        let error = result().check(Err(broken()), ()).unwrap_err();
        assert!(reader_gone(
            &anyhow::Error::from(error).context("while it printed")
        ));
        let error = result().check(Err(broken()), ()).unwrap_err();
        assert!(reader_gone(&csv::Error::from(error).into()));
        assert!(
            notes()
                .check(Err(broken()), 3)
                .is_ok_and(|written| written == 3)
        );
        let full = io::Error::from(ErrorKind::StorageFull);
        assert!(notes().check(Err(full), ()).is_err());
    }
}
