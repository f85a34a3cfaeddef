//! What a network predicts. Accuracies and confusion matrices both follow from this file, so they agree.
//!
//! A network predicts the class whose logit is greater than all others. Where two or more classes share
//! the greatest logit, or a logit is not a number, there is no such class: the network predicts nothing, and
//! an image without a prediction counts as not recognized.

use burn::prelude::*;

use super::targets::ImageTargets;

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

/// Returns for each image whether its prediction is right, and whether fewer than five classes are preferred to the right one.
/// Of a set of classes, that with the greatest logit counts.
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - outputs: `[batch]`
pub(super) fn hits(logits: &Tensor<2>, targets: &ImageTargets) -> [Tensor<1, Bool>; 2] {
    match targets {
        ImageTargets::Classes(classes) => [
            predicted(logits.clone()).equal(classes.clone()),
            rank(logits.clone(), classes.clone()).lower_elem(5),
        ],
        ImageTargets::Sets(sets) => {
            let class = predicted(logits.clone());
            let nothing = class.clone().equal_elem(NOTHING);
            let some = class.mask_fill(nothing.clone(), 0).unsqueeze_dim(1);
            let is_in_set = sets.clone().gather(1, some).squeeze_dim::<1>(1);
            let right = is_in_set.mask_fill(nothing, 0.0).greater_elem(0.5);
            let greatest = within(logits, sets).max_dim(1); // [batch, 1]
            let rank = not_below(logits.clone(), greatest).sum_dim(1) - 1;
            [right, rank.squeeze_dim::<1>(1).lower_elem(5)]
        }
    }
}

/// Returns each image's class, or that of its classes which has the greatest logit.
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - output: `[batch]`
pub(super) fn preferred(logits: &Tensor<2>, targets: &ImageTargets) -> Tensor<1, Int> {
    match targets {
        ImageTargets::Classes(classes) => classes.clone(),
        ImageTargets::Sets(sets) => within(logits, sets).argmax(1).squeeze_dim(1),
    }
}

/// Returns the logits of the classes of the sets, and minus infinity for the others.
fn within(logits: &Tensor<2>, sets: &Tensor<2>) -> Tensor<2> {
    let others = sets.clone().lower_elem(0.5);
    logits.clone().mask_fill(others, f32::NEG_INFINITY)
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

    #[test]
    fn any_class_of_a_set_is_right_and_the_most_preferred_counts() {
        let device = Device::flex();
        let found = |logits: [f32; 7], set: [f32; 7]| {
            let logits = Tensor::from_floats([logits], &device);
            let targets = ImageTargets::Sets(Tensor::from_floats([set], &device));
            let [first, five] = hits(&logits, &targets).map(|hits| hits.into_scalar::<bool>());
            let preferred = preferred(&logits, &targets).into_scalar::<i64>();
            (first, five, preferred)
        };
        let logits = [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        let set = |classes: &[usize]| std::array::from_fn(|i| f32::from(classes.contains(&i)));
        assert_eq!(found(logits, set(&[0, 6])), (true, true, 0));
        assert_eq!(found(logits, set(&[4, 6])), (false, true, 4));
        assert_eq!(found(logits, set(&[5, 6])), (false, false, 5));
        // A tie for the greatest is no prediction.
        assert!(!found([1.0; 7], set(&[0, 3])).0);
        assert_eq!(found([f32::NAN; 7], set(&[0, 3])), (false, false, 0));
    }
}
