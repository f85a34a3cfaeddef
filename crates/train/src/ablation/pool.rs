//! Runs side by side, each in a process that takes one after another.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::event::Event;
use super::execute::{Execution, Step};
use super::messages::{Assignment, Reply, Request};
use super::plan::PlannedRun;
use super::tracker::Tracker;
use super::worker_error::WorkerError;
use super::workers::{Message, Process, Workers};
use crate::TrainError;
use crate::network::NetworkConfig;
use crate::record::DataRecord;
use crate::training::{Display, Place};

/// Between two looks at the signal to stop.
const INTERVAL: Duration = Duration::from_millis(50);

/// Lines of a process's standard error that are kept, in case it ends.
const LAST_WORDS: usize = 6;

/// Hands runs out to as many processes as there are slots.
pub(super) struct Pool<'r, M: NetworkConfig> {
    execution: &'r Execution<'r>,
    workers: &'r Workers,
    slots: Vec<Slot<'r, M>>,
    sender: Sender<(usize, Message)>,
    receiver: Receiver<(usize, Message)>,
    /// Runs that were stopped, with the places of their checkpoints.
    stopped: Vec<(String, Place)>,
}

/// A place for a process, which is started with the first run that it gets.
struct Slot<'r, M> {
    process: Option<Process>,
    run: Option<&'r PlannedRun<'r, M>>,
    last_words: VecDeque<String>,
    told_to_stop: bool,
}

impl<'r, M: NetworkConfig> Pool<'r, M> {
    pub(super) fn new(execution: &'r Execution<'r>, workers: &'r Workers, at_once: usize) -> Self {
        let (sender, receiver) = mpsc::channel();
        let slot = |_| Slot {
            process: None,
            run: None,
            last_words: VecDeque::new(),
            told_to_stop: false,
        };
        Self {
            execution,
            workers,
            slots: (0..at_once).map(slot).collect(),
            sender,
            receiver,
            stopped: Vec::new(),
        }
    }

    /// Takes every step, those of runs to train in the processes.
    pub(super) fn train(
        mut self,
        tasks: impl Iterator<Item = (&'r PlannedRun<'r, M>, Step)>,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        let mut queue: VecDeque<_> = tasks.collect();
        loop {
            self.hand_out(&mut queue, tracker)?;
            if self.slots.iter().all(|slot| slot.run.is_none()) {
                break;
            }
            // Never disconnected: a sender is kept here.
            if let Ok((index, message)) = self.receiver.recv_timeout(INTERVAL) {
                self.take(index, message, tracker)?;
            }
            self.pass_on_stop()?;
        }
        let is_whole = queue.is_empty() && self.stopped.is_empty() && !tracker.has_failures();
        match self.execution.stop.reason() {
            Some(reason) if !is_whole => {
                let runs = self.stopped;
                Err(TrainError::InterruptedRuns { reason, runs })
            }
            _ => Ok(()),
        }
    }

    /// Gives runs to those who have none, in order. All other steps are taken here.
    fn hand_out(
        &mut self,
        queue: &mut VecDeque<(&'r PlannedRun<'r, M>, Step)>,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        while let Some(&(run, step)) = queue.front() {
            if step == Step::Train {
                let idle = self.slots.iter().position(|slot| slot.run.is_none());
                let stops = self.execution.stop.reason().is_some();
                let Some(index) = idle.filter(|_| !stops) else {
                    return Ok(());
                };
                tracker.started(run);
                self.assign(index, run)?;
            } else {
                self.execution.here(run, step, tracker)?;
            }
            queue.pop_front();
        }
        Ok(())
    }

    fn assign(&mut self, index: usize, run: &'r PlannedRun<'r, M>) -> Result<(), TrainError> {
        let count = self.slots.len();
        let slot = &mut self.slots[index];
        let mut process = match slot.process.take() {
            Some(process) => process,
            None => Process::start((self.workers.command)(index, count), index, &self.sender)?,
        };
        let variant = &run.planned.variant;
        process.send(&Request::Run(Box::new(Assignment {
            config: variant.config.clone(),
            seed: run.seed,
            data_sha256: DataRecord::new(&run.planned.data).sha256,
            variant: variant.folder(),
            label: run.label.clone(),
            retrain_damaged: self.execution.retrain_damaged,
            checkpoints: self.execution.checkpoints,
            tensorboard: self.execution.tensorboard,
            lines: self.execution.display != Display::Quiet,
        })))?;
        *slot = Slot {
            process: Some(process),
            run: Some(run),
            last_words: VecDeque::new(),
            told_to_stop: false,
        };
        Ok(())
    }

    /// Takes in what a process says.
    fn take(
        &mut self,
        index: usize,
        message: Message,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        let slot = &mut self.slots[index];
        let run = slot.run;
        match (message, run) {
            (Message::Reply(reply), Some(run)) => self.reply(index, run, reply, tracker),
            (Message::Line(line), _) => {
                let label = run.map_or("an idle process", |run| run.label.as_str());
                let progress = line
                    .strip_prefix(label)
                    .and_then(|rest| rest.strip_prefix(": "));
                tracker.tell(Event::Output {
                    label,
                    line: progress.unwrap_or(&line),
                });
                if progress.is_none() {
                    slot.last_words.push_back(line);
                    if slot.last_words.len() > LAST_WORDS {
                        slot.last_words.pop_front();
                    }
                }
                Ok(())
            }
            (Message::Closed, run) => {
                let process = slot.process.take();
                let status = process.map(|mut process| process.status());
                slot.run = None;
                let Some(run) = run else { return Ok(()) };
                let error = WorkerError::Ended {
                    status: status.unwrap_or_default(),
                    output: slot.last_words.drain(..).collect(),
                };
                tracker.left_out(run, error.into());
                tracker.report()
            }
            (Message::Reply(_), None) => Ok(()),
        }
    }

    /// Takes in what a process says of its run.
    fn reply(
        &mut self,
        index: usize,
        run: &'r PlannedRun<'r, M>,
        reply: Reply,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        match reply {
            Reply::Epoch(record) => {
                tracker
                    .epochs()
                    .ended(run.index, run.work, &run.label, &record);
                return Ok(());
            }
            Reply::Warning(text) => {
                tracker.tell(Event::Warning {
                    label: &run.label,
                    text: &text,
                });
                return Ok(());
            }
            Reply::Ended => {}
            Reply::Stopped { reason, place } => {
                // Perhaps the process alone got a signal: a wish to stop is one for all.
                self.execution.stop.request(reason);
                self.stopped.push((run.label.clone(), place));
            }
            Reply::Damaged { cause } => {
                let path = run.folder.clone();
                tracker.left_out(run, TrainError::DamagedRun { path, cause });
            }
            Reply::Failed { cause } => tracker.left_out(run, WorkerError::Run { cause }.into()),
        }
        self.slots[index].run = None;
        tracker.report()
    }

    /// Tells every process at work, once, that someone asked for the end.
    fn pass_on_stop(&mut self) -> Result<(), TrainError> {
        let Some(reason) = self.execution.stop.reason() else {
            return Ok(());
        };
        for slot in &mut self.slots {
            if slot.run.is_some()
                && !slot.told_to_stop
                && let Some(process) = &mut slot.process
            {
                process.send::<M>(&Request::Stop(reason))?;
                slot.told_to_stop = true;
            }
        }
        Ok(())
    }
}

#[cfg(unix)] // its shell
#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    use burn::prelude::Device;

    use super::*;
    use crate::ablation::{Outcome, Plan};
    use crate::config::AblationConfig;
    use crate::training::{StopReason, StopSignal};

    const ABLATION: &str = r#"{
        "title": "t", "question": "q", "seeds": [1, 2],
        "base": {
            "model": {"xception": {"width": 0.02, "middle_modules": 0, "stem": "small"}},
            "data": {"train_images": 20, "test_images": 10},
            "recipe": {"epochs": 1}
        },
        "variants": [{"name": "base"}, {"name": "plain", "set": {"model.xception.residual": false}}]
    }"#;

    /// Runs an ablation whose processes are this shell script; returns the outcome and what the observer was told.
    fn with_script(
        script: &'static str,
        stop: StopSignal,
    ) -> (Result<Outcome, TrainError>, Vec<String>) {
        let device = Device::flex();
        let config = <AblationConfig>::parse("x", ABLATION, &[]).unwrap();
        let plan = Plan::new(config, &device).unwrap();
        let (folder, told) = (
            tempfile::tempdir().unwrap(),
            Arc::new(Mutex::new(Vec::new())),
        );
        let lines = told.clone();
        let execution = Execution {
            workers: Some(Workers {
                count: 2,
                command: Box::new(move |_, _| {
                    let mut command = Command::new("sh");
                    command.args(["-c", script]);
                    command
                }),
            }),
            stop,
            observer: Arc::new(move |event| lines.lock().unwrap().push(event.to_string())),
            ..Execution::new(&device, "flex")
        };
        let outcome = execution.run(&plan, folder.path());
        let told = told.lock().unwrap().clone();
        (outcome, told)
    }

    #[test]
    fn a_process_that_ends_has_its_status_and_last_words() {
        let script = "read run; echo 'base, seed 1: train 5/20 images' >&2; echo 'thread panicked' >&2; exit 7";
        let (outcome, told) = with_script(script, StopSignal::new());
        let failed = outcome.unwrap().failed;
        assert_eq!(failed.len(), 4);
        let first = failed
            .iter()
            .find(|run| run.label == "base, seed 1")
            .unwrap();
        let expected =
            "its process ended before it did (exit status: 7); it wrote: thread panicked";
        assert_eq!(first.error.to_string(), expected);
        let expected = format!("run 1/4: base, seed 1 failed: {expected}");
        assert!(told.contains(&expected), "{told:?}");
        // A line that has the run's name already gets no second one.
        for line in [
            "base, seed 1: train 5/20 images",
            "base, seed 1: thread panicked",
        ] {
            assert!(told.iter().any(|told| told == line), "{line}: {told:?}");
        }
    }

    #[test]
    fn a_run_goes_to_whoever_is_free() {
        let script = r#"while read run; do echo '{"warning": "it is new"}'; echo '"ended"'; done"#;
        let (outcome, told) = with_script(script, StopSignal::new());
        let outcome = outcome.unwrap();
        assert!(outcome.failed.is_empty() && outcome.damaged.is_empty());
        for label in [
            "base, seed 1",
            "plain, seed 1",
            "base, seed 2",
            "plain, seed 2",
        ] {
            let warned = told
                .iter()
                .filter(|line| **line == format!("{label}: it is new"));
            assert_eq!(warned.count(), 1, "{told:?}");
        }
    }

    #[test]
    fn a_stop_is_passed_on_and_nothing_starts_any_more() {
        // It hears of the stop that another process was told of by itself.
        let script = r#"
            read run
            case $run in
                *'"seed":1,'*'"label":"base'*) echo '{"stopped": {"reason": "terminated", "place": {"epochs": 3, "steps": 0}}}';;
                *) read stop; echo '{"stopped": {"reason": "terminated", "place": {"epochs": 0, "steps": 7}}}';;
            esac
            read end"#;
        let stop = StopSignal::new();
        let (outcome, told) = with_script(script, stop.clone());
        let error = outcome.unwrap_err();
        assert_eq!(
            error.to_string(),
            "terminated: base, seed 1 after epoch 3; plain, seed 1 after 7 steps of epoch 1; the same command goes on \
             from there"
        );
        assert_eq!(stop.reason(), Some(StopReason::Terminated));
        assert_eq!(
            told.iter().filter(|line| line.starts_with("run ")).count(),
            2
        );
    }
}
