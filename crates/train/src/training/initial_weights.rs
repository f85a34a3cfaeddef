//! Random weights that depend on a parameter's name alone.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;

/// Draws the parameters of a network that are not there yet. Each depends on the seed, its path in the network and its shape
/// alone, so that networks that differ in some parts start from the same weights in all others: their runs differ by what
/// the parts do, and not by chance as well.
pub(super) fn draw<N: Module>(network: &N, seed: u64, device: &Device) {
    network.visit(&mut Drawing {
        path: Vec::new(),
        seed,
        device,
    });
}

struct Drawing<'a> {
    path: Vec<String>,
    seed: u64,
    device: &'a Device,
}

impl ModuleVisitor for Drawing<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let seed = parameter_seed(self.seed, &self.path.join("."));
        self.device.seed(seed);
        let _ = param.val(); // draws it, if it hasn't been drawn
    }
}

/// Returns the seed of a parameter: FNV-1a of its path (G. Fowler, L. C. Noll, K.-P. Vo), begun with the run's seed.
fn parameter_seed(seed: u64, path: &str) -> u64 {
    const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01B3;
    let bytes = seed.to_le_bytes().into_iter().chain(path.bytes());
    bytes.fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xception_models::layers::{Activation, Segments, Stem};
    use xception_models::{ModelConfig, XceptionConfig};

    use super::*;

    #[derive(Default)]
    struct Values {
        path: Vec<String>,
        found: BTreeMap<String, Vec<f32>>,
    }

    impl ModuleVisitor for Values {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = param.val().into_data().try_to_vec().unwrap();
            self.found.insert(self.path.join("."), values);
        }
    }

    /// Returns the values of random parameters; those of batch normalization are constants.
    fn values(config: XceptionConfig, seed: u64) -> BTreeMap<String, Vec<f32>> {
        let device = Device::flex();
        let network = ModelConfig::Xception(config).init(&device).unwrap();
        draw(&network, seed, &device);
        let mut values = Values::default();
        network.visit(&mut values);
        let random = |values: &[f32]| values.iter().any(|value| *value != values[0]);
        values.found.retain(|_, values| random(values));
        values.found
    }

    fn base() -> XceptionConfig {
        let config = XceptionConfig::new(10)
            .with_width(0.1)
            .with_middle_modules(2);
        config.with_stem(Stem::Small)
    }

    #[test]
    fn variants_have_the_same_weights_where_names_and_shapes_are_the_same() {
        let expected = values(base(), 7);
        assert!(expected.len() > 30);
        let same = |found: &BTreeMap<String, Vec<f32>>| {
            let same = found
                .iter()
                .filter(|(path, values)| expected.get(*path) == Some(values));
            same.count()
        };
        for variant in [
            base().with_residual(false),
            base().with_intermediate_activation(Activation::Elu),
            base().with_norm_between(true),
            base().with_middle_modules(1),
        ] {
            let found = values(variant, 7);
            assert_eq!(same(&found), found.len());
        }
        // The spatial parts have other shapes, the pointwise parts the same.
        let found = values(base().with_segments(Segments::Number(1)), 7);
        assert!(same(&found) > 10 && same(&found) < found.len());
    }

    #[test]
    fn other_seeds_and_other_names_give_other_weights() {
        let found = values(base(), 7);
        let other = values(base(), 8);
        assert_eq!(found.len(), other.len());
        assert!(found.iter().all(|(path, values)| other[path] != *values));
        let mut distinct: Vec<_> = found.values().map(|values| values[0].to_bits()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), found.len());
    }
}
