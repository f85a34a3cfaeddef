//! The command-line program, which parses arguments and runs a command; the libraries do the computing.

mod allocator;
mod arguments;
mod batches;
mod bench;
mod command;
mod comparison;
mod images;
mod network;
mod output;
mod path_bytes;
#[cfg(feature = "remote")]
mod server;
mod signals;
mod standard_input;
mod table;
mod terminal;
mod token;
mod tuning;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xception::kernels::within_pool;
use xception::train::TrainError;
use xception_messages::with_causes;

use arguments::{Arguments, Command};

/// Exit code for wrong input and failures; clap exits with 2 for wrong arguments.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    allocator::keep_pages();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        // These set the number of threads themselves.
        Command::Bench(arguments) => command::bench::run(&arguments),
        Command::Summary(arguments) => command::summary::run(&arguments),
        command => within_pool(|| run(command)),
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if command::reader_gone(&error) {
        return ExitCode::SUCCESS; // the reader has seen enough
    }
    let (kind, code) = match error.downcast_ref() {
        Some(
            TrainError::Interrupted { reason, .. } | TrainError::InterruptedRuns { reason, .. },
        ) => ("", signals::exit_code(*reason)),
        _ => ("error: ", FAILURE),
    };
    // If standard error is closed too, only the exit code is left.
    let text = terminal::escaped(&with_causes(&*error));
    let _ = writeln!(std::io::stderr(), "{kind}{text}");
    ExitCode::from(code)
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
        Command::Draw(arguments) => command::draw::run(&arguments),
        Command::Bench(arguments) => command::bench::run(&arguments),
        Command::Devices(arguments) => command::devices::run(&arguments),
        Command::Data(arguments) => command::data::run(&arguments),
        Command::Serve(arguments) => command::serve::run(&arguments),
        Command::Schema(arguments) => command::schema::run(&arguments),
        Command::Weights(arguments) => command::weights::run(&arguments),
        Command::Completions(arguments) => command::completions::run(&arguments),
        Command::Worker(arguments) => command::worker::run(&arguments),
    }
}
