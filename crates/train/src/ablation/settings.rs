//! The settings of variants, for people.

use serde_json::Value;

use crate::config::RunConfig;
use crate::network::NetworkConfig;

/// Lists every value of the base's configuration but those that a variant changes, as path and value.
pub(super) fn shared_settings<M: NetworkConfig>(
    base: &RunConfig<M>,
    varied: &[String],
) -> Vec<(String, String)> {
    let mut settings = match serde_json::to_value(base) {
        Ok(value) => all_settings(&value),
        Err(_) => Vec::new(),
    };
    let varies = |path: &str| {
        varied.iter().any(|varied| {
            path.strip_prefix(varied.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    settings.retain(|(path, _)| !varies(path));
    settings
}

/// Lists every value of a configuration, as path and value.
pub(super) fn all_settings(config: &Value) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    flatten("", config, &mut settings);
    settings
}

fn flatten(path: &str, value: &Value, settings: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let below = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                flatten(&below, value, settings);
            }
        }
        Value::Null => settings.push((path.to_owned(), "all".to_owned())),
        Value::String(text) => settings.push((path.to_owned(), text.clone())),
        other => settings.push((path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_varies() {
        let config = <RunConfig>::parse(r#"{"model": "xception"}"#, &[]).unwrap();
        let all = shared_settings(&config, &[]);
        let width = ("model.xception.width".to_owned(), "1.0".to_owned());
        assert!(all.contains(&width), "{all:?}");
        let fewer = shared_settings(&config, &["model.xception.width".to_owned()]);
        assert_eq!(fewer.len(), all.len() - 1);
        let fewer = shared_settings(&config, &["model".to_owned()]);
        assert!(fewer.iter().all(|(path, _)| !path.starts_with("model")));
    }
}
