//! A small HTTP server on the loopback interface that misbehaves as it is told, for tests of downloads.

#![allow(clippy::unwrap_used)] // a test that panics here has failed

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// An answer of the server to a request for its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// As it should, with the range asked for.
    Serve,
    /// As it should, but it hangs up after so many bytes of body.
    Cut(usize),
    /// As it should, but it falls silent after so many bytes of body.
    Stall(usize),
    /// With the whole file, whatever the range.
    IgnoreRange,
    /// With the whole file, whatever the range, hanging up after so many bytes of body.
    CutIgnoringRange(usize),
    /// With a part that wasn't asked for.
    WrongRange,
    /// With this status and no body.
    Status(u16),
    /// As if the file had so many bytes, none of which follow.
    Announce(u64),
    /// With the whole file, without telling its size.
    WithoutLength,
    /// With another address of its own.
    Redirect,
}

/// The requests that the server received.
#[derive(Debug, Default)]
struct Log {
    /// The first byte that each request asked for, in order; `None` for the whole file.
    ranges: Vec<Option<u64>>,
    /// The hosts that were asked for as of a proxy.
    proxied: Vec<String>,
}

/// The server; it ends when the value is dropped.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Serves `content` at every path; answers in the order of `replies`, and all further requests as the last of them.
    pub fn start(content: Vec<u8>, replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (to, stopped, replies) = (Arc::clone(&log), Arc::clone(&stop), replies.to_vec());
        let thread = thread::spawn(move || {
            let mut held = Vec::new(); // connections that are silent but open
            for (number, stream) in listener.incoming().enumerate() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let reply = replies[number.min(replies.len() - 1)];
                // A client that hangs up on an answer it doesn't want is no failure.
                if let Ok(Some(stream)) = answer(stream.unwrap(), &content, reply, &to) {
                    held.push(stream);
                }
            }
        });
        Self {
            address,
            log,
            stop,
            thread: Some(thread),
        }
    }

    /// Its address, without a path.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the first byte that each request asked for, in order; `None` for the whole file.
    #[must_use]
    pub fn ranges(&self) -> Vec<Option<u64>> {
        self.log.lock().unwrap().ranges.clone()
    }

    /// Returns the hosts that were asked for as of a proxy, in order. The server plays all of them itself.
    #[must_use]
    pub fn proxied(&self) -> Vec<String> {
        self.log.lock().unwrap().proxied.clone()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the thread up
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers one request. Gives the connection back if it is to stay open.
fn answer(
    mut stream: TcpStream,
    content: &[u8],
    reply: Reply,
    log: &Mutex<Log>,
) -> std::io::Result<Option<TcpStream>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = head(&mut reader)?;
    if let Some(target) = request[0].strip_prefix("connect ") {
        let host = target.split(' ').next().unwrap();
        log.lock().unwrap().proxied.push(host.to_owned());
        write!(stream, "HTTP/1.1 200 Connected\r\n\r\n")?;
        request = head(&mut reader)?;
    }
    let range = request.iter().find_map(|line| {
        let first = line.strip_prefix("range: bytes=")?;
        Some(first.trim_end_matches('-').parse::<u64>().unwrap())
    });
    log.lock().unwrap().ranges.push(range);

    let honoured = match reply {
        Reply::IgnoreRange | Reply::CutIgnoringRange(_) | Reply::WithoutLength => None,
        _ => range,
    };
    let first = honoured.unwrap_or(0) as usize;
    let body = &content[first.min(content.len())..];
    let empty = |status: &str, header: &str| {
        format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let refusal = match reply {
        Reply::Status(status) => Some(empty(&format!("{status} Made up"), "Server: test")),
        Reply::Redirect => Some(empty("302 Found", "Location: /elsewhere")),
        _ if honoured.is_some() && first >= content.len() => Some(empty(
            "416 Range Not Satisfiable",
            &format!("Content-Range: bytes */{}", content.len()),
        )),
        _ => None,
    };
    if let Some(refusal) = refusal {
        stream.write_all(refusal.as_bytes())?;
        return Ok(None);
    }
    let length = match reply {
        Reply::WithoutLength => String::new(),
        Reply::Announce(bytes) => format!("Content-Length: {bytes}\r\n"),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let status = match honoured {
        Some(_) => "206 Partial Content",
        None => "200 OK",
    };
    write!(stream, "HTTP/1.1 {status}\r\n{length}Connection: close\r\n")?;
    if honoured.is_some() {
        let told = if reply == Reply::WrongRange {
            first + 1
        } else {
            first
        };
        write!(
            stream,
            "Content-Range: bytes {told}-{}/{}\r\n",
            content.len() - 1,
            content.len()
        )?;
    }
    write!(stream, "\r\n")?;
    let bytes = match reply {
        Reply::Cut(bytes) | Reply::CutIgnoringRange(bytes) | Reply::Stall(bytes) => bytes,
        Reply::Announce(_) => 0,
        _ => body.len(),
    };
    stream.write_all(&body[..bytes])?;
    Ok(matches!(reply, Reply::Stall(_)).then_some(stream))
}

/// Returns the first line of a request and its headers, in lower case.
fn head(reader: &mut impl BufRead) -> std::io::Result<Vec<String>> {
    let lines: Vec<_> = reader
        .lines()
        .take_while(|line| !matches!(line.as_deref(), Ok("")))
        .map(|line| line.map(|line| line.to_lowercase()))
        .collect::<Result<_, _>>()?;
    match lines.is_empty() {
        true => Err(std::io::ErrorKind::UnexpectedEof.into()),
        false => Ok(lines),
    }
}
