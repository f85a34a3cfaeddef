//! How the numbers of a report came about.

use super::divergence::{FEWEST_DECIDED, FEWEST_SEEDS};
use super::format::Unit;
use super::summary::Summary;
use crate::record::AblationRecord;

/// How the numbers came about: (term, definition).
pub(super) fn definitions(
    record: &AblationRecord,
    summary: &Summary,
) -> Vec<(&'static str, String)> {
    let unit = Unit::percent(record.data.test_images);
    let accuracy = summary.base_accuracy.map_or_else(String::new, |accuracy| {
        format!(", {}", unit.value(accuracy))
    });
    let text = |text: &str| text.to_owned();
    let mut definitions = vec![
        (
            "Mean ± deviation",
            text(
                "Over the finished runs, one for each seed; the deviation is the sample standard deviation. A run \
                 diverged where its training loss, or in mixed precision a gradient, became infinite or not a number: it has no figures, and \
                 the mean over the other runs may flatter its variant.",
            ),
        ),
        (
            "Paired by seed",
            text(
                "Runs of one seed share the order of the images, the augmentation and the random numbers behind \
                 the weights. So two variants are compared at each seed that both finished, and the difference is the \
                 mean over these seeds. Where they have no two seeds in common, their means are compared \
                 (unpaired), and the report says so.",
            ),
        ),
        (
            "[low, high]",
            text(
                "The 95 % interval of a difference: Student's t over the differences by seed, which takes these for \
                 independent and about normal; Welch's where unpaired. It covers the chance in seeds, not \
                 that in the choice of the test images, and each interval stands for itself: none is \
                 widened for the number of comparisons. There is none for a single seed, or where the difference \
                 is the same at every seed.",
            ),
        ),
        (
            "p, and p (Holm)",
            text(
                "p is the probability of a difference at least as large, on either side, if there is none in truth. \
                 Among many comparisons some are small by chance. \u{201c}Corrected for N claims (Holm)\u{201d} means that the \
                 probability of any wrong decision, in all N together, is 5 % at most. Claims without a p-value do \
                 not count in N. Pairs of variants and effects of axes are corrected among themselves.",
            ),
        ),
        (
            "Verdicts",
            text(
                "A claim is judged once all runs of both variants have ended, and decided where the corrected p is below \
                 0.05. Undecided does not mean refuted: the runs may be too few, or too short, to show the \
                 difference. The number of seeds that would decide is that of a paired t-test, by itself, \
                 that finds the difference seen four times of five; it is as rough as the difference and the \
                 spread it is made of.",
            ),
        ),
        (
            "Diverged runs and claims",
            format!(
                "A mean over the runs that did not diverge flatters a variant. So where a run diverged, seeds are \
                 compared one by one, and a diverged run is worse than any other. A variant of which every run \
                 diverged, with {FEWEST_SEEDS} seeds or more, has lost its claim against one that always finished. \
                 Otherwise an exact sign test over the seeds decides, which takes {FEWEST_DECIDED} seeds at \
                 which one variant is better."
            ),
        ),
        (
            "Best and final",
            text(
                "The highest test top-1 of a run's epochs, and that of its last epoch. The best \
                 epoch is chosen on the test set, which flatters all variants alike. Differences \
                 are in percentage points (pp).",
            ),
        ),
        (
            "Epochs to base's best",
            format!(
                "The first epoch whose test top-1 is at least the base's best, as its mean over \
                 seeds{accuracy}; the mean over the runs that got there, and how many did where not \
                 all."
            ),
        ),
        (
            "Steps a second",
            text(
                "Optimization steps by the seconds of an epoch's training part; the median over all \
                 epochs and runs. It depends on the machine.",
            ),
        ),
        (
            "Fastest step, and time of a training step",
            text(
                "The seconds of an epoch's training part by its steps, in the fastest epoch of all runs of a variant. \
                 Whatever else a machine does slows a run down and never speeds it up, so the fastest epoch is nearest to \
                 what the step takes by itself. Runs on other machines count too.",
            ),
        ),
        (
            "Pareto front",
            text(
                "The variants that no other beats: none is at least as accurate at no greater cost, and better in one of the \
                 two. It goes by means alone. Where intervals overlap, other seeds could have given another front.",
            ),
        ),
        (
            "Charts",
            text(
                "A line is the mean over the finished runs, the band around it reaches from the \
                 smallest to the largest. Runs that did not finish are thin dashed lines of their \
                 own, with a cross where one diverged. Training numbers are means over an epoch's \
                 batches while the weights change, with what augmentation and dropout there is. A \
                 loss above 1.5 times that of guessing is cut off.",
            ),
        ),
    ];
    if let Some(labels) = record.data.labels {
        let classes = record.data.classes;
        let have = match record.data.mean_labels {
            None => format!("Each image has {labels} of {classes} classes."),
            Some(mean) => format!(
                "The training images have {mean:.1} of {classes} classes on average, and no image more than {labels}."
            ),
        };
        definitions.push((
            "Top-1, with sets of labels",
            format!(
                "{have} A prediction, the class of the greatest logit, is right if it is \
                 one of them. The loss is the cross-entropy with sigmoid, summed over the classes."
            ),
        ));
        definitions.push((
            "MAP@100",
            text(
                "Mean average precision, on the test images after the last epoch. The classes of an image are ranked by their \
                 logits; its average precision is the mean, over its labels, of the share of labels among the ranks down to \
                 that label's, or 0 for a label beyond the first 100. A label counts by its class's share of all labels. \
                 Classes of equal logits have the lowest rank of theirs.",
            ),
        ));
    }
    if summary.has_chosen() {
        let chosen = (
            "Chosen",
            text(
                "The test top-1 after the epoch whose top-1 is highest, first among equals, on the images held back for \
                 validation, which are neither trained nor tested on. Unlike the best epoch, it takes nothing from the test \
                 set.",
            ),
        );
        let after = definitions
            .iter()
            .position(|(term, _)| *term == "Best and final");
        definitions.insert(after.map_or(definitions.len(), |place| place + 1), chosen);
    }
    definitions
}
