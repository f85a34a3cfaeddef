//! The command `xception schema`.

use std::io::Write;

use anyhow::Result;
use xception::train::config::schema::FileKind;

use crate::arguments::{KindArgument, SchemaArguments};

/// Prints the schema of a kind of file.
pub fn run(arguments: &SchemaArguments) -> Result<()> {
    let kind = match arguments.kind {
        KindArgument::Run => FileKind::Run,
        KindArgument::Ablation => FileKind::Ablation,
    };
    let schema = serde_json::to_string_pretty(&kind.schema())?;
    writeln!(std::io::stdout(), "{schema}")?;
    Ok(())
}
