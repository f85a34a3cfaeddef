//! The dashboard in a terminal: Ctrl-C, `q` and SIGTERM end the training and give the terminal back.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::stopping::{send, wait_for};
use crate::support::{Workshop, json, program, scores};

/// A terminal with the program in it.
struct Terminal {
    keyboard: File,
    /// Held so that the terminal outlives the program.
    screen: File,
    shown: Arc<Mutex<Vec<u8>>>,
    child: Child,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&main).unwrap();
        unlockpt(&main).unwrap();
        let name = ptsname(&main, Vec::new()).unwrap();
        let screen = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&screen, size).unwrap();
        let (keyboard, screen) = (File::from(main), File::from(screen));

        let program = program(arguments);
        let mut command = Command::new("setsid"); // makes it the terminal of a session
        command
            .arg("--ctty")
            .arg(program.get_program())
            .args(program.get_args())
            .current_dir(program.get_current_dir().unwrap())
            .env("TERM", "xterm-256color")
            .stdin(screen.try_clone().unwrap())
            .stdout(screen.try_clone().unwrap())
            .stderr(screen.try_clone().unwrap());
        let child = command.spawn().unwrap();

        let shown = Arc::new(Mutex::new(Vec::new()));
        let (all, mut output) = (shown.clone(), keyboard.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count) = output.read(&mut some) {
                all.lock().unwrap().extend_from_slice(&some[..count]);
            }
        });
        Self {
            keyboard,
            screen,
            shown,
            child,
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until the program has ended; returns its exit code.
    fn end(&mut self) -> Option<i32> {
        let mut code = None;
        wait_for("the end", || match self.child.try_wait().unwrap() {
            Some(status) => {
                code = status.code();
                true
            }
            None => false,
        });
        code
    }
}

const LEAVE: &str = "\x1b[?1049l";

#[test]
fn keys_and_signals_stop_and_the_same_command_goes_on() {
    let workshop = Workshop::new();
    workshop.ablate("whole");
    type Stop = fn(&mut Terminal);
    let ways: [(&str, Stop, i32); 3] = [
        (
            "ctrl-c",
            |terminal| terminal.keyboard.write_all(b"\x03").unwrap(),
            130,
        ),
        (
            "q",
            |terminal| terminal.keyboard.write_all(b"q").unwrap(),
            130,
        ),
        (
            "sigterm",
            |terminal| send(&terminal.child, Signal::TERM),
            143,
        ),
    ];
    for (name, act, expected) in ways {
        let (file, out) = (workshop.text("tiny.json"), workshop.text(name));
        let mut terminal = Terminal::start(&["ablate", &file, "--out", &out]);
        let before = tcgetattr(&terminal.screen).unwrap().local_modes;
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO));
        let record = workshop.path(name).join("base/seed-1/record.json");
        wait_for("the first epoch", || record.exists());
        act(&mut terminal);
        let code = terminal.end();
        assert_eq!(code, Some(expected), "{name}: {}", terminal.shown());
        // What the program wrote last may still be on its way through the terminal.
        wait_for("the last sentence, after the dashboard", || {
            let shown = terminal.shown();
            let after = shown.rsplit_once(LEAVE).map(|(_, after)| after);
            after.is_some_and(|after| after.contains("the same command"))
        });
        assert_eq!(tcgetattr(&terminal.screen).unwrap().local_modes, before);
        assert!(!workshop.path(name).join("no residual/seed-2").exists());

        workshop.ablate(name);
        let scores = |name: &str| scores(&json(&workshop.path(name).join("results.json")));
        assert_eq!(scores(name), scores("whole"));
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_gives_the_terminal_back() {
    let workshop = Workshop::new();
    let (file, out) = (
        crate::stopping::a_run(&workshop, 1000),
        workshop.text("out"),
    );
    let mut terminal = Terminal::start(&["train", &file, "--out", &out]);
    let before = tcgetattr(&terminal.screen).unwrap().local_modes;
    wait_for("the dashboard", || {
        terminal.shown().contains("\x1b[?1049h")
            && !tcgetattr(&terminal.screen)
                .unwrap()
                .local_modes
                .contains(LocalModes::ICANON)
    });
    for _ in 0..2 {
        terminal.keyboard.write_all(b"\x03").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(terminal.end(), Some(130));
    assert_eq!(tcgetattr(&terminal.screen).unwrap().local_modes, before);
    wait_for("the end of the dashboard", || {
        terminal.shown().contains(LEAVE)
    });
    let shown = terminal.shown();
    let (_, after) = shown.rsplit_once(LEAVE).unwrap();
    assert!(
        !after.contains("interrupted"),
        "the batch ended before: {after}"
    );
}

#[test]
fn the_dashboard_needs_a_terminal() {
    let workshop = Workshop::new();
    let file = workshop.text("tiny.json");
    let errors = crate::support::fail(1, &["ablate", &file, "--display", "dashboard"]);
    assert!(errors.contains("--display lines"), "{errors}");
}
