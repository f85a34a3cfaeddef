//! Devices of other machines, whose servers are on this one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Workshop, fail, json, program, succeed};

/// A network of a few layers, since servers run Burn's own operations.
const RUN: &str = r#"{
    "model": {"xception": {"width": 0.03, "middle_modules": 0, "stem": "small", "dropout": 0.2}},
    "data": {"source": "embedded", "train_images": 21, "test_images": 6},
    "recipe": {"epochs": 2, "batch_size": 7, "learning_rate": 0.05}
}"#;

/// A server of the processor, killed when it goes.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts a server, on a port that the system chooses where `listen` has port 0.
    fn start(listen: &str, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", listen];
        arguments.extend(more);
        let mut process = program(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let rest = line
            .split_once(" on ")
            .unwrap_or_else(|| panic!("{line}"))
            .1;
        let address = rest.split_once(',').unwrap().0.to_owned();
        Self { process, address }
    }

    fn name(&self) -> String {
        format!("remote:{}", self.address)
    }

    fn kill(&mut self) {
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const LOCAL: &str = "127.0.0.1:0";

fn file(workshop: &Workshop) -> String {
    fs::write(workshop.path("run.json"), RUN).unwrap();
    workshop.text("run.json")
}

fn train(file: &str, devices: &str, out: &str) -> Output {
    let arguments = [
        "train",
        file,
        "--devices",
        devices,
        "--checkpoint-every",
        "1",
        "--out",
        out,
    ];
    program(&arguments).output().unwrap()
}

fn losses(run: &Path) -> Vec<f64> {
    let record = json(&run.join("record.json"));
    assert_eq!(record["state"], "finished");
    let epochs = record["epochs"].as_array().unwrap().iter();
    let losses = epochs.flat_map(|epoch| [&epoch["train"]["loss"], &epoch["test"]["loss"]]);
    losses.map(|loss| loss.as_f64().unwrap()).collect()
}

fn steps(run: &Path) -> usize {
    match fs::read_to_string(run.join("steps.jsonl")) {
        Ok(text) => text.lines().count(),
        Err(_) => 0,
    }
}

#[test]
fn two_servers_learn_what_two_devices_here_learn() {
    let workshop = Workshop::new();
    let file = file(&workshop);
    let servers = [LOCAL, LOCAL].map(|listen| Server::start(listen, &[]));
    let devices = servers.each_ref().map(Server::name).join(",");
    let text = |name: &str| workshop.text(name);
    let without_dropout = ["--set", "model.xception.dropout=0"];
    for (devices, out) in [(devices.as_str(), "there"), ("flex,flex", "here")] {
        let mut arguments = vec!["train", &file, "--devices", devices, "--out"];
        let out = text(out);
        arguments.push(&out);
        arguments.extend(without_dropout);
        succeed(&arguments);
    }
    let (found, expected) = (
        losses(&workshop.path("there")),
        losses(&workshop.path("here")),
    );
    assert_eq!(found.len(), 4);
    for (found, expected) in found.iter().zip(&expected) {
        let difference = (found - expected).abs();
        assert!(difference < 1e-3 * expected, "{found}, not {expected}");
    }
    let manifest = json(&workshop.path("there/run.json"));
    assert_eq!(manifest["environment"]["backend"], "remote");
    let names: Vec<_> = servers
        .iter()
        .map(|server| Value::from(server.name()))
        .collect();
    assert_eq!(manifest["environment"]["devices"], Value::from(names));
}

/// Kills a server in the middle of a run; the same command goes on once it is back, and ends as if nothing had been.
fn a_server_dies(which: usize) {
    let workshop = Workshop::new();
    let file = file(&workshop);
    let mut servers = [LOCAL, LOCAL].map(|listen| Server::start(listen, &[]));
    let devices = servers.each_ref().map(Server::name).join(",");
    let whole = train(&file, &devices, &workshop.text("whole"));
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stderr)
    );

    let (run, out) = (workshop.path("run"), workshop.text("run"));
    let child = {
        let arguments = [
            "train",
            &file,
            "--devices",
            &devices,
            "--checkpoint-every",
            "1",
            "--out",
            &out,
        ];
        let mut command = program(&arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    while steps(&run) < 2 {
        sleep(Duration::from_millis(5));
    }
    servers[which].kill();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&servers[which].name()), "{errors}");
    assert!(
        errors.contains("the same command goes on from the last checkpoint"),
        "{errors}"
    );
    assert!(
        !errors.contains("panicked") && !errors.contains(&servers[1 - which].name()),
        "{errors}"
    );
    assert!(run.join("checkpoint").exists());

    let address = servers[which].address.clone();
    servers[which] = Server::start(&address, &[]);
    let again = train(&file, &devices, &out);
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert_eq!(losses(&run), losses(&workshop.path("whole")));
    let network = |out: &str| fs::read(workshop.path(out).join("model.bpk")).unwrap();
    assert!(network("run") == network("whole"));
}

#[test]
fn the_main_server_dies() {
    a_server_dies(0);
}

#[test]
fn the_other_server_dies() {
    a_server_dies(1);
}

#[test]
fn servers_that_others_can_reach_ask_for_a_token() {
    let workshop = Workshop::new();
    let file = file(&workshop);
    let errors = fail(1, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(errors.contains("--token-file"), "{errors}");
    fs::write(workshop.path("empty"), "\n").unwrap();
    let errors = fail(1, &["serve", "--token-file", &workshop.text("empty")]);
    assert!(errors.contains("empty"), "{errors}");

    fs::write(workshop.path("token"), "of many letters\n").unwrap();
    fs::write(workshop.path("wrong"), "of other letters\n").unwrap();
    let server = Server::start("0.0.0.0:0", &["--token-file", &workshop.text("token")]);
    let port = server.address.rsplit_once(':').unwrap().1;
    let devices = format!("remote:127.0.0.1:{port}");
    let out = workshop.text("out");
    let arguments = [
        "train",
        &file,
        "--devices",
        &devices,
        "--out",
        &out,
        "--set",
        "recipe.epochs=1",
    ];
    let with = |file: &str| {
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.extend(["--token-file".to_owned(), workshop.text(file)]);
        arguments
    };
    assert!(fail(1, &arguments).contains("rejected the credential"));
    let wrong = with("wrong");
    let wrong: Vec<_> = wrong.iter().map(String::as_str).collect();
    let errors = fail(1, &wrong);
    assert!(errors.contains("rejected the credential"), "{errors}");
    assert!(!errors.contains("of other letters"), "{errors}");
    let right = with("token");
    succeed(&right.iter().map(String::as_str).collect::<Vec<_>>());

    let second = [&devices, "/1"].concat();
    let none = [
        "train",
        &file,
        "--devices",
        &second,
        "--out",
        &out,
        "--token-file",
        &workshop.text("token"),
    ];
    assert!(fail(1, &none).contains("hosts only 1 device"));
}

#[cfg(unix)]
#[test]
fn a_server_ends_when_it_is_told_to() {
    use rustix::process::{Pid, Signal, kill_process};

    for signal in [Signal::INT, Signal::TERM] {
        let mut server = Server::start(LOCAL, &[]);
        let pid = Pid::from_child(&server.process);
        sleep(Duration::from_millis(300)); // the line is printed just before its signal handlers are there
        kill_process(pid, signal).unwrap();
        assert!(server.process.wait().unwrap().success());
    }
}

#[test]
fn an_address_in_use_is_an_error() {
    let server = Server::start(LOCAL, &[]);
    let errors = fail(1, &["serve", "--listen", &server.address]);
    assert!(errors.contains("can't listen on"), "{errors}");
}
