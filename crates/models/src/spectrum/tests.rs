//! The equivalences of the paper, in outputs, gradients and running statistics.

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::Distribution;

use super::*;
use crate::layers::trace::Trace;
use crate::layers::{
    Activation, ConvNorm, Epilogue, FeatureMap, Kernels, LayerOptions, Order, SegmentedConvNorm,
    SegmentedConvNormConfig, Segments,
};

const OPTIONS: LayerOptions = LayerOptions {
    epsilon: 1e-3,
    kernels: Kernels::Native,
};

/// A mapper that gives each normalization its own parameters and statistics, as training does.
struct Trained(Device, bool);

impl ModuleMapper for Trained {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.1 = name == "running_var" || name == "gamma";
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (low, high) = if self.1 { (0.5, 1.5) } else { (-0.3, 0.3) };
        match D {
            1 => param.map(|tensor| {
                let noise = Distribution::Uniform(low, high);
                let random = Tensor::random(tensor.dims(), noise, &self.0);
                random.set_require_grad(tensor.is_require_grad())
            }),
            _ => param,
        }
    }
}

fn trained<M: Module>(module: M, device: &Device) -> M {
    module.map(&mut Trained(device.clone(), false))
}

/// Returns the largest difference, relative to the largest value.
fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let largest = a.clone().abs().max().into_scalar::<f32>();
    assert!(largest > 0.0, "there is something to compare");
    (a - b).abs().max().into_scalar::<f32>() / largest
}

/// Lists the modules of figure 3 to convert: normalization and activation between the parts, and segments.
fn modules(device: &Device) -> Vec<SegmentedConvNorm> {
    let mut modules = Vec::new();
    for number in [1, 2, 3, 4, 6, 12] {
        for norm_between in [false, true] {
            for activation in [Activation::None, Activation::Relu, Activation::Elu] {
                let segments = Segments::Number(number);
                let config = SegmentedConvNormConfig::inception([10, 12], segments, OPTIONS)
                    .with_norm_between(norm_between)
                    .with_activation(activation);
                modules.push(trained(config.init(device), device));
            }
        }
    }
    modules
}

#[test]
fn figures_two_and_three_have_the_same_outputs() {
    let device = Device::flex();
    let images = Tensor::random([2, 10, 9, 8], Distribution::Default, &device);
    let mut worst = 0f32;
    for segmented in modules(&device) {
        let branches = SimplifiedInception::from_segmented(&segmented).unwrap();
        assert_eq!(branches.branches.len(), segmented.spatial.groups);
        let back = branches.to_segmented().unwrap();
        for (form, map) in [
            (
                "composed",
                FeatureMap::composed as fn(Tensor<4>) -> FeatureMap,
            ),
            ("fused", FeatureMap::fused),
        ] {
            let expected = segmented.forward(map(images.clone()), Epilogue::relu());
            let expected = expected.into_tensor();
            let apart = branches.forward(map(images.clone()), Activation::Relu);
            let error = difference(expected.clone(), apart.into_tensor());
            assert!(error < 1e-5, "{form}: {error}");
            worst = worst.max(error);
            let again = back.forward(map(images.clone()), Epilogue::relu());
            assert_eq!(again.into_tensor().into_data(), expected.into_data());
        }
    }
    println!("figures 2 and 3: outputs differ by at most {worst:.1e} of the largest");
}

#[test]
fn figures_two_and_three_have_the_same_gradients() {
    let device = Device::flex().autodiff();
    let mut worst = 0f32;
    for segmented in modules(&device) {
        let branches = SimplifiedInception::from_segmented(&segmented).unwrap();
        let images = Tensor::random([4, 10, 9, 8], Distribution::Default, &device);
        let weights = Tensor::random([4, 12, 9, 8], Distribution::Default, &device);
        let images = images.require_grad();
        let gradients =
            |output: FeatureMap| (output.into_tensor() * weights.clone()).sum().backward();
        let input = FeatureMap::composed(images.clone());
        let expected = gradients(segmented.forward(input.clone(), Epilogue::relu()));
        let found = gradients(branches.forward(input, Activation::Relu));
        let of = |part: fn(&InceptionBranch) -> &ConvNorm| {
            let parts = branches.branches.iter().map(|branch| {
                let weight = part(branch).conv.weight.val();
                weight.grad(&found).unwrap()
            });
            Tensor::cat(parts.collect(), 0)
        };
        let norms = |part: fn(&InceptionBranch) -> &ConvNorm| {
            let parts = branches.branches.iter().map(|branch| {
                let norm = part(branch).norm.as_ref().unwrap();
                norm.gamma.val().grad(&found).unwrap()
            });
            Tensor::cat(parts.collect(), 0)
        };
        let grad = |weight: &Param<Tensor<4>>| weight.val().grad(&expected).unwrap();
        let mut errors = vec![
            difference(grad(&segmented.pointwise.weight), of(|b| &b.pointwise)),
            difference(grad(&segmented.spatial.weight), of(|b| &b.spatial)),
            difference(
                images.grad(&expected).unwrap(),
                images.grad(&found).unwrap(),
            ),
        ];
        let norm = segmented.norm.as_ref().unwrap();
        let gamma = norm.gamma.val().grad(&expected).unwrap();
        errors.push(difference(gamma, norms(|b| &b.spatial)));
        // The running statistics of a training step.
        let joined = branches.to_segmented().unwrap().norm.unwrap();
        errors.push(difference(
            norm.running_var.value_sync(),
            joined.running_var.value_sync(),
        ));
        let error = errors.into_iter().fold(0f32, f32::max);
        assert!(
            error < 1e-4,
            "{} segments: {error}",
            segmented.spatial.groups
        );
        worst = worst.max(error);
    }
    println!("figures 2 and 3: gradients differ by at most {worst:.1e} of the largest");
}

#[test]
fn the_order_only_decides_where_a_stack_begins() {
    let device = Device::flex();
    let mut worst = 0f32;
    for segments in [Segments::Number(1), Segments::Number(4), Segments::Channels] {
        for norm_between in [false, true] {
            for (between, after) in [
                (Activation::None, Activation::Relu),
                (Activation::Relu, Activation::Relu),
                (Activation::Elu, Activation::None),
            ] {
                let module = |channels| {
                    let config = SegmentedConvNormConfig::inception(channels, segments, OPTIONS)
                        .with_norm_between(norm_between)
                        .with_activation(between);
                    trained(config.init(&device), &device)
                };
                let modules = vec![module([6, 8]), module([8, 12]), module([12, 16])];
                let stack = SeparableStack::new(modules, after);
                let regrouped = stack.depthwise_first().unwrap();
                assert_eq!(regrouped.modules.len(), 2);
                let orders = regrouped.modules.iter().map(|module| module.order);
                assert!(
                    orders
                        .into_iter()
                        .all(|order| order == Order::DepthwiseFirst)
                );
                assert_eq!(regrouped.num_params(), stack.num_params());
                let images = Tensor::random([2, 6, 9, 8], Distribution::Default, &device);
                let map = FeatureMap::composed(images.clone());
                let expected = stack.forward(map.clone()).into_tensor();
                assert_eq!(
                    regrouped.forward(map).into_tensor().into_data(),
                    expected.clone().into_data()
                );
                let fused = regrouped.forward(FeatureMap::fused(images));
                let error = difference(expected, fused.into_tensor());
                assert!(error < 1e-5, "{error}");
                worst = worst.max(error);
            }
        }
    }
    println!("regrouped stacks: equal; fused they differ by at most {worst:.1e} of the largest");
}

#[test]
fn what_cannot_be_converted_is_an_error() {
    let device = Device::flex();
    let separable = SegmentedConvNormConfig::separable([4, 4], 3, OPTIONS).init(&device);
    let error = SimplifiedInception::from_segmented(&separable).unwrap_err();
    assert!(
        matches!(error, SpectrumError::Order { index: 0, .. }),
        "{error}"
    );
    let inception = |activation| {
        SegmentedConvNormConfig::inception([4, 4], Segments::Number(2), OPTIONS)
            .with_activation(activation)
    };
    let rectified = inception(Activation::Relu)
        .with_input_relu(true)
        .init(&device);
    let error = SimplifiedInception::from_segmented(&rectified).unwrap_err();
    assert_eq!(error, SpectrumError::InputRelu { index: 0 });
    let regrouped = |modules| SeparableStack::new(modules, Activation::Relu).depthwise_first();
    assert_eq!(regrouped(Vec::new()).unwrap_err(), SpectrumError::Empty);
    let mixed = [Activation::Relu, Activation::Elu].map(|a| inception(a).init(&device));
    let error = regrouped(mixed.into()).unwrap_err();
    assert!(error.to_string().contains("module 1 differs"), "{error}");
    let error = SimplifiedInceptionConfig::new([4, 10], 4, OPTIONS).init(&device);
    let error = error.unwrap_err().to_string();
    assert_eq!(
        error,
        "10 channels don't divide into 4 branches of the same size"
    );
    let nothing = SimplifiedInception {
        branches: Vec::new(),
    };
    assert_eq!(nothing.to_segmented().unwrap_err(), SpectrumError::Empty);
}

#[test]
fn a_module_of_branches_takes_every_form() {
    let device = Device::flex();
    let config = SimplifiedInceptionConfig::new([6, 12], 3, OPTIONS);
    let module = config.with_norm_between(false).init(&device).unwrap();
    let traced = FeatureMap::traced([2, 6, 9, 8], &Trace::recording(&device));
    let output = module.forward(traced, Activation::Relu);
    assert_eq!(output.dims(), [2, 12, 9, 8]);
}
