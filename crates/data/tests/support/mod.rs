//! Images on disk, and what every source promises of its batches.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part of it

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, RgbImage};
use xception_data::{
    Augmentation, Batch, BatchPlan, Batches, DataError, DataSource, Dataset, LoadOptions, Part,
    Samples, folder_preprocessing,
};

/// The height and width that images are brought to.
pub const SIDE: usize = 16;

/// Returns a JPEG file of an image that no other number has.
pub fn jpeg(number: usize) -> Vec<u8> {
    let picture = picture(number);
    xception_testing::jpeg(picture.as_raw(), picture.width(), picture.height())
}

/// Returns a PNG file of an image whose colors say its number.
pub fn png(number: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let written = picture(number).write_to(&mut bytes, ImageFormat::Png);
    written.unwrap();
    bytes.into_inner()
}

fn picture(number: usize) -> RgbImage {
    let (width, height) = (20 + number as u32 % 7, 18 + number as u32 % 5);
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([
            (number * 37 % 256) as u8,
            (number * 11 % 128) as u8 + (x * 3) as u8,
            (y * 9) as u8,
        ])
    })
}

/// Writes a file, and the folders that it is in.
pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Loads a data set with a number of bytes for decoded images.
pub fn load(source: &str, cache_bytes: usize) -> Result<Dataset, DataError> {
    let source: DataSource = source.parse().unwrap();
    source.load_as(&LoadOptions {
        cache_bytes,
        ..LoadOptions::new(folder_preprocessing(SIDE))
    })
}

/// A training epoch in batches of 4, with crops and flips.
pub fn plan(data: &Dataset) -> BatchPlan {
    BatchPlan {
        augmentation: Augmentation {
            crop_padding: 2,
            ..Augmentation::default()
        },
        epoch: 1,
        ..BatchPlan::train(4, data.normalization, 7)
    }
}

/// Returns all batches of a plan.
pub fn batches(samples: &Samples, plan: BatchPlan) -> Vec<Batch> {
    let batches = Batches::new(samples.clone(), plan).unwrap();
    batches.collect::<Result<_, _>>().unwrap()
}

/// Checks that batches don't depend on the number of workers, nor on where an epoch begins, nor on what is held in memory, and
/// that an epoch has every sample once, in another order than the one before. `again` loads the same data with so many bytes for
/// decoded images.
pub fn keeps_its_promises(again: impl Fn(usize) -> Dataset) {
    let data = again(1 << 20);
    let base = batches(&data.train, plan(&data));
    let indices = |batches: &[Batch]| -> Vec<u32> {
        batches
            .iter()
            .flat_map(|batch| batch.indices.clone())
            .collect()
    };
    let mut sorted = indices(&base);
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..data.train.len() as u32));
    let next = BatchPlan {
        epoch: 2,
        ..plan(&data)
    };
    assert_ne!(indices(&batches(&data.train, next)), indices(&base));

    for cache_bytes in [0, 3 * SIDE * SIDE * 5, 1 << 20] {
        let data = again(cache_bytes);
        for workers in [0, 1, 3, 7] {
            let plan = BatchPlan {
                workers,
                ..plan(&data)
            };
            assert!(batches(&data.train, plan) == base, "{workers} workers");
        }
    }
    for start_batch in 0..=base.len() {
        let rest = BatchPlan {
            start_batch,
            workers: start_batch % 3,
            ..plan(&data)
        };
        assert!(batches(&data.train, rest) == base[start_batch..]);
    }
    // Two and three devices take the batches apart, with no sample left out or changed.
    for of in [2, 3] {
        let parts = (0..of).map(|index| {
            let part = Part { index, of };
            batches(
                &data.train,
                BatchPlan {
                    part,
                    ..plan(&data)
                },
            )
        });
        let parts: Vec<_> = parts.flatten().collect();
        for whole in &base {
            let parts = parts.iter().filter(|part| part.number == whole.number);
            let pixels: Vec<f32> = parts.flat_map(|part| part.pixels.clone()).collect();
            assert!(pixels == whole.pixels);
        }
    }
}
