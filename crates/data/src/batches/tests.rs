use std::sync::Arc;

use super::*;
use crate::Images;

const COUNT: usize = 23;

fn images() -> Arc<Images> {
    let pixels = (0..COUNT * 3 * 8 * 8)
        .map(|i| (i * 7 % 256) as u8)
        .collect();
    let labels = (0..COUNT as u32).map(|i| i % 3).collect();
    Arc::new(Images::new([8, 8], pixels, labels, 3).unwrap())
}

fn plan() -> BatchPlan {
    BatchPlan::train(5, Normalization::CIFAR10, 11)
}

fn collect(plan: BatchPlan) -> Vec<Batch> {
    Batches::new(images(), plan)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn parts_put_together_are_the_batch() {
    let batch = collect(plan()).swap_remove(0);
    let parts = [0..2, 2..3, 3..5].map(|range| batch.part(range));
    let pixels: Vec<f32> = parts.iter().flat_map(|part| part.pixels.clone()).collect();
    let indices: Vec<u32> = parts.iter().flat_map(|part| part.indices.clone()).collect();
    assert_eq!(
        (pixels, indices),
        (batch.pixels.clone(), batch.indices.clone())
    );
    for part in &parts {
        assert_eq!(part.targets.len(), part.len());
    }
    assert_eq!(batch.part(0..9), batch);
    assert!(batch.part(7..9).is_empty());
    let sets = Targets::Sets {
        sets: vec![vec![0], vec![1, 2], vec![2]],
        classes: 3,
    };
    let expected = Targets::Sets {
        sets: vec![vec![1, 2], vec![2]],
        classes: 3,
    };
    assert_eq!(sets.part(1..3), expected);
}

#[test]
fn workers_change_nothing() {
    let expected = collect(plan());
    assert_eq!(expected.len(), 5);
    for workers in [1, 3, 100] {
        assert_eq!(
            collect(BatchPlan { workers, ..plan() }),
            expected,
            "{workers} workers"
        );
    }
}

#[test]
fn starting_in_the_middle_skips() {
    let expected = collect(plan());
    for workers in [0, 2] {
        for start_batch in 0..=5 {
            let found = collect(BatchPlan {
                start_batch,
                workers,
                ..plan()
            });
            assert_eq!(found, expected[start_batch..]);
        }
    }
}

#[test]
fn every_image_comes_once_an_epoch() {
    let mut orders = Vec::new();
    for epoch in 0..2 {
        let batches = collect(BatchPlan { epoch, ..plan() });
        let indices: Vec<u32> = batches
            .iter()
            .flat_map(|batch| batch.indices.clone())
            .collect();
        let mut sorted = indices.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..COUNT as u32).collect::<Vec<_>>());
        for batch in &batches {
            assert_eq!(batch.pixels.len(), batch.len() * 3 * 8 * 8);
            let labels = batch.indices.iter().map(|index| index % 3).collect();
            assert_eq!(batch.targets, Targets::Classes(labels));
        }
        orders.push(indices);
    }
    assert_ne!(orders[0], orders[1]);
}

#[test]
fn batch_size_does_not_change_what_happens_to_an_image() {
    let whole = collect(BatchPlan {
        batch_size: usize::MAX,
        ..plan()
    });
    let parts = collect(plan());
    assert_eq!(whole.len(), 1);
    assert_eq!(
        whole[0].pixels,
        parts
            .into_iter()
            .flat_map(|batch| batch.pixels)
            .collect::<Vec<_>>()
    );
}

#[test]
fn mixtures_depend_on_neither_batch_size_nor_workers() {
    let mixed = |batch_size, workers| BatchPlan {
        batch_size,
        workers,
        augmentation: Augmentation {
            mixup: Some(0.4),
            ..Augmentation::default()
        },
        ..plan()
    };
    let joined = |batches: Vec<Batch>| {
        let (mut pixels, mut shares, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for batch in batches {
            let mixture = batch.mixture.unwrap();
            let Targets::Classes(classes) = mixture.targets else {
                panic!("images have one class each");
            };
            assert_eq!(classes.len(), mixture.shares.len());
            pixels.extend(batch.pixels);
            shares.extend(mixture.shares);
            second.extend(classes);
        }
        (pixels, shares, second)
    };
    let expected = joined(collect(mixed(COUNT, 0)));
    for (batch_size, workers) in [(1, 0), (2, 1), (5, 3), (7, 0), (22, 0)] {
        assert_eq!(joined(collect(mixed(batch_size, workers))), expected);
    }
    // By the definition, from the images without mixing.
    let (pixels, shares, second) = expected;
    let [plain] = &collect(BatchPlan {
        batch_size: COUNT,
        ..plan()
    })[..] else {
        panic!("one batch");
    };
    let len = 3 * 8 * 8;
    for place in 0..COUNT {
        let other = if place == COUNT - 1 { place } else { place ^ 1 };
        assert_eq!(second[place], plain.indices[other] % 3);
        assert_eq!(shares[place] == 1.0, place == other, "{}", shares[place]);
        for i in 0..len {
            let expected = shares[place] * plain.pixels[place * len + i]
                + (1.0 - shares[place]) * plain.pixels[other * len + i];
            assert!((pixels[place * len + i] - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn waiting_is_counted() {
    for workers in [0, 2] {
        let mut batches = Batches::new(images(), BatchPlan { workers, ..plan() }).unwrap();
        assert_eq!(batches.waited(), Duration::ZERO);
        assert_eq!(batches.by_ref().count(), 5);
        assert!(batches.waited() > Duration::ZERO);
        assert!((workers.min(1)..=workers).contains(&batches.workers()));
    }
}

#[test]
fn last_batch_is_short_or_dropped() {
    let lens = |plan| collect(plan).iter().map(Batch::len).collect::<Vec<_>>();
    assert_eq!(lens(plan()), [5, 5, 5, 5, 3]);
    assert_eq!(
        lens(BatchPlan {
            drop_last: true,
            ..plan()
        }),
        [5, 5, 5, 5]
    );
    assert_eq!(num_batches(20, 5, true), 4);
    assert_eq!(num_batches(20, 5, false), 4);
    assert_eq!(num_batches(3, 5, true), 0);
    assert_eq!(num_batches(3, 0, false), 0);
}

#[test]
fn test_batches_are_the_images_in_order() {
    let batches = collect(BatchPlan::test(
        10,
        Normalization {
            mean: [0.0; 3],
            std: [1.0 / 255.0; 3],
        },
    ));
    let pixels = batches.into_iter().flat_map(|batch| batch.pixels);
    for (found, expected) in pixels.zip(images().pixels()) {
        assert!((found - f32::from(*expected)).abs() < 1e-3);
    }
}

#[test]
fn dropping_early_ends_the_workers() {
    let images = images();
    let mut batches = Batches::new(
        Arc::clone(&images),
        BatchPlan {
            workers: 2,
            batch_size: 1,
            ..plan()
        },
    )
    .unwrap();
    batches.next().unwrap().unwrap();
    drop(batches);
    assert_eq!(Arc::strong_count(&images), 1);
}

#[test]
fn impossible_plans_are_errors() {
    let error = |plan| Batches::new(images(), plan).err().unwrap();
    assert!(matches!(
        error(BatchPlan {
            batch_size: 0,
            ..plan()
        }),
        DataError::BatchSize
    ));
    assert!(matches!(
        error(BatchPlan {
            start_batch: 6,
            ..plan()
        }),
        DataError::StartBatch {
            start: 6,
            batches: 5
        }
    ));
    let augmentation = Augmentation {
        crop_padding: usize::MAX,
        ..Augmentation::default()
    };
    assert!(matches!(
        error(BatchPlan {
            augmentation,
            ..plan()
        }),
        DataError::CropPadding { .. }
    ));
}
