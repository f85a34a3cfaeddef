//! The command `xception devices`.

use std::io::Write;

use anyhow::Result;
use xception::Backend;
use xception::train::device_name;

use super::output;
use crate::arguments::DevicesArguments;

/// Lists backends and devices.
pub fn run(arguments: &DevicesArguments) -> Result<()> {
    let mut output = output::result();
    if arguments.json {
        let rows: Vec<_> = Backend::all()
            .map(|(name, about, backend)| {
                serde_json::json!({
                    "backend": name,
                    "about": about,
                    "built": backend.is_some(),
                    "devices": backend.as_ref().map(device_names).unwrap_or_default(),
                })
            })
            .collect();
        writeln!(output, "{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    for (name, about, backend) in Backend::all() {
        let found = match backend.as_ref().map(device_names) {
            None => format!("not in this build (cargo build --release --features {name})"),
            Some(devices) if devices.is_empty() => "no device found".to_owned(),
            Some(devices) => devices.join(", "),
        };
        writeln!(output, "{name:<8}  {about:<52}  {found}")?;
    }
    let remote = match cfg!(feature = "remote") {
        true => "train --devices remote:HOST:PORT",
        false => "not in this build (cargo build --release --features remote)",
    };
    let about = "another machine's, which `xception serve` shares";
    writeln!(output, "{:<8}  {about:<52}  {remote}", "remote")?;
    Ok(())
}

fn device_names(backend: &Backend) -> Vec<String> {
    backend.devices().iter().map(device_name).collect()
}
