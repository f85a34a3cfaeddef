//! What a network predicts. Accuracies and confusion matrices both follow from this file, so they agree.
//!
//! A network predicts the class whose logit is greater than all others. Where two or more classes share
//! the greatest logit, or a logit is not a number, there is no such class: the network predicts nothing, and
//! an image without a prediction counts as not recognized.

use burn::prelude::*;

/// Stands for "no prediction" in the output of [`predicted`].
pub(super) const NOTHING: i64 = -1;

/// Returns the predicted class of each image, or [`NOTHING`].
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - output: `[batch]`
pub(super) fn predicted(logits: Tensor<2>) -> Tensor<1, Int> {
    let [_, classes] = logits.dims();
    let greatest = logits.clone().max_dim(1); // [batch, 1]
    let leads = not_below(logits, greatest); // [batch, classes]
    let indices = Tensor::<1, Int>::arange(0..classes as i64, &leads.device());
    let index = (leads.clone() * indices.unsqueeze_dim(0)).sum_dim(1);
    let shared = leads.sum_dim(1).not_equal_elem(1);
    index.mask_fill(shared, NOTHING).squeeze_dim(1)
}

/// Returns how many classes are preferred to the right one. A tie counts against the network, and so does
/// a logit that is not a number.
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - `targets` and output: `[batch]`
pub(super) fn rank(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1, Int> {
    let right = logits.clone().gather(1, targets.unsqueeze_dim(1)); // [batch, 1]
    not_below(logits, right).sum_dim(1).squeeze_dim::<1>(1) - 1
}

/// Returns 1 for each logit that is not below its row's limit, 0 for the others. What is not a number is
/// not below anything, and nothing is below it.
///
/// # Shapes
///
/// - `logits` and output: `[batch, classes]`
/// - `limits`: `[batch, 1]`
fn not_below(logits: Tensor<2>, limits: Tensor<2>) -> Tensor<2, Int> {
    logits.lower(limits).bool_not().int()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions<const CLASSES: usize>(logits: [[f32; CLASSES]; 1]) -> i64 {
        let logits = Tensor::from_floats(logits, &Device::flex());
        predicted(logits).into_data().iter().next().unwrap()
    }

    #[test]
    fn the_greatest_logit_is_the_prediction() {
        assert_eq!(predictions([[1.0, 3.0, 2.0]]), 1);
        assert_eq!(predictions([[f32::NEG_INFINITY, -3.0, f32::INFINITY]]), 2);
    }

    #[test]
    fn ties_and_logits_that_are_not_numbers_are_no_prediction() {
        assert_eq!(predictions([[3.0, 3.0, 2.0]]), NOTHING);
        assert_eq!(predictions([[f32::INFINITY, 0.0, f32::INFINITY]]), NOTHING);
        assert_eq!(predictions([[f32::NAN, 3.0, 2.0]]), NOTHING);
        assert_eq!(predictions([[1.0, 3.0, f32::NAN]]), NOTHING);
        for value in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(predictions([[value; 7]]), NOTHING, "{value}");
            assert_eq!(predictions([[value; 100]]), NOTHING, "{value}");
        }
    }
}
