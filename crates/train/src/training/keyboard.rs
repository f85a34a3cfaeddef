//! What the keyboard does while Burn's dashboard has the terminal.
//!
//! The dashboard puts the terminal into raw mode, in which Ctrl-C is a key like any other, and passes it over;
//! at `q` it opens a question. Here the terminal goes into raw mode before, by the same function, which does
//! nothing the second time; and of the keys that make signals, which raw mode takes away, Ctrl-C gets its
//! SIGINT back and `q` makes SIGQUIT. So both reach the program as signals, and never the dashboard.

use std::io::{self, Write};

use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// Puts the terminal into raw mode, in which Ctrl-C and `q` still make signals. The dashboard's end puts it
/// back.
///
/// # Errors
///
/// Where this process has no terminal.
pub(super) fn take() -> io::Result<()> {
    enable_raw_mode()?;
    keep_signals()
}

/// Puts the terminal back where a dashboard has it, for a program that ends without waiting for the
/// training. The calling thread keeps standard output to itself from then on, so that the dashboard can't
/// draw again.
pub fn leave_dashboard() {
    if !crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) {
        return;
    }
    let mut output = io::stdout().lock();
    // Nobody is left to be told of an error.
    let _ = execute!(output, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = output.flush();
    let _ = disable_raw_mode();
    std::mem::forget(output);
}

#[cfg(unix)]
fn keep_signals() -> io::Result<()> {
    use std::fs::File;
    use std::io::IsTerminal;
    use std::os::fd::{AsFd, BorrowedFd};

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

    const CTRL_C: u8 = 3;
    /// No key.
    const NONE: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

    let set = |terminal: BorrowedFd| -> io::Result<()> {
        let mut settings = tcgetattr(terminal)?;
        settings.local_modes.insert(LocalModes::ISIG);
        settings.special_codes[SpecialCodeIndex::VINTR] = CTRL_C;
        settings.special_codes[SpecialCodeIndex::VQUIT] = b'q';
        settings.special_codes[SpecialCodeIndex::VSUSP] = NONE; // a stopped dashboard leaves the screen as it is
        Ok(tcsetattr(terminal, OptionalActions::Now, &settings)?)
    };
    // The terminal that raw mode was set of.
    match io::stdin().is_terminal() {
        true => set(io::stdin().as_fd()),
        false => set(File::open("/dev/tty")?.as_fd()),
    }
}

#[cfg(not(unix))]
fn keep_signals() -> io::Result<()> {
    Ok(())
}
