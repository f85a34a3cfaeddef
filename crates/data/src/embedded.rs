//! The part of CIFAR-10 that is built into the program: 2,000 training and 1,000 test images.
//!
//! They are stored as two PNG sheets, whose layout and making `crates/data/embedded/README.md` describes: tile `i`, counted
//! from left to right and from top to bottom, belongs to class `i % 10`.

use image::ImageFormat;

use crate::cifar::{CIFAR_CITATION, CIFAR10_CLASSES};
use crate::dataset::CHANNELS;
use crate::{DataError, Dataset, Images, Normalization};

/// The side of a tile, in pixels.
const SIDE: usize = 32;
/// The tiles of one row of a sheet.
const COLUMNS: usize = 50;

/// A grid of tiles as a PNG file.
struct Sheet {
    name: &'static str,
    png: &'static [u8],
    images: usize,
}

const TRAIN: Sheet = Sheet {
    name: "cifar10-train-2000.png",
    png: include_bytes!("../embedded/cifar10-train-2000.png"),
    images: 2_000,
};

const TEST: Sheet = Sheet {
    name: "cifar10-test-1000.png",
    png: include_bytes!("../embedded/cifar10-test-1000.png"),
    images: 1_000,
};

/// Decodes the built-in images.
pub(crate) fn load(source: String) -> Result<Dataset, DataError> {
    Ok(Dataset {
        name: "CIFAR-10 (embedded part)".into(),
        source,
        citation: CIFAR_CITATION.into(),
        classes: CIFAR10_CLASSES.map(String::from).to_vec(),
        train: TRAIN.decode()?.into(),
        validation: None,
        test: TEST.decode()?.into(),
        normalization: Normalization::CIFAR10,
        mosaic: None,
        skipped: Vec::new(),
    })
}

impl Sheet {
    fn decode(&self) -> Result<Images, DataError> {
        let unusable = |problem: String| DataError::Sheet {
            sheet: self.name,
            problem,
        };
        let decoded = image::load_from_memory_with_format(self.png, ImageFormat::Png)
            .map_err(|error| unusable(error.to_string()))?;
        let sheet = decoded.into_rgb8();
        let (width, height) = (COLUMNS * SIDE, self.images / COLUMNS * SIDE);
        if (sheet.width() as usize, sheet.height() as usize) != (width, height) {
            let (found_width, found_height) = sheet.dimensions();
            return Err(unusable(format!(
                "it has {found_width}x{found_height} pixels, expected {width}x{height}"
            )));
        }

        let classes = CIFAR10_CLASSES.len();
        let mut pixels = Vec::with_capacity(self.images * CHANNELS * SIDE * SIDE);
        let rows: Vec<&[u8]> = sheet.as_raw().chunks_exact(width * CHANNELS).collect();
        for tile in 0..self.images {
            let (top, left) = (tile / COLUMNS * SIDE, tile % COLUMNS * SIDE * CHANNELS);
            for channel in 0..CHANNELS {
                for row in &rows[top..top + SIDE] {
                    let interleaved = &row[left..left + SIDE * CHANNELS];
                    pixels.extend(interleaved.iter().skip(channel).step_by(CHANNELS));
                }
            }
        }
        let labels = (0..self.images)
            .map(|tile| (tile % classes) as u32)
            .collect();
        Images::new([SIDE, SIDE], pixels, labels, classes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataSource, Description};

    /// Printed by tools/make_embedded_cifar10.py.
    const SHA256: &str = "52007825d59e4f7d81e47f95dd3e24ca67ed2971ccca722a63ee2a5880c59bdd";

    #[test]
    fn holds_the_documented_images() {
        let data = DataSource::Embedded.load().unwrap();
        assert_eq!(data.train.len(), 2_000);
        assert_eq!(data.test.len(), 1_000);
        assert_eq!(data.train.size(), [32, 32]);
        assert_eq!(data.train.class_counts(10), [200; 10]);
        assert_eq!(data.test.class_counts(10), [100; 10]);
        assert_eq!(data.sha256(), SHA256);
    }

    #[test]
    fn statistics_are_near_those_of_the_whole_data_set() {
        let data = DataSource::Embedded.load().unwrap();
        let train = Description::of(&data).unwrap().train;
        for channel in 0..3 {
            assert!(
                (train.mean[channel] - f64::from(data.normalization.mean[channel])).abs() < 0.01
            );
            assert!((train.std[channel] - f64::from(data.normalization.std[channel])).abs() < 0.01);
        }
    }
}
