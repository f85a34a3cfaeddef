//! How long the rest takes.

/// Time left, from the time that the work so far took. Work is counted in multiply-adds, so that a
/// variant that wasn't run yet is estimated from those that were.
#[derive(Debug)]
pub(super) struct Estimate {
    /// What each run has still to do, in the order in which they start.
    left: Vec<f64>,
    /// Runs that train at the same time.
    at_once: usize,
    work_done: f64,
    seconds: f64,
}

impl Estimate {
    /// Estimates runs of which each has so much work left, in the order in which they start, `at_once` at a time.
    pub(super) fn new(left: Vec<f64>, at_once: usize) -> Self {
        Self {
            left,
            at_once: at_once.max(1),
            work_done: 0.0,
            seconds: 0.0,
        }
    }

    /// Moves work of a run from what is left to what is done, in so many seconds.
    pub(super) fn done(&mut self, run: usize, work: f64, seconds: f64) {
        if let Some(left) = self.left.get_mut(run) {
            *left = (*left - work).max(0.0);
        }
        self.work_done += work;
        self.seconds += seconds;
    }

    /// Takes back the rest of a run, which isn't going to be done.
    pub(super) fn cancel(&mut self, run: usize) {
        if let Some(left) = self.left.get_mut(run) {
            *left = 0.0;
        }
    }

    /// Returns the seconds left; `None` before any work was done.
    pub(super) fn seconds_left(&self) -> Option<f64> {
        (self.work_done > 0.0).then(|| self.longest() * self.seconds / self.work_done)
    }

    /// Returns the work left for whoever ends last, where each next run goes to the first who has nothing to do.
    fn longest(&self) -> f64 {
        let mut loads = vec![0.0; self.at_once];
        for left in self.left.iter().filter(|left| **left > 0.0) {
            if let Some(least) = loads.iter_mut().min_by(|a, b| f64::total_cmp(a, b)) {
                *least += left;
            }
        }
        loads.into_iter().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_the_time_of_the_work_done() {
        let mut estimate = Estimate::new(vec![40.0, 60.0], 1);
        assert_eq!(estimate.seconds_left(), None);
        estimate.done(0, 20.0, 4.0);
        assert_eq!(estimate.seconds_left(), Some(16.0));
        estimate.cancel(0);
        assert_eq!(estimate.seconds_left(), Some(12.0));
    }

    #[test]
    fn runs_side_by_side_end_with_the_last_one() {
        let mut estimate = Estimate::new(vec![0.0, 40.0, 40.0, 40.0], 2);
        estimate.done(1, 10.0, 1.0);
        // One has the rest of the first run and the third, 30 + 40, the other the second.
        assert_eq!(estimate.seconds_left(), Some(7.0));
        estimate.done(2, 10.0, 1.0);
        assert_eq!(estimate.seconds_left(), Some(7.0));
        estimate.cancel(3);
        assert_eq!(estimate.seconds_left(), Some(3.0));
    }
}
