//! The command `xception completions`.

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use super::output;
use crate::arguments::{Arguments, CompletionsArguments};

/// Prints a shell's completion script.
pub fn run(arguments: &CompletionsArguments) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "xception", &mut script);
    output::result().write_all(&script)?;
    Ok(())
}
