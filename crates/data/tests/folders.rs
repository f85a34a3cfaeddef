//! `folder:DIR`: class folders, read as they are needed.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;
use std::path::Path;

use support::{batches, jpeg, keeps_its_promises, load, plan, png, write};
use tempfile::TempDir;
use xception_data::{BatchPlan, Batches, DataError, Dataset, Description, Mosaic, Order, Samples};

/// Writes images to each of the folders: 3, 4, 5, ... of them.
fn folder(classes: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (class, name) in classes.iter().enumerate() {
        for image in 0..class + 3 {
            let path = dir.path().join(name).join(format!("{image:02}.JPEG"));
            write(&path, &jpeg(class * 20 + image));
        }
    }
    dir
}

fn source(dir: &Path) -> String {
    format!("folder:{}", dir.display())
}

fn loaded(dir: &Path) -> Dataset {
    load(&source(dir), 1 << 20).unwrap()
}

/// ImageNet's layout, with synset names.
fn imagenet() -> TempDir {
    folder(&[
        "train/n01440764",
        "train/n01443537",
        "train/n01484850",
        "val/n01440764",
        "val/n01443537",
        "val/n01484850",
    ])
}

/// An epoch of the training images until it ends or fails, with the names of the images that it passed over.
fn epoch(data: &Dataset, plan: BatchPlan) -> (Vec<usize>, Vec<String>, Option<DataError>) {
    let mut batches = Batches::new(data.train.clone(), plan).unwrap();
    let (mut lens, mut broken) = (Vec::new(), Vec::new());
    loop {
        let next = batches.next();
        let names = batches.take_broken().into_iter();
        broken.extend(names.map(|image| image.name));
        match next {
            Some(Ok(batch)) => lens.push(batch.len()),
            Some(Err(error)) => {
                assert!(batches.next().is_none());
                return (lens, broken, Some(error));
            }
            None => return (lens, broken, None),
        }
    }
}

#[test]
fn imagenets_layout_is_trained_on_and_tested() {
    let dir = imagenet();
    let data = loaded(dir.path());
    assert_eq!(data.classes, ["n01440764", "n01443537", "n01484850"]);
    assert_eq!((data.train.len(), data.test.len()), (12, 21));
    assert!(data.validation.is_none());
    assert_eq!(data.train.class_counts(3), [3, 4, 5]);
    keeps_its_promises(|cache_bytes| load(&source(dir.path()), cache_bytes).unwrap());
}

#[test]
fn a_third_folder_has_the_validation_images() {
    let dir = folder(&["train/a", "train/b", "val/a", "val/b", "test/a", "test/b"]);
    let data = loaded(dir.path());
    let validation = data.validation.as_ref().unwrap();
    assert_eq!(
        (data.train.len(), validation.len(), data.test.len()),
        (7, 11, 15)
    );
    let error = data.hold_back(2).unwrap_err();
    assert!(
        matches!(error, DataError::OwnValidation { images: 11 }),
        "{error}"
    );
    fs::remove_dir_all(dir.path().join("val/b")).unwrap();
    let error = load(&source(dir.path()), 0).unwrap_err();
    assert!(matches!(error, DataError::OtherClasses { .. }), "{error}");
}

#[test]
fn images_held_back_keep_the_proportions_and_are_read_from_the_same_files() {
    let dir = imagenet();
    let data = loaded(dir.path());
    let split = data.clone().hold_back(6).unwrap();
    let validation = split.validation.clone().unwrap();
    assert_eq!((split.train.len(), validation.len()), (6, 6));
    assert_eq!(validation.class_counts(3), [2, 2, 2]); // shares 1.5, 2, 2.5: the tie goes to the lower label
    let names = |samples: &Samples| -> Vec<String> {
        let Samples::Stored(images) = samples else {
            unreachable!("a folder's images are stored")
        };
        (0..images.len()).map(|index| images.name(index)).collect()
    };
    let mut both = [names(&split.train), names(&validation)].concat();
    both.sort();
    assert_eq!(both, names(&data.train));
    keeps_its_promises(|cache_bytes| {
        let data = load(&source(dir.path()), cache_bytes).unwrap();
        data.hold_back(3).unwrap()
    });
}

#[test]
fn the_hash_sees_names_sizes_labels_and_parts() {
    let dir = imagenet();
    let hash = || loaded(dir.path()).sha256();
    let base = hash();
    assert_eq!(base, hash());
    let limited = loaded(dir.path()).limit(Some(6), None).unwrap();
    assert_ne!(base, limited.sha256());
    assert_ne!(base, loaded(dir.path()).hold_back(3).unwrap().sha256());

    let first = dir.path().join("train/n01440764/00.JPEG");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, [&bytes[..], &[0]].concat()).unwrap();
    assert_ne!(base, hash());
    fs::write(&first, &bytes).unwrap();
    assert_eq!(base, hash());
    fs::rename(&first, dir.path().join("train/n01440764/0.JPEG")).unwrap();
    assert_ne!(base, hash());
}

#[test]
fn mosaics_are_made_of_files_as_of_images_in_memory() {
    let dir = imagenet();
    let mosaic = Mosaic {
        grid: 2,
        labels: 2,
        skew: 0.0,
    };
    let data = loaded(dir.path()).with_mosaics(mosaic).unwrap();
    assert_eq!((data.train.len(), data.size()), (3, [32, 32]));
    let made = batches(&data.train, plan(&data));
    assert_eq!(made[0].pixels.len(), 3 * 3 * 32 * 32);
    let error = data.with_mosaics(mosaic).unwrap_err();
    assert!(matches!(error, DataError::MosaicOfSets), "{error}");
}

#[test]
fn a_broken_image_is_told_once_and_left_out_of_its_batch() {
    let dir = folder(&["a", "b"]);
    for image in 10..90 {
        write(&dir.path().join(format!("b/{image}.png")), &png(image));
    }
    // 78 training images, of which 1 may be broken: 1 %, rounded up.
    let broken = dir.path().join("a/00.JPEG");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let data = loaded(dir.path());
    let len = data.train.len();
    let base = plan(&data);
    let mut found = Vec::new();
    for workers in [0, 1, 3, 7] {
        let data = loaded(dir.path()); // met anew
        let plan = BatchPlan {
            workers,
            ..base.clone()
        };
        found.push(epoch(&data, plan.clone()));
        let (lens, broken, error) = &found[0];
        assert!(error.is_none());
        assert_eq!(lens.iter().sum::<usize>(), len - 1);
        assert!(lens.contains(&3));
        assert!(
            broken.len() == 1 && broken[0].ends_with("a/00.JPEG"),
            "{broken:?}"
        );
        let (again, told, _) = epoch(&data, plan);
        assert_eq!((&again, told.len()), (lens, 0), "told again");
    }
    for other in &found[1..] {
        assert_eq!((&other.0, &other.1), (&found[0].0, &found[0].1));
    }
    assert_eq!(data.broken_images().unwrap().len(), 1);

    fs::write(dir.path().join("b/40.png"), "no image").unwrap();
    let ends: Vec<_> = [0, 1, 3, 7]
        .map(|workers| {
            let plan = BatchPlan {
                workers,
                ..base.clone()
            };
            let (lens, broken, error) = epoch(&loaded(dir.path()), plan);
            (lens, broken, error.unwrap().to_string())
        })
        .to_vec();
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    assert!(ends[0].2.starts_with("2 of 7"), "{}", ends[0].2);
    assert!(ends[0].2.contains("more than the 1"), "{}", ends[0].2);
    assert_eq!(loaded(dir.path()).broken_images().unwrap().len(), 2);
}

#[test]
fn a_batch_that_is_left_with_no_image_is_passed_over_or_no_step() {
    let dir = folder(&["a", "b"]);
    fs::write(dir.path().join("a/01.JPEG"), "no image").unwrap();
    let data = loaded(dir.path());
    let plan = BatchPlan::test(1, data.normalization);
    let numbers: Vec<_> = batches(&data.train, plan)
        .iter()
        .map(|batch| batch.number)
        .collect();
    assert_eq!(numbers, [0, 2, 3, 4]);
    let plan = BatchPlan {
        order: Order::Shuffled,
        ..BatchPlan::test(1, data.normalization)
    };
    let (lens, _, error) = epoch(&data, plan);
    assert!(lens.len() < 5);
    assert!(matches!(error, Some(DataError::EmptyBatch { .. })));
}

#[test]
fn a_lost_file_ends_the_epoch_and_is_named() {
    let dir = folder(&["a", "b"]);
    let data = load(&source(dir.path()), 0).unwrap();
    fs::remove_file(dir.path().join("b/01.JPEG")).unwrap();
    let (_, broken, error) = epoch(&data, plan(&data));
    let error = error.unwrap();
    assert!(broken.is_empty());
    assert!(matches!(error, DataError::Read { .. }), "{error}");
    assert!(error.to_string().contains("b/01.JPEG"), "{error}");
}

#[test]
fn a_description_measures_stored_images() {
    let dir = folder(&["a", "b"]);
    let text = Description::of(&loaded(dir.path())).unwrap().to_string();
    assert!(text.contains("5 images of 16x16, mean (0."), "{text}");
    assert!(
        text.contains("      1  b             3       1\n"),
        "{text}"
    );
}
