//! Average pooling and its gradient against Burn's own operation.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use proptest::prelude::*;
use support::{devices, elements, fractions, tensor, values};
use xception_kernels::{Geometry, Padding2d, average_pool2d, burn_average_pool2d};

type Pool = fn(Tensor<4>, &Geometry, bool) -> Tensor<4>;

/// Output without a gradient, output with one, and the gradient.
fn run(
    shape: [usize; 4],
    geometry: &Geometry,
    counts_padding: bool,
    device: &Device,
    pool: Pool,
) -> [Vec<f32>; 3] {
    let numbers = fractions(elements(shape), 1);
    let plain = pool(
        tensor(numbers.clone(), shape, device),
        geometry,
        counts_padding,
    );
    let device = device.clone().autodiff();
    let input = tensor(numbers, shape, &device).require_grad();
    let output = pool(input.clone(), geometry, counts_padding);
    let factor = tensor(
        fractions(elements(output.dims()), 3),
        output.dims(),
        &device,
    );
    let gradients = (output.clone() * factor).sum().backward();
    let gradient = input.grad(&gradients).unwrap();
    [values(plain), values(output), values(gradient)]
}

proptest! {
    #[test]
    fn equals_burns_operation(
        kernel in [1..=5usize, 1..=5],
        stride in [1..=3usize, 1..=3],
        padding in [0..=2usize, 0..=2],
        size in [1..=36usize, 1..=36],
        counts_padding in any::<bool>(),
    ) {
        let [rows, columns] = padding;
        let padding = Padding2d { top: rows, bottom: rows, left: columns, right: columns };
        let geometry = Geometry { kernel, stride, dilation: [1, 1], padding };
        let fits = geometry.output_size(size).is_some();
        prop_assume!(fits && 2 * rows <= kernel[0] && 2 * columns <= kernel[1]);
        let shape = [2, 3, size[0], size[1]];
        for device in devices() {
            let own = run(shape, &geometry, counts_padding, &device, average_pool2d);
            let burn = run(shape, &geometry, counts_padding, &device, burn_average_pool2d);
            for (own, burn) in own.iter().zip(&burn) {
                prop_assert_eq!(own.len(), burn.len());
                for (own, burn) in own.iter().zip(burn) {
                    prop_assert!((own - burn).abs() < 1e-5, "{} {} {:?}", own, burn, geometry);
                }
            }
        }
    }
}
