//! The command `xception explain`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use indicatif::ProgressBar;
use xception::models::grad_cam;
use xception::models::preprocessing::Heatmap;
use xception::models::weights::Head;
use xception::train::files;

use super::output;
use crate::arguments::ExplainArguments;
use crate::images::ImageSource;
use crate::network::{labels, load_network, to_tensor};
use crate::output::check_folder;
use crate::terminal::{escaped, escaped_path};
use crate::tuning::TuningNote;

/// Explains an image's class, and writes the picture.
pub fn run(arguments: &ExplainArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| picture_name(&arguments.image));
    check_out(&out, &arguments.image)?;
    let loaded = load_network(&arguments.weights, &arguments.input, Head::Keep, &device)?;
    let labels = labels(arguments.labels.as_deref(), &loaded)?;
    let photo = ImageSource::File(arguments.image.clone()).read()?;

    let size = [photo.height(), photo.width()].map(|side| side as usize);
    let seen = loaded.preprocessing.seen_part(size)?;
    let input = loaded.preprocessing.apply(&photo)?;
    let input = to_tensor(input, loaded.preprocessing.size, &device);
    let class = arguments.class.map(|class| class as usize);
    let mut tuning = TuningNote::start(&device, &ProgressBar::hidden());
    let found = grad_cam(&loaded.model, input, class)?;
    tuning.finish();
    let probability = match loaded.multi_label {
        true => 1.0 / (1.0 + (-found.logit).exp()),
        false => found.probability,
    };
    if !probability.is_finite() {
        bail!(
            "the network's output isn't finite numbers for {}: its weights are damaged, or their training diverged",
            escaped_path(&arguments.image)
        );
    }
    let heat = Heatmap::new(found.heat, found.size)?;
    files::write(&out, &Heatmap::to_png(&heat.over(&photo, &seen))?)?;
    let name = labels.as_ref().and_then(|labels| labels.name(found.class));
    writeln!(
        output::notes(),
        "{}: class {}{}, {:.2} %",
        escaped_path(&out),
        found.class,
        name.map_or(String::new(), |name| format!(" ({})", escaped(name))),
        100.0 * probability
    )?;
    Ok(())
}

/// Returns the default name of the picture: for `photos/cat.jpg`, `cat.explained.png` in the current folder. In the
/// photo's folder it would become one of the images there.
fn picture_name(image: &Path) -> PathBuf {
    let name = image.file_name().unwrap_or(image.as_os_str());
    Path::new(name).with_extension("explained.png")
}

/// Checks that the picture can be written, and doesn't replace the photo.
fn check_out(out: &Path, image: &Path) -> Result<()> {
    let png = out
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    ensure!(
        png,
        "{} has to end in .png, which is the format of the picture",
        out.display()
    );
    check_folder(out)?;
    if let (Ok(out_path), Ok(image_path)) = (out.canonicalize(), image.canonicalize()) {
        ensure!(
            out_path != image_path,
            "{} is the photo itself: give another file with --out",
            out.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_go_to_the_current_folder() {
        let name = |image: &str| picture_name(Path::new(image));
        assert_eq!(name("photos/cat.jpg"), Path::new("cat.explained.png"));
        assert_eq!(name("cat"), Path::new("cat.explained.png"));
    }
}
