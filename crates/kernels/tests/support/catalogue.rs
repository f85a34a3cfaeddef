//! The shapes of the networks' layers.

use xception_kernels::{Geometry, Padding2d};

use super::Case;

/// A layer, and where it is found.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    pub name: &'static str,
    pub case: Case,
}

const fn depthwise(name: &'static str, channels: usize, size: usize) -> Layer {
    Layer {
        name,
        case: Case {
            batch: 1,
            channels,
            outputs: channels,
            groups: channels,
            size: [size, size],
            geometry: Geometry::same(3),
        },
    }
}

const fn dense(name: &'static str, channels: [usize; 2], size: usize, geometry: Geometry) -> Layer {
    Layer {
        name,
        case: Case {
            batch: 1,
            channels: channels[0],
            outputs: channels[1],
            groups: 1,
            size: [size, size],
            geometry,
        },
    }
}

/// As many channels out as in.
const fn grouped(
    name: &'static str,
    channels: usize,
    groups: usize,
    size: usize,
    geometry: Geometry,
) -> Layer {
    grouped_pair(name, [channels, channels], groups, size, geometry)
}

const fn grouped_pair(
    name: &'static str,
    channels: [usize; 2],
    groups: usize,
    size: usize,
    geometry: Geometry,
) -> Layer {
    let Layer { name, case } = dense(name, channels, size, geometry);
    Layer {
        name,
        case: Case { groups, ..case },
    }
}

const POINTWISE: Geometry = Geometry::valid(1);
const STRIDED: Geometry = Geometry::same(3).with_stride(2);

const fn rectangle(rows: usize, columns: usize) -> Geometry {
    Geometry {
        kernel: [rows, columns],
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding2d {
            top: rows / 2,
            bottom: rows / 2,
            left: columns / 2,
            right: columns / 2,
        },
    }
}

/// Layers of the networks at batch 1: Xception at 299 and, small, at 32; Inception V3; ResNet-50; ResNeXt-50 32x4d
/// (S. Xie et al., *Aggregated Residual Transformations for Deep Neural Networks*, CVPR 2017, table 1); ShuffleNet with
/// three groups (X. Zhang et al., *ShuffleNet*, CVPR 2018, table 1), whose bottlenecks have a quarter of the channels;
/// and numbers of groups in between for Xception's middle flow and a small layer.
pub const LAYERS: &[Layer] = &[
    depthwise("xception block2 depthwise", 128, 147),
    depthwise("xception block3 depthwise", 256, 74),
    depthwise("xception block4 depthwise", 728, 37),
    depthwise("xception middle depthwise", 728, 19),
    depthwise("xception block14 depthwise", 1536, 10),
    depthwise("xception small entry depthwise", 16, 32),
    depthwise("xception small middle depthwise", 88, 4),
    depthwise("xception small exit depthwise", 192, 2),
    dense("xception block2 pointwise", [64, 128], 147, POINTWISE),
    dense("xception block3 pointwise", [256, 256], 74, POINTWISE),
    dense("xception middle pointwise", [728, 728], 19, POINTWISE),
    dense("xception block14 pointwise", [1536, 2048], 10, POINTWISE),
    dense("xception small entry pointwise", [16, 16], 32, POINTWISE),
    dense("xception small middle pointwise", [88, 88], 4, POINTWISE),
    dense("xception small exit pointwise", [192, 256], 2, POINTWISE),
    dense(
        "xception shortcut",
        [256, 728],
        37,
        POINTWISE.with_stride(2),
    ),
    dense(
        "xception stem 1",
        [3, 32],
        299,
        Geometry::valid(3).with_stride(2),
    ),
    dense("xception stem 2", [32, 64], 149, Geometry::valid(3)),
    dense("inception 5x5", [48, 64], 35, Geometry::same(5)),
    dense("inception 3x3", [96, 96], 35, Geometry::same(3)),
    dense("inception 1x7", [192, 192], 17, rectangle(1, 7)),
    dense("inception 7x1", [192, 192], 17, rectangle(7, 1)),
    dense(
        "inception reduction",
        [288, 384],
        35,
        Geometry::valid(3).with_stride(2),
    ),
    dense(
        "resnet stem",
        [3, 64],
        224,
        Geometry::same(7).with_stride(2),
    ),
    dense("resnet 3x3", [128, 128], 28, Geometry::same(3)),
    dense("resnet 3x3 last", [512, 512], 7, Geometry::same(3)),
    grouped("resnext 56", 128, 32, 56, Geometry::same(3)),
    grouped("resnext 56 stride 2", 256, 32, 56, STRIDED),
    grouped("resnext 28", 256, 32, 28, Geometry::same(3)),
    grouped("resnext 28 stride 2", 512, 32, 28, STRIDED),
    grouped("resnext 14", 512, 32, 14, Geometry::same(3)),
    grouped("resnext 14 stride 2", 1024, 32, 14, STRIDED),
    grouped("resnext 7", 1024, 32, 7, Geometry::same(3)),
    grouped_pair("shufflenet 28 in", [240, 60], 3, 28, POINTWISE),
    grouped_pair("shufflenet 28 out", [60, 240], 3, 28, POINTWISE),
    grouped_pair("shufflenet 14 in", [480, 120], 3, 14, POINTWISE),
    grouped_pair("shufflenet 14 out", [120, 480], 3, 14, POINTWISE),
    grouped_pair("shufflenet 7 in", [960, 240], 3, 7, POINTWISE),
    grouped_pair("shufflenet 7 out", [240, 960], 3, 7, POINTWISE),
    grouped("spectrum 19 of 4", 728, 4, 19, Geometry::same(3)),
    grouped("spectrum 19 of 28", 728, 28, 19, Geometry::same(3)),
    grouped("spectrum 19 of 104", 728, 104, 19, Geometry::same(3)),
    grouped("spectrum 19 of 364", 728, 364, 19, Geometry::same(3)),
    grouped("spectrum 32 of 2", 128, 2, 32, Geometry::same(3)),
    grouped("spectrum 32 of 16", 128, 16, 32, Geometry::same(3)),
];

/// The pointwise parts of Xception's separable convolutions, in order of their place.
pub const SEPARABLE: &[Layer] = &[
    dense("xception block2 first", [64, 128], 147, POINTWISE),
    dense("xception block2", [128, 128], 147, POINTWISE),
    dense("xception block3 first", [128, 256], 74, POINTWISE),
    dense("xception block3", [256, 256], 74, POINTWISE),
    dense("xception block4 first", [256, 728], 37, POINTWISE),
    dense("xception block4", [728, 728], 37, POINTWISE),
    dense("xception middle", [728, 728], 19, POINTWISE),
    dense("xception block13", [728, 1024], 19, POINTWISE),
    dense("xception block14 first", [1024, 1536], 10, POINTWISE),
    dense("xception block14", [1536, 2048], 10, POINTWISE),
];
