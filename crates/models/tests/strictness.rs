//! Missing, unused and misshapen tensors are errors that name the tensors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use support::reference::{values, write};
use xception_formats::read_safetensors;
use xception_models::layers::Stem;
use xception_models::preprocessing::Filter;
use xception_models::pretrained;
use xception_models::weights::{
    Head, LoadOptions, Loaded, Source, WeightsError, export_names, load, save_safetensors,
};
use xception_models::{
    AlignedXceptionConfig, AlignedXceptionDepth, FactorizedConfig, FactorizedConvolution,
    GoogLeNetConfig, InceptionResNetV2Config, ModelConfig, Network, OutputStride, ResNetConfig,
    ResNetDepth, ShuffleNetGroups, ShuffleNetV1Config, VggConfig, XceptionConfig,
};

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Makes a narrow network's tensors under torchvision's names.
fn tensors() -> Tensors {
    exported(ModelConfig::ResNet(
        ResNetConfig::new(7)
            .with_depth(ResNetDepth::ResNet18)
            .with_width(0.125),
    ))
}

/// Makes a network's tensors under the names with which it is exported.
fn exported(config: ModelConfig) -> Tensors {
    let loaded = Loaded {
        source: Source::Native,
        model: config.init(&Device::flex()).unwrap(),
        preprocessing: Source::Native.preprocessing(&config),
        labels: None,
        multi_label: false,
        config: config.clone(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    save_safetensors(&loaded, &path).unwrap();
    let read = read_safetensors(&path).unwrap();
    export_names(&config)
        .into_iter()
        .map(|(_, name)| {
            let tensor = &read.tensors[&name];
            (name, tensor.shape().to_vec(), tensor.read().unwrap())
        })
        .collect()
}

fn load_with(tensors: &Tensors, options: &LoadOptions) -> Result<Loaded, WeightsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.safetensors");
    write(&path, tensors);
    load(&path, options, &Device::flex())
}

fn error(tensors: &Tensors) -> String {
    load_with(tensors, &LoadOptions::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn the_older_name_of_xceptions_classifier_brings_its_own_preprocessing() {
    let config = XceptionConfig::new(7).with_width(0.125);
    let mut tensors = exported(ModelConfig::Xception(config));
    let timm = load_with(&tensors, &LoadOptions::default()).unwrap();
    for (name, _, _) in &mut tensors {
        *name = name.replace("fc.", "last_linear.");
    }
    let cadene = load_with(&tensors, &LoadOptions::default()).unwrap();
    assert_eq!((timm.source, cadene.source), (Source::Timm, Source::Cadene));
    assert_eq!(cadene.preprocessing.resize.filter, Filter::Bilinear);
    let images = Tensor::ones([1, 3, 96, 96], &Device::flex());
    let [a, b] = [timm, cadene].map(|loaded| loaded.model.forward(images.clone()).into_data());
    assert_eq!(a, b);
}

#[test]
fn the_background_class_is_left_out_unless_the_classes_are_the_callers() {
    let config = ModelConfig::InceptionResNetV2(InceptionResNetV2Config {
        block35: 1,
        block17: 1,
        block8: 2,
        ..InceptionResNetV2Config::new(1001).with_width(0.125)
    });
    let mut tensors = exported(config.clone());
    let load = |tensors: &Tensors, config: Option<&ModelConfig>| {
        let options = LoadOptions {
            config: config.cloned(),
            ..LoadOptions::default()
        };
        load_with(tensors, &options).unwrap()
    };
    let logits = |loaded: &Loaded| {
        let images = Tensor::ones([1, 3, 75, 75], &Device::flex());
        values(loaded.model.forward(images))
    };
    let own = load(&tensors, Some(&config));
    assert_eq!(
        (own.config.clone(), own.labels.is_some()),
        (config.clone(), false)
    );
    let expected = logits(&own)[1..].to_vec();

    let imagenet = config.clone().with_classes(1000);
    let timm = load(&tensors, None);
    assert_eq!(timm.source, Source::Timm);
    for (name, _, _) in &mut tensors {
        *name = name.replace("classif.", "last_linear.");
    }
    let cadene = load(&tensors, None);
    assert_eq!(cadene.source, Source::Cadene);
    assert_eq!(cadene.preprocessing.resize.filter, Filter::Bilinear);
    for loaded in [timm, cadene, load(&tensors, Some(&imagenet))] {
        assert_eq!(loaded.config, imagenet);
        assert_eq!(logits(&loaded), expected);
        assert_eq!(loaded.labels.unwrap().len(), 1000);
    }

    // Other numbers of classes, and other networks, have no background.
    let fewer = exported(config.with_classes(1000));
    assert_eq!(load(&fewer, None).config, imagenet);
    let xception = XceptionConfig::new(1001).with_width(0.125);
    let xception = exported(ModelConfig::Xception(xception));
    assert_eq!(load(&xception, None).config.classes(), 1001);
}

#[test]
fn this_crates_own_files_have_no_background() {
    let config = ModelConfig::InceptionResNetV2(InceptionResNetV2Config {
        block35: 0,
        block17: 0,
        block8: 0,
        ..InceptionResNetV2Config::new(1001).with_width(0.125)
    });
    let device = Device::flex();
    let saved = Loaded {
        source: Source::Timm,
        model: config.init(&device).unwrap(),
        preprocessing: Source::Timm.preprocessing(&config),
        labels: None,
        multi_label: false,
        config: config.clone(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    save_safetensors(&saved, &path).unwrap();
    let loaded = load(&path, &LoadOptions::default(), &device).unwrap();
    assert_eq!(loaded.config, config);
}

#[test]
fn all_tensors_without_metadata_are_enough() {
    let loaded = load_with(&tensors(), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.model.classes(), 7);
    assert_eq!(loaded.source, Source::Torchvision);
}

#[test]
fn names_and_shapes_show_the_options_of_the_factorized_network() {
    for convolution in [
        FactorizedConvolution::Dense,
        FactorizedConvolution::SingleIntraChannel,
        FactorizedConvolution::SpatialBottleneck,
    ] {
        let bases = match convolution {
            FactorizedConvolution::Dense => 1,
            _ => 2,
        };
        for (topology, kernel, stem) in
            [([0; 4], 3, Stem::Standard), ([1, 2, 0, 3], 5, Stem::Small)]
        {
            let config = ModelConfig::Factorized(FactorizedConfig {
                convolution,
                topology,
                kernel,
                stem,
                bases,
                layers: [1, 3, 2, 1],
                ..FactorizedConfig::new(7).with_width(0.25)
            });
            let tensors = exported(config.clone());
            let loaded = load_with(&tensors, &LoadOptions::default()).unwrap();
            assert_eq!(loaded.config, config);
            assert_eq!(loaded.source, Source::Native);
            let options = LoadOptions {
                head: Head::New(3),
                ..LoadOptions::default()
            };
            assert_eq!(load_with(&tensors, &options).unwrap().model.classes(), 3);
        }
    }
}

#[test]
fn a_misspelt_tensor_is_missing_and_unused_with_a_hint() {
    let mut tensors = tensors();
    let wrong = tensors
        .iter_mut()
        .find(|(name, ..)| name == "layer2.0.bn1.bias")
        .unwrap();
    wrong.0 = "layer2.0.bn1.bais".to_owned();
    let error = error(&tensors);
    assert!(
        error.contains("1 missing: layer2.0.bn1.bias (there is layer2.0.bn1.bais)"),
        "{error}"
    );
    assert!(error.contains("1 unused: layer2.0.bn1.bais"), "{error}");
}

#[test]
fn groups_and_widths_are_recognized_by_the_shapes() {
    for (groups, width_per_group, width) in [
        (1, 64, 0.125),
        (32, 4, 0.25),
        (2, 40, 0.5),
        (8, 14, 1.0),
        (1, 128, 0.25),
    ] {
        let config = ResNetConfig {
            groups,
            width_per_group,
            ..ResNetConfig::new(7).with_width(width)
        };
        let config = ModelConfig::ResNet(config);
        let loaded = load_with(&exported(config.clone()), &LoadOptions::default()).unwrap();
        assert_eq!(loaded.config, config);
        assert_eq!(loaded.source, Source::Torchvision);
    }
}

#[test]
fn groups_that_no_network_has_are_misshapen() {
    let config = ResNetConfig {
        groups: 4,
        width_per_group: 24,
        ..ResNetConfig::new(7).with_width(0.25)
    };
    let whole = exported(ModelConfig::ResNet(config));
    // Another number of groups in one block; groups that don't divide the channels; a group without channels.
    for (name, of_a_group) in [
        ("layer2.1.conv2.weight", 24),
        ("layer1.0.conv2.weight", 7),
        ("layer1.0.conv2.weight", 0),
    ] {
        let mut tensors = whole.clone();
        let wrong = tensors.iter_mut().find(|(other, ..)| other == name);
        let (_, shape, values) = wrong.unwrap();
        shape[1] = of_a_group;
        values.resize(shape.iter().product(), 0.0);
        let error = error(&tensors);
        assert!(error.contains(&format!("{name} is [")), "{error}");
    }
}

#[test]
fn the_aligned_xceptions_are_recognized_by_names_and_shapes() {
    for depth in AlignedXceptionDepth::ALL {
        for preactivation in [false, true] {
            for width in [0.1, 0.25] {
                let config = AlignedXceptionConfig {
                    depth,
                    preactivation,
                    // timm's, which names and shapes stand for.
                    batch_norm_epsilon: match (depth, preactivation) {
                        (AlignedXceptionDepth::Xception41, true) => 1e-5,
                        _ => 1e-3,
                    },
                    ..AlignedXceptionConfig::new(7).with_width(width)
                };
                let config = ModelConfig::AlignedXception(config);
                let loaded = load_with(&exported(config.clone()), &LoadOptions::default());
                let loaded = loaded.unwrap();
                assert_eq!(loaded.config, config);
                assert_eq!(loaded.source, Source::Timm);
            }
        }
    }
}

#[test]
fn weights_of_an_aligned_xception_are_for_any_output_stride() {
    let config = AlignedXceptionConfig::new(7)
        .with_depth(AlignedXceptionDepth::Xception41)
        .with_width(0.1);
    let tensors = exported(ModelConfig::AlignedXception(config.clone()));
    let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
    for stride in OutputStride::ALL {
        let config = ModelConfig::AlignedXception(config.clone().with_output_stride(stride));
        let options = LoadOptions {
            config: Some(config.clone()),
            ..LoadOptions::default()
        };
        let loaded = load_with(&tensors, &options).unwrap();
        assert_eq!(loaded.config, config);
        let last = loaded.model.forward_stages(images.clone(), &mut |_, _| ());
        assert_eq!(last.dims()[2], 64 / stride.number());
    }
}

#[test]
fn published_weights_of_one_network_have_their_own_recipes_preprocessing() {
    let config = AlignedXceptionConfig::new(1000).with_width(0.1);
    let tensors = exported(ModelConfig::AlignedXception(config));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.safetensors");
    write(&path, &tensors);
    for (name, crop) in [("xception65.timm-ra3", 0.94), ("xception65.timm-tf", 0.903)] {
        let entry = pretrained::find(name).unwrap();
        let loaded = entry.load(&path, &LoadOptions::default(), &Device::flex());
        let loaded = loaded.unwrap();
        assert_eq!(loaded.preprocessing, entry.preset.preprocessing());
        assert_eq!(loaded.preprocessing.crop_fraction, crop);
    }
}

#[test]
fn a_file_with_another_number_of_modules_is_no_aligned_xception() {
    let config = AlignedXceptionConfig::new(7)
        .with_depth(AlignedXceptionDepth::Xception41)
        .with_width(0.1);
    let mut tensors = exported(ModelConfig::AlignedXception(config));
    tensors.retain(|(name, ..)| !name.starts_with("blocks.12."));
    let error = load_with(&tensors, &LoadOptions::default()).unwrap_err();
    assert!(
        matches!(error, WeightsError::UnknownNetwork { .. }),
        "{error}"
    );
}

#[test]
fn shufflenets_groups_and_width_are_recognized_by_the_shapes() {
    for groups in ShuffleNetGroups::ALL {
        for width in [0.25, 0.5, 0.75, 1.0, 1.5] {
            let config = ShuffleNetV1Config::new(7).with_groups(groups);
            let config = ModelConfig::ShuffleNetV1(config.with_width(width));
            let loaded = load_with(&exported(config.clone()), &LoadOptions::default()).unwrap();
            assert_eq!(loaded.config, config);
            assert_eq!(loaded.source, Source::Pytorchcv);
        }
    }
}

#[test]
fn a_misspelt_or_misshapen_tensor_of_shufflenet_is_named() {
    let whole = exported(ModelConfig::ShuffleNetV1(
        ShuffleNetV1Config::new(7).with_width(0.25),
    ));
    let name = "features.stage2.unit3.dw_bn2.bias";
    let find = |tensors: &mut Tensors| {
        let index = tensors.iter().position(|(other, ..)| other == name);
        index.unwrap()
    };
    let mut tensors = whole.clone();
    let index = find(&mut tensors);
    tensors[index].0 = "features.stage2.unit3.dw_bn2.bais".to_owned();
    let found = error(&tensors);
    assert!(found.contains(&format!("1 missing: {name}")), "{found}");
    let mut tensors = whole.clone();
    let index = find(&mut tensors);
    tensors[index].1 = vec![5];
    tensors[index].2.truncate(5);
    let found = error(&tensors);
    assert!(found.contains(&format!("{name} is [5]")), "{found}");
    // Five groups, which no network has.
    let mut tensors = whole;
    let expand = "features.stage1.unit1.expand_conv3.weight";
    let wrong = tensors
        .iter_mut()
        .find(|(name, ..)| name == expand)
        .unwrap();
    wrong.1[1] = 3;
    wrong.2.truncate(wrong.1.iter().product());
    let found = error(&tensors);
    assert!(found.contains(&format!("{expand} is [")), "{found}");
}

#[test]
fn networks_with_shufflenets_names_are_not_taken_for_it() {
    let whole = exported(ModelConfig::ShuffleNetV1(
        ShuffleNetV1Config::new(7).with_width(0.25),
    ));
    for other in ["dw_conv4", "s_merge_conv"] {
        let mut tensors = whole.clone();
        let name = format!("features.stage1.unit1.{other}.weight");
        tensors.push((name, vec![1], vec![0.0]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.safetensors");
        write(&path, &tensors);
        let error = load(&path, &LoadOptions::default(), &Device::flex()).unwrap_err();
        assert!(
            matches!(error, WeightsError::UnknownNetwork { .. }),
            "{error}"
        );
    }
}

#[test]
fn ten_are_listed_and_the_rest_counted() {
    let mut tensors = tensors();
    tensors.retain(|(name, ..)| !name.contains("bn2"));
    let error = error(&tensors);
    assert!(error.contains("32 missing: layer1.0.bn2.weight"), "{error}");
    assert!(error.contains("and 22 more"), "{error}");
}

#[test]
fn another_shape_is_said_with_both() {
    let mut tensors = tensors();
    let wrong = tensors
        .iter_mut()
        .find(|(name, ..)| name == "layer4.1.bn2.bias")
        .unwrap();
    wrong.1 = vec![32];
    wrong.2.truncate(32);
    let error = error(&tensors);
    assert!(
        error.contains("layer4.1.bn2.bias is [32] but has to be [64]"),
        "{error}"
    );
}

#[test]
fn what_is_unused_can_be_allowed() {
    let mut tensors = tensors();
    tensors.push(("more".to_owned(), vec![1], vec![0.0]));
    assert!(error(&tensors).contains("1 unused: more"));
    let options = LoadOptions {
        allow_unused: true,
        ..LoadOptions::default()
    };
    let loaded = load_with(&tensors, &options).unwrap();
    assert_eq!(loaded.source, Source::Torchvision);
    tensors.pop();
    let whole = load_with(&tensors, &LoadOptions::default()).unwrap();
    let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
    let [a, b] = [loaded, whole].map(|loaded| loaded.model.forward(images.clone()).into_data());
    assert_eq!(a, b);
}

#[test]
fn without_a_classifier_a_new_one_is_asked_for() {
    let mut tensors = tensors();
    tensors.retain(|(name, ..)| !name.starts_with("fc"));
    let error = load_with(&tensors, &LoadOptions::default()).unwrap_err();
    let WeightsError::NoClassifier { missing, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(missing, &["fc.weight", "fc.bias"]);
    assert!(
        error.to_string().contains("without a classifier"),
        "{error}"
    );
    let options = LoadOptions {
        head: Head::New(3),
        ..LoadOptions::default()
    };
    assert_eq!(load_with(&tensors, &options).unwrap().model.classes(), 3);
}

#[test]
fn features_need_the_backbone_only() {
    let options = LoadOptions {
        head: Head::Unused,
        ..LoadOptions::default()
    };
    let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
    let pooled = |tensors: &Tensors| {
        let loaded = load_with(tensors, &options).unwrap();
        let features = loaded.model.forward_stages(images.clone(), &mut |_, _| ());
        loaded.model.pool(features).into_data()
    };
    let whole = tensors();
    let mut without = whole.clone();
    without.retain(|(name, ..)| !name.starts_with("fc."));
    assert_eq!(pooled(&without), pooled(&whole));
    // A head of several layers in place of the usual one.
    let mut several = whole.clone();
    for (name, ..) in &mut several {
        *name = name.replace("fc.", "fc.1.");
    }
    several.push(("fc.0.weight".to_owned(), vec![1], vec![0.0]));
    assert_eq!(pooled(&several), pooled(&whole));
    // An additional tensor in the backbone is an error.
    let mut more = whole;
    more.push(("layer1.0.se.weight".to_owned(), vec![1], vec![0.0]));
    let error = load_with(&more, &options).unwrap_err().to_string();
    assert!(error.contains("1 unused: layer1.0.se.weight"), "{error}");
}

/// Makes the tensors of a narrow VGG-16.
fn vgg(config: VggConfig) -> Tensors {
    exported(ModelConfig::Vgg(config.with_width(0.125)))
}

#[test]
fn a_head_of_other_layers_in_a_list_is_replaced() {
    let mut tensors = vgg(VggConfig::new(7).with_fully_connected(vec![24, 16]));
    // In place of three linear layers, dropout and one.
    tensors.retain(|(name, ..)| !name.starts_with("classifier."));
    tensors.push((
        "classifier.1.weight".to_owned(),
        vec![7, 3136],
        vec![0.0; 7 * 3136],
    ));
    tensors.push(("classifier.1.bias".to_owned(), vec![7], vec![0.0; 7]));
    assert!(error(&tensors).contains("missing: classifier.0.weight"));
    let options = LoadOptions {
        head: Head::New(3),
        ..LoadOptions::default()
    };
    let loaded = load_with(&tensors, &options).unwrap();
    assert_eq!((loaded.model.classes(), loaded.model.features()), (3, 64));
    tensors.push(("features.31.weight".to_owned(), vec![1], vec![0.0]));
    let error = load_with(&tensors, &options).unwrap_err().to_string();
    assert!(error.contains("1 unused: features.31.weight"), "{error}");
}

#[test]
fn the_options_of_vgg_are_found_by_names_and_shapes() {
    let small = VggConfig {
        fully_connected: vec![24],
        ..VggConfig::new(7).with_width(0.125)
    };
    for config in [
        small.clone().with_fully_connected(vec![32, 16, 8]),
        small.clone().with_fully_connected(Vec::new()),
        small.clone().with_batch_norm(true).with_grid(Some(4)),
        small.clone().with_separable(true).with_grid(Some(1)),
        VggConfig {
            fully_connected: Vec::new(),
            ..VggConfig::plain_separable()
                .with_classes(5)
                .with_width(0.125)
        },
    ] {
        let loaded = load_with(&vgg(config.clone()), &LoadOptions::default()).unwrap();
        assert_eq!(loaded.config, ModelConfig::Vgg(config));
    }
}

#[test]
fn a_new_head_of_googlenet_leaves_the_auxiliary_classifiers_out() {
    let config = GoogLeNetConfig::new(7)
        .with_width(0.125)
        .with_auxiliary(true);
    let tensors = exported(ModelConfig::GoogLeNet(config.clone()));
    let whole = load_with(&tensors, &LoadOptions::default()).unwrap();
    assert_eq!(whole.config, ModelConfig::GoogLeNet(config));
    assert_eq!(whole.model.auxiliary_classifiers().len(), 2);
    for head in [Head::New(3), Head::Unused] {
        let options = LoadOptions {
            head,
            ..LoadOptions::default()
        };
        let loaded = load_with(&tensors, &options).unwrap();
        assert!(loaded.model.auxiliary_classifiers().is_empty());
        let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
        let [a, b] = [&loaded, &whole].map(|loaded| {
            let map = loaded.model.forward_stages(images.clone(), &mut |_, _| ());
            map.into_data()
        });
        assert_eq!(a, b);
    }
}

#[test]
fn the_small_stem_of_googlenet_shows_in_its_kernel() {
    let config = GoogLeNetConfig::new(7)
        .with_width(0.125)
        .with_stem(Stem::Small);
    let tensors = exported(ModelConfig::GoogLeNet(config.clone()));
    let loaded = load_with(&tensors, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.config, ModelConfig::GoogLeNet(config));
}

#[test]
fn another_network_with_the_first_name_of_vgg_is_unknown() {
    // AlexNet's first convolution is 11x11.
    let name = "features.0.weight".to_owned();
    let tensors = vec![(name, vec![64, 3, 11, 11], vec![0.0; 64 * 3 * 11 * 11])];
    let error = error(&tensors);
    assert!(error.contains("no network that is known"), "{error}");
}

#[test]
fn tensors_of_no_network_are_named() {
    let tensors = vec![("encoder.weight".to_owned(), vec![1], vec![0.0])];
    let error = error(&tensors);
    assert!(error.contains("encoder.weight"), "{error}");
}
