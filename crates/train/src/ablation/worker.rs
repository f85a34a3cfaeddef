//! A process that trains runs for an ablation.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use burn::prelude::Device;
use xception_messages::with_causes;

use super::messages::{Assignment, Reply, Request, line, parse};
use super::plan::have_same_images;
use super::study::run_folder;
use super::worker_error::WorkerError;
use crate::TrainError;
use crate::config::RunConfig;
use crate::data::Dataset;
use crate::network::NetworkConfig;
use crate::record::{DataRecord, RunRecord};
use crate::training::{Display, Run, StopSignal};

/// A process that trains the runs that an [`Execution`](super::Execution) with [`Workers`](super::Workers) hands to it.
pub struct Worker<'a> {
    /// The device, without autodiff; of the same backend as that of the ablation.
    pub device: &'a Device,
    /// Name of the backend.
    pub backend: &'a str,
    /// The folder of the ablation.
    pub out: PathBuf,
    /// The signal that ends a run after a batch. The ablation gives it too.
    pub stop: StopSignal,
}

impl Worker<'_> {
    /// Trains the runs that `input` asks for, one after another, and reports on `output`, on which nothing else may be
    /// written.
    ///
    /// At the end of the input, which is that of the ablation or of its process, nobody wants the run under way any more:
    /// another thread then calls `at_end`, which should end the process at once. The run goes on from its last checkpoint
    /// when the ablation is started again.
    ///
    /// # Errors
    ///
    /// Where the input isn't what an ablation of this version writes.
    pub fn run<M: NetworkConfig>(
        &self,
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
        at_end: impl FnOnce() + Send + 'static,
    ) -> Result<(), TrainError> {
        let replies = Replies(Arc::new(Mutex::new(Box::new(output))));
        let (sender, assignments) = mpsc::channel();
        let stop = self.stop.clone();
        thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || {
                for text in input.lines().map_while(Result::ok) {
                    let request = parse::<Request<M>>(&text);
                    match request {
                        Ok(Request::Run(assignment)) => {
                            let _ = sender.send(Ok(assignment));
                        }
                        Ok(Request::Stop(reason)) => {
                            stop.request(reason);
                        }
                        Err(error) => {
                            let cause = error.to_string();
                            let _ = sender.send(Err(WorkerError::Message { cause }));
                        }
                    }
                }
                at_end();
            })
            .map_err(|cause| WorkerError::Start { cause })?;

        let mut images = Images::default();
        for assignment in assignments {
            let reply = match self.train(&*assignment?, &mut images, &replies) {
                Ok(_) => Reply::Ended,
                Err(TrainError::Interrupted { reason, place }) => Reply::Stopped { reason, place },
                Err(TrainError::DamagedRun { cause, .. }) => Reply::Damaged { cause },
                Err(error) => Reply::Failed {
                    cause: with_causes(&error),
                },
            };
            replies.send(&reply);
        }
        Ok(())
    }

    fn train<M: NetworkConfig>(
        &self,
        assignment: &Assignment<M>,
        images: &mut Images<M>,
        replies: &Replies,
    ) -> Result<RunRecord, TrainError> {
        let data = images.of(&assignment.config)?;
        let found = DataRecord::new(data);
        if found.sha256 != assignment.data_sha256 {
            return Err(WorkerError::OtherImages { name: found.name }.into());
        }
        let run = Run {
            config: &assignment.config,
            data,
            seed: assignment.seed,
            device: self.device,
            backend: self.backend,
            parallel: None,
            display: match assignment.lines {
                true => Display::Lines,
                false => Display::Quiet,
            },
            stop: self.stop.clone(),
            label: &assignment.label,
            retrain_damaged: assignment.retrain_damaged,
            checkpoints: assignment.checkpoints,
            tensorboard: assignment.tensorboard,
            warn: &|text| replies.send(&Reply::Warning(text.to_owned())),
        };
        let folder = run_folder(&self.out, &assignment.variant, assignment.seed);
        let epochs = replies.clone();
        run.train(&folder, move |record| {
            epochs.send(&Reply::Epoch(Box::new(record.clone())));
        })
    }
}

/// Where replies go.
#[derive(Clone)]
struct Replies(Arc<Mutex<Box<dyn Write + Send>>>);

impl Replies {
    /// Sends a reply. Whether anybody hears is for the end of the input to tell.
    fn send(&self, reply: &Reply) {
        let Ok(text) = line(reply) else { return };
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(text.as_bytes());
        let _ = output.flush();
    }
}

/// The images of the last run, which the next one mostly has too.
struct Images<M>(Option<(RunConfig<M>, Dataset)>);

impl<M> Default for Images<M> {
    fn default() -> Self {
        Self(None)
    }
}

impl<M: NetworkConfig> Images<M> {
    /// Returns the images of a configuration.
    fn of(&mut self, config: &RunConfig<M>) -> Result<&Dataset, TrainError> {
        let kept = self.0.take();
        let same = kept.filter(|(before, _)| have_same_images(before, config));
        let data = match same {
            Some((_, data)) => data,
            None => Run::load_data(config)?,
        };
        Ok(&self.0.insert((config.clone(), data)).1)
    }
}
