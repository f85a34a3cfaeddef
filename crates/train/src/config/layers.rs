//! A configuration with what changes it, and which of the changes makes it wrong.

use serde_json::{Map, Value};

use super::error::{ConfigError, Invalid};
use super::overrides::{Override, is_within, set};
use super::run::RunConfig;
use super::source::Source;
use super::strict_json::shown;
use crate::network::NetworkConfig;

/// A run's configuration in layers: a file's, the overrides of the command line in their order, and what a
/// variant of an ablation sets.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) base: &'a Value,
    pub(super) overrides: &'a [Override],
    pub(super) set: &'a Map<String, Value>,
}

/// Where the layers stand in a file.
pub(super) struct Places<'a> {
    pub(super) source: &'a Source,
    /// Path of the base in the file; empty where the file is the base.
    pub(super) base: &'a str,
    /// Path, in the file, of what the variant sets at a path.
    pub(super) set: &'a dyn Fn(&str) -> String,
}

impl Layers<'_> {
    /// Returns all layers together.
    pub(super) fn resolve<M: NetworkConfig>(&self) -> Result<RunConfig<M>, Invalid> {
        self.resolve_some(self.overrides.len(), self.set.len())
    }

    /// With the first so many overrides, and the first so many values of the variant.
    fn resolve_some<M: NetworkConfig>(
        &self,
        overrides: usize,
        values: usize,
    ) -> Result<RunConfig<M>, Invalid> {
        let mut value = self.base.clone();
        for change in &self.overrides[..overrides] {
            change.apply(&mut value)?;
        }
        for (path, change) in self.set.iter().take(values) {
            set(&mut value, path, change.clone())?;
        }
        RunConfig::from_value(value)
    }

    /// Returns the error at the place of the layer that makes the value wrong, which need not be the layer that the
    /// value is from.
    pub(super) fn error<M: NetworkConfig>(&self, invalid: Invalid, places: &Places) -> ConfigError {
        let within = |key: &str| is_within(&invalid.path, key) || is_within(key, &invalid.path);
        let set_here = self.set.keys().any(|key| is_within(&invalid.path, key));
        let overrides = self.overrides.iter();
        let direct = overrides.rev().find(|o| is_within(&invalid.path, o.path()));
        if let Some(direct) = direct.filter(|_| !set_here) {
            return direct.error(invalid);
        }
        if let Some(change) = self.blamed_override::<M>(&invalid) {
            if within(change.path()) && !set_here {
                return change.error(invalid);
            }
            let remedy = match set_here {
                true => "change that too, or leave this option out".to_owned(),
                false => format!("give that too, as {}=VALUE", invalid.path),
            };
            return change.error(format!(
                "makes `{}` wrong, which {}: {}; {remedy}",
                invalid.path,
                self.stands(&invalid.path, places),
                invalid.message,
            ));
        }
        match self.blamed_value::<M>(&invalid) {
            Some((key, _)) if within(key) => {
                let path = match is_within(&invalid.path, key) {
                    true => (places.set)(&invalid.path),
                    false => (places.set)(key),
                };
                places.source.error(invalid, &path)
            }
            Some((key, value)) => {
                let message = format!(
                    "{} makes `{}` wrong, which {}: {}; set that here too",
                    shown(value),
                    invalid.path,
                    self.stands(&invalid.path, places),
                    invalid.message,
                );
                places
                    .source
                    .error(Invalid::saying(key, message), &(places.set)(key))
            }
            None => {
                let path = format!("{}.{}", places.base, invalid.path);
                places.source.error(invalid, &path)
            }
        }
    }

    /// Returns the override without which, and without those after it, there is no such error.
    fn blamed_override<M: NetworkConfig>(&self, invalid: &Invalid) -> Option<&Override> {
        let same = |count| {
            let resolved = self.resolve_some::<M>(count, self.set.len());
            resolved.err().as_ref() == Some(invalid)
        };
        let earlier = (0..self.overrides.len()).rev();
        let least = earlier.take_while(|&count| same(count)).last();
        match least.unwrap_or(self.overrides.len()) {
            0 => None,
            count => self.overrides.get(count - 1),
        }
    }

    /// Returns the value of the variant without which, and without those after it, there is no such error.
    fn blamed_value<M: NetworkConfig>(&self, invalid: &Invalid) -> Option<(&String, &Value)> {
        let all = self.overrides.len();
        let same = |count| self.resolve_some::<M>(all, count).err().as_ref() == Some(invalid);
        let earlier = (0..self.set.len()).rev();
        let least = earlier.take_while(|&count| same(count)).last();
        match least.unwrap_or(self.set.len()) {
            0 => None,
            count => self.set.iter().nth(count - 1),
        }
    }

    /// Returns where the value of a path comes from, for people, as in "which stands at FILE:3:4".
    fn stands(&self, path: &str, places: &Places) -> String {
        let set = self.set.keys().any(|key| is_within(path, key));
        let in_file = match set {
            true => (places.set)(path),
            false => format!("{}.{path}", places.base),
        };
        match places.source.place_of(&in_file) {
            Some(place) => format!("stands at {place}"),
            None => "has its default".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::AblationConfig;
    use super::*;

    const RUN: &str =
        "{\"model\": \"xception\",\n \"recipe\": {\"optimizer\": {\"sgd\": {\"momentum\": 0}}}}";
    const ABLATION: &str = r#"{
"title": "t", "question": "q", "seeds": [1],
"base": {"model": "xception", "recipe": {"optimizer": {"sgd": {"momentum": 0}}}},
"variants": [{"name": "a"},
{"name": "b", "set": {"data.train_images": 100, "recipe.batch_size": 50}}]}"#;

    fn overrides(arguments: &[&str]) -> Vec<Override> {
        arguments.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn run(arguments: &[&str]) -> String {
        let error = <RunConfig>::parse(RUN, &overrides(arguments)).unwrap_err();
        error.to_string()
    }

    fn ablation(from: &str, to: &str, arguments: &[&str]) -> String {
        assert!(ABLATION.contains(from), "{from}");
        let text = ABLATION.replace(from, to);
        let error = <AblationConfig>::parse("x", &text, &overrides(arguments)).unwrap_err();
        error.to_string()
    }

    #[test]
    fn an_override_that_is_wrong_itself_is_named() {
        let message = run(&["recipe.epochs=3", "recipe.batch_size=1"]);
        assert!(
            message.starts_with("`recipe.batch_size=1`: `recipe.batch_size`: is 1"),
            "{message}"
        );
        // The last one counts.
        let message = run(&["recipe.epochs=3", "recipe.epochs=0"]);
        assert!(message.starts_with("`recipe.epochs=0`: "), "{message}");
        let message = run(&["recipe.epochs.x=3", "recipe.epochs=0"]);
        assert!(message.starts_with("`recipe.epochs=0`: "), "{message}");
        let message = run(&["finetune.head=keep"]);
        let expected = "`finetune.head=\"keep\"`: `finetune`: the key `weights` is missing";
        assert_eq!(message, expected);
        let message = run(&["recipe.schedule.constant=1"]);
        assert!(
            message.starts_with(
                "`recipe.schedule.constant=1`: `recipe.schedule.constant`: has no options"
            ),
            "{message}"
        );
    }

    #[test]
    fn an_override_that_makes_another_value_wrong_is_named_with_the_remedy() {
        let nesterov = "recipe.optimizer.sgd.nesterov=true";
        let message = run(&["recipe.epochs=3", nesterov, "recipe.batch_size=10"]);
        let expected = "`recipe.optimizer.sgd.nesterov=true`: makes `recipe.optimizer.sgd.momentum` wrong, \
                        which stands at line 2, column 35: is 0, but has to be more than 0 and less than 1 \
                        with Nesterov's momentum; give that too, as recipe.optimizer.sgd.momentum=VALUE";
        assert_eq!(message, expected);
        assert!(
            <RunConfig>::parse(
                RUN,
                &overrides(&[nesterov, "recipe.optimizer.sgd.momentum=0.9"])
            )
            .is_ok()
        );
        let message = ablation("\"name\": \"a\"", "\"name\": \"a\"", &[nesterov]);
        assert!(
            message.contains("which stands at line 3, column 64"),
            "{message}"
        );
        let message = run(&["data.train_images=1"]);
        assert!(
            message.starts_with("`data.train_images=1`: `data.train_images`: is 1"),
            "{message}"
        );
        // A default.
        let message = run(&["data.source=folder:x", "data.image_size=3"]);
        assert!(message.starts_with("`data.image_size=3`: makes `data.augmentation.crop_padding` wrong, which has its default"), "{message}");
    }

    #[test]
    fn a_variant_that_an_override_makes_wrong_is_named() {
        let (set, xception) = (
            "\"recipe.batch_size\": 50",
            "\"model.xception.residual\": false",
        );
        let message = ablation(set, xception, &["model=resnet18"]);
        assert!(message.starts_with("`model=\"resnet18\"`: makes `model.xception.residual` wrong, which stands at line 5, column 49: `model` is \"resnet18\", which has no keys"), "{message}");
        assert!(
            message.ends_with("change that too, or leave this option out"),
            "{message}"
        );
    }

    #[test]
    fn a_value_of_a_variant_is_found_where_it_stands_whatever_the_overrides() {
        let message = ablation("size\": 50", "size\": 0", &["recipe.batch_size=20"]);
        assert!(
            message.starts_with("line 5, column 49: `recipe.batch_size`: is 0"),
            "{message}"
        );
        let nesterov = "\"recipe.optimizer.sgd.nesterov\": true";
        let message = ablation("\"recipe.batch_size\": 50", nesterov, &[]);
        let expected = "line 5, column 49: `recipe.optimizer.sgd.nesterov`: true makes \
                        `recipe.optimizer.sgd.momentum` wrong, which stands at line 3, column 64: is 0, but";
        assert!(message.starts_with(expected), "{message}");
        assert!(message.ends_with("set that here too"), "{message}");
    }

    #[test]
    fn a_mistake_of_the_file_is_not_blamed_on_an_override() {
        let message = ablation(
            "\"momentum\": 0",
            "\"momentum\": 1",
            &["recipe.batch_size=20"],
        );
        assert!(
            message.starts_with("line 3, column 64: `recipe.optimizer.sgd.momentum`"),
            "{message}"
        );
    }
}
