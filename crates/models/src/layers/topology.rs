//! Topologies of channels: which inputs each output of a projection is connected with.

use xception_messages::Bounds;

use crate::{ModelError, limits};

/// Most axes of a topology.
pub(crate) const MAX_AXES: usize = 4;
/// Range of the number of axes of a topology.
const AXES: Bounds = Bounds::at_least(1.0).at_most(MAX_AXES as f64);
/// Range of the number of channels that are arranged.
const CHANNELS: Bounds = Bounds::at_least(1.0).at_most(limits::UNITS as f64);

/// An arrangement of channels on a grid, in which each output is connected with a window of inputs (M. Wang, B. Liu and
/// H. Foroosh, *Factorized Convolutional Neural Networks*, 2016, version 1, algorithm 4, "topological connections").
///
/// The `m` channels are the points of a grid of `d_1 x ... x d_s = m`, in row-major order. The output at `(j_1, ..., j_s)`
/// is connected with the `c_1 x ... x c_s` inputs at
///
/// `((j_1 + i_1) mod d_1, ..., (j_s + i_s) mod d_s)`, for `0 <= i_a < c_a`:
///
/// a window that starts at the output's own place, goes forward, and wraps around. A convolution then has a share
/// `prod(c_a / d_a)` of the dense one's weights, each used by one pair of channels. The windows overlap, so that, unlike
/// groups, all channels mix within a few layers: after `t` of them, an output depends on `min(d_a, t (c_a - 1) + 1)`
/// places along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    axes: Vec<usize>,
    connections: Vec<usize>,
}

impl Topology {
    /// Makes the topology of a layer with this number of channels, from the lengths of the axes and the number of
    /// connections along each.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], if the product of the axes isn't the number of channels, or the connections aren't one
    /// number for each axis, at least 1 and at most the axis.
    pub fn new(channels: usize, axes: &[usize], connections: &[usize]) -> Result<Self, ModelError> {
        CHANNELS.check_count("channels", channels)?;
        AXES.check_count("number of axes", axes.len())?;
        let product = axes
            .iter()
            .try_fold(1usize, |product, &axis| product.checked_mul(axis));
        if product != Some(channels) {
            return Err(ModelError::OutOfRange {
                option: "topology",
                found: by(axes),
                expected: format!("axes whose product is the layer's {channels} channels"),
            });
        }
        let fits = connections.len() == axes.len()
            && connections
                .iter()
                .zip(axes)
                .all(|(connections, axis)| (1..=*axis).contains(connections));
        if !fits {
            return Err(ModelError::OutOfRange {
                option: "connections",
                found: by(connections),
                expected: format!("a number from 1 to the axis for each axis of {}", by(axes)),
            });
        }
        Ok(Self {
            axes: axes.to_vec(),
            connections: connections.to_vec(),
        })
    }

    /// Makes a topology of nearly equal axes, such as 16 x 16 or 8 x 8 x 4 for 256 channels, each connected with half its
    /// length, rounded up, and at least with 2 places: with fewer, the channels along an axis would never mix.
    ///
    /// The paper's sizes aren't known; this rule is the project's own.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], if there are no channels or more than 65,536, or another number of axes than 1 to 4.
    pub fn halved(channels: usize, axes: usize) -> Result<Self, ModelError> {
        CHANNELS.check_count("channels", channels)?;
        AXES.check_count("number of axes", axes)?;
        let axes = nearly_equal(channels, axes);
        let half = |&axis: &usize| axis.div_ceil(2).max(axis.min(2));
        let connections: Vec<_> = axes.iter().map(half).collect();
        Self::new(channels, &axes, &connections)
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.axes.iter().product()
    }

    /// Returns the number of inputs that each output is connected with.
    pub fn connected(&self) -> usize {
        self.connections.iter().product()
    }

    /// Returns the lengths of the axes.
    pub fn axes(&self) -> &[usize] {
        &self.axes
    }

    /// Returns the number of connections along each axis.
    pub fn connections(&self) -> &[usize] {
        &self.connections
    }

    /// Lists the inputs that an output is connected with, in the order of the weights: the last axis changes fastest.
    pub fn inputs_of(&self, output: usize) -> Vec<usize> {
        (0..self.connected())
            .map(|connection| {
                let (mut output, mut connection) = (output, connection);
                let (mut input, mut stride) = (0, 1);
                for (axis, connections) in self.axes.iter().zip(&self.connections).rev() {
                    let place = (output % axis + connection % connections) % axis;
                    input += place * stride;
                    stride *= axis;
                    output /= axis;
                    connection /= connections;
                }
                input
            })
            .collect()
    }

    /// Checks that the topology is one of this number of channels.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`].
    pub(super) fn check_channels(&self, channels: usize) -> Result<(), ModelError> {
        Self::new(channels, &self.axes, &self.connections).map(|_| ())
    }
}

/// Factors a number into axes with the smallest sum, in ascending order.
fn nearly_equal(channels: usize, axes: usize) -> Vec<usize> {
    /// Factors into axes of at least this length, if that is possible.
    fn factor(channels: usize, axes: usize, least: usize) -> Option<Vec<usize>> {
        if axes == 1 {
            return (channels >= least).then(|| vec![channels]);
        }
        let divisors = (least..=channels).take_while(|&axis| axis * axis <= channels);
        let candidates = divisors
            .filter(|axis| channels.is_multiple_of(*axis))
            .filter_map(|axis| {
                let mut axes = factor(channels / axis, axes - 1, axis)?;
                axes.insert(0, axis);
                Some(axes)
            });
        candidates.min_by_key(|axes| axes.iter().sum::<usize>())
    }
    factor(channels, axes, 1).unwrap_or_else(|| vec![channels])
}

/// Returns lengths as text, such as `8 x 16`.
fn by(lengths: &[usize]) -> String {
    let lengths: Vec<_> = lengths.iter().map(usize::to_string).collect();
    lengths.join(" x ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_start_at_the_output_and_wrap_around() {
        let band = Topology::new(5, &[5], &[3]).unwrap();
        assert_eq!(band.inputs_of(0), [0, 1, 2]);
        assert_eq!(band.inputs_of(3), [3, 4, 0]);
        let plane = Topology::new(12, &[3, 4], &[2, 2]).unwrap();
        assert_eq!((plane.channels(), plane.connected()), (12, 4));
        // Output 11 is at (2, 3): rows 2 and 0, columns 3 and 0.
        assert_eq!(plane.inputs_of(11), [11, 8, 3, 0]);
        let solid = Topology::new(8, &[2, 2, 2], &[2, 1, 2]).unwrap();
        assert_eq!(solid.inputs_of(3), [3, 2, 7, 6]);
    }

    #[test]
    fn each_input_has_as_many_outputs_as_each_output_inputs() {
        for (axes, connections) in [
            (&[12][..], &[5][..]),
            (&[3, 8], &[2, 4]),
            (&[4, 2, 3], &[3, 2, 1]),
        ] {
            let channels = axes.iter().product();
            let topology = Topology::new(channels, axes, connections).unwrap();
            let mut outputs = vec![0; channels];
            for output in 0..channels {
                let mut inputs = topology.inputs_of(output);
                inputs.iter().for_each(|&input| outputs[input] += 1);
                inputs.sort_unstable();
                inputs.dedup();
                assert_eq!(inputs.len(), topology.connected());
            }
            assert_eq!(outputs, vec![topology.connected(); channels]);
        }
    }

    #[test]
    fn all_connections_are_a_dense_layers() {
        let dense = Topology::new(24, &[4, 6], &[4, 6]).unwrap();
        for output in 0..24 {
            let mut inputs = dense.inputs_of(output);
            inputs.sort_unstable();
            assert!(inputs.into_iter().eq(0..24));
        }
    }

    #[test]
    fn channels_mix_within_as_many_layers_as_the_window_needs() {
        let topology = Topology::halved(64, 2).unwrap();
        let mut reached = vec![0];
        let mut counts = Vec::new();
        for _ in 0..3 {
            let next = reached
                .iter()
                .flat_map(|&output| topology.inputs_of(output));
            let mut next: Vec<_> = next.collect();
            next.sort_unstable();
            next.dedup();
            counts.push(next.len());
            reached = next;
        }
        // Along each axis min(8, 3 t + 1).
        assert_eq!(counts, [4 * 4, 7 * 7, 8 * 8]);
    }

    #[test]
    fn halved_axes_are_nearly_equal() {
        for (channels, expected, connections) in [
            (256, &[16, 16][..], &[8, 8][..]),
            (128, &[8, 16], &[4, 8]),
            (512, &[8, 8, 8], &[4, 4, 4]),
            (256, &[4, 8, 8], &[2, 4, 4]),
            (184, &[8, 23], &[4, 12]),
            (8, &[2, 2, 2], &[2, 2, 2]),
            (24, &[24], &[12]),
            (7, &[1, 7], &[1, 4]),
        ] {
            let topology = Topology::halved(channels, expected.len()).unwrap();
            assert_eq!(topology.axes(), expected);
            assert_eq!(topology.connections(), connections);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_says_what_would() {
        let error = |channels, axes: &[usize], connections: &[usize]| {
            let error = Topology::new(channels, axes, connections).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            error(256, &[16, 8], &[8, 4]),
            "`topology` is 16 x 8, but has to be axes whose product is the layer's 256 channels"
        );
        assert_eq!(
            error(256, &[16, 16], &[8, 17]),
            "`connections` is 8 x 17, but has to be a number from 1 to the axis for each axis of 16 x 16"
        );
        for (channels, axes, connections) in [
            (0, &[0][..], &[1][..]),
            (4, &[], &[]),
            (4, &[2, 2], &[2]),
            (4, &[2, 2], &[0, 1]),
            (4, &[2, 2], &[1, 1, 1]),
            (4, &[usize::MAX, 2], &[1, 1]),
            (1, &[1; 5], &[1; 5]),
            (usize::MAX, &[usize::MAX], &[1]),
        ] {
            assert!(
                Topology::new(channels, axes, connections).is_err(),
                "{axes:?}"
            );
        }
        assert!(Topology::halved(usize::MAX, 2).is_err());
        assert!(Topology::halved(8, 0).is_err());
        assert!(Topology::halved(8, 5).is_err());
    }
}
