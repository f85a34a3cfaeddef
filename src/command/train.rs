//! The command `xception train`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::prelude::Device;
use xception::DeviceName;
use xception::parallel::{DataParallel, NamedDevice};
use xception::train::config::{FineTuning, RunConfig};
use xception::train::numbers::counted;
use xception::train::record::{Divergence, RunState};
use xception::train::training::{Display, Progress, Run, RunFolder, warn};

use super::display::display;
use super::output;
use super::skipped::tell_skipped_files;
use crate::arguments::TrainArguments;
use crate::network::find_weights;
use crate::signals::stop_signal;
use crate::terminal::{escaped, escaped_path};
use crate::token::token;

/// Trains one network.
pub fn run(arguments: &TrainArguments) -> Result<()> {
    let display = display(arguments.run.display)?;
    let devices = Devices::connect(arguments)?;
    let (name, config) = configuration(arguments)?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => PathBuf::from("runs")
            .join(&name)
            .join(format!("seed-{}", arguments.seed)),
    };

    let (config, data) = Run::prepare(&config)?;
    tell_skipped_files(&data.skipped);
    if let Some(text) = Run::batch_warning(&config, &data) {
        warn(&text);
    }
    if let Some(parallel) = &devices.parallel {
        let devices = parallel.devices().len();
        if let Some(text) = Run::devices_warning(&config, &data, devices) {
            warn(&text);
        }
    }
    writeln!(
        output::notes(),
        "{} on {}: {} and {} of {} classes",
        config.model.name(),
        escaped(&data.name),
        counted(data.train.len(), "training image"),
        counted(data.test.len(), "test image"),
        data.classes.len()
    )?;
    let label = format!("{name}, seed {}", arguments.seed);
    let run = Run {
        config: &config,
        data: &data,
        seed: arguments.seed,
        device: &devices.main,
        backend: &devices.backend,
        parallel: devices.parallel.as_ref(),
        display,
        stop: stop_signal(display)?,
        label: &label,
        retrain_damaged: arguments.run.retrain_damaged(),
        checkpoints: arguments.run.checkpoints(),
        tensorboard: arguments.run.tensorboard,
        warn: &warn,
    };
    let epochs = config.recipe.epochs;
    let record = run.train(&out, move |record| {
        if display == Display::Lines {
            // A closed standard error is no reason to stop training.
            let _ = writeln!(std::io::stderr(), "{}", Progress::line(record, epochs));
        }
    });
    let record = record.map_err(|error| match out.exists() {
        true => anyhow::Error::new(error).context(format!("the run is in {}", out.display())),
        false => error.into(),
    })?;

    let mut output = output::notes();
    writeln!(
        output,
        "{}: {} parameters",
        config.model.name(),
        record.parameters
    )?;
    if let Some(last) = record.epochs.last() {
        match record.state {
            RunState::Diverged => writeln!(output, "diverged in epoch {} of {epochs}", last.epoch)?,
            _ => writeln!(
                output,
                "after {}: test {} of {}",
                counted(last.epoch, "epoch"),
                last.test,
                counted(last.test.images, "image")
            )?,
        }
    }
    writeln!(
        output,
        "network: {}",
        escaped_path(&RunFolder::model_file(&out))
    )?;
    if record.state == RunState::Diverged {
        let at = record.divergence.map_or_else(String::new, |at| {
            let Divergence {
                step,
                learning_rate,
                ..
            } = at;
            format!(" at step {step}, with a learning rate of {learning_rate}")
        });
        let before = match RunFolder::last_checkpoint(&out) {
            Some(folder) => format!("; the last checkpoint before it is {}", folder.display()),
            None => String::new(),
        };
        anyhow::bail!(
            "{} became infinite or not a number{at}: lower recipe.learning_rate{before}",
            record.diverging()
        );
    }
    Ok(())
}

/// Where the run computes.
struct Devices {
    main: Device,
    /// The name of the backend; of several, all of them.
    backend: String,
    /// All devices, where the command line lists them.
    parallel: Option<DataParallel>,
}

impl Devices {
    fn connect(arguments: &TrainArguments) -> Result<Self> {
        let names = &arguments.parallel.devices;
        let mut named = Vec::with_capacity(names.len());
        let mut backends: Vec<&str> = Vec::new();
        let token = match names.is_empty() {
            true => None,
            false => token(arguments.parallel.token_file.as_deref())?,
        };
        for name in names {
            let device = name.connect(token.as_deref())?;
            named.push(NamedDevice::new(name.to_string(), device));
            if !backends.contains(&name.backend()) {
                backends.push(name.backend());
            }
        }
        let Some(parallel) = DataParallel::new(named) else {
            let backend = &arguments.run.device.backend;
            return Ok(Self {
                main: backend.device()?,
                backend: backend.name().to_owned(),
                parallel: None,
            });
        };
        let is_local = names
            .iter()
            .all(|name| matches!(name, DeviceName::Local(_)));
        Ok(Self {
            main: parallel.main().device().clone(),
            backend: backends.join("+"),
            // A single device of this machine is what --backend would name.
            parallel: Some(parallel).filter(|_| names.len() > 1 || !is_local),
        })
    }
}

/// Returns the run's name and configuration: that of the file if one is given, else one for fine-tuning.
fn configuration(arguments: &TrainArguments) -> Result<(String, RunConfig)> {
    if let Some(weights) = &arguments.weights {
        find_weights(weights)?; // fetches them, with a progress bar
    }
    let overrides = arguments.overrides();
    let (named_by, config) = match (&arguments.file, &arguments.weights) {
        (Some(file), _) => (file.as_path(), RunConfig::read(file, &overrides)?),
        (None, weights) => {
            let weights = weights.as_deref().unwrap_or_default(); // clap sees to it that there are some
            let config = RunConfig::fine_tune(FineTuning::new(weights))?;
            (Path::new(weights), config.changed(&overrides)?)
        }
    };
    let name = match named_by.exists() {
        true => named_by.file_stem().unwrap_or_default(),
        false => named_by.as_os_str(), // published weights
    };
    Ok((name.to_string_lossy().into_owned(), config))
}
