//! Values that no run can leave.

use super::{
    AblationRecord, EpochRecord, RECORD_VERSION, RunRecord, RunState, Scores, VariantRecord,
    WeightScores,
};

/// The extent that was asked of a run, which its record is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Epochs of the run.
    pub(crate) epochs: usize,
    /// Training images, where they are known.
    pub(crate) train_images: Option<usize>,
    /// Images held back for validation, where they are known.
    pub(crate) validation_images: Option<usize>,
    /// Test images, where they are known.
    pub(crate) test_images: Option<usize>,
}

impl AblationRecord {
    /// Returns what the runs of a variant are held against.
    pub(crate) fn asked(&self, variant: &VariantRecord) -> Asked {
        // A variant may have images of its own.
        let changes = |variant: &VariantRecord| {
            let mut paths = variant.changes.iter().map(|(path, _)| path);
            paths.any(|path| path == "data" || path.starts_with("data."))
        };
        let base = self.variants.iter().find(|v| v.name == self.base);
        let is_shared = !changes(variant) && !base.is_some_and(changes);
        Asked {
            epochs: self.epochs,
            train_images: is_shared.then_some(self.data.train_images),
            validation_images: self.data.validation_images.filter(|_| is_shared),
            test_images: is_shared.then_some(self.data.test_images),
        }
    }
}

impl RunRecord {
    /// Returns what is wrong with the record, as the rest of a sentence that starts with the run; `None` where it
    /// may be what a run has left.
    pub(crate) fn problem(&self, asked: &Asked) -> Option<String> {
        if self.version != RECORD_VERSION {
            return Some(format!(
                "has a record of layout version {}, and this program reads version {RECORD_VERSION}",
                self.version
            ));
        }
        if !self
            .epochs
            .iter()
            .map(|e| e.epoch)
            .eq(1..=self.epochs.len())
        {
            return Some("does not number its epochs 1, 2, 3...".to_owned());
        }
        let (done, epochs) = (self.epochs.len(), asked.epochs);
        if done > epochs {
            return Some(format!(
                "has {done} epochs, but only {epochs} were asked for"
            ));
        }
        let last = self.epochs.last().map(|epoch| epoch.train.loss);
        let finite = last.is_some_and(f64::is_finite);
        let of_gradients = self.divergence.is_some_and(|at| at.of_gradients);
        match self.state {
            RunState::Finished if done < epochs => {
                return Some(format!("is finished after {done} of {epochs} epochs"));
            }
            RunState::Finished if !finite => {
                return Some("is finished, but did not end with a finite loss".to_owned());
            }
            RunState::Diverged if last.is_none() || finite && !of_gradients => {
                return Some("diverged, but its last training loss is finite".to_owned());
            }
            _ => {}
        }
        let diverged = self.state == RunState::Diverged;
        self.epochs.iter().find_map(|epoch| {
            let may_diverge = diverged && epoch.epoch == done;
            let problem = epoch.problem(may_diverge, asked)?;
            Some(format!("has {problem} in epoch {}", epoch.epoch))
        })
    }
}

impl EpochRecord {
    fn problem(&self, may_diverge: bool, asked: &Asked) -> Option<String> {
        if self.steps == 0 {
            return Some("0 steps".to_owned());
        }
        let numbers = [
            ("learning rate", self.learning_rate),
            ("training time", self.train_seconds),
            ("test time", self.test_seconds),
        ];
        let wrong = |value: f64| !value.is_finite() || value < 0.0;
        if let Some((name, value)) = numbers.into_iter().find(|(_, value)| wrong(*value)) {
            return Some(format!("a {name} of {value}"));
        }
        if !may_diverge && !self.train.loss.is_finite() {
            return Some("a training loss that is not a finite number".to_owned());
        }
        // The loss on the test images may overflow where that on the training images doesn't yet.
        self.train
            .problem("training", asked.train_images)
            .or_else(|| {
                let validation = self.validation.as_ref()?;
                validation.problem("validation", asked.validation_images)
            })
            .or_else(|| self.test.problem("test", asked.test_images))
            .or_else(|| {
                let WeightScores { validation, test } = self.weights.as_ref()?;
                let validation = validation.as_ref();
                validation
                    .and_then(|scores| scores.problem("validation", asked.validation_images))
                    .or_else(|| test.problem("test", asked.test_images))
                    .map(|problem| format!("{problem}, of the weights beside their averages,"))
            })
    }
}

impl Scores {
    fn problem(&self, split: &str, available: Option<usize>) -> Option<String> {
        if self.loss < 0.0 {
            return Some(format!(
                "a {split} loss of {}, which is negative",
                self.loss
            ));
        }
        let values = [
            ("top-1 accuracy", Some(self.top1)),
            ("top-5 accuracy", self.top5),
            ("MAP@100", self.map100),
        ];
        for (name, value) in values {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return Some(format!(
                    "a {split} {name} of {value}, which is not from 0 to 1"
                ));
            }
        }
        if let Some(top5) = self.top5.filter(|&top5| top5 < self.top1) {
            return Some(format!(
                "a {split} top-5 accuracy of {top5}, which is less than its top-1 accuracy of {}",
                self.top1
            ));
        }
        match available {
            _ if self.images == 0 => Some(format!("scores of 0 {split} images")),
            Some(available) if self.images > available => Some(format!(
                "scores of {} {split} images, of which the data has {available}",
                self.images
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    const ASKED: Asked = Asked {
        epochs: 12,
        train_images: Some(4000),
        validation_images: None,
        test_images: Some(1000),
    };

    fn problem_after(change: impl FnOnce(&mut RunRecord)) -> String {
        let mut run = synthetic::complete().variants[0].runs[0].clone();
        assert_eq!(run.problem(&ASKED), None);
        change(&mut run);
        run.problem(&ASKED).unwrap()
    }

    #[test]
    fn impossible_values_are_named() {
        type Change = fn(&mut EpochRecord);
        let cases: [(Change, &str); 12] = [
            (|e| e.test.top1 = 7.5, "has a test top-1 accuracy of 7.5"),
            (|e| e.train.top1 = -0.1, "top-1 accuracy of -0.1"),
            (|e| e.test.top1 = f64::NAN, "top-1 accuracy of NaN"),
            (|e| e.test.top5 = Some(1.01), "top-5 accuracy of 1.01"),
            (
                |e| (e.test.top1, e.test.top5) = (0.75, Some(0.5)),
                "a test top-5 accuracy of 0.5, which is less than its top-1 accuracy of 0.75",
            ),
            (
                |e| e.test.images = 1001,
                "1001 test images, of which the data has 1000",
            ),
            (|e| e.train.images = 0, "0 training images"),
            (
                |e| e.train.loss = f64::NAN,
                "a training loss that is not a finite number",
            ),
            (
                |e| e.test.loss = -1.0,
                "a test loss of -1, which is negative",
            ),
            (|e| e.steps = 0, "0 steps"),
            (
                |e| e.learning_rate = f64::INFINITY,
                "a learning rate of inf",
            ),
            (|e| e.train_seconds = -3.0, "a training time of -3"),
        ];
        for (change, part) in cases {
            let problem = problem_after(|run| change(&mut run.epochs[2]));
            assert!(problem.contains(part), "{problem}");
            assert!(problem.ends_with("in epoch 3"), "{problem}");
        }
    }

    #[test]
    fn a_state_that_the_epochs_do_not_bear_out_is_named() {
        let problem = problem_after(|run| run.version += 1);
        assert!(problem.contains("layout version 2"), "{problem}");
        let problem = problem_after(|run| run.epochs.truncate(5));
        assert_eq!(problem, "is finished after 5 of 12 epochs");
        let problem = problem_after(|run| run.state = RunState::Diverged);
        assert!(problem.contains("training loss is finite"), "{problem}");
        let problem = problem_after(|run| {
            run.state = RunState::Diverged;
            run.epochs.clear();
        });
        assert!(problem.starts_with("diverged"), "{problem}");
        let problem = problem_after(|run| run.epochs.push(run.epochs[0].clone()));
        assert!(problem.contains("1, 2, 3"), "{problem}");
        let problem = problem_after(|run| {
            let next = EpochRecord {
                epoch: 13,
                ..run.epochs[0].clone()
            };
            run.epochs.push(next);
        });
        assert!(problem.contains("has 13 epochs, but only 12"), "{problem}");
    }

    #[test]
    fn whatever_a_run_can_leave_passes() {
        for variant in synthetic::incomplete().variants {
            for run in variant.runs {
                assert_eq!(run.problem(&ASKED), None);
            }
        }
        let mut run = synthetic::complete().variants[0].runs[0].clone();
        run.epochs[2].weights = Some(WeightScores {
            validation: None,
            test: run.epochs[2].test,
        });
        run.epochs[3].test.loss = f64::NAN;
        assert_eq!(run.problem(&ASKED), None);
        run.state = RunState::Unfinished;
        run.epochs.clear();
        assert_eq!(run.problem(&ASKED), None);
    }
}
