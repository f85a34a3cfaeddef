//! Agreement with PyTorch, whose values `scripts/pytorch_values.py` writes.

#![allow(clippy::unwrap_used)]

mod support;

use burn::optim::ModuleOptimizer;
use serde_json::Value;
use support::{assert_close, fixture, lists, number, steps};
use xception_optimizers::{AdamW, Sgd, WeightDecay};

/// Asserts that matrix and vector are what the case has, in which only the matrix decays.
fn check(fixture: &Value, case: &Value, make: impl Fn() -> ModuleOptimizer) {
    let found = steps(fixture, make);
    let expected = case["parameters"].as_array().unwrap();
    for (found, expected) in found.iter().zip(expected) {
        for (found, expected) in found.iter().zip(lists(expected)) {
            assert_close(found, &expected, &case.to_string());
        }
    }
}

#[test]
fn sgd_is_pytorchs_with_decay_of_kernels_alone() {
    let fixture = fixture("pytorch.json");
    let cases = fixture["sgd"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let sgd = Sgd {
            momentum: number(case, "momentum"),
            nesterov: case["nesterov"].as_bool().unwrap(),
            weight_decay: WeightDecay::of_kernels(number(case, "weight_decay")),
        };
        check(&fixture, case, || ModuleOptimizer::from(sgd));
    }
}

#[test]
fn adam_w_is_pytorchs_with_decay_of_kernels_alone() {
    let fixture = fixture("pytorch.json");
    let cases = fixture["adam_w"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let beta = |index: usize| case["betas"][index].as_f64().unwrap();
        let adam_w = AdamW {
            beta1: beta(0),
            beta2: beta(1),
            epsilon: number(case, "eps"),
            weight_decay: WeightDecay::of_kernels(number(case, "weight_decay")),
        };
        check(&fixture, case, || ModuleOptimizer::from(adam_w));
    }
}
