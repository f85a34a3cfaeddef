//! The command `xception draw`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::prelude::Device;
use serde_json::Value;
use xception::models::{Diagram, Graph, MODELS, ModelConfig};
use xception::train::files;

use super::output;
use crate::arguments::DrawArguments;
use crate::network::model_config;
use crate::output::check_folder;
use crate::terminal::escaped_path;

/// Writes the picture of a network.
pub fn run(arguments: &DrawArguments) -> Result<()> {
    let model = &arguments.model;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => picture_name(model),
    };
    let is_printed = out.as_os_str() == "-";
    if !is_printed {
        check_out(&out)?;
    }
    let size = arguments.size.map(|size| size as usize);
    let (config, size) = model_config(model, &arguments.overrides, size)?;
    let network = config.init(&Device::flex())?;
    let graph =
        Graph::new(&network, [size, size]).with_context(|| format!("{model} at --size {size}"))?;
    let lines = lines(&config)?;
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let diagram = Diagram::new(&graph, &config.name(), &lines);
    let svg = diagram.to_svg(arguments.theme.into());
    if is_printed {
        write!(output::result(), "{svg}")?;
        return Ok(());
    }
    files::write(&out, svg.as_bytes())?;
    let [width, height] = diagram.size();
    writeln!(
        output::notes(),
        "{}: {}, {width} x {height} pixels",
        escaped_path(&out),
        config.name()
    )?;
    Ok(())
}

/// Returns the default name of the picture: `xception.svg` for `xception`, `small.svg` for `configs/small.json`.
fn picture_name(model: &str) -> PathBuf {
    let path = Path::new(model);
    let stem = match path.extension() {
        Some(ending) if ending == "json" => path.file_stem(),
        _ => path.file_name(),
    };
    let mut name = stem.unwrap_or(path.as_os_str()).to_owned();
    name.push(".svg");
    name.into()
}

/// Checks that the picture can be written.
fn check_out(out: &Path) -> Result<()> {
    let ending = out.extension();
    ensure!(
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case("svg")),
        "{} has to end in .svg, which is the format of the picture; - is standard output",
        out.display()
    );
    check_folder(out)
}

/// Returns the lines below the name of a network: its paper, and the options that differ from the published ones.
fn lines(config: &ModelConfig) -> Result<Vec<String>> {
    let name = config.name();
    let mut lines = Vec::new();
    let published = MODELS.iter().find(|info| info.name == name);
    lines.extend(published.map(|info| info.paper.to_owned()));
    let published = match published {
        Some(info) => serde_json::to_value(info.config())?,
        None => Value::Null,
    };
    let changes = changes(&serde_json::to_value(config)?, &published);
    if !changes.is_empty() {
        lines.push(format!("Here with {}", changes.join(", ")));
    }
    Ok(lines)
}

/// Lists the options of a family, in the form `{"xception": {...}}`, that differ from others, with their values. The
/// implementation of the operations is no part of the network.
fn changes(config: &Value, published: &Value) -> Vec<String> {
    let Some((family, Value::Object(options))) = config.as_object().and_then(|c| c.iter().next())
    else {
        return Vec::new();
    };
    let differs = |(name, value): &(&String, &Value)| {
        *name != "kernels" && published[family.as_str()].get(name.as_str()) != Some(*value)
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let changed = options.iter().filter(differs);
    changed
        .map(|(name, value)| format!("{name} {}", text(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_named_after_networks_and_files() {
        assert_eq!(picture_name("xception"), Path::new("xception.svg"));
        assert_eq!(picture_name("configs/small.json"), Path::new("small.svg"));
        assert_eq!(picture_name("mobilenet.v1"), Path::new("mobilenet.v1.svg"));
    }

    #[test]
    fn changed_options_are_listed() {
        let lines = |text: &str| lines(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(lines(r#""resnet50""#).len(), 1);
        let text = r#"{"xception": {"width": 0.25, "stem": "small", "fully_connected": [9, 7], "kernels": "burn"}}"#;
        let lines = lines(text);
        assert_eq!(lines[0], "F. Chollet, Xception, CVPR 2017");
        assert_eq!(
            lines[1],
            "Here with width 0.25, fully_connected [9,7], stem small"
        );
    }
}
