//! The command `xception ablate`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use xception::train::ablation::{Execution, Outcome, Plan, show};
use xception::train::config::AblationConfig;
use xception::train::numbers::{counted, duration};
use xception::train::report::{claims, table};
use xception::train::training::warn;

use super::display::display;
use super::output;
use crate::arguments::AblateArguments;
use crate::batches::tell_skipped;
use crate::signals::stop_signal;
use crate::terminal::{escaped_lines, escaped_path};

/// Prints the plan, trains the runs and writes the report.
pub fn run(arguments: &AblateArguments) -> Result<()> {
    let mut config: AblationConfig =
        AblationConfig::read(&arguments.file, &arguments.run.overrides())?;
    if let Some(seeds) = &arguments.seeds {
        config = config.with_seeds(seeds)?;
    }
    let display = display(arguments.run.display)?;
    let backend = &arguments.run.device.backend;
    let device = backend.device()?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => PathBuf::from("runs").join(&config.name),
    };
    let plan = Plan::new(config, &device)?;
    for file in plan.skipped() {
        tell_skipped(&file.to_string());
    }
    writeln!(output::notes(), "{}", escaped_lines(&plan.to_string()))?;
    for text in plan.warnings() {
        warn(&text);
    }
    if arguments.plan {
        return Ok(());
    }

    let stop = stop_signal(display)?;
    let execution = Execution {
        device: &device,
        backend: backend.name(),
        display,
        stop,
        command: command_line(arguments),
        retrain_damaged: arguments.run.retrain_damaged(),
        observer: Arc::new(move |event| show(&event, display)),
    };
    let start = Instant::now();
    let Outcome { record, damaged } = execution
        .run(&plan, &out)
        .with_context(|| format!("the runs that have ended are kept in {}", out.display()))?;
    let mut output = output::notes();
    let duration = duration(start.elapsed().as_secs_f64());
    let done = counted(plan.runs() - damaged.len(), "run");
    writeln!(output, "{done} done in {duration}")?;
    writeln!(output)?;
    writeln!(output, "{}", escaped_lines(&table(&record)))?;
    let claims = claims(&record);
    if !claims.is_empty() {
        writeln!(output, "\n{}\n", escaped_lines(&claims))?;
    }
    writeln!(output, "report: {}", escaped_path(&out.join("report.html")))?;
    if damaged.is_empty() {
        return Ok(());
    }
    for run in &damaged {
        let (label, folder) = (&run.label, run.path.display());
        warn(&format!(
            "{label} is damaged and left out, in {folder}: {}",
            run.cause
        ));
    }
    anyhow::bail!(
        "{} of {} left out, damaged; to train {} again from the start, give --retrain damaged",
        damaged.len(),
        counted(plan.runs(), "run"),
        if damaged.len() == 1 { "it" } else { "them" },
    )
}

/// The command that repeats the ablation, with the options that change its result.
fn command_line(arguments: &AblateArguments) -> String {
    let mut words = vec![
        "xception".to_owned(),
        "ablate".to_owned(),
        arguments.file.display().to_string(),
    ];
    let run = &arguments.run;
    if let Some(data) = &run.data {
        words.extend(["--data".to_owned(), data.to_string()]);
    }
    for change in &run.overrides {
        words.extend(["--set".to_owned(), change.to_string()]);
    }
    if let Some(seeds) = &arguments.seeds {
        words.extend(["--seeds".to_owned(), seeds.to_string()]);
    }
    words.extend(["--backend".to_owned(), run.device.backend.to_string()]);
    let quoted = words.iter().map(|word| quote(word));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Quotes a word for a shell.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_a_shell_would_take_apart() {
        assert_eq!(quote("recipe.epochs=3"), "recipe.epochs=3");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
