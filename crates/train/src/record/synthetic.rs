//! Made-up records for tests: nothing in them was measured.

use crate::record::{
    AblationRecord, Claim, ClaimMetric, Confusion, DataRecord, EnvironmentRecord, EpochRecord,
    RECORD_VERSION, RunOrigin, RunRecord, RunState, Scores, VariantRecord,
};

const EPOCHS: usize = 12;

/// Returns every kind of record below.
pub(crate) fn all() -> Vec<AblationRecord> {
    named().into_iter().map(|(_, record)| record).collect()
}

/// Returns every kind of record below, by a name.
pub(crate) fn named() -> Vec<(&'static str, AblationRecord)> {
    vec![
        ("complete", complete()),
        ("incomplete", incomplete()),
        ("diverged", diverged()),
        ("labelled", labelled()),
        ("single", single_seed()),
        ("none", not_started()),
        ("crowded", crowded()),
        ("long-names", long_names()),
        ("grid", grid()),
        ("cube", cube()),
        ("validated", validated()),
    ]
}

/// Four variants, three seeds, twelve epochs.
pub(crate) fn complete() -> AblationRecord {
    let variants = vec![
        variant("xception", 1_258_610, 41_300_000, [0.88, 2.6]),
        variant("no-residual", 1_174_402, 38_900_000, [0.83, 4.2]),
        variant("intermediate-relu", 1_258_610, 41_300_000, [0.862, 2.9]),
        variant("intermediate-elu", 1_258_610, 41_300_000, [0.874, 2.6]),
    ];
    let mut record = record(variants, vec![1, 2, 3], EPOCHS);
    record.claims = vec![
        claim(ClaimMetric::BestTop1, "xception", "no-residual"),
        claim(ClaimMetric::MeanTop1, "xception", "intermediate-elu"),
        claim(ClaimMetric::FinalTrainLoss, "no-residual", "xception"),
    ];
    record
}

/// [`complete`] with runs that diverged, stopped and never began.
pub(crate) fn incomplete() -> AblationRecord {
    let mut record = complete();
    let variants = &mut record.variants;
    variants[1].runs.truncate(1);
    let diverged = &mut variants[2].runs[1];
    diverged.state = RunState::Diverged;
    diverged.epochs.truncate(7);
    if let Some(epoch) = diverged.epochs.last_mut() {
        epoch.train.loss = f64::NAN;
        epoch.test.loss = f64::NAN;
        epoch.test.top1 = 0.1;
    }
    for run in &mut variants[3].runs {
        run.state = RunState::Unfinished;
        run.epochs.truncate(5);
    }
    record
}

/// [`complete`] with a variant of which every run diverged, and one of which two did.
pub(crate) fn diverged() -> AblationRecord {
    let mut record = complete();
    let [_, all, two, ..] = record.variants.as_mut_slice() else {
        return record;
    };
    for run in all.runs.iter_mut().chain(&mut two.runs[1..]) {
        run.state = RunState::Diverged;
        run.epochs.truncate(4);
        if let Some(epoch) = run.epochs.last_mut() {
            epoch.train.loss = f64::NAN;
            epoch.test.loss = f64::NAN;
        }
    }
    record
}

/// [`complete`] with images held back for validation, and with what runs were made from.
pub(crate) fn validated() -> AblationRecord {
    let mut record = complete();
    record.data.validation_images = Some(500);
    let settings = |kind: &str| {
        let pair = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        vec![
            pair("model.xception.kind", kind),
            pair("recipe.batch_size", "64"),
        ]
    };
    for variant in &mut record.variants {
        variant.settings = settings(&variant.name);
        for run in &mut variant.runs {
            run.origin = Some(RunOrigin {
                versions: record.environment.versions.clone(),
                program_sha256: Some("c0de".repeat(16)),
                data_sha256: record.data.sha256.clone(),
            });
            for epoch in &mut run.epochs {
                // The best epoch on these images is not the last.
                let top1 = epoch.test.top1 - 0.05 * (epoch.epoch as f64 - 9.0).abs();
                let top1 = top1.clamp(0.0, 1.0);
                epoch.validation = Some(Scores {
                    top1,
                    top5: None,
                    map100: None,
                    images: 500,
                    ..epoch.test
                });
            }
        }
    }
    record
}

/// As [`complete`], on images with sets of labels.
pub(crate) fn labelled() -> AblationRecord {
    let mut record = complete();
    record.data.labels = Some(2);
    let runs = record.variants.iter_mut().flat_map(|v| &mut v.runs);
    for epoch in runs.flat_map(|run| &mut run.epochs) {
        epoch.test.map100 = Some(0.9 * epoch.test.top1);
    }
    record
}

/// Two axes of two and three values, named as a grid's variants are.
pub(crate) fn grid() -> AblationRecord {
    spanned(&[
        ("model.xception.residual", &["true", "false"]),
        (
            "model.xception.intermediate_activation",
            &["none", "relu", "elu"],
        ),
    ])
}

/// Three axes of two values.
pub(crate) fn cube() -> AblationRecord {
    spanned(&[
        ("model.xception.residual", &["true", "false"]),
        ("model.xception.dropout", &["0", "0.5"]),
        ("model.xception.width", &["0.5", "1"]),
    ])
}

/// Returns every combination of the values of axes; the last axis changes fastest.
fn spanned(axes: &[(&str, &[&str])]) -> AblationRecord {
    let mut settings: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (path, values) in axes {
        let with = |before: &Vec<(String, String)>| {
            let with = |value: &&str| {
                let setting = ((*path).to_owned(), (*value).to_owned());
                [before.as_slice(), &[setting]].concat()
            };
            values.iter().map(with).collect::<Vec<_>>()
        };
        settings = settings.iter().flat_map(with).collect();
    }
    let variants = settings.into_iter().enumerate().map(|(index, settings)| {
        let part = |(path, value): &(String, String)| {
            format!("{}={value}", path.rsplit('.').next().unwrap_or(path))
        };
        let name = settings.iter().map(part).collect::<Vec<_>>().join(", ");
        let level = 0.9 - 0.012 * index as f64;
        let mut variant = variant(&name, 1_258_610, 41_300_000, [level, 2.6]);
        variant.changes = settings;
        variant
    });
    record(variants.collect(), vec![1, 2, 3], EPOCHS)
}

/// Long names that differ at their beginnings, in their middles and at their ends.
pub(crate) fn long_names() -> AblationRecord {
    let names = [
        "xception",
        "without-any-residual-connection-in-the-entry-flow",
        "without-any-residual-connection-in-the-middle-flow",
        "without-any-residual-connection-in-the-exit-flow",
        "with_an_intermediate_activation_that_is_an_exponential_linear_unit_everywhere",
    ];
    let variants = names.iter().zip(0..).map(|(name, index)| {
        let level = 0.9 - 0.02 * f64::from(index);
        variant(name, 1_258_610, 41_300_000, [level, 2.6])
    });
    let mut record = record(variants.collect(), vec![1, 2, 3], EPOCHS);
    record.claims = vec![claim(ClaimMetric::FinalTop1, names[0], names[4])];
    record
}

/// [`complete`] with its first seed only.
pub(crate) fn single_seed() -> AblationRecord {
    let mut record = complete();
    record.seeds.truncate(1);
    for variant in &mut record.variants {
        variant.runs.truncate(1);
    }
    record
}

/// [`complete`] before its first run.
pub(crate) fn not_started() -> AblationRecord {
    let mut record = complete();
    for variant in &mut record.variants {
        variant.runs.clear();
    }
    record
}

/// More variants than there are colours, with long names, two seeds and forty epochs.
pub(crate) fn crowded() -> AblationRecord {
    crowd(10)
}

/// [`crowded`] with any number of variants.
pub(crate) fn crowd(count: usize) -> AblationRecord {
    let names: Vec<String> = (0..count)
        .map(|n| format!("segments-{}-of-728-channels", 1_u64 << n))
        .collect();
    let curve = |n: usize, seed: usize| -> Vec<f64> {
        let level = 0.5 + 0.3 * n as f64 / count as f64 + 0.004 * ((7 * n + 3) % 5 * seed) as f64;
        let rest = |epoch: usize| (-(epoch as f64) / (3.0 + n as f64)).exp();
        (1..=40).map(|epoch| level * (1.0 - rest(epoch))).collect()
    };
    let curves: Vec<[Vec<f64>; 2]> = (0..count)
        .map(|n| [0, 1].map(|seed| curve(n, seed)))
        .collect();
    let slices: Vec<[&[f64]; 2]> = curves
        .iter()
        .map(|[first, second]| [first.as_slice(), second.as_slice()])
        .collect();
    let variants: Vec<(&str, &[&[f64]])> = names
        .iter()
        .zip(&slices)
        .map(|(name, curves)| (name.as_str(), curves.as_slice()))
        .collect();
    let mut record = from_curves(&variants);
    record.base.clone_from(&names[4]);
    record
}

/// Returns a matrix of classes with long names, with guesses of a class without images and images without a
/// prediction.
pub(crate) fn confusion() -> Confusion {
    let kinds = ["beagle", "boxer", "collie", "dingo", "whippet", "wolf"];
    let name = |kind: &&str| format!("a photograph of a dog of the kind {kind}");
    let mut confusion = Confusion::new(kinds.iter().map(name).collect());
    for image in 0..400_usize {
        let class = image % 5;
        let guess = match image % 11 {
            0 => None,
            1 => Some(5),
            2..=4 => Some((class + image / 11) % 5),
            _ => Some(class),
        };
        confusion.add(class, guess);
    }
    confusion
}

/// Variants as (name, a curve of test top-1 for each seed); a loss is one less the accuracy.
pub(crate) fn from_curves(curves: &[(&str, &[&[f64]])]) -> AblationRecord {
    let epochs = curves[0].1[0].len();
    let seeds = (1..=curves[0].1.len() as u64).collect();
    let variants = curves
        .iter()
        .map(|(name, curves)| {
            let mut variant = variant(name, 1000, 1000, [0.5, 1.0]);
            variant.runs = curves
                .iter()
                .zip(1..)
                .map(|(curve, seed)| run(seed, curve.iter().map(|top1| (*top1, 1.0 - top1))))
                .collect();
            variant
        })
        .collect();
    let mut record = record(variants, seeds, epochs);
    record.claims.clear();
    record.data.test_images = 10_000;
    record
}

/// Variants as (name, the test top-1 of each seed's run of one epoch); 0 stands for a run that diverged.
pub(crate) fn with_diverged(variants: &[(&str, &[f64])]) -> AblationRecord {
    let curves: Vec<(&str, Vec<&[f64]>)> = variants
        .iter()
        .map(|(name, values)| (*name, values.iter().map(std::slice::from_ref).collect()))
        .collect();
    let slices: Vec<(&str, &[&[f64]])> = curves
        .iter()
        .map(|(name, curves)| (*name, curves.as_slice()))
        .collect();
    let mut record = from_curves(&slices);
    let runs = record.variants.iter_mut().flat_map(|v| &mut v.runs);
    for run in runs.filter(|run| run.epochs[0].test.top1 == 0.0) {
        run.state = RunState::Diverged;
        run.epochs[0].train.loss = f64::NAN;
        run.epochs[0].test.loss = f64::NAN;
    }
    record
}

/// Returns a claim of nobody.
pub(crate) fn claim(metric: ClaimMetric, better: &str, worse: &str) -> Claim {
    Claim {
        text: format!("{better} does better than {worse} (made up for a test)."),
        source: "Nobody, \"Nothing\", figure 0".to_owned(),
        metric,
        better: better.to_owned(),
        worse: worse.to_owned(),
    }
}

fn record(variants: Vec<VariantRecord>, seeds: Vec<u64>, epochs: usize) -> AblationRecord {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    AblationRecord {
        version: RECORD_VERSION,
        name: "synthetic".to_owned(),
        title: "Synthetic: residual connections and what stands between the convolutions"
            .to_owned(),
        question:
            "Nothing is asked here: the numbers of this record come from a formula, and only \
                   show what a report looks like. Do residual connections matter, and does a \
                   non-linearity between the depthwise and the pointwise convolution help?"
                .to_owned(),
        settings: vec![
            pair("optimizer", "SGD, momentum 0.9"),
            pair("learning rate", "0.045, × 0.94 every 2 epochs"),
            pair("batch size", "64"),
            pair("weight decay", "1e-5"),
            pair("augmentation", "flip, crop with 4 pixels of padding"),
            pair("dropout", "0.5"),
        ],
        data: DataRecord {
            name: "Synthetic images".to_owned(),
            source: "embedded".to_owned(),
            sha256: "5eed".repeat(16),
            classes: 10,
            labels: None,
            mean_labels: None,
            train_images: 4000,
            validation_images: None,
            test_images: 1000,
            size: [32, 32],
            citation: "Nobody, \"No images at all\", never published.".to_owned(),
        },
        environment: EnvironmentRecord {
            backend: "flex".to_owned(),
            device: "Cpu".to_owned(),
            devices: Vec::new(),
            processor: "Imaginary 9000".to_owned(),
            threads: 8,
            platform: "linux x86_64".to_owned(),
            versions: vec![pair("xception", "0.0.0"), pair("burn", "0.0.0")],
            program_sha256: None,
        },
        command: "xception ablate configs/ablations/synthetic.json --data embedded".to_owned(),
        seeds,
        epochs,
        base: variants[0].name.clone(),
        variants,
        claims: Vec::new(),
    }
}

/// Returns a variant that nears the accuracy `level` with a time constant of `pace` epochs.
fn variant(
    name: &str,
    parameters: u64,
    multiply_adds: u64,
    [level, pace]: [f64; 2],
) -> VariantRecord {
    let runs = [1, 2, 3].map(|seed| {
        let letters = name.bytes().map(u64::from).sum::<u64>();
        let mut noise = Noise::of((letters << 32) + seed);
        // What a seed does to all variants, and what to this one.
        let shared = Noise::of(seed).next();
        let level = level + 0.012 * shared + 0.006 * noise.next();
        run(
            seed,
            (1..=EPOCHS).map(|epoch| {
                let rest = (-(epoch as f64) / pace).exp();
                let top1 = level - (level - 0.1) * rest + 0.02 * noise.next() * (rest + 0.2);
                (
                    top1,
                    0.08 + 2.2 * rest + 0.9 * (1.0 - level) + 0.02 * noise.next(),
                )
            }),
        )
    });
    VariantRecord {
        name: name.to_owned(),
        changes: if name == "xception" {
            Vec::new()
        } else {
            vec![("model.kind".to_owned(), format!("\"{name}\""))]
        },
        parameters,
        multiply_adds: Some(multiply_adds),
        settings: Vec::new(),
        runs: runs.to_vec(),
        damaged: Vec::new(),
    }
}

fn run(seed: u64, curve: impl Iterator<Item = (f64, f64)>) -> RunRecord {
    let scores = |loss: f64, top1: f64, images| Scores {
        loss,
        top1,
        top5: Some(top1.mul_add(0.5, 0.5)),
        map100: None,
        images,
    };
    RunRecord {
        version: RECORD_VERSION,
        seed,
        state: RunState::Finished,
        parameters: 1000,
        epochs: curve
            .zip(1..)
            .map(|((top1, loss), epoch)| EpochRecord {
                epoch,
                steps: 63,
                skipped_steps: 0,
                learning_rate: 0.045 * 0.94_f64.powi((epoch as i32 - 1) / 2),
                train: scores(loss, top1, 4000),
                validation: None,
                test: scores(loss + 0.01 * epoch as f64, top1, 1000),
                weights: None,
                train_seconds: 9.5 + seed as f64 / 7.0,
                test_seconds: 0.75,
            })
            .collect(),
        divergence: None,
        network_sha256: None,
        origin: None,
    }
}

/// Numbers from -1 to 1 that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): unlike those of a linear
    /// generator, the numbers of neighbouring seeds don't differ by the same.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = mixed ^ (mixed >> 31);
        (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
