//! A small HTTP server on the loopback interface that misbehaves as it is told, for tests of the download.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::data::patience::Patience;

/// How the server answers a request for its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
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
}

/// The first byte that each request asked for, in order; `None` for the whole file.
type Ranges = Arc<Mutex<Vec<Option<u64>>>>;

pub(crate) struct TestServer {
    address: SocketAddr,
    ranges: Ranges,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Gives up after 4 attempts and waits for nothing long.
pub(crate) fn impatient() -> Patience {
    Patience {
        attempts: 4,
        least_progress: 50,
        connect: Duration::from_secs(5),
        read: Duration::from_secs(1),
        pause: Duration::from_millis(1),
        proxy: false,
    }
}

impl TestServer {
    /// Serves `content` at every path; answers in the order of `replies`, and all further requests as the last of them.
    pub(crate) fn start(content: Vec<u8>, replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ranges, stop) = (Ranges::default(), Arc::new(AtomicBool::new(false)));
        let (log, stopped, replies) = (Arc::clone(&ranges), Arc::clone(&stop), replies.to_vec());
        let thread = thread::spawn(move || {
            let mut held = Vec::new(); // connections that are silent but open
            for (number, stream) in listener.incoming().enumerate() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let reply = replies[number.min(replies.len() - 1)];
                // A client that hangs up on an answer it doesn't want is no failure.
                if let Ok(Some(stream)) = answer(stream.unwrap(), &content, reply, &log) {
                    held.push(stream);
                }
            }
        });
        Self {
            address,
            ranges,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn ranges(&self) -> Vec<Option<u64>> {
        self.ranges.lock().unwrap().clone()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the thread up
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers one request. Gives the connection back where it is to stay open.
fn answer(
    mut stream: TcpStream,
    content: &[u8],
    reply: Reply,
    ranges: &Ranges,
) -> std::io::Result<Option<TcpStream>> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(first) = line.strip_prefix("range: bytes=") {
            range = Some(first.trim_end_matches('-').parse().unwrap());
        }
    }
    ranges.lock().unwrap().push(range);

    let honoured = match reply {
        Reply::IgnoreRange | Reply::CutIgnoringRange(_) => None,
        _ => range,
    };
    let first = honoured.unwrap_or(0) as usize;
    let body = &content[first.min(content.len())..];
    let status = match (reply, honoured) {
        (Reply::Status(status), _) => {
            write!(
                stream,
                "HTTP/1.1 {status} Made up\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            return Ok(None);
        }
        (_, Some(_)) => "206 Partial Content",
        (_, None) => "200 OK",
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    )?;
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
        _ => body.len(),
    };
    stream.write_all(&body[..bytes])?;
    Ok(matches!(reply, Reply::Stall(_)).then_some(stream))
}
