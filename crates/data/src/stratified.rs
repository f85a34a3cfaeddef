//! The choice of a part of a split in the proportions of its classes.

use rand::RngCore;

use crate::keyed_rng::{Purpose, keyed_rng};

/// Returns the indices of the first samples of each class, `count` in all, in their order and in the proportions of the classes.
///
/// Where the proportions come out uneven, the classes with the largest remainders get one more, among equals those
/// of lower label. `None` where `count` is 0 or above the number of labels.
pub(crate) fn first(labels: &[u32], count: usize) -> Option<Vec<usize>> {
    if count == 0 || count > labels.len() {
        return None;
    }
    let mut quotas = largest_remainder(&class_counts(labels), count);
    let is_chosen = |index: &usize| take(&mut quotas, labels[*index]);
    Some((0..labels.len()).filter(is_chosen).collect())
}

/// Divides indices in two parts, both in order, of which the second has `count`, drawn at random in the proportions of the
/// classes, which are made whole as in [`first`]: always the same ones. `None` where one would be empty.
pub(crate) fn draw(labels: &[u32], count: usize) -> Option<(Vec<usize>, Vec<usize>)> {
    if count == 0 || count >= labels.len() {
        return None;
    }
    let mut quotas = largest_remainder(&class_counts(labels), count);
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order
        .sort_by_cached_key(|&index| keyed_rng(Purpose::Validation, 0, 0, index as u64).next_u64());
    let mut is_drawn = vec![false; labels.len()];
    for index in order {
        is_drawn[index] = take(&mut quotas, labels[index]);
    }
    Some((0..labels.len()).partition(|&index| !is_drawn[index]))
}

/// One sample in so many is a test sample where a data set has no split of its own.
const TEST_SHARE: usize = 10;

/// Returns which samples are for testing: every tenth of each class, the last of each ten; of fewer than ten the last, unless it is
/// the only one.
pub(crate) fn is_tenth(labels: &[u32]) -> Vec<bool> {
    let counts = class_counts(labels);
    let mut seen = vec![0; counts.len()];
    let is_test = |&label: &u32| {
        let (count, seen) = (counts[label as usize], &mut seen[label as usize]);
        *seen += 1;
        match count < TEST_SHARE {
            true => count > 1 && *seen == count,
            false => *seen % TEST_SHARE == 0,
        }
    };
    labels.iter().map(is_test).collect()
}

/// Returns `count` indices of `len`, evenly spaced. `None` where `count` is 0 or above `len`.
pub(crate) fn evenly(len: usize, count: usize) -> Option<Vec<usize>> {
    if count == 0 || count > len {
        return None;
    }
    let place = |index: usize| (index as u128 * len as u128 / count as u128) as usize;
    Some((0..count).map(place).collect())
}

/// Returns the number of labels of each class up to the highest.
fn class_counts(labels: &[u32]) -> Vec<usize> {
    let classes = labels.iter().max().map_or(0, |label| *label as usize + 1);
    let mut counts = vec![0; classes];
    for &label in labels {
        counts[label as usize] += 1;
    }
    counts
}

/// Takes one of the quota of a class, if any is left.
fn take(quotas: &mut [usize], label: u32) -> bool {
    let quota = &mut quotas[label as usize];
    let is_left = *quota > 0;
    *quota -= usize::from(is_left);
    is_left
}

/// Divides `seats` among classes in proportion to `counts`, by the method of the largest remainder. `seats` isn't above the
/// sum of the counts, so that no class gets more than it has.
fn largest_remainder(counts: &[usize], seats: usize) -> Vec<usize> {
    let total: u128 = counts.iter().map(|count| *count as u128).sum();
    let share = |count: usize| count as u128 * seats as u128;
    let mut quotas: Vec<usize> = counts
        .iter()
        .map(|count| (share(*count) / total) as usize)
        .collect();
    let left = seats - quotas.iter().sum::<usize>();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(share(counts[*class]) % total)); // stable: ties keep their order
    for class in by_remainder.into_iter().take(left) {
        quotas[class] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_choices_reach_over_the_whole() {
        assert_eq!(evenly(10, 4).unwrap(), [0, 2, 5, 7]);
        assert!(evenly(6, 6).unwrap().into_iter().eq(0..6));
        assert_eq!((evenly(6, 0), evenly(6, 7)), (None, None));
    }
}
