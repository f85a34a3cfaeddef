//! Parameters and multiply-adds of the network's variants: by the formulas of the layers, by the summary, and in the
//! tables of the family's documentation.

use burn::prelude::*;
use xception_messages::grouped;

use super::{FactorizedConfig, FactorizedConvolution};
use crate::layers::Topology;
use crate::{Graph, Network, Summary};

/// Multiply-adds of other networks by torchvision 0.29 (`_ops`, in thousands of millions), and the factors by which the
/// paper's abstracts claim to need fewer.
const COMPARED: [(&str, f64, &str); 5] = [
    ("VGG-16", 15.470, "42 (v2, ICCVW)"),
    ("ResNet-34", 3.664, "7.32 (ICCVW)"),
    ("ResNet-50", 4.089, "4.5 (v2), 4.38 (ICCVW)"),
    ("ResNet-101", 7.801, "6.5 (v2), 5.85 (ICCVW)"),
    ("GoogLeNet", 1.498, "3.4 (v1)"),
];

fn config(convolution: FactorizedConvolution) -> FactorizedConfig {
    FactorizedConfig::new(1000).with_convolution(convolution)
}

/// Lists the variants in the tables, with what they are called there.
fn variants() -> Vec<(&'static str, FactorizedConfig)> {
    use FactorizedConvolution::{Dense, SingleIntraChannel, SpatialBottleneck};
    vec![
        ("dense", config(Dense)),
        ("single intra-channel", config(SingleIntraChannel)),
        (
            "single intra-channel, 2 bases",
            config(SingleIntraChannel).with_bases(2),
        ),
        (
            "single intra-channel, topologies of 2 axes",
            config(SingleIntraChannel).with_topology([2; 4]),
        ),
        ("spatial bottleneck", config(SpatialBottleneck)),
        (
            "spatial bottleneck, topologies of 2 axes",
            config(SpatialBottleneck).with_topology([2; 4]),
        ),
    ]
}

/// Returns multiply-adds and parameters of one convolution, basis or bottleneck by the formulas in the documentation of
/// the layers.
fn by_formula(config: &FactorizedConfig, stage: usize, [m, h, w]: [usize; 3]) -> [u64; 2] {
    let k = config.kernel;
    let connected = match config.topology[stage] {
        0 => m,
        axes => Topology::halved(m, axes).unwrap().connected(),
    };
    let stride = config.bottleneck_stride;
    let (pixels, weights) = match config.convolution {
        FactorizedConvolution::Dense => (h * w, m * connected * k * k),
        FactorizedConvolution::SingleIntraChannel => (h * w, m * (k * k + connected)),
        FactorizedConvolution::SpatialBottleneck => (
            h.div_ceil(stride) * w.div_ceil(stride),
            m * (2 * k * k + connected),
        ),
    };
    [pixels * weights, weights + 2 * m].map(|count| count as u64)
}

#[test]
fn each_layer_counts_what_the_formulas_say() {
    use FactorizedConvolution::{Dense, SingleIntraChannel, SpatialBottleneck};
    let mut configs: Vec<_> = variants().into_iter().map(|(_, config)| config).collect();
    for convolution in [Dense, SingleIntraChannel, SpatialBottleneck] {
        let config = config(convolution).with_topology([1, 0, 2, 3]);
        let config = config.with_kernel(5).with_bases(2).with_width(0.5);
        configs.push(config.with_layers([1, 2, 3, 1]).with_bottleneck_stride(3));
    }
    for config in configs {
        let network = config.init(&Device::flex()).unwrap();
        // A convolution or its parts, normalization, addition and ReLU.
        let (operations, bases) = match config.convolution {
            Dense => (4, 1),
            SingleIntraChannel => (5, config.bases),
            SpatialBottleneck => (6, config.bases),
        };
        for size in [[224, 224], [203, 97]] {
            let graph = Graph::new(&network, size).unwrap();
            for index in 0..4 {
                let stage = &graph.stages[1 + index];
                let [_, shape @ ..] = stage.shape;
                let expected = by_formula(&config, index, shape);
                // The transition has the two parts of a separable convolution, normalization and ReLU.
                let transition = if index > 0 { 4 } else { 0 };
                let layers = &graph.operations_of(stage)[transition..];
                let layers = layers.chunks(operations);
                assert_eq!(layers.len(), config.layers[index] * bases);
                for layer in layers {
                    let multiply_adds: u64 = layer.iter().map(|o| o.multiply_adds).sum();
                    let parameters: u64 = layer.iter().map(|o| o.parameters).sum();
                    assert_eq!([multiply_adds, parameters], expected, "{config:?} {index}");
                }
            }
        }
    }
}

#[test]
fn the_tables_of_the_documentation_are_computed() {
    let summaries: Vec<_> = variants()
        .into_iter()
        .map(|(name, config)| {
            let network = config.init(&Device::flex()).unwrap();
            let summary = Summary::new(&network, [224, 224]).unwrap();
            assert_eq!(summary.parameters(), network.trainable_parameters() as u64);
            (name, summary)
        })
        .collect();
    let dense = summaries[0].1.multiply_adds() as f64;
    let mut rows = Vec::new();
    for (name, summary) in &summaries {
        rows.push(format!(
            "//! | {name} | {} | {:.3} G | {:.2} |",
            grouped(summary.parameters()),
            summary.multiply_adds() as f64 / 1e9,
            dense / summary.multiply_adds() as f64,
        ));
    }
    for (name, giga, claims) in COMPARED {
        let ratios = [1, 3, 4].map(|index| {
            let multiply_adds = summaries[index].1.multiply_adds() as f64;
            format!("{:.2}", giga * 1e9 / multiply_adds)
        });
        rows.push(format!(
            "//! | {name} | {giga:.2} G | {claims} | {} |",
            ratios.join(" | ")
        ));
    }
    println!("{}", rows.join("\n"));
    let documentation = include_str!("mod.rs");
    for row in rows {
        assert!(documentation.contains(&row), "{row}");
    }
}
