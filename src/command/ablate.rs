//! The command `xception ablate`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use xception::kernels::runs_natively;
use xception::train::ablation::{DamagedFolder, Execution, FailedRun, Outcome, Plan, show};
use xception::train::config::AblationConfig;
use xception::train::numbers::{counted, duration};
use xception::train::report::{claims, table};
use xception::train::training::{Display, warn};

use super::display::display;
use super::output;
use super::worker::workers;
use crate::arguments::{AblateArguments, Limits};
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
    let asked = display(arguments.run.display)?;
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
    let (jobs, note) = arguments.jobs.within(Limits {
        runs: plan.runs(),
        threads: runs_natively(&device).then(rayon::current_num_threads),
    });
    if let Some(note) = note {
        warn(&note);
    }
    if arguments.plan {
        plan.check_memory(jobs, &device)?;
        return Ok(());
    }

    let display = match asked {
        Display::Dashboard if jobs > 1 => {
            if arguments.run.display.is_some() {
                warn("the dashboard shows one run: with more at a time, progress is told in lines");
            }
            Display::Lines
        }
        display => display,
    };
    let workers = match jobs {
        1 => None,
        jobs => Some(workers(jobs, &out, backend)?),
    };
    let stop = stop_signal(display)?;
    let execution = Execution {
        device: &device,
        backend: backend.name(),
        display,
        stop,
        command: command_line(arguments),
        retrain_damaged: arguments.run.retrain_damaged(),
        checkpoints: arguments.run.checkpoints(),
        tensorboard: arguments.run.tensorboard,
        workers,
        observer: Arc::new(move |event| show(&event, display)),
    };
    let start = Instant::now();
    let Outcome {
        record,
        damaged,
        failed,
    } = execution
        .run(&plan, &out)
        .with_context(|| format!("the runs that have ended are kept in {}", out.display()))?;
    let mut output = output::notes();
    let duration = duration(start.elapsed().as_secs_f64());
    let done = counted(plan.runs() - damaged.len() - failed.len(), "run");
    writeln!(output, "{done} done in {duration}")?;
    writeln!(output)?;
    writeln!(output, "{}", escaped_lines(&table(&record)))?;
    let claims = claims(&record);
    if !claims.is_empty() {
        writeln!(output, "\n{}\n", escaped_lines(&claims))?;
    }
    writeln!(output, "report: {}", escaped_path(&out.join("report.html")))?;
    left_out(&damaged, &failed, plan.runs())
}

/// Names the runs that were left out, if there are any, with what to do about them.
///
/// # Errors
///
/// If there are any.
fn left_out(damaged: &[DamagedFolder], failed: &[FailedRun], runs: usize) -> Result<()> {
    for run in damaged {
        let (label, folder) = (&run.label, run.path.display());
        warn(&format!(
            "{label} is damaged and left out, in {folder}: {}",
            run.cause
        ));
    }
    for run in failed {
        let (label, folder) = (&run.label, run.path.display());
        warn(&format!("{label} failed, in {folder}: {}", run.error));
    }
    let runs = counted(runs, "run");
    let them = |count: usize| if count == 1 { "it" } else { "them" };
    let again = |count: usize| {
        format!(
            "to train {} again from the start, give --retrain damaged",
            them(count)
        )
    };
    match (damaged.len(), failed.len()) {
        (0, 0) => Ok(()),
        (damaged, 0) => anyhow::bail!("{damaged} of {runs} left out, damaged; {}", again(damaged)),
        (0, failed) => anyhow::bail!(
            "{failed} of {runs} failed; the same command goes on with {}",
            them(failed)
        ),
        (damaged, failed) => anyhow::bail!(
            "{failed} of {runs} failed, the same command goes on with {}; {damaged} left out, damaged, {}",
            them(failed),
            again(damaged)
        ),
    }
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
