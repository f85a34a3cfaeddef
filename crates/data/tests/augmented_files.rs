//! Images of files that are varied in all ways at once.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;

use support::{SIDE, batches, jpeg, load, plan, write};
use tempfile::TempDir;
use xception_data::{
    Augmentation, Batch, BatchPlan, Batches, ColorJitter, Dataset, RandomResizedCrop, Targets,
};

/// Two class folders of 10 images each; every tenth is for testing.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (class, name) in ["a", "b"].iter().enumerate() {
        for image in 0..10 {
            let path = dir.path().join(name).join(format!("{image}.jpg"));
            write(&path, &jpeg(class * 20 + image));
        }
    }
    dir
}

fn loaded(dir: &TempDir) -> Dataset {
    load(&format!("folder:{}", dir.path().display()), 0).unwrap()
}

fn varied(data: &Dataset) -> BatchPlan {
    BatchPlan {
        augmentation: Augmentation {
            resized_crop: Some(RandomResizedCrop::default()),
            crop_padding: 0,
            horizontal_flip: true,
            color_jitter: Some(ColorJitter {
                brightness: 0.4,
                contrast: 0.4,
                saturation: 0.4,
                hue: 0.1,
            }),
            cutout: Some(4),
            mixup: Some(0.4),
        },
        ..plan(data)
    }
}

/// The pixels, shares, and classes of first and second images of all batches.
fn joined(batches: Vec<Batch>) -> (Vec<f32>, Vec<f32>, Vec<u32>, Vec<u32>) {
    let mut all = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for batch in batches {
        let mixture = batch.mixture.unwrap();
        let (Targets::Classes(first), Targets::Classes(second)) = (batch.targets, mixture.targets)
        else {
            panic!("one class an image");
        };
        all.0.extend(batch.pixels);
        all.1.extend(mixture.shares);
        all.2.extend(first);
        all.3.extend(second);
    }
    all
}

#[test]
fn what_happens_to_an_image_depends_on_neither_workers_nor_batches() {
    let dir = folder();
    let data = loaded(&dir);
    let made = |batch_size, workers| {
        let plan = BatchPlan {
            batch_size,
            workers,
            ..varied(&data)
        };
        joined(batches(&data.train, plan))
    };
    let expected = made(18, 0);
    assert_eq!(expected.0.len(), 18 * 3 * SIDE * SIDE);
    assert!(expected.0.iter().all(|value| value.is_finite()));
    for (batch_size, workers) in [(4, 1), (5, 3), (1, 7)] {
        assert!(
            made(batch_size, workers) == expected,
            "{batch_size} {workers}"
        );
    }
    let next = BatchPlan {
        epoch: 2,
        batch_size: 18,
        ..varied(&data)
    };
    assert!(joined(batches(&data.train, next)).0 != expected.0);
}

#[test]
fn an_image_whose_partner_is_broken_stays_as_it_is() {
    let dir = folder();
    let whole = joined(batches(&loaded(&dir).train, varied(&loaded(&dir))));
    assert_eq!(whole.1.iter().filter(|share| **share == 1.0).count(), 0);
    fs::write(dir.path().join("a/3.jpg"), "no image").unwrap();
    let data = loaded(&dir);
    for batch_size in [4, 5] {
        let plan = BatchPlan {
            batch_size,
            ..varied(&data)
        };
        let mut epoch = Batches::new(data.train.clone(), plan).unwrap();
        let made: Vec<Batch> = epoch.by_ref().map(Result::unwrap).collect();
        let (pixels, shares, first, second) = joined(made);
        assert_eq!((shares.len(), pixels.len()), (17, 17 * 3 * SIDE * SIDE));
        let alone: Vec<usize> = (0..17).filter(|&at| shares[at] == 1.0).collect();
        let [alone] = alone[..] else {
            panic!("one image was mixed with the broken one: {shares:?}");
        };
        assert_eq!(first[alone], second[alone]);
    }
}
