//! What a person sees while a run is under way.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{Interrupter, LearnerSummary};

use super::keyboard;
use xception_messages::counted;

use crate::numbers::duration;
use crate::printable::printable;
use crate::record::{RunRecord, RunState, Scores};

/// The display of a run's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Burn's dashboard with curves, in the whole terminal. Ctrl-C makes SIGINT there as everywhere, and `q`
    /// makes SIGQUIT, which the program has to take as a wish to stop.
    Dashboard,
    /// Lines on standard error: one an epoch, and one every ten seconds within a long epoch.
    Lines,
    /// Nothing.
    Quiet,
}

impl Display {
    /// Returns the dashboard where standard output and standard error are a terminal, lines elsewhere.
    pub fn detect() -> Self {
        match std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
            true => Self::Dashboard,
            false => Self::Lines,
        }
    }

    pub(crate) fn renderer(
        self,
        label: &str,
        interrupter: Interrupter,
        epochs_done: usize,
    ) -> Box<dyn MetricsRenderer> {
        let checkpoint = (epochs_done > 0).then_some(epochs_done);
        match self {
            Self::Dashboard if keyboard::take().is_ok() => {
                Box::new(TuiMetricsRendererWrapper::new(interrupter, checkpoint))
            }
            Self::Dashboard | Self::Lines => Box::new(LineRenderer::new(Some(label.to_owned()))),
            Self::Quiet => Box::new(LineRenderer::new(None)),
        }
    }
}

/// Prints a warning on standard error. A closed standard error is no reason to stop.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {}", printable(text));
}

/// The line of an epoch.
pub struct Progress;

impl Progress {
    /// Describes the last epoch of a record in a line, such as `epoch 3/10: loss 1.203, ...`.
    pub fn line(record: &RunRecord, epochs: usize) -> String {
        let Some(epoch) = record.epochs.last() else {
            return "no epoch yet".to_owned();
        };
        let seconds = epoch.train_seconds + epoch.test_seconds;
        let place = format!("epoch {}/{epochs}", epoch.epoch);
        if record.state == RunState::Diverged {
            let what = record.diverging();
            return format!(
                "{place}: diverged, {what} became infinite or not a number; {seconds:.1} s"
            );
        }
        let left = seconds * epochs.saturating_sub(epoch.epoch) as f64;
        let train = Scores {
            top5: None,
            map100: None,
            ..epoch.train
        };
        let validation = epoch.validation.map_or_else(String::new, |scores| {
            format!("; validation top-1 {:.1} %", 100.0 * scores.top1)
        });
        let skipped = match epoch.skipped_steps {
            0 => String::new(),
            steps => format!("; {} skipped, gradients overflowed", counted(steps, "step")),
        };
        format!(
            "{place}: training {train:.1}{validation}; test {:.1}{skipped}; {seconds:.1} s, {} to go",
            epoch.test,
            duration(left),
        )
    }
}

/// Between two lines within an epoch.
const INTERVAL: Duration = Duration::from_secs(10);

/// Prints a line now and then within long epochs; the lines of whole epochs come from the record.
struct LineRenderer {
    /// What the lines start with; nothing is printed without it.
    label: Option<String>,
    split: String,
    total: usize,
    start: Instant,
    last: Instant,
}

impl LineRenderer {
    fn new(label: Option<String>) -> Self {
        Self {
            label,
            split: String::new(),
            total: 0,
            start: Instant::now(),
            last: Instant::now(),
        }
    }
}

impl TrainingProgressLogger for LineRenderer {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _: usize) {}

    fn start_split(&mut self, split: &str, total_items: usize) {
        let split = if split == "valid" { "test" } else { split };
        self.split = split.to_owned();
        self.total = total_items;
        self.start = Instant::now();
        self.last = self.start;
    }

    fn update_split(&mut self, items_processed: usize) {
        let Some(label) = &self.label else { return };
        if self.last.elapsed() < INTERVAL {
            return;
        }
        self.last = Instant::now();
        let rate = items_processed as f64 / self.start.elapsed().as_secs_f64();
        let left = duration((self.total - items_processed.min(self.total)) as f64 / rate);
        // A closed standard error is no reason to stop training.
        let _ = writeln!(
            std::io::stderr(),
            "{label}: {} {items_processed}/{} images, {rate:.0} images/s, {left} to go",
            self.split,
            self.total,
        );
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _: String) {}
}

impl EvaluationProgressLogger for LineRenderer {
    fn start_global_progress(&mut self, _: usize) {}

    fn start_test(&mut self, _: &str, _: usize) {}

    fn update_test_progress(&mut self, _: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _: String) {}
}

impl MetricsRendererTraining for LineRenderer {
    fn update_train(&mut self, _: MetricState) {}

    fn update_valid(&mut self, _: MetricState) {}

    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl MetricsRendererEvaluation for LineRenderer {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl MetricsRenderer for LineRenderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _: MetricDefinition) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{EpochRecord, RECORD_VERSION};

    #[test]
    fn a_line_has_the_figures_there_are() {
        let scores = |loss| Scores {
            loss,
            top1: 0.5,
            top5: Some(0.9),
            map100: None,
            images: 10,
        };
        let epoch = EpochRecord {
            epoch: 3,
            steps: 1,
            skipped_steps: 0,
            learning_rate: 0.1,
            train: scores(1.25),
            validation: None,
            test: scores(1.5),
            weights: None,
            train_seconds: 4.0,
            test_seconds: 1.0,
        };
        let mut record = RunRecord {
            version: RECORD_VERSION,
            seed: 1,
            state: RunState::Unfinished,
            parameters: 1,
            epochs: vec![epoch],
            divergence: None,
            network_sha256: None,
            origin: None,
        };
        assert_eq!(
            Progress::line(&record, 10),
            "epoch 3/10: training loss 1.250, top-1 50.0 %; test loss 1.500, top-1 50.0 %, \
             top-5 90.0 %; 5.0 s, 35 s to go"
        );
        record.epochs[0].skipped_steps = 2;
        assert!(
            Progress::line(&record, 10)
                .contains("top-5 90.0 %; 2 steps skipped, gradients overflowed; 5.0 s")
        );
        record.epochs[0].test.top5 = None;
        assert!(!Progress::line(&record, 10).contains("top-5"));
        record.state = RunState::Diverged;
        record.epochs[0].train.loss = f64::NAN;
        record.epochs[0].test.loss = f64::NAN;
        let line = Progress::line(&record, 10);
        assert_eq!(
            line,
            "epoch 3/10: diverged, the training loss became infinite or not a number; 5.0 s"
        );
    }
}
