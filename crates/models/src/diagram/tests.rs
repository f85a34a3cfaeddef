//! The structure of the diagrams of networks, and what holds for all of them.

use std::collections::HashSet;

use burn::prelude::*;

use super::folding::Folding;
use super::random_graph::random_graph;
use super::stages::Stage;
use super::structure::Element;
use super::*;
use crate::layers::Stem;
use crate::{InceptionV3Config, MODELS, ModelConfig, Network};

/// Options that change what a diagram shows.
const OPTIONS: [&str; 13] = [
    r#"{"xception": {"residual": false, "fully_connected": [4096, 4096]}}"#,
    r#"{"xception": {"intermediate_activation": "elu", "middle_modules": 0}}"#,
    r#"{"xception": {"intermediate_activation": "relu", "middle_modules": 1}}"#,
    r#"{"xception": {"padding": "same", "middle_modules": 2, "stem": "small"}}"#,
    r#"{"xception": {"width": 16}}"#,
    r#"{"inception_v3": {"auxiliary": true}}"#,
    r#"{"inception_v3": {"auxiliary": true, "stem": "small", "width": 0.1}}"#,
    r#"{"resnet": {"depth": 50, "width": 0.05}}"#,
    r#"{"resnet": {"depth": 18, "stem": "small"}}"#,
    r#"{"mobilenet_v1": {"width": 0.25, "classes": 2}}"#,
    r#"{"mobilenet_v1": {"stem": "small"}}"#,
    r#"{"aligned_xception": {"depth": 41, "output_stride": 16}}"#,
    r#"{"aligned_xception": {"depth": 71, "output_stride": 8, "preactivation": true}}"#,
];

fn graph(config: &ModelConfig) -> Graph {
    let network = config.init(&Device::flex()).unwrap();
    let size = config.image_size().max(network.minimum_size());
    Graph::new(&network, [size; 2]).unwrap()
}

fn diagram(config: &ModelConfig) -> Diagram {
    let graph = graph(config);
    let diagram = Diagram::new(&graph, &config.name(), &[]);
    assert_eq!(diagram.faults(&graph), [""; 0], "{config:?}");
    diagram
}

fn named(name: &str) -> Diagram {
    diagram(&ModelConfig::named(name).unwrap())
}

/// Writes a series in one line: `>` between elements, `|` between branches, `-` for an empty one.
fn sketch(series: &[Element], folding: &Folding) -> String {
    let element = |element: &Element| match element {
        Element::Node(node) => {
            let strip = folding.strips[*node].map(|strip| format!(" [{strip}]"));
            format!("{}{}", folding.labels[*node], strip.unwrap_or_default())
        }
        Element::Parallel(branches) => {
            let branches = branches.iter().map(|branch| match &branch[..] {
                [] => "-".to_owned(),
                branch => sketch(branch, folding),
            });
            format!("({})", branches.collect::<Vec<_>>().join(" | "))
        }
        Element::Repeat { count, body } => format!("{count} × {{{}}}", sketch(body, folding)),
        Element::Tangle(_) => "tangle".to_owned(),
    };
    series.iter().map(element).collect::<Vec<_>>().join(" > ")
}

/// Returns how often a stage is drawn, and its sketch.
fn stage(diagram: &Diagram, name: &str) -> (usize, String) {
    let mut stages = diagram.stages.iter();
    let stage = stages.find(|stage| panel::name(&stage.names, stage.count) == name);
    let stage = stage.unwrap_or_else(|| panic!("no {name}"));
    (stage.count, sketch(&stage.series, &diagram.folding))
}

fn names(diagram: &Diagram) -> Vec<String> {
    let name = |stage: &Stage| panel::name(&stage.names, stage.count);
    diagram.stages.iter().map(name).collect()
}

#[test]
fn every_network_is_drawn_without_a_fault() {
    for info in MODELS.iter() {
        let config = info.config();
        let stages: usize = diagram(&config)
            .stages
            .iter()
            .map(|stage| stage.count)
            .sum();
        let graph = graph(&config).stages.len();
        assert_eq!(stages, graph, "{}", info.name);
        diagram(
            &config
                .with_width(0.3)
                .with_classes(7)
                .with_stem(Stem::Small),
        );
    }
    for options in OPTIONS {
        diagram(&serde_json::from_str(options).unwrap());
    }
}

#[test]
fn any_graph_is_drawn_without_a_fault() {
    for seed in 0..2000 {
        let graph = random_graph(seed);
        let faults = Diagram::new(&graph, "random", &[]).faults(&graph);
        assert_eq!(faults, [""; 0], "{seed}");
    }
}

#[test]
fn faults_are_found() {
    let config = ModelConfig::named("resnet18").unwrap();
    let graph = graph(&config);
    let found = |change: fn(&mut Diagram)| {
        let mut diagram = Diagram::new(&graph, "resnet18", &[]);
        change(&mut diagram);
        diagram.faults(&graph).join("\n")
    };
    let moved = found(|diagram| diagram.page.drawing.boxes[0].rectangle.y += 20);
    assert!(
        moved.contains("overlaps") && moved.contains("a line passes"),
        "{moved}"
    );
    let away = found(|diagram| diagram.page.drawing.boxes[0].rectangle.x -= 1000);
    assert!(away.contains("is not in a panel"), "{away}");
    let lost = found(|diagram| diagram.page.drawing.boxes.truncate(1));
    assert!(lost.contains("is in 0 boxes"), "{lost}");
    let twice = found(|diagram| diagram.page.drawing.boxes[1] = diagram.page.drawing.boxes[0]);
    assert!(twice.contains("is in 2 boxes"), "{twice}");
    let unconnected = found(|diagram| drop(diagram.page.drawing.lines.remove(0)));
    assert!(unconnected.contains("0 arrows lead to"), "{unconnected}");
    let narrow = found(|diagram| diagram.page.drawing.boxes[0].rectangle.width = 60);
    assert!(narrow.contains("of 50 pixels"), "{narrow}");
    let small = found(|diagram| diagram.page.width -= 50);
    assert!(small.contains("is not on the page"), "{small}");
}

#[test]
fn xception_has_the_flows_of_figure_5() {
    let diagram = named("xception");
    let sections = diagram.stages.iter().map(|stage| stage.section.as_deref());
    let sections: Vec<_> = sections.flatten().collect();
    assert_eq!(sections, ["Entry flow", "Middle flow", "Exit flow"]);
    assert_eq!(
        stage(&diagram, "block1").1,
        "Conv 32, 3×3, stride 2 > ReLU > Conv 64, 3×3 > ReLU"
    );
    assert_eq!(
        stage(&diagram, "block2").1,
        "(Conv 128, 1×1, stride 2 | SeparableConv 128, 3×3 > ReLU > SeparableConv 128, 3×3 > \
         MaxPool 3×3, stride 2) > +"
    );
    let separable = "ReLU > SeparableConv 728, 3×3";
    assert_eq!(
        stage(&diagram, "block5–12"),
        (
            8,
            format!("({separable} > {separable} > {separable} | -) > +")
        )
    );
    assert_eq!(
        stage(&diagram, "block14").1,
        "SeparableConv 1536, 3×3 > ReLU > SeparableConv 2048, 3×3 > ReLU"
    );
    assert_eq!(
        stage(&diagram, "classifier").1,
        "GlobalAvgPool > Linear 1000"
    );
    let note = diagram.heading.note.as_deref();
    assert_eq!(note, Some("Batch normalization follows every convolution."));
    // A column for each section.
    let lefts: HashSet<i32> = diagram.page.areas.iter().map(|a| a.rectangle.x).collect();
    assert_eq!(lefts.len(), 3);
}

#[test]
fn xceptions_options_show() {
    let draw = |options: &str| diagram(&serde_json::from_str(options).unwrap());
    let diagram = draw(OPTIONS[0]);
    let separable = "ReLU > SeparableConv 728, 3×3";
    assert_eq!(
        stage(&diagram, "block5–12"),
        (8, format!("{separable} > {separable} > {separable}"))
    );
    assert_eq!(
        stage(&diagram, "classifier").1,
        "GlobalAvgPool > Linear 4096 > ReLU > Linear 4096 > ReLU > Linear 1000"
    );
    let diagram = draw(OPTIONS[1]);
    let module = stage(&diagram, "block5").1;
    assert!(
        module.contains("SeparableConv 1024, 3×3, ELU between"),
        "{module}"
    );
}

#[test]
fn inception_v3_has_towers() {
    let diagram = named("inception_v3");
    assert_eq!(
        stage(&diagram, "Mixed_5b").1,
        "(Conv 64, 1×1 | Conv 48, 1×1 > Conv 64, 5×5 | Conv 64, 1×1 > Conv 96, 3×3 > Conv 96, 3×3 | \
         AvgPool 3×3 > Conv 32, 1×1) > Concat"
    );
    let (count, towers) = stage(&diagram, "Mixed_7b–c");
    assert_eq!(count, 2);
    assert_eq!(
        towers,
        "(Conv 320, 1×1 | Conv 384, 1×1 > (Conv 384, 1×3 | Conv 384, 3×1) | \
         Conv 448, 1×1 > Conv 384, 3×3 > (Conv 384, 1×3 | Conv 384, 3×1) | AvgPool 3×3 > Conv 192, 1×1) > Concat"
    );
    assert_eq!(stage(&diagram, "Mixed_5c–d").0, 2);
    assert_eq!(stage(&diagram, "Mixed_6c–d").0, 2);
    let note = diagram.heading.note.as_deref();
    assert_eq!(
        note,
        Some("Batch normalization and ReLU follow every convolution.")
    );
}

#[test]
fn an_auxiliary_classifier_is_beside_its_stage() {
    let config = InceptionV3Config::new(10).with_auxiliary(true);
    let diagram = diagram(&ModelConfig::InceptionV3(config));
    let with = diagram
        .stages
        .iter()
        .filter(|stage| !stage.auxiliary.is_empty());
    let with: Vec<&Stage> = with.collect();
    assert_eq!(with.len(), 1);
    assert_eq!(with[0].names, ["Mixed_6e"]);
    assert_eq!(
        sketch(&with[0].auxiliary[0].series, &diagram.folding),
        "AvgPool 5×5, stride 3 > Conv 128, 1×1 > Conv 768, 5×5 > GlobalAvgPool > Linear 10"
    );
}

#[test]
fn resnets_blocks_are_folded() {
    let diagram = named("resnet50");
    assert_eq!(
        names(&diagram),
        ["stem", "layer1", "layer2", "layer3", "layer4", "classifier"]
    );
    let main = "Conv 256, 1×1 [ReLU] > Conv 256, 3×3";
    assert_eq!(
        stage(&diagram, "layer3").1,
        format!(
            "({main}, stride 2 [ReLU] > Conv 1024, 1×1 | Conv 1024, 1×1, stride 2) > + > ReLU > \
             5 × {{({main} [ReLU] > Conv 1024, 1×1 | -) > + > ReLU}}"
        )
    );
    let diagram = named("resnet152");
    assert!(stage(&diagram, "layer3").1.contains("35 × {"));
    let diagram = named("resnet18");
    let main = "Conv 64, 3×3 [ReLU] > Conv 64, 3×3";
    assert_eq!(
        stage(&diagram, "layer1").1,
        format!("2 × {{({main} | -) > + > ReLU}}")
    );
}

#[test]
fn mobilenets_depthwise_and_pointwise_convolutions_are_one() {
    let diagram = named("mobilenet_v1");
    assert_eq!(
        stage(&diagram, "conv_pw_7–11"),
        (5, "SeparableConv 512, 3×3".to_owned())
    );
    assert_eq!(
        diagram.heading.note.as_deref(),
        Some("Batch normalization and ReLU6 follow every convolution, depthwise and pointwise.")
    );
}

#[test]
fn folded_stages_have_their_parameters() {
    let diagram = named("xception");
    let texts: Vec<_> = diagram
        .page
        .texts
        .iter()
        .map(|text| text.text.as_str())
        .collect();
    for part in [
        "22,855,952 parameters, 8.36 G multiply-adds",
        "8 × 1,613,976 parameters",
        "× 8",
        "19×19×728",
        "Image 299×299×3",
    ] {
        assert!(texts.contains(&part), "{part}: {texts:?}");
    }
    let total: u64 = diagram.stages.iter().map(|stage| stage.parameters).sum();
    assert_eq!(total, 22_855_952);
    let costs: u64 = diagram.costs.iter().map(|[parameters, _]| parameters).sum();
    assert_eq!(costs, total);
}

#[test]
fn pages_have_a_usual_ratio() {
    for info in MODELS.iter() {
        let [width, height] = named(info.name).size();
        let ratio = f64::from(width) / f64::from(height);
        assert!((0.5..=1.6).contains(&ratio), "{}: {ratio}", info.name);
    }
}
