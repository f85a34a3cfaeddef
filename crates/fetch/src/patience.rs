//! How long a download waits, and how often it tries again.

use std::time::Duration;

/// Limits on waiting for a bad connection, and for another process that downloads the same file.
#[derive(Debug, Clone)]
pub struct Patience {
    /// The attempts in a row without progress after which it gives up.
    pub attempts: u32,
    /// The bytes that count as progress.
    pub least_progress: u64,
    /// The longest wait for a connection, and for an answer.
    pub connect: Duration,
    /// The longest wait for the next bytes.
    pub read: Duration,
    /// The pause after the first attempt without progress; it doubles with each that follows.
    pub pause: Duration,
    /// The longest wait for another process that fetches the same file and receives nothing meanwhile.
    pub other: Duration,
    /// Whether the proxies of the environment (`HTTPS_PROXY` and so on) are used.
    pub proxy: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            least_progress: 64 << 10,
            connect: Duration::from_secs(30),
            read: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            // More than a process takes to give up by itself: five attempts of a minute, and their pauses.
            other: Duration::from_secs(600),
            proxy: true,
        }
    }
}

impl Patience {
    /// Returns limits of seconds, without proxies: for servers nearby, such as those of tests.
    #[must_use]
    pub fn short() -> Self {
        Self {
            attempts: 4,
            least_progress: 50,
            connect: Duration::from_secs(5),
            read: Duration::from_secs(1),
            pause: Duration::from_millis(1),
            other: Duration::from_secs(5),
            proxy: false,
        }
    }
}
