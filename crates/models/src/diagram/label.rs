//! The texts of a diagram: of boxes, shapes and amounts.

use super::conventions::Deviations;
use super::nodes::{Between, Form, Node};
use super::stages::Stage;
use crate::layers::{Activation, OperationKind};
use xception_messages::grouped;

/// Returns the text of a node's box.
pub(super) fn label(node: &Node, deviations: Deviations) -> String {
    let [_, channels, height, width] = node.output;
    let mut text: String = match node.form {
        Form::Convolution {
            kernel,
            stride,
            groups,
            ..
        } => {
            let groups = match groups {
                1 => String::new(),
                _ => format!(", {groups} groups"),
            };
            let (kernel, stride) = (window(kernel), step(stride));
            format!("Conv {channels}, {kernel}{groups}{stride}")
        }
        Form::Depthwise { kernel, stride, .. } => {
            format!("DepthwiseConv {}{}", window(kernel), step(stride))
        }
        Form::Separable { kernel, stride, .. } => {
            let (kernel, stride) = (window(kernel), step(stride));
            format!("SeparableConv {channels}, {kernel}{stride}")
        }
        Form::Linear => format!("Linear {channels}"),
        Form::Single(kind) => match kind {
            OperationKind::Normalization => "BatchNorm".to_owned(),
            OperationKind::Activation(activation) => activation_name(activation).to_owned(),
            OperationKind::MaxPool { kernel, stride } => pool("MaxPool", kernel, stride),
            OperationKind::AveragePool { kernel, stride } => pool("AvgPool", kernel, stride),
            OperationKind::AdaptiveAveragePool if (height, width) == (1, 1) => {
                "GlobalAvgPool".to_owned()
            }
            OperationKind::AdaptiveAveragePool => format!("AdaptiveAvgPool {height}×{width}"),
            OperationKind::Addition => "+".to_owned(),
            OperationKind::Scaling => "Scale".to_owned(),
            OperationKind::Concatenation => "Concat".to_owned(),
            OperationKind::ChannelShuffle { groups } => format!("ChannelShuffle, {groups} groups"),
            OperationKind::Flattening => "Flatten".to_owned(),
            _ => "Operation".to_owned(),
        },
    };
    text.extend(deviations.between.map(between));
    match deviations.normalized {
        Some(true) => text += ", BN",
        Some(false) => text += ", no BN",
        None => {}
    }
    let lacks = |activation| format!(", no {}", activation_name(activation));
    text.extend(deviations.without.map(lacks));
    text
}

/// Returns the number of parameters of a stage in words; nothing if it has none.
pub(super) fn parameters(stage: &Stage) -> String {
    let total = grouped(stage.parameters);
    match (stage.count, stage.parameters) {
        (_, 0) => String::new(),
        (_, 1) => "1 parameter".to_owned(),
        (1, _) => format!("{total} parameters"),
        (count, all) if stage.is_even => {
            format!("{count} × {} parameters", grouped(all / count as u64))
        }
        _ => format!("{total} parameters in all"),
    }
}

/// Returns the usual name of an activation.
pub(super) fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::None => "Identity",
        Activation::Relu => "ReLU",
        Activation::Relu6 => "ReLU6",
        Activation::Elu => "ELU",
    }
}

/// Returns the shape of a map as papers write it, `19×19×728`; a single pixel is its number of channels.
pub(super) fn shape([_, channels, height, width]: [usize; 4]) -> String {
    match (height, width) {
        (1, 1) => channels.to_string(),
        _ => format!("{height}×{width}×{channels}"),
    }
}

fn pool(name: &str, kernel: [usize; 2], stride: [usize; 2]) -> String {
    format!("{name} {}{}", window(kernel), step(stride))
}

fn window([height, width]: [usize; 2]) -> String {
    format!("{height}×{width}")
}

fn step(stride: [usize; 2]) -> String {
    match stride {
        [1, 1] => String::new(),
        [down, right] if down == right => format!(", stride {down}"),
        [down, right] => format!(", stride {down}×{right}"),
    }
}

fn between(between: Between) -> String {
    let normalization = between.normalized.then_some("BN");
    let activation = between.activation.map(activation_name);
    let parts: Vec<_> = normalization.into_iter().chain(activation).collect();
    format!(", {} between", parts.join(" and "))
}
