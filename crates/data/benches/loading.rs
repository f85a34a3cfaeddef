//! Images of files, from their bytes to a normalized input: a random resized crop of 299 x 299 pixels, and a mirror image.
//!
//! `cargo bench -p xception-data --bench loading -- DIR [IMAGES]` reads all JPEG files of a folder, goes through them in turns on
//! one thread, and prints, as JSON, milliseconds of an image: of the processor, where the system tells, and by the clock.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use xception_data::{
    Augmentation, ImageKey, Normalization, RandomResizedCrop, folder_preprocessing,
};
use xception_images::{DecodeOptions, EncodedImage, IMAGENET_MEAN, IMAGENET_STD};

const SIDE: usize = 299;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let folder = PathBuf::from(arguments.next().expect("a folder of JPEG files"));
    let images: usize = arguments.next().map_or(500, |text| text.parse().unwrap());

    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    paths.sort();
    let files: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();

    let loader = Loader::new();
    let mut input = vec![0.0; 3 * SIDE * SIDE];
    for (index, file) in files.iter().enumerate() {
        loader.load(file, index, &mut input);
    }
    let (start, processor) = (Instant::now(), processor_seconds());
    for index in 0..images {
        loader.load(&files[index % files.len()], index, &mut input);
        black_box(&input);
    }
    let by_image = |seconds: f64| 1e3 * seconds / images as f64;
    let wall = by_image(start.elapsed().as_secs_f64());
    let processor = processor_seconds()
        .zip(processor)
        .map(|(end, start)| by_image(end - start));
    let processor = processor.map_or("null".to_owned(), |milliseconds| milliseconds.to_string());
    let version = env!("CARGO_PKG_VERSION");
    println!(
        r#"{{"version": "{version}", "images": {images}, "processor": {processor}, "wall": {wall}}}"#
    );
}

struct Loader {
    augmentation: Augmentation,
    normalization: Normalization,
}

impl Loader {
    fn new() -> Self {
        Self {
            augmentation: Augmentation {
                resized_crop: Some(RandomResizedCrop::default()),
                horizontal_flip: true,
                ..Augmentation::none()
            },
            normalization: Normalization {
                mean: IMAGENET_MEAN,
                std: IMAGENET_STD,
            },
        }
    }

    fn load(&self, file: &[u8], index: usize, input: &mut [f32]) {
        let key = ImageKey {
            seed: 1,
            epoch: 0,
            index: index as u32,
        };
        let image = EncodedImage::new(file, "a file", &DecodeOptions::default()).unwrap();
        self.augmentation
            .apply_encoded(
                image,
                &folder_preprocessing(SIDE),
                &self.normalization,
                key,
                input,
            )
            .unwrap();
    }
}

/// Returns the time that this thread has had a processor, where the system tells.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
