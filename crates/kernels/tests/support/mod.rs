//! What the tests share: the definition of convolution as plain loops, and tensors to try it on.

#![allow(dead_code)] // each test uses a part

pub mod catalogue;

use burn::prelude::*;
use proptest::prelude::*;
use xception_kernels::{Geometry, Padding2d};

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub batch: usize,
    pub channels: usize,
    pub outputs: usize,
    pub groups: usize,
    pub size: [usize; 2],
    pub geometry: Geometry,
}

/// Geometries of any stride and dilation up to 3, with a kernel and a padding of each side up to these sizes.
pub fn geometries(kernel: usize, padding: usize) -> impl Strategy<Value = Geometry> {
    let pair = |largest: usize| [1..=largest, 1..=largest];
    let sides = [0..=padding, 0..=padding, 0..=padding, 0..=padding];
    (pair(kernel), pair(3), pair(3), sides).prop_map(
        |(kernel, stride, dilation, [top, bottom, left, right])| Geometry {
            kernel,
            stride,
            dilation,
            padding: Padding2d {
                top,
                bottom,
                left,
                right,
            },
        },
    )
}

/// The devices with kernels of their own.
#[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
pub fn devices() -> [Device; 2] {
    [Device::flex(), Device::ndarray()]
}

impl Case {
    pub fn input(&self) -> [usize; 4] {
        [self.batch, self.channels, self.size[0], self.size[1]]
    }

    pub fn weight(&self) -> [usize; 4] {
        let [rows, columns] = self.geometry.kernel;
        [self.outputs, self.channels / self.groups, rows, columns]
    }

    pub fn output(&self) -> [usize; 4] {
        let [rows, columns] = self.geometry.output_size(self.size).unwrap();
        [self.batch, self.outputs, rows, columns]
    }

    /// Calls `visit` with the indices of the output, the input and the weight of each product that
    /// the definition of convolution adds up.
    pub fn each_product(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [_, _, height, width] = self.input();
        let [outputs, of_a_group, kernel_height, kernel_width] = self.weight();
        let [_, _, rows, columns] = self.output();
        let Geometry {
            stride,
            dilation,
            padding,
            ..
        } = self.geometry;
        for n in 0..self.batch {
            for o in 0..outputs {
                for c in 0..of_a_group {
                    let channel = o / (outputs / self.groups) * of_a_group + c;
                    for y in 0..rows {
                        for x in 0..columns {
                            for i in 0..kernel_height {
                                for j in 0..kernel_width {
                                    let row = (y * stride[0] + i * dilation[0])
                                        .checked_sub(padding.top)
                                        .filter(|&row| row < height);
                                    let column = (x * stride[1] + j * dilation[1])
                                        .checked_sub(padding.left)
                                        .filter(|&column| column < width);
                                    let (Some(row), Some(column)) = (row, column) else {
                                        continue;
                                    };
                                    visit(
                                        ((n * outputs + o) * rows + y) * columns + x,
                                        ((n * self.channels + channel) * height + row) * width
                                            + column,
                                        ((o * of_a_group + c) * kernel_height + i) * kernel_width
                                            + j,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A convolution and its gradients, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    pub output: Vec<f32>,
    pub input_gradient: Vec<f32>,
    pub weight_gradient: Vec<f32>,
    pub bias_gradient: Vec<f32>,
}

/// The results by plain loops; `gradient` is that of the output.
pub fn by_definition(
    case: &Case,
    input: &[f32],
    weight: &[f32],
    bias: &[f32],
    gradient: &[f32],
) -> Results {
    let [_, outputs, rows, columns] = case.output();
    let mut results = Results {
        output: Vec::with_capacity(gradient.len()),
        input_gradient: vec![0.0; input.len()],
        weight_gradient: vec![0.0; weight.len()],
        bias_gradient: vec![0.0; outputs],
    };
    for (index, gradient) in gradient.iter().enumerate() {
        let channel = index / (rows * columns) % outputs;
        results.output.push(bias[channel]);
        results.bias_gradient[channel] += gradient;
    }
    case.each_product(|output, pixel, tap| {
        results.output[output] += input[pixel] * weight[tap];
        results.input_gradient[pixel] += gradient[output] * weight[tap];
        results.weight_gradient[tap] += gradient[output] * input[pixel];
    });
    results
}

/// A convolution on tensors, with its gradients; `convolve` takes input, weight and bias.
pub fn by_tensors(
    [input, weight, gradient]: [Tensor<4>; 3],
    bias: Tensor<1>,
    convolve: impl FnOnce(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<4>,
) -> Results {
    let (input, weight) = (input.require_grad(), weight.require_grad());
    let bias = bias.require_grad();
    let output = convolve(input.clone(), weight.clone(), bias.clone());
    let gradients = (output.clone() * gradient).sum().backward();
    Results {
        output: values(output),
        input_gradient: values(input.grad(&gradients).unwrap()),
        weight_gradient: values(weight.grad(&gradients).unwrap()),
        bias_gradient: values(bias.grad(&gradients).unwrap()),
    }
}

/// The values of a tensor, row by row.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().unwrap()
}

pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Small integers, so that any order of summation gives the same float.
pub fn integers(length: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 37 + i / 7 * 5 + seed * 13) % 11) as f32 - 5.0;
    (0..length).map(value).collect()
}

/// Fractions between -1 and 1, the same for the same seed.
pub fn fractions(length: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| {
        let hash = (i + 1).wrapping_mul(0x9E37_79B9).wrapping_add(seed * 7919);
        (hash.wrapping_mul(hash ^ 0x85EB) >> 7 & 0xFFFF) as f32 / 32768.0 - 1.0
    };
    (0..length).map(value).collect()
}

pub fn elements(shape: [usize; 4]) -> usize {
    shape.iter().product()
}
