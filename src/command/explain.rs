//! `xception explain`.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use xception::models::grad_cam;
use xception::models::preprocessing::Heatmap;
use xception::train::files;

use super::output;
use crate::arguments::ExplainArguments;
use crate::images::ImageSource;
use crate::network::{labels, load_network, to_tensor};

/// How much of the heat map's colour covers the picture.
const OPACITY: f32 = 0.5;

/// Writes where in an image the network sees a class.
pub fn run(arguments: &ExplainArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    let loaded = load_network(&arguments.weights, &arguments.input, &device)?;
    let labels = labels(arguments.labels.as_deref(), &loaded)?;
    let picture = ImageSource::File(arguments.image.clone()).read()?;

    // The heat lies over what the network sees: the picture, resized and cropped.
    let seen = loaded.preprocessing.transform(&picture)?;
    let input = loaded.preprocessing.apply(&picture)?;
    let input = to_tensor(input, loaded.preprocessing.size, &device);
    let class = arguments.class.map(|class| class as usize);
    let found = grad_cam(&loaded.model, input, class)?;
    let heat = Heatmap::new(found.heat, found.size)?;
    let overlay = heat.overlay(&seen, OPACITY)?;

    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => beside(&arguments.image),
    };
    files::write(&out, &Heatmap::to_png(&overlay)?)?;
    let name = labels.as_ref().and_then(|labels| labels.name(found.class));
    writeln!(
        output::notes(),
        "{}: class {}{}, {:.2} %",
        out.display(),
        found.class,
        name.map_or(String::new(), |name| format!(" ({name})")),
        100.0 * found.probability
    )?;
    Ok(())
}

/// `cat.jpg` to `cat.explained.png`.
fn beside(image: &Path) -> std::path::PathBuf {
    image.with_extension("explained.png")
}
