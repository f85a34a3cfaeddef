//! How long the rest takes.

/// Time left, from the time that the work so far took. Work is counted in multiply-adds, so that a
/// variant that wasn't run yet is estimated from those that were.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    work_left: f64,
    work_done: f64,
    seconds: f64,
}

impl Estimate {
    /// Adds work that is still to do.
    pub(super) fn plan(&mut self, work: f64) {
        self.work_left += work;
    }

    /// Moves work from what is left to what is done, in so many seconds.
    pub(super) fn done(&mut self, work: f64, seconds: f64) {
        self.work_left = (self.work_left - work).max(0.0);
        self.work_done += work;
        self.seconds += seconds;
    }

    /// Takes back work that isn't going to be done.
    pub(super) fn cancel(&mut self, work: f64) {
        self.work_left = (self.work_left - work).max(0.0);
    }

    /// Returns the seconds left; `None` before any work was done.
    pub(super) fn seconds_left(&self) -> Option<f64> {
        (self.work_done > 0.0).then(|| self.work_left * self.seconds / self.work_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_the_time_of_the_work_done() {
        let mut estimate = Estimate::default();
        estimate.plan(100.0);
        assert_eq!(estimate.seconds_left(), None);
        estimate.done(20.0, 4.0);
        assert_eq!(estimate.seconds_left(), Some(16.0));
        estimate.cancel(30.0);
        assert_eq!(estimate.seconds_left(), Some(10.0));
    }
}
