//! Ctrl-C and SIGTERM while a network trains, and the end at once.

use anyhow::Result;
use xception::train::training::{Display, StopReason, StopSignal};

/// Returns the exit code of a program that a signal has stopped, as shells define it: 128 plus the signal's number.
pub fn exit_code(reason: StopReason) -> u8 {
    match reason {
        StopReason::Interrupted => 130,
        StopReason::Terminated => 143,
    }
}

/// Makes a stop signal that Ctrl-C (SIGINT) and SIGTERM trigger from now on, and `q` in the dashboard, which sends
/// SIGQUIT. A second signal ends the program at once.
///
/// # Errors
///
/// If the system doesn't let the program handle the signals.
#[cfg(unix)]
pub fn stop_signal(display: Display) -> Result<StopSignal> {
    use std::io::Write;

    use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;
    use xception::train::training::leave_dashboard;

    let mut wanted = vec![SIGINT, SIGTERM];
    if display == Display::Dashboard {
        wanted.push(SIGQUIT);
    }
    let mut signals = Signals::new(wanted)?;
    let stop = StopSignal::new();
    let given = stop.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                let reason = match signal {
                    SIGTERM => StopReason::Terminated,
                    _ => StopReason::Interrupted,
                };
                if !given.request(reason) {
                    leave_dashboard();
                    exit_at_once(exit_code(reason));
                }
                if display == Display::Lines {
                    // A closed standard error is no reason to do anything else.
                    let text = "stopping after this batch; once more ends at once";
                    let _ = writeln!(std::io::stderr(), "{text}");
                }
            }
        })?;
    Ok(stop)
}

/// Makes a stop signal that nothing triggers: on this system Ctrl-C ends the program at once.
///
/// # Errors
///
/// Never.
#[cfg(not(unix))]
pub fn stop_signal(_: Display) -> Result<StopSignal> {
    Ok(StopSignal::new())
}

/// Makes the stop signal of a process that works for another: SIGTERM triggers it. Ctrl-C, which a terminal sends to both, is
/// for the other one to pass on.
///
/// # Errors
///
/// If the system doesn't let the program handle the signals.
#[cfg(unix)]
pub fn stop_signal_of_worker() -> Result<StopSignal> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let stop = StopSignal::new();
    let given = stop.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if signal == SIGTERM {
                    given.request(StopReason::Terminated);
                }
            }
        })?;
    Ok(stop)
}

/// Makes a stop signal that nothing triggers.
///
/// # Errors
///
/// Never.
#[cfg(not(unix))]
pub fn stop_signal_of_worker() -> Result<StopSignal> {
    Ok(StopSignal::new())
}

/// Ends the program with an exit code while other threads compute.
pub fn exit_at_once(code: u8) -> ! {
    #[cfg(unix)]
    signal_hook::low_level::exit(code.into());
    #[cfg(not(unix))]
    std::process::exit(code.into())
}
