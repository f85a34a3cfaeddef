//! What an ablation and its workers tell each other: a line of JSON a message.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::record::RunRecord;
use crate::training::{CheckpointPolicy, Place, StopReason};

/// A message to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request<M> {
    /// Train this run, and report.
    Run(Box<Assignment<M>>),
    /// End the run after its batch.
    Stop(StopReason),
}

/// A run that a worker is to train.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Assignment<M> {
    /// The configuration as the plan has it, with all that weights and data decide.
    pub(super) config: RunConfig<M>,
    /// The seed.
    pub(super) seed: u64,
    /// The hash of the plan's images, which the worker's have to have.
    pub(super) data_sha256: String,
    /// The name of the variant's folder in that of the ablation.
    pub(super) variant: String,
    /// Variant and seed, for people.
    pub(super) label: String,
    /// Whether a run whose files are damaged is trained again from the start.
    pub(super) retrain_damaged: bool,
    /// When checkpoints are written, and which of them stay.
    pub(super) checkpoints: CheckpointPolicy,
    /// Whether there is an event file for TensorBoard.
    pub(super) tensorboard: bool,
    /// Whether lines tell of progress within long epochs, on standard error.
    pub(super) lines: bool,
}

/// A message from a worker. The last one of a run is any but the first two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// An epoch ended, with this record.
    Epoch(Box<RunRecord>),
    /// Something that a person should know of, but the run goes on.
    Warning(String),
    /// The run has ended.
    Ended,
    /// The run was stopped, and has a checkpoint of this place.
    Stopped { reason: StopReason, place: Place },
    /// The run's files are damaged.
    Damaged { cause: String },
    /// The run failed.
    Failed { cause: String },
}

/// Returns a message as a line, with its end.
pub(super) fn line(message: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(message)?; // on one line: JSON escapes control characters
    text.push('\n');
    Ok(text)
}

/// Reads a message from a line.
pub(super) fn parse<T: DeserializeOwned>(line: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(line)
}

#[cfg(test)]
mod tests {
    use xception_models::ModelConfig;

    use super::*;
    use crate::record::synthetic::complete;

    #[test]
    fn a_message_is_a_line_and_reads_back() {
        let mut record = complete().variants[0].runs[0].clone();
        record.epochs[0].train.loss = 0.1 + 0.2;
        let replies = [
            Reply::Epoch(Box::new(record)),
            Reply::Warning("two\nlines".to_owned()),
            Reply::Ended,
            Reply::Stopped {
                reason: StopReason::Terminated,
                place: Place {
                    epochs: 3,
                    steps: 14,
                },
            },
        ];
        for reply in replies {
            let text = line(&reply).unwrap();
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            assert_eq!(parse::<Reply>(&text).unwrap(), reply);
        }
    }

    #[test]
    fn a_configuration_arrives_as_it_was() {
        let text = r#"{"model": "xception", "recipe": {"learning_rate": 0.1, "epochs": 7}}"#;
        let config = <RunConfig>::parse(text, &[]).unwrap();
        let request = Request::Run(Box::new(Assignment {
            config: config.clone(),
            seed: u64::MAX,
            data_sha256: String::new(),
            variant: "base".to_owned(),
            label: "base, seed 1".to_owned(),
            retrain_damaged: false,
            checkpoints: CheckpointPolicy::default(),
            tensorboard: false,
            lines: true,
        }));
        match parse::<Request<ModelConfig>>(&line(&request).unwrap()).unwrap() {
            Request::Run(assignment) => {
                assert_eq!(assignment.config, config);
                assert_eq!(assignment.seed, u64::MAX);
            }
            Request::Stop(_) => unreachable!(),
        }
        assert!(parse::<Reply>("thread panicked").is_err());
    }
}
