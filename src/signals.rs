//! Ctrl-C and SIGTERM while a network trains.

use anyhow::Result;
use xception::train::training::{Display, StopReason, StopSignal};

/// A program's exit code after an end that someone asked for, as shells have it: 128 and the signal's number.
pub fn exit_code(reason: StopReason) -> u8 {
    match reason {
        StopReason::Interrupted => 130,
        StopReason::Terminated => 143,
    }
}

/// A signal to stop that Ctrl-C (SIGINT) and SIGTERM give from now on, and `q` in the dashboard, which makes
/// SIGQUIT there. Given a second time, they end the program at once.
///
/// # Errors
///
/// Where the system doesn't let the program have the signals.
#[cfg(unix)]
pub fn stop_signal(display: Display) -> Result<StopSignal> {
    use std::io::Write;

    use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level;
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
                    low_level::exit(exit_code(reason).into());
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

/// A signal to stop that nothing gives: Ctrl-C ends the program at once here.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn stop_signal(_: Display) -> Result<StopSignal> {
    Ok(StopSignal::new())
}
