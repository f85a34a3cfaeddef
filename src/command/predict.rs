//! The command `xception predict`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use xception::models::Network;
use xception::models::weights::{ClassScore, Head};
use xception_files::name_text;

use super::display::progress_bar;
use super::output;
use crate::arguments::PredictArguments;
use crate::batches::{Failures, for_each_batch};
use crate::images::find;
use crate::network::{labels, load_network, to_tensor};
use crate::path_bytes::path_bytes;
use crate::terminal::{escaped, escaped_path};
use crate::tuning::TuningNote;

/// The prediction for an image.
#[derive(Debug)]
struct Prediction {
    path: PathBuf,
    top: Vec<ClassScore>,
}

/// Predicts the classes of images.
pub fn run(arguments: &PredictArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    let images = find(&arguments.images)?;
    let mut loaded = load_network(&arguments.weights, &arguments.input, Head::Keep, &device)?;
    loaded.labels = labels(arguments.labels.as_deref(), &loaded)?;

    let network = loaded.model.fuse();
    let mut writer: Box<dyn PredictionWriter> = match (arguments.json, arguments.csv) {
        (true, _) => Box::new(JsonLines),
        (_, true) => Box::new(Csv {
            writer: csv::Writer::from_writer(output::result()),
            with_bytes: images
                .iter()
                .any(|image| path_bytes(image.path()).is_some()),
        }),
        _ => Box::new(Text),
    };
    let bar = progress_bar(
        images.len() as u64,
        "{bar:40} {pos}/{len} images, {eta} to go",
    );
    let batch_size = arguments.batch.batch_size as usize;
    let mut failures = Failures::default();
    let mut tuning = TuningNote::start(&device, &bar);
    let preprocessing = &loaded.preprocessing;
    for_each_batch(
        &images,
        preprocessing,
        batch_size,
        &mut failures,
        |batch, failures| {
            let input = to_tensor(batch.inputs, loaded.preprocessing.size, &device);
            let logits = network.forward(input).into_data().convert::<f32>();
            tuning.finish();
            bar.inc(batch.paths.len() as u64);
            let rows = logits.as_slice::<f32>()?.chunks(loaded.model.classes());
            for (path, logits) in batch.paths.into_iter().zip(rows) {
                match loaded.top_classes(logits, arguments.top as usize) {
                    Ok(top) => bar.suspend(|| writer.write(&Prediction { path, top }))?,
                    Err(_) => bar.suspend(|| failures.no_numbers(&path)),
                }
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    failures.check(images.len())
}

/// A writer of an output format.
trait PredictionWriter {
    fn write(&mut self, prediction: &Prediction) -> Result<()>;
}

struct JsonLines;

/// A line of the JSON format.
#[derive(Serialize)]
struct Line<'a> {
    path: String,
    /// Bytes of the path, if it isn't UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    top: &'a [ClassScore],
}

impl PredictionWriter for JsonLines {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let line = Line {
            path: name_text(prediction.path.as_os_str()),
            path_bytes: path_bytes(&prediction.path),
            top: &prediction.top,
        };
        writeln!(output::result(), "{}", serde_json::to_string(&line)?)?;
        Ok(())
    }
}

struct Csv {
    writer: csv::Writer<output::Output>,
    /// Whether any path isn't UTF-8, so that a column for its bytes is needed.
    with_bytes: bool,
}

/// A row of the comma-separated format.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    rank: usize,
    index: usize,
    name: Option<&'a str>,
    logit: f32,
    probability: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<Option<String>>,
}

impl PredictionWriter for Csv {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let path = name_text(prediction.path.as_os_str());
        for (place, class) in prediction.top.iter().enumerate() {
            self.writer.serialize(Row {
                path: &path,
                rank: place + 1,
                index: class.index,
                name: class.name.as_deref(),
                logit: class.logit,
                probability: class.probability,
                path_bytes: self.with_bytes.then(|| path_bytes(&prediction.path)),
            })?;
        }
        self.writer.flush()?;
        Ok(())
    }
}

struct Text;

impl PredictionWriter for Text {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        let mut output = output::result();
        writeln!(output, "{}", escaped_path(&prediction.path))?;
        for class in &prediction.top {
            let percent = 100.0 * class.probability;
            let name = escaped(class.name.as_deref().unwrap_or(""));
            writeln!(output, "  {percent:6.2} %  {:>4}  {name}", class.index)?;
        }
        Ok(())
    }
}
