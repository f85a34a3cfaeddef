//! The command-line program: it parses, resolves and runs; the numbers are made in the libraries.

mod allocator;
mod arguments;
mod bench;
mod command;
mod images;
mod network;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xception::kernels::within_pool;

use arguments::{Arguments, Command};

/// Exit code where the input is wrong or something failed; clap exits with 2 for wrong arguments.
const FAILURE: u8 = 1;
/// Exit code where a person stopped the run; as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    allocator::keep_pages();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        // It decides the number of threads itself.
        Command::Bench(arguments) => command::bench::run(&arguments),
        command => within_pool(|| run(command)),
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if is_closed_pipe(&error) {
        return ExitCode::SUCCESS; // the reader has seen enough
    }
    eprintln!("error: {error:#}");
    let interrupted = matches!(
        error.downcast_ref(),
        Some(xception::train::TrainError::Interrupted)
    );
    ExitCode::from(if interrupted { INTERRUPTED } else { FAILURE })
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Ablate(arguments) => command::ablate::run(&arguments),
        Command::Train(arguments) => command::train::run(&arguments),
        Command::Eval(arguments) => command::eval::run(&arguments),
        Command::Predict(arguments) => command::predict::run(&arguments),
        Command::Features(arguments) => command::features::run(&arguments),
        Command::Explain(arguments) => command::explain::run(&arguments),
        Command::Convert(arguments) => command::convert::run(&arguments),
        Command::Report(arguments) => command::report::run(&arguments),
        Command::Summary(arguments) => command::summary::run(&arguments),
        Command::Bench(arguments) => command::bench::run(&arguments),
        Command::Devices(arguments) => command::devices::run(&arguments),
        Command::Data(arguments) => command::data::run(&arguments),
        Command::Schema(arguments) => command::schema::run(&arguments),
        Command::Weights(arguments) => command::weights::run(&arguments),
        Command::Completions(arguments) => command::completions::run(&arguments),
    }
}

/// Whether standard output was closed, as by `xception ... | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
