//! Running the program and looking at what it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The program with arguments, in the workspace's root.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xception"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// Runs the program, which has to succeed, and gives its standard output.
pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program, which has to fail with this exit code, and gives its standard error.
pub fn fail(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

/// An ablation that takes seconds.
const TINY: &str = r#"{
  "title": "Tiny",
  "question": "Does it run?",
  "base": {
    "model": {"xception": {"width": 0.05, "middle_modules": 1, "stem": "small", "dropout": 0.2}},
    "data": {"source": "embedded", "train_images": 100, "test_images": 50},
    "recipe": {"epochs": 3, "batch_size": 20, "learning_rate": 0.05}
  },
  "variants": [
    {"name": "base"},
    {"name": "no residual", "set": {"model.xception.residual": false}}
  ],
  "seeds": [1, 2],
  "claims": [
    {
      "text": "Residual connections help.",
      "source": "figure 9",
      "metric": "final_top1",
      "better": "base",
      "worse": "no residual"
    }
  ]
}"#;

/// A temporary folder with a tiny ablation in it.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.json"), TINY).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path as an argument.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes the tiny ablation with a piece replaced, and gives its path.
    pub fn changed(&self, from: &str, to: &str) -> String {
        assert!(TINY.contains(from), "{from}");
        fs::write(self.path("changed.json"), TINY.replacen(from, to, 1)).unwrap();
        self.text("changed.json")
    }

    /// Runs the tiny ablation into a folder.
    pub fn ablate(&self, out: &str) -> String {
        let (file, out) = (self.text("tiny.json"), self.text(out));
        succeed(&["ablate", &file, "--out", &out])
    }
}

/// Whether generated files are to be written instead of compared: with XCEPTION_REGENERATE=1.
pub fn regenerates() -> bool {
    std::env::var_os("XCEPTION_REGENERATE").is_some_and(|value| value == "1")
}

/// Reads a JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The losses and accuracies of every epoch of every run in a `results.json`, without the times.
pub fn scores(results: &Value) -> Vec<Value> {
    let mut scores = Vec::new();
    for variant in results["record"]["variants"].as_array().unwrap() {
        for run in variant["runs"].as_array().unwrap() {
            assert_eq!(run["state"], "finished");
            for epoch in run["epochs"].as_array().unwrap() {
                scores.push(serde_json::json!([
                    variant["name"],
                    run["seed"],
                    epoch["epoch"],
                    epoch["learning_rate"],
                    epoch["train"],
                    epoch["test"]
                ]));
            }
        }
    }
    scores
}
