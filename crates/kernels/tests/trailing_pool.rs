//! Pools of tensors with trailing channels against Burn's own pools.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use proptest::prelude::*;
use support::{devices, elements, fractions, integers, tensor, values};
use xception_kernels::{
    Geometry, Padding2d, burn_max_pool2d, max_pool_trailing_channels, mean_pool_trailing_channels,
};

fn leading(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 3, 1, 2])
}

fn trailing(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 2, 3, 1])
}

/// NaN, infinities and numbers as text, since NaN is not equal to itself.
fn text(tensor: Tensor<4>) -> Vec<String> {
    values(tensor).iter().map(f32::to_string).collect()
}

/// The same to five digits, for numbers that are rounded in different ways.
fn rounded(tensor: Tensor<4>) -> Vec<String> {
    values(tensor)
        .iter()
        .map(|value| format!("{value:.5}"))
        .collect()
}

fn burn_mean_pool(input: Tensor<4>, kernel: usize, counts_padding: bool) -> Tensor<4> {
    let options = AvgPoolOptions::new([kernel, kernel])
        .with_stride([1, 1])
        .with_padding([kernel / 2, kernel / 2])
        .with_count_include_pad(counts_padding);
    trailing(avg_pool2d(leading(input), options))
}

fn assert_close(found: Tensor<4>, expected: Tensor<4>, name: &str) {
    assert_eq!(found.dims(), expected.dims(), "{name}");
    for (found, expected) in values(found).iter().zip(values(expected)) {
        assert!(
            (found - expected).abs() < 1e-5,
            "{name}: {found}, {expected}"
        );
    }
}

proptest! {
    #[test]
    fn maxima_equal_burns_pool(
        kernel in [1..=4usize, 1..=4],
        stride in [1..=3usize, 1..=3],
        dilation in prop_oneof![4 => Just([1usize, 1]), 1 => [1..=2usize, 1..=2]],
        padding in [0..=3usize, 0..=3, 0..=3, 0..=3],
        size in [1..=15usize, 1..=15],
        channels in 1..=40usize,
    ) {
        // Smaller than the kernel, as Burn's pool wants it.
        let [top, bottom] = [padding[0] % kernel[0], padding[1] % kernel[0]];
        let [left, right] = [padding[2] % kernel[1], padding[3] % kernel[1]];
        let padding = Padding2d { top, bottom, left, right };
        let geometry = Geometry { kernel, stride, dilation, padding };
        let output = geometry.output_size(size);
        prop_assume!(output.is_some());
        // Burn's NdArray indexes out of bounds if there is more padding than output.
        let [rows, columns] = output.unwrap();
        prop_assume!(rows >= top.max(bottom) && columns >= left.max(right));
        let shape = [2, size[0], size[1], channels];
        for device in devices() {
            // All negative, so that padding of zeros would win.
            let input = tensor(integers(elements(shape), 1), shape, &device) - 6.0;
            let expected = trailing(burn_max_pool2d(leading(input.clone()), &geometry));
            for native in [false, true] {
                let found = max_pool_trailing_channels(input.clone(), &geometry, native);
                prop_assert_eq!(found.dims(), expected.dims());
                prop_assert!(values(found) == values(expected.clone()), "{:?} {}", geometry, native);
            }
        }
    }

    #[test]
    fn means_equal_burns_pool(
        half in 0..=3usize,
        size in [1..=15usize, 1..=15],
        channels in 1..=40usize,
        counts_padding: bool,
    ) {
        // Burn's NdArray indexes out of bounds if there is more padding than output, which has the input's size.
        prop_assume!(size.iter().all(|&side| side >= half));
        let kernel = 2 * half + 1;
        let shape = [2, size[0], size[1], channels];
        for device in devices() {
            let input = tensor(fractions(elements(shape), 1), shape, &device);
            let expected = burn_mean_pool(input.clone(), kernel, counts_padding);
            for native in [false, true] {
                let found = mean_pool_trailing_channels(input.clone(), kernel, counts_padding, native);
                assert_close(found, expected.clone(), &format!("{shape:?}, kernel {kernel}, native: {native}"));
            }
        }
    }
}

/// A special value in a corner, on a side, and in the middle, beside infinities of both signs.
#[test]
fn nan_and_infinities_at_the_border_reach_what_burns_pools_say() {
    let device = Device::flex();
    let shape = [1, 7, 5, 3];
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for pixel in [0, 2, 17, 34] {
            let mut numbers = integers(elements(shape), 1);
            numbers[3 * pixel] = special;
            numbers[3 * 34 + 1] = f32::NEG_INFINITY;
            let input = tensor(numbers, shape, &device);
            let name = format!("{special} at pixel {pixel}");
            for geometry in [Geometry::same(3), Geometry::same(3).with_stride(2)] {
                let own = max_pool_trailing_channels(input.clone(), &geometry, true);
                let burn = max_pool_trailing_channels(input.clone(), &geometry, false);
                assert_eq!(text(own), text(burn), "{name}, maximum");
            }
            for counts_padding in [false, true] {
                let own = mean_pool_trailing_channels(input.clone(), 3, counts_padding, true);
                let burn = burn_mean_pool(input.clone(), 3, counts_padding);
                assert_eq!(rounded(own), rounded(burn), "{name}, mean");
            }
        }
    }
}

#[test]
fn the_least_value_is_a_maximum_too() {
    let shape = [1, 5, 5, 2];
    let input = tensor(
        vec![f32::NEG_INFINITY; elements(shape)],
        shape,
        &Device::flex(),
    );
    let found = max_pool_trailing_channels(input, &Geometry::same(3), true);
    assert!(
        values(found)
            .iter()
            .all(|&value| value == f32::NEG_INFINITY)
    );
}

#[test]
fn there_is_a_gradient_in_autodiff_mode() {
    let device = Device::flex().autodiff();
    let shape = [1, 6, 6, 2];
    for mean in [false, true] {
        let input = tensor(fractions(elements(shape), 1), shape, &device).require_grad();
        let output = match mean {
            true => mean_pool_trailing_channels(input.clone(), 3, true, true),
            false => max_pool_trailing_channels(input.clone(), &Geometry::same(3), true),
        };
        let gradients = output.sum().backward();
        let gradient: f32 = values(input.grad(&gradients).unwrap()).iter().sum();
        let expected = match mean {
            true => 2.0 * 256.0 / 9.0, // 16 of 18 columns and rows of taps lie on the input
            false => 72.0,
        };
        assert!((gradient - expected).abs() < 1e-3, "{gradient}, {expected}");
    }
}

#[test]
#[should_panic(expected = "a kernel of odd size, not 2")]
fn an_even_kernel_is_refused() {
    let input = Tensor::zeros([1, 4, 4, 1], &Device::flex());
    mean_pool_trailing_channels(input, 2, true, true);
}
