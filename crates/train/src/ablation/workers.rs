//! Processes that train runs, as the ablation sees them.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use serde::Serialize;

use super::messages::{Reply, Request, line, parse};
use super::worker_error::WorkerError;
use crate::TrainError;

/// Processes that train the runs of an ablation side by side, one run each at a time.
///
/// Each is a program that calls [`Worker::run`](super::Worker::run) on its standard input and output.
pub struct Workers {
    /// The most processes that train at once. There are no more than runs to train, and none for a single one.
    pub count: usize,
    /// Makes the command that starts the process of this index among so many. Its standard input, output and error are
    /// for the ablation to set.
    pub command: Box<dyn Fn(usize, usize) -> Command + Send + Sync>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let mut debug = formatter.debug_struct("Workers");
        debug.field("count", &self.count).finish_non_exhaustive()
    }
}

/// What comes from a process.
#[derive(Debug)]
pub(super) enum Message {
    /// Something about its run.
    Reply(Reply),
    /// A line on standard error, or one on standard output that is no reply.
    Line(String),
    /// The end; nothing comes after it.
    Closed,
}

/// A process under way. Dropped, it ends at once, whatever it does.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl Process {
    /// Starts a process whose messages go to `sender`, with its index.
    pub(super) fn start(
        mut command: Command,
        index: usize,
        sender: &Sender<(usize, Message)>,
    ) -> Result<Self, TrainError> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|cause| WorkerError::Start { cause })?;
        let input = child.stdin.take();
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let process = Self { child, input };
        let sender = sender.clone();
        thread::Builder::new()
            .name(format!("worker {index}"))
            .spawn(move || {
                // The ablation may have ended before: then nobody hears.
                thread::scope(|scope| {
                    scope.spawn(|| {
                        each_line(errors, |line| {
                            let _ = sender.send((index, Message::Line(line)));
                        });
                    });
                    each_line(output, |line| {
                        let message = parse(&line).map_or(Message::Line(line), Message::Reply);
                        let _ = sender.send((index, message));
                    });
                });
                let _ = sender.send((index, Message::Closed));
            })
            .map_err(|cause| WorkerError::Start { cause })?;
        Ok(process)
    }

    /// Sends a message. That the process has ended is told by [`Message::Closed`].
    pub(super) fn send<M: Serialize>(&mut self, request: &Request<M>) -> Result<(), TrainError> {
        let text = line(request).map_err(|error| WorkerError::Message {
            cause: error.to_string(),
        })?;
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_bytes());
        }
        Ok(())
    }

    /// Returns how the process ended, once it has.
    pub(super) fn status(&mut self) -> String {
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None; // the end of its input is the end of a worker
        let _ = self.child.wait();
    }
}

/// Hands over every line of a stream that has an end: a process that is killed leaves the last one unfinished.
fn each_line(stream: Option<impl Read>, mut take: impl FnMut(String)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        if bytes.pop() == Some(b'\n') {
            take(String::from_utf8_lossy(&bytes).into_owned());
        }
        bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_cut_are_left_out() {
        let mut lines = Vec::new();
        each_line(Some(&b"one\n\xff\n\ncut"[..]), |line| lines.push(line));
        assert_eq!(lines, ["one", "\u{fffd}", ""]);
    }
}
