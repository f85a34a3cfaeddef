//! The order of a tensor's values in a file, and conversion to and from the order of Burn's modules.

/// The order of a tensor's dimensions in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As in Burn: convolutions `[out, in, height, width]`, linear layers `[in, out]`, vectors.
    Same,
    /// A linear layer of PyTorch: `[out, in]`.
    OutIn,
    /// A convolution of Keras: `[height, width, in, out]`.
    HeightWidthInOut,
    /// A convolution of Keras on images in the order blue, green, red; in Burn red comes first.
    HeightWidthBgrOut,
    /// A depthwise convolution of Keras: `[height, width, channels, 1]`. In Burn it is
    /// `[channels, 1, height, width]`.
    HeightWidthChannels,
    /// A linear layer of Keras on the values of a square map, which it takes pixel by pixel:
    /// `[height * width * channels, out]`. Burn takes them channel by channel.
    PixelsOut {
        /// Height and width of the map.
        side: usize,
    },
}

impl Layout {
    /// Returns the file's dimension for each of Burn's dimensions, see [`unflattened`](Self::unflattened).
    const fn permutation(self) -> Option<&'static [usize]> {
        match self {
            Self::Same => None,
            Self::OutIn => Some(&[1, 0]),
            Self::HeightWidthInOut | Self::HeightWidthBgrOut => Some(&[3, 2, 0, 1]),
            Self::HeightWidthChannels => Some(&[2, 3, 0, 1]),
            Self::PixelsOut { .. } => Some(&[2, 0, 1, 3]),
        }
    }

    /// Returns the dimensions in Burn of a parameter that has this shape there: those of the map as well, if the layer
    /// takes a flattened map.
    fn unflattened(self, shape: &[usize]) -> Vec<usize> {
        match (self, shape) {
            (Self::PixelsOut { side }, &[inputs, outputs]) => {
                let channels = inputs / (side * side).max(1);
                vec![channels, side, side, outputs]
            }
            _ => shape.to_vec(),
        }
    }

    /// Returns the shape in a file of a parameter that has this shape in Burn.
    pub(crate) fn shape_in_file(self, shape: &[usize]) -> Vec<usize> {
        let mut in_file = shape.to_vec();
        if let Some(permutation) = self.permutation().filter(|p| p.len() == shape.len()) {
            for (size, &dimension) in shape.iter().zip(permutation) {
                in_file[dimension] = *size;
            }
        }
        in_file
    }

    /// Reorders a tensor's values from the file's order to Burn's; `shape` is the one in Burn.
    pub(crate) fn into_burn(self, values: Vec<f32>, shape: &[usize]) -> Vec<f32> {
        let Some(permutation) = self.permutation() else {
            return values;
        };
        let mut reordered = vec![0.0; values.len()];
        self.each_pair(permutation, shape, |burn, file| {
            reordered[burn] = values[file]
        });
        reordered
    }

    /// Reorders a parameter's values from Burn's order to the file's; `shape` is the one in Burn.
    pub(crate) fn into_file(self, values: Vec<f32>, shape: &[usize]) -> Vec<f32> {
        let Some(permutation) = self.permutation() else {
            return values;
        };
        let mut reordered = vec![0.0; values.len()];
        self.each_pair(permutation, shape, |burn, file| {
            reordered[file] = values[burn]
        });
        reordered
    }

    /// Calls a function with the index of each value in Burn's order and in the file's.
    fn each_pair(
        self,
        permutation: &[usize],
        shape: &[usize],
        mut visit: impl FnMut(usize, usize),
    ) {
        let shape = &self.unflattened(shape);
        let in_file = self.shape_in_file(shape);
        let strides: Vec<usize> = permutation
            .iter()
            .map(|&dimension| in_file[dimension + 1..].iter().product())
            .collect();
        let mut position = vec![0; shape.len()];
        for burn in 0..shape.iter().product() {
            let place = |dimension: usize| match self {
                Self::HeightWidthBgrOut if dimension == 1 => shape[1] - 1 - position[1],
                _ => position[dimension],
            };
            let file = strides
                .iter()
                .enumerate()
                .map(|(d, stride)| place(d) * stride)
                .sum();
            visit(burn, file);
            for (place, size) in position.iter_mut().zip(shape).rev() {
                *place += 1;
                if *place < *size {
                    break;
                }
                *place = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_layer_is_transposed() {
        let burn = Layout::OutIn.into_burn(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[3, 2]);
        assert_eq!(burn, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(Layout::OutIn.shape_in_file(&[3, 2]), [2, 3]);
    }

    #[test]
    fn a_convolution_of_keras_is_found_again() {
        let (out, input, height, width) = (4, 3, 2, 5);
        let layout = Layout::HeightWidthInOut;
        let shape = [out, input, height, width];
        assert_eq!(layout.shape_in_file(&shape), [height, width, input, out]);
        let values: Vec<f32> = (0..120).map(|i| i as f32).collect();
        let burn = layout.into_burn(values.clone(), &shape);
        for (o, i, h, w) in [(0, 0, 0, 0), (1, 2, 0, 3), (3, 1, 1, 4)] {
            let file = ((h * width + w) * input + i) * out + o;
            assert_eq!(
                burn[((o * input + i) * height + h) * width + w],
                file as f32
            );
        }
        assert_eq!(layout.into_file(burn, &shape), values);
    }

    #[test]
    fn blue_and_red_change_places() {
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let shape = [2, 3, 1, 1];
        let burn = Layout::HeightWidthBgrOut.into_burn(values.clone(), &shape);
        assert_eq!(burn, [4.0, 2.0, 0.0, 5.0, 3.0, 1.0]);
        assert_eq!(Layout::HeightWidthBgrOut.into_file(burn, &shape), values);
    }

    #[test]
    fn a_depthwise_convolution_of_keras_is_found_again() {
        let layout = Layout::HeightWidthChannels;
        let shape = [7, 1, 3, 3];
        assert_eq!(layout.shape_in_file(&shape), [3, 3, 7, 1]);
        let values: Vec<f32> = (0..63).map(|i| i as f32).collect();
        let burn = layout.into_burn(values.clone(), &shape);
        assert_eq!(burn[5 * 9 + 2 * 3 + 1], ((2 * 3 + 1) * 7 + 5) as f32);
        assert_eq!(layout.into_file(burn, &shape), values);
    }

    #[test]
    fn a_linear_layer_on_the_pixels_of_a_map_is_found_again() {
        let (channels, side, out) = (5, 3, 2);
        let layout = Layout::PixelsOut { side };
        let shape = [channels * side * side, out];
        assert_eq!(layout.shape_in_file(&shape), shape);
        let values: Vec<f32> = (0..90).map(|i| i as f32).collect();
        let burn = layout.into_burn(values.clone(), &shape);
        for (c, h, w, o) in [(0, 0, 0, 0), (4, 0, 2, 1), (1, 2, 1, 0)] {
            let file = ((h * side + w) * channels + c) * out + o;
            let place = ((c * side + h) * side + w) * out + o;
            assert_eq!(burn[place], file as f32);
        }
        assert_eq!(layout.into_file(burn, &shape), values);
    }
}
