//! Max pooling and its gradient against Burn's own operation.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use proptest::prelude::*;
use support::{devices, elements, integers, tensor, values};
use xception_kernels::{Geometry, Padding2d, burn_max_pool2d, max_pool2d};

type Pool = fn(Tensor<4>, &Geometry) -> Tensor<4>;

/// Output without a gradient, output with one, and the gradient.
fn run(numbers: &[f32], shape: [usize; 4], geometry: &Geometry, pool: Pool) -> [Vec<f32>; 3] {
    let device = Device::flex();
    let plain = pool(tensor(numbers.to_vec(), shape, &device), geometry);
    let device = device.autodiff();
    let input = tensor(numbers.to_vec(), shape, &device).require_grad();
    let output = pool(input.clone(), geometry);
    let factor = tensor(integers(elements(output.dims()), 3), output.dims(), &device);
    let gradients = (output.clone() * factor).sum().backward();
    let gradient = input.grad(&gradients).unwrap();
    [values(plain), values(output), values(gradient)]
}

proptest! {
    #[test]
    fn equals_burns_operation(
        kernel in [1..=4usize, 1..=4],
        stride in [1..=3usize, 1..=3],
        padding in [0..=1usize, 0..=1, 0..=1, 0..=1],
        size in [1..=40usize, 1..=40],
    ) {
        let [top, bottom, left, right] = padding;
        let padding = Padding2d { top, bottom, left, right };
        let geometry = Geometry { kernel, stride, dilation: [1, 1], padding };
        let fits = geometry.output_size(size).is_some();
        prop_assume!(fits && top.max(bottom) < kernel[0] && left.max(right) < kernel[1]);
        let shape = [2, 3, size[0], size[1]];
        // Small integers, so that many are equal.
        let numbers = integers(elements(shape), 1);
        let own = run(&numbers, shape, &geometry, max_pool2d);
        let burn = run(&numbers, shape, &geometry, burn_max_pool2d);
        prop_assert!(own == burn, "{shape:?} {geometry:?}");
    }
}

#[test]
fn nan_wins_and_infinity_below_all_still_gets_the_gradient() {
    let geometry = Geometry::same(3).with_stride(2);
    let shape = [1, 1, 5, 5];
    let mut numbers = integers(25, 1);
    numbers[12] = f32::NAN;
    let [plain, output, gradient] = run(&numbers, shape, &geometry, max_pool2d);
    assert!(plain[4].is_nan() && output[4].is_nan() && !output[0].is_nan());
    assert_eq!(gradient[12], integers(9, 3)[4]);

    let numbers = vec![f32::NEG_INFINITY; 25];
    let own = run(&numbers, shape, &geometry, max_pool2d);
    let burn = run(&numbers, shape, &geometry, burn_max_pool2d);
    assert_eq!(own, burn);
}

#[test]
fn works_on_every_device_with_a_kernel() {
    let [first, second] = devices().map(|device| {
        let input = tensor(integers(2 * 3 * 49, 1), [2, 3, 7, 7], &device);
        values(max_pool2d(input, &Geometry::same(3).with_stride(2)))
    });
    assert_eq!(first, second);
}
