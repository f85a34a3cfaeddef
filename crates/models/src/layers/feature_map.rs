//! The feature maps that pass from layer to layer.

use std::ops::Add;

use burn::module::Module;
use burn::prelude::*;

use super::operation::OperationKind;
use super::trace::{Trace, Traced};

/// A batch of feature maps, in the form that the pass through the network needs.
///
/// The forward pass of a network is written once, in terms of feature maps. Its effect depends on their form:
///
/// - *composed*: a tensor `[batch, channels, height, width]` that passes through operations with gradients, for
///   training and for the evaluation of networks that change;
/// - *fused*: a tensor with trailing channels, `[batch, height, width, channels]`, on which a convolution is computed
///   together with its normalization, activation and residual addition; see [`Fused`](crate::Fused);
/// - *traced*: a shape without values, from which the summary, the parameters of each stage and the preparation of
///   fused layers are derived without computing anything.
#[derive(Debug, Clone)]
pub struct FeatureMap {
    pub(super) form: Form,
}

#[derive(Debug, Clone)]
pub(super) enum Form {
    /// `[batch, channels, height, width]`.
    Composed(Tensor<4>),
    /// Images, `[batch, channels, height, width]`, for a fused first layer.
    FusedImages(Tensor<4>),
    /// `[batch, height, width, channels]`.
    Fused(Tensor<4>),
    /// A shape.
    Traced(Traced),
}

impl FeatureMap {
    /// Wraps a tensor for composed operations.
    ///
    /// # Shapes
    ///
    /// - `tensor`: `[batch, channels, height, width]`
    pub fn composed(tensor: Tensor<4>) -> Self {
        Form::Composed(tensor).into()
    }

    /// Wraps a tensor for fused layers.
    ///
    /// # Shapes
    ///
    /// - `tensor`: `[batch, channels, height, width]`
    pub(crate) fn fused(tensor: Tensor<4>) -> Self {
        Form::FusedImages(tensor).into()
    }

    /// Makes a map that has a shape but no values.
    pub(crate) fn traced(dims: [usize; 4], trace: &Trace) -> Self {
        Traced::input(dims, trace).into()
    }

    /// Returns the map if it is traced.
    pub(crate) fn as_traced(&self) -> Option<&Traced> {
        match &self.form {
            Form::Traced(traced) => Some(traced),
            _ => None,
        }
    }

    /// Returns the dimensions: batch, channels, height and width.
    pub fn dims(&self) -> [usize; 4] {
        match &self.form {
            Form::Composed(tensor) | Form::FusedImages(tensor) => tensor.dims(),
            Form::Fused(tensor) => {
                let [batch, height, width, channels] = tensor.dims();
                [batch, channels, height, width]
            }
            Form::Traced(traced) => traced.dims,
        }
    }

    /// Returns the values. A traced map has none, and returns zeros on the trace's device.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, channels, height, width]`
    pub fn into_tensor(self) -> Tensor<4> {
        match self.form {
            Form::Composed(tensor) | Form::FusedImages(tensor) => tensor,
            Form::Fused(tensor) => tensor.permute([0, 3, 1, 2]),
            Form::Traced(traced) => Tensor::zeros(traced.dims, traced.trace().device()),
        }
    }

    /// Applies an operation that has no layer in this crate, such as a module of Burn without parameters.
    ///
    /// A trace counts the operation's outputs, but none of its parameters: use [`map_module`](Self::map_module) for
    /// an operation that has some.
    ///
    /// # Shapes
    ///
    /// - input and output of `operation`: `[batch, channels, height, width]`
    pub fn map(self, operation: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        match self.form {
            Form::Composed(tensor) => Self::composed(operation(tensor)),
            Form::FusedImages(tensor) => Form::FusedImages(operation(tensor)).into(),
            Form::Fused(_) => Form::FusedImages(operation(self.into_tensor())).into(),
            Form::Traced(traced) => {
                let zeros = Tensor::zeros(traced.dims, traced.trace().device());
                let output = operation(zeros).dims();
                traced.then(OperationKind::Other, output).into()
            }
        }
    }

    /// Applies a module that has no layer in this crate. A trace counts the module's parameters, and `multiply_adds`
    /// for each number of its output.
    ///
    /// # Shapes
    ///
    /// - input and output of `operation`: `[batch, channels, height, width]`
    pub fn map_module<M: Module>(
        self,
        module: &M,
        multiply_adds: usize,
        operation: impl FnOnce(&M, Tensor<4>) -> Tensor<4>,
    ) -> Self {
        match self.form {
            Form::Traced(traced) => {
                // The operation expects its input on the module's device.
                let device = module.devices().into_iter().next();
                let device = device.unwrap_or_else(|| traced.trace().device().clone());
                let output = operation(module, Tensor::zeros(traced.dims, &device)).dims();
                traced.trace().module(module);
                let parameters = crate::network::trainable_parameters(module);
                traced
                    .then_weighted(OperationKind::Other, output, parameters, multiply_adds)
                    .into()
            }
            _ => self.map(|tensor| operation(module, tensor)),
        }
    }

    /// Shuffles channels between groups: channel `j` of group `i` becomes channel `i` of group `j` (X. Zhang et al.,
    /// *ShuffleNet*, 2018, figure 1).
    ///
    /// # Shapes
    ///
    /// - `self` and output: `[batch, channels, height, width]`, with `channels` a multiple of `groups`
    pub fn shuffle_channels(self, groups: usize) -> Self {
        let [batch, channels, height, width] = self.dims();
        let each = channels / groups.max(1);
        match self.form {
            Form::Traced(traced) => {
                let kind = OperationKind::ChannelShuffle { groups };
                traced.then(kind, traced.dims).into()
            }
            Form::Fused(tensor) => {
                let groups = tensor.reshape([batch, height, width, groups, each]);
                let shuffled = groups.swap_dims(3, 4);
                Form::Fused(shuffled.reshape([batch, height, width, channels])).into()
            }
            form => Self::from(form).map(|tensor| {
                let groups = tensor.reshape([batch, groups, each, height, width]);
                groups
                    .swap_dims(1, 2)
                    .reshape([batch, channels, height, width])
            }),
        }
    }

    /// Arranges all values as channels of a single pixel, channel by channel and row by row.
    ///
    /// # Shapes
    ///
    /// - `self`: `[batch, channels, height, width]`
    /// - output: `[batch, channels * height * width, 1, 1]`
    pub fn flatten(self) -> Self {
        let [batch, channels, height, width] = self.dims();
        let dims = [batch, channels * height * width, 1, 1];
        match self.form {
            Form::Traced(traced) => traced.then(OperationKind::Flattening, dims).into(),
            form => Self::from(form).map(|tensor| tensor.reshape(dims)),
        }
    }

    /// Multiplies all values by a number.
    ///
    /// # Shapes
    ///
    /// - `self` and output: `[batch, channels, height, width]`
    pub fn scale(self, factor: f64) -> Self {
        match self.form {
            Form::Composed(tensor) => Self::composed(tensor * factor),
            Form::FusedImages(tensor) => Form::FusedImages(tensor * factor).into(),
            Form::Fused(tensor) => Form::Fused(tensor * factor).into(),
            Form::Traced(traced) => traced.then(OperationKind::Scaling, traced.dims).into(),
        }
    }

    /// Concatenates maps along their channels, in the order given.
    ///
    /// # Shapes
    ///
    /// - `maps`: each `[batch, channels of the map, height, width]`; at least one map
    /// - output: `[batch, channels of all maps, height, width]`
    pub fn concatenate<const N: usize>(maps: [Self; N]) -> Self {
        const { assert!(N > 0, "there is something to concatenate") };
        let mut maps = Vec::from(maps);
        let others = maps.split_off(1);
        maps.swap_remove(0).concatenate_with(others)
    }

    /// Concatenates other maps, of which there may be any number, behind the channels of this one.
    ///
    /// # Shapes
    ///
    /// - `self` and each of `others`: `[batch, channels of the map, height, width]`
    /// - output: `[batch, channels of all maps, height, width]`
    pub fn concatenate_with(self, others: Vec<Self>) -> Self {
        let all = |first: Tensor<4>, tensor: fn(Self) -> Tensor<4>, dimension| {
            let others = others.iter().cloned().map(tensor);
            Tensor::cat(std::iter::once(first).chain(others).collect(), dimension)
        };
        let form = match self.form {
            Form::Traced(first) => {
                let [batch, channels, height, width] = first.dims;
                let channels = channels + others.iter().map(|map| map.dims()[1]).sum::<usize>();
                let dims = [batch, channels, height, width];
                Form::Traced(first.join(OperationKind::Concatenation, &others, dims))
            }
            Form::Fused(first) => Form::Fused(all(first, Self::into_trailing, 3)),
            Form::Composed(first) => Form::Composed(all(first, Self::into_tensor, 1)),
            Form::FusedImages(first) => Form::FusedImages(all(first, Self::into_tensor, 1)),
        };
        form.into()
    }

    /// Returns the values as a tensor with trailing channels.
    pub(super) fn into_trailing(self) -> Tensor<4> {
        match self.form {
            Form::Fused(tensor) => tensor,
            form => Self::from(form).into_tensor().permute([0, 2, 3, 1]),
        }
    }
}

impl Add for FeatureMap {
    type Output = Self;

    /// Adds a map of the same shape.
    fn add(self, other: Self) -> Self {
        match (self.form, other.form) {
            (Form::Fused(a), Form::Fused(b)) => Form::Fused(a + b).into(),
            (Form::Traced(traced), other) => {
                let other = Self::from(other);
                traced
                    .join(OperationKind::Addition, [&other], traced.dims)
                    .into()
            }
            (form, other) => {
                let other = Self::from(other).into_tensor();
                Self::from(form).map(|tensor| tensor + other)
            }
        }
    }
}

impl From<Form> for FeatureMap {
    fn from(form: Form) -> Self {
        Self { form }
    }
}

impl From<Traced> for FeatureMap {
    fn from(traced: Traced) -> Self {
        Form::Traced(traced).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_shuffled_in_every_form() {
        let device = Device::flex();
        let channels = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &device);
        let tensor = channels.reshape([1, 6, 1, 1]).expand([2, 6, 1, 3]);
        let trailing = tensor.clone().permute([0, 2, 3, 1]);
        for map in [
            FeatureMap::composed(tensor.clone()),
            FeatureMap::fused(tensor),
            Form::Fused(trailing).into(),
        ] {
            let shuffled = map.shuffle_channels(2);
            assert_eq!(shuffled.dims(), [2, 6, 1, 3]);
            let first = shuffled.into_tensor().slice([1..2, 0..6, 0..1, 2..3]);
            let first = first.into_data().try_to_vec::<f32>().unwrap();
            assert_eq!(first, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        }
    }

    #[test]
    fn any_number_of_maps_is_concatenated_in_every_form() {
        let device = Device::flex();
        let tensor = |channels: [f32; 2]| {
            let channels = Tensor::<1>::from_floats(channels, &device);
            channels.reshape([1, 2, 1, 1]).expand([1, 2, 3, 2])
        };
        let (first, second) = (tensor([0.0, 1.0]), tensor([2.0, 3.0]));
        let trailing = |tensor: &Tensor<4>| Form::Fused(tensor.clone().permute([0, 2, 3, 1]));
        let forms: [fn(Tensor<4>) -> FeatureMap; 2] = [FeatureMap::composed, FeatureMap::fused];
        let pairs = forms.map(|form| [form(first.clone()), form(second.clone())]);
        let fused = [trailing(&first).into(), trailing(&second).into()];
        for [first, second] in pairs.into_iter().chain([fused]) {
            for others in 0..4 {
                let map = first.clone().concatenate_with(vec![second.clone(); others]);
                assert_eq!(map.dims(), [1, 2 + 2 * others, 3, 2]);
                let pixel = map
                    .into_tensor()
                    .slice([0..1, 0..2 + 2 * others, 2..3, 1..2]);
                let expected = [&[0.0, 1.0][..], &[2.0, 3.0].repeat(others)].concat();
                assert_eq!(pixel.into_data().try_to_vec::<f32>().unwrap(), expected);
            }
        }
        let trace = Trace::recording(&device);
        let map = |channels| FeatureMap::traced([1, channels, 3, 2], &trace);
        let traced = map(2).concatenate_with(vec![map(3), map(4)]);
        assert_eq!(traced.dims(), [1, 9, 3, 2]);
    }
}
