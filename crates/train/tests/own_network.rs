//! A network that the laboratory has never seen: trained, stopped, resumed, compared and reported.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_train::ablation::Event;
use xception_train::config::schema::FileKind;
use xception_train::config::{FineTuning, Freeze};
use xception_train::network::Trained;
use xception_train::prelude::*;
use xception_train::record::{AblationRecord, RunState};
use xception_train::report::Verdict;
use xception_train::training::{Place, StopReason};

/// A convolution and a linear classifier.
#[derive(Module, Debug)]
struct Patches {
    convolution: Conv2d,
    normalization: Option<BatchNorm>,
    classifier: Linear,
}

impl ImageClassifier for Patches {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = self.convolution.forward(images);
        if let Some(normalization) = &self.normalization {
            x = normalization.forward(x);
        }
        let pooled = relu(x).mean_dim(3).mean_dim(2).flatten(1, 3);
        self.classifier.forward(pooled)
    }

    fn minimum_size(&self) -> usize {
        8
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PatchesConfig {
    /// Number of kernels.
    #[schemars(range(min = 1))]
    channels: usize,
    /// Whether outputs are normalized.
    #[serde(default)]
    normalization: bool,
    /// Number of classes.
    #[serde(default)]
    classes: usize,
}

impl NetworkConfig for PatchesConfig {
    type Network = Patches;

    fn name(&self) -> String {
        "patches".to_owned()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn check(&self) -> Result<(), ModelError> {
        match self.channels {
            0 => Err(ModelError::OutOfRange {
                option: "channels",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn init(&self, device: &Device) -> Result<Patches, BoxedError> {
        if self.channels == 13 {
            return Err("13 kernels bring bad luck".into());
        }
        Ok(Patches {
            convolution: Conv2dConfig::new([3, self.channels], [8, 8])
                .with_stride([8, 8])
                .init(device),
            normalization: self
                .normalization
                .then(|| BatchNormConfig::new(self.channels).init(device)),
            classifier: LinearConfig::new(self.channels, self.classes).init(device),
        })
    }
}

const ABLATION: &str = r#"{
  "title": "Normalization of patches", "question": "Is it better with normalization?",
  "base": {
    "model": {"channels": 6},
    "data": {"train_images": 60, "test_images": 20},
    "recipe": {"epochs": 2, "batch_size": 20}
  },
  "axes": [{"path": "model.normalization", "values": [false, true]}],
  "seeds": [1, 2],
  "claims": [{
    "text": "Normalization lowers the training loss.", "source": "a test", "metric": "final_train_loss",
    "better": "normalization=true", "worse": "normalization=false"
  }]
}"#;

/// Burn's generator is one for the whole process: one run at a time draws from it.
static TRAINING: Mutex<()> = Mutex::new(());

fn plan() -> Plan<PatchesConfig> {
    let config = AblationConfig::parse("patches", ABLATION, &[]).unwrap();
    Plan::new(config, &Device::flex()).unwrap()
}

/// Runs the ablation; with a number, someone asks for its end after so many epochs of all runs.
fn run(
    plan: &Plan<PatchesConfig>,
    out: &Path,
    stop_after: Option<usize>,
) -> (Result<AblationRecord, TrainError>, Vec<String>) {
    let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
    let (stop, lines) = (StopSignal::new(), Arc::new(Mutex::new(Vec::new())));
    let (signal, seen) = (stop.clone(), lines.clone());
    let device = Device::flex();
    let execution = Execution {
        display: Display::Quiet,
        stop,
        observer: Arc::new(move |event| {
            let mut seen = seen.lock().unwrap();
            seen.push(event.to_string());
            let epochs = seen.iter().filter(|line| line.contains(": epoch ")).count();
            if matches!(event, Event::Epoch { .. }) && Some(epochs) == stop_after {
                signal.request(StopReason::Interrupted);
            }
        }),
        ..Execution::new(&device, "flex")
    };
    let outcome = execution.run(plan, out).map(|outcome| outcome.record);
    drop(execution);
    (
        outcome,
        Arc::into_inner(lines).unwrap().into_inner().unwrap(),
    )
}

/// All that the runs measured, without times.
fn measured(record: &AblationRecord) -> Vec<(String, u64, Vec<[f64; 4]>)> {
    let mut all = Vec::new();
    for variant in &record.variants {
        for run in &variant.runs {
            assert_eq!(run.state, RunState::Finished);
            let epochs = run.epochs.iter();
            let scores = epochs.map(|e| [e.train.loss, e.train.top1, e.test.loss, e.test.top1]);
            all.push((variant.name.clone(), run.seed, scores.collect()));
        }
    }
    all
}

#[test]
fn an_ablation_that_was_stopped_goes_on_with_the_same_numbers_and_ends_in_a_report() {
    let (plan, folder) = (plan(), tempfile::tempdir().unwrap());
    let text = plan.to_string();
    let row =
        |name: &str, parameters: usize| format!("  {name:<19}  {parameters:>12}        unknown");
    let parameters = 6 * 3 * 64 + 6 + 6 * 10 + 10;
    assert!(
        text.contains(&row("normalization=false", parameters)),
        "{text}"
    );
    assert!(
        text.contains(&row("normalization=true", parameters + 12)),
        "{text}"
    );

    let whole = folder.path().join("whole");
    let (record, lines) = run(&plan, &whole, None);
    let record = record.unwrap();
    let expected = measured(&record);
    assert_eq!(expected.len(), 4);
    assert!(expected.iter().all(|(_, _, epochs)| epochs.len() == 2));
    assert_ne!(expected[0].2, expected[1].2, "seeds make no difference");
    assert_eq!(lines[0], "run 1/4: normalization=false, seed 1");
    assert!(
        lines[1].starts_with("normalization=false, seed 1: epoch 1/2: training loss"),
        "{lines:?}"
    );

    // Within the second run, after its first epoch.
    let stopped = folder.path().join("stopped");
    let (error, _) = run(&plan, &stopped, Some(3));
    let error = error.unwrap_err();
    assert!(
        matches!(error, TrainError::Interrupted { place, .. } if place == Place::after(1)),
        "{error}"
    );
    let (again, lines) = run(&plan, &stopped, None);
    assert_eq!(measured(&again.unwrap()), expected);
    assert_eq!(
        lines[0],
        "run 1/4: normalization=false, seed 1 was done before"
    );
    assert!(lines[2].contains("seed 1: epoch 2/2"), "{lines:?}");

    // The report is made from the records, which say that nobody counted the multiply-adds.
    assert_eq!(
        ablation::read(&stopped, &|_| ()).unwrap().variants[0].multiply_adds,
        None
    );
    let study = fs::read_to_string(whole.join("ablation.json")).unwrap();
    assert!(!study.contains("multiply_adds"), "{study}");
    for file in ["report.html", "report.md"] {
        let page = fs::read_to_string(whole.join(file)).unwrap();
        assert!(page.contains("Normalization of patches"), "{file}");
        assert!(page.contains("unknown"), "{file}");
        assert!(
            page.contains("Normalization lowers the training loss"),
            "{file}"
        );
    }
    let verdicts = report::verdicts(&record);
    assert_eq!(verdicts.len(), 1);
    let (better, worse) = (verdicts[0].better.unwrap(), verdicts[0].worse.unwrap());
    let loss = |index: usize| expected[index].2[1][0];
    assert_eq!(better.mean, (loss(2) + loss(3)) / 2.0);
    assert_eq!(worse.mean, (loss(0) + loss(1)) / 2.0);
    let excludes_zero = verdicts[0]
        .difference
        .unwrap()
        .interval
        .unwrap()
        .excludes_zero();
    assert_eq!(verdicts[0].verdict == Verdict::TooFewToTell, !excludes_zero);
    let table = report::table(&record);
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(
        rows[0].starts_with("normalization=false") && rows[0].contains("1228"),
        "{table}"
    );
    assert!(
        rows[1].starts_with("normalization=true") && rows[1].ends_with("  2"),
        "{table}"
    );
}

#[test]
fn a_mistake_in_the_configuration_has_its_place() {
    let error = |from: &str, to: &str| {
        assert!(ABLATION.contains(from));
        let text = ABLATION.replace(from, to);
        let config = AblationConfig::<PatchesConfig>::parse("patches", &text, &[]);
        config.unwrap_err().to_string()
    };
    let expected = "line 4, column 15: `model.chanels`: there is no such key; did you mean `channels`? (the keys here \
                    are `channels`, `normalization` and `classes`)";
    assert_eq!(error("\"channels\": 6", "\"chanels\": 6"), expected);
    let message = error("model.normalization\"", "model.normalisation\"");
    let expected = "line 8, column 55: `model.normalisation`: there is no such key; did you mean `normalization`?";
    assert!(message.starts_with(expected), "{message}");
    let message = error("[false, true]", "[false, 1]");
    let expected =
        "line 8, column 62: `model.normalization`: is 1, but has to be `true` or `false`";
    assert!(message.starts_with(expected), "{message}");
    let message = error("\"channels\": 6", "\"channels\": 0");
    let expected = "line 4, column 15: `model.channels`: is 0, but has to be at least 1";
    assert!(message.starts_with(expected), "{message}");
    let changes = ["model.channels=many".parse().unwrap()];
    let config = RunConfig::<PatchesConfig>::parse(r#"{"model": {"channels": 6}}"#, &changes);
    let expected = "`model.channels=\"many\"`: `model.channels`: is \"many\", but has to be a whole number, 0 or more";
    assert_eq!(config.unwrap_err().to_string(), expected);
}

#[test]
fn the_number_of_classes_is_that_of_the_data() {
    let read = |text: &str| RunConfig::<PatchesConfig>::parse(text, &[]).unwrap();
    let open = read(r#"{"model": {"channels": 6}}"#);
    assert_eq!(open.resolve(10).unwrap().model.classes, 10);
    let given = read(r#"{"model": {"channels": 6, "classes": 7}}"#);
    let message = given.resolve(10).unwrap_err().to_string();
    assert!(
        message.starts_with("the model has 7 classes, but the data has 10"),
        "{message}"
    );
    // A change of something else leaves open what was open.
    let changed = open.changed(&["recipe.epochs=3".parse().unwrap()]).unwrap();
    assert_eq!(changed.resolve(5).unwrap().model.classes, 5);
}

#[test]
fn a_network_that_does_not_fit_is_an_error() {
    let fails = |text: &str| {
        let config = RunConfig::<PatchesConfig>::parse(text, &[]).unwrap();
        let (config, data) = Run::prepare(&config).unwrap();
        Run::outline(&config, &data, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    let message = fails(r#"{"model": {"channels": 13}}"#);
    assert_eq!(
        message,
        "can't make the network patches: 13 kernels bring bad luck"
    );
    let device = Device::flex();
    let config = PatchesConfig {
        channels: 1,
        normalization: false,
        classes: 2,
    };
    let error = config
        .init(&device)
        .unwrap()
        .check_size([9, 7])
        .unwrap_err();
    let expected = "images of 9 x 7 pixels are too small for this network: it needs at least 8 x 8";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_trained_network_is_loaded_with_all_that_it_takes_and_can_be_trained_further() {
    let (plan, folder) = (plan(), tempfile::tempdir().unwrap());
    let out = folder.path().join("out");
    run(&plan, &out, None).0.unwrap();
    let device = Device::flex();
    let variant = &plan.variants[1];
    let first = plan.run_folder(&out, &variant.variant, 1);
    let file = RunFolder::trained_network(&first).unwrap();
    let trained: Trained<PatchesConfig> = PatchesConfig::load(&file, &device).unwrap();
    let expected = PatchesConfig {
        channels: 6,
        normalization: true,
        classes: 10,
    };
    assert_eq!(trained.config, expected);
    assert_eq!(trained.labels.unwrap().name(3), Some("cat"));
    assert_eq!(trained.preprocessing, variant.data.preprocessing());

    // Written again, it is the same file, running statistics included.
    let trained = PatchesConfig::load(&file, &device).unwrap();
    let copy = folder.path().join("copy.bpk");
    PatchesConfig::save(&trained, &copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&file).unwrap());
    assert_ne!(
        fs::read(&copy).unwrap(),
        fs::read(plan.run_folder(&out, &variant.variant, 2).join("model.bpk")).unwrap()
    );

    // Another network's file is refused.
    let other = plan.run_folder(&out, &plan.variants[0].variant, 1);
    let mut bytes =
        PatchesConfig::load(&RunFolder::trained_network(&other).unwrap(), &device).unwrap();
    bytes.config.normalization = true;
    PatchesConfig::save(&bytes, &copy).unwrap();
    let error = PatchesConfig::load(&copy, &device).unwrap_err().to_string();
    assert!(error.contains("copy.bpk can't be used"), "{error}");

    // A run starts from it, with all of it and its head.
    let mut config = variant.variant.config.clone();
    config.recipe.epochs = 1;
    config.recipe.learning_rate = 1e-9;
    config.finetune = Some(FineTuning {
        freeze: Freeze::None,
        head: xception_train::config::StartingHead::Keep,
        ..FineTuning::new(first.display().to_string())
    });
    let (prepared, data) = Run::prepare(&config).unwrap();
    let further = {
        let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
        let run = Run::new(&prepared, &data, 1, &device, "flex");
        run.train(&folder.path().join("further"), |_| ()).unwrap()
    };
    let before = RunFolder::read_record(&first).unwrap().unwrap().epochs[1].clone();
    let change = further.epochs[0].train.loss - before.train.loss;
    assert!(change.abs() < 0.2, "it started anew: {change}");

    // What it doesn't have is said.
    let message = |finetune: FineTuning| {
        let mut config = config.clone();
        config.finetune = Some(finetune);
        Run::prepare(&config).unwrap_err().to_string()
    };
    let kept = config.finetune.clone().unwrap();
    let new_head = FineTuning::new(first.display().to_string());
    let expected =
        "this kind of network can't start with a new classifier: set finetune.head to `keep`";
    assert!(message(new_head).starts_with(expected));
    let frozen = FineTuning {
        freeze: Freeze::Backbone,
        ..kept
    };
    let expected =
        "the network names no stages, so finetune.freeze has nothing to hold on to: set it to none";
    assert_eq!(message(frozen), expected);
}

#[test]
fn a_folder_with_a_run_of_another_network_is_refused() {
    let (plan, folder) = (plan(), tempfile::tempdir().unwrap());
    let out = folder.path().join("out");
    run(&plan, &out, Some(1)).0.unwrap_err();
    let text = ABLATION.replace("\"channels\": 6", "\"channels\": 5");
    let config = AblationConfig::parse("patches", &text, &[]).unwrap();
    let other: Plan<PatchesConfig> = Plan::new(config, &Device::flex()).unwrap();
    let error = run(&other, &out, None).0.unwrap_err().to_string();
    assert!(
        error.contains("`config.model.channels` is 6 there, 5 here"),
        "{error}"
    );

    // Of a type that can't even read the other's configuration.
    let run_folder = plan.run_folder(&out, &plan.variants[0].variant, 1);
    let config = <RunConfig>::parse(r#"{"model": {"xception": {"stem": "small"}}}"#, &[]).unwrap();
    let (config, data) = Run::prepare(&config).unwrap();
    let device = Device::flex();
    let run = Run::new(&config, &data, 1, &device, "flex");
    let error = RunFolder::check(&run_folder, &run.manifest().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`config.model.channels` is 6 there, null here"),
        "{error}"
    );
}

#[test]
fn schemas_have_the_networks_options() {
    let schema = FileKind::Run.schema_of::<PatchesConfig>();
    let model = &schema["$defs"]["PatchesConfig"];
    assert_eq!(model["properties"]["channels"]["minimum"], 1);
    assert_eq!(model["required"], serde_json::json!(["channels"]));
    assert_eq!(model["additionalProperties"], false);
    let schema = FileKind::Ablation.schema_of::<PatchesConfig>();
    let set = &schema["$defs"]["VariantConfig"]["properties"]["set"];
    assert!(
        set["properties"].get("model.normalization").is_some(),
        "{set}"
    );
    assert!(
        set["properties"].get("model.xception.width").is_none(),
        "{set}"
    );
}
