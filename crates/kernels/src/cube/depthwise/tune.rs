//! The choice of how many columns a unit computes, measured once for each kind of layer on each card.

use burn::tensor::DType;
use burn_cubecl::CubeTuneId;
use burn_cubecl::tensor::CubeTensor;
use cubecl::AutotuneKey;
use cubecl::tune::{LocalTuner, Tunable, TunableSet, local_tuner};
use serde::{Deserialize, Serialize};

use super::strips;
use super::window::Window;
use crate::Geometry;
use crate::ops::Activations;

/// The columns to choose from. More of them read fewer pixels twice, and take more registers; results are the same.
const COLUMNS: [usize; 4] = [4, 2, 8, 1];

/// The most units of a plane on devices that aren't measured: drivers for the processor, where that takes long and says nothing, have
/// planes of 4 to 16.
const NARROW_PLANE: u32 = 16;

/// A convolution in strips of columns, but for the number of columns.
#[derive(Debug, Clone)]
pub(super) struct Strips {
    pub(super) source: CubeTensor,
    pub(super) weight: CubeTensor,
    pub(super) bias: Option<CubeTensor>,
    /// The shape of the result, `[batch, channels, height, width]`.
    pub(super) result: [usize; 4],
    pub(super) geometry: Geometry,
    /// Whether the output's gradient is taken to the input, instead of the input to the output.
    pub(super) transposed: bool,
    pub(super) activations: Activations,
}

impl Strips {
    /// Computes the result with the number of columns that is fastest on this device, or with the first choice on a driver for the processor.
    pub(super) fn compute(self) -> CubeTensor {
        static TUNER: LocalTuner<StripsKey, CubeTuneId> = local_tuner!();

        let client = self.source.client.clone();
        if client.properties().hardware.plane_size_max <= NARROW_PLANE {
            return self.of(COLUMNS[0]);
        }
        let id = CubeTuneId::new(&client, &self.source.device);
        let choices = TUNER.init(&id, || {
            let choices = TunableSet::new(Self::key, |_: &StripsKey, strips: &Self| strips.clone());
            COLUMNS.into_iter().fold(choices, |choices, columns| {
                let name = format!("depthwise_strips_of_{columns}");
                choices.with(Tunable::new(&name, move |strips: Self| {
                    Ok::<_, String>(strips.of(columns))
                }))
            })
        });
        TUNER.execute(&id, &client, choices, self)
    }

    /// Computes the result with this number of columns, or about as many.
    pub(super) fn of(self, columns: usize) -> CubeTensor {
        let window = match self.transposed {
            true => Window::transposed(self.geometry, columns),
            false => Window::forward(self.geometry, columns),
        };
        let (weight, bias) = (self.weight, self.bias);
        strips::compute(
            self.source,
            weight,
            bias,
            self.result,
            window,
            self.activations,
        )
    }

    fn key(&self) -> StripsKey {
        let [batch, channels, rows, columns] = self.result;
        let geometry = &self.geometry;
        StripsKey {
            kernel: geometry.kernel,
            stride: geometry.stride,
            dilation: geometry.dilation,
            transposed: self.transposed,
            multiplier: channels / self.source.meta.shape()[1],
            batch,
            channels,
            rows,
            columns,
            dtype: self.source.dtype,
        }
    }
}

/// What the fastest number of columns may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AutotuneKey)]
struct StripsKey {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    transposed: bool,
    multiplier: usize,
    #[autotune(anchor)]
    batch: usize,
    #[autotune(anchor)]
    channels: usize,
    #[autotune(anchor)]
    rows: usize,
    #[autotune(anchor)]
    columns: usize,
    dtype: DType,
}

#[cfg(all(test, feature = "wgpu"))]
mod tests {
    use burn::backend::DispatchDevice;
    use burn::backend::ops::FloatTensorOps;
    use burn::prelude::*;
    use burn_cubecl::CubeBackend;

    use super::*;

    /// Makes a tensor of fractions that differ.
    fn tensor(shape: [usize; 4], factor: f32) -> CubeTensor {
        let numbers = (0..shape.iter().product::<usize>()).map(|i| (i as f32 * factor).sin());
        let data = TensorData::new(numbers.collect(), shape);
        let device = Device::wgpu(Default::default());
        let DispatchDevice::Cube(device) = device.as_dispatch() else {
            panic!("wgpu is a device of the Cube backend");
        };
        CubeBackend::float_from_data(data, device)
    }

    #[test]
    fn any_number_of_columns_gives_the_same() {
        let relu = Activations {
            input_relu: true,
            output: crate::Activation::Relu6,
        };
        for geometry in [
            Geometry::same(3),
            Geometry::same(5).with_stride(2),
            Geometry::same(3).with_dilation(2),
        ] {
            let [rows, columns] = geometry.output_size([9, 7]).unwrap();
            let (input, output) = ([2, 33, 9, 7], [2, 33, rows, columns]);
            for (transposed, source, result, activations) in [
                (false, input, output, Activations::NONE),
                (false, input, output, relu),
                (true, output, input, Activations::NONE),
            ] {
                let strips = Strips {
                    source: tensor(source, 0.7),
                    weight: tensor([33, 1, geometry.kernel[0], geometry.kernel[1]], 0.3),
                    bias: None,
                    result,
                    geometry,
                    transposed,
                    activations,
                };
                let compute = |columns| {
                    let data = CubeBackend::float_into_data(strips.clone().of(columns));
                    cubecl::future::block_on(data)
                        .unwrap()
                        .try_to_vec::<f32>()
                        .unwrap()
                };
                let expected = compute(COLUMNS[0]);
                assert!(expected.iter().any(|value| value.abs() > 0.1));
                for columns in &COLUMNS[1..] {
                    assert!(compute(*columns) == expected, "{columns}, {strips:?}");
                }
            }
        }
    }
}
