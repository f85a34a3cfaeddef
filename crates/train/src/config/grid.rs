//! The variants of an ablation: listed, or every combination of values on some axes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::ablation_file::{Axis, VariantConfig};
use super::error::Invalid;
use super::overrides::{is_path, is_within};

/// The most runs that an ablation may have.
pub(super) const MAX_RUNS: usize = 10_000;

/// Returns the variants, with this number of seeds each.
pub(super) fn variants(
    listed: &[VariantConfig],
    axes: &[Axis],
    seeds: usize,
) -> Result<Vec<VariantConfig>, Invalid> {
    match (listed.is_empty(), axes.is_empty()) {
        (false, true) => {
            check_list(listed)?;
            check_runs(&[listed.len()], seeds, "variants")?;
            Ok(listed.to_vec())
        }
        (true, false) => {
            check_axes(axes)?;
            let values: Vec<_> = axes.iter().map(|axis| axis.values.len()).collect();
            check_runs(&values, seeds, "axes")?;
            Ok(grid(axes))
        }
        (false, false) => Err(Invalid::saying(
            "axes",
            "give either `axes` or `variants`, not both",
        )),
        (true, true) => Err(Invalid::saying(
            "",
            "nothing to compare: give `axes` or `variants`",
        )),
    }
}

/// Checks the number of runs, a product that need not fit into a number.
pub(super) fn check_runs(variants: &[usize], seeds: usize, path: &str) -> Result<(), Invalid> {
    let factors = variants.iter().chain([&seeds]);
    let runs = factors.fold(1.0, |runs, factor| runs * *factor as f64);
    if runs <= MAX_RUNS as f64 {
        return Ok(());
    }
    let variants: Vec<_> = variants.iter().map(usize::to_string).collect();
    let variants = variants.join(" x ");
    let runs = match runs < 1e15 {
        true => runs.to_string(),
        false => "more than 10^15".to_owned(),
    };
    let plural = if seeds == 1 { "" } else { "s" };
    Err(Invalid::saying(
        path,
        format!(
            "{variants} variants with {seeds} seed{plural} are {runs} runs, but an ablation may have at most {MAX_RUNS}: \
             take fewer values or fewer seeds"
        ),
    ))
}

fn check_list(listed: &[VariantConfig]) -> Result<(), Invalid> {
    for (index, variant) in listed.iter().enumerate() {
        for path in variant.set.keys() {
            check_path(path, &format!("variants.{index}.set.{path}"))?;
        }
        for path in variant.set.keys() {
            if let Some(above) = parents(path).find(|above| variant.set.contains_key(*above)) {
                let message = format!(
                    "is a part of `{above}`, which is set here too: put the value there, or leave out one of them"
                );
                let path = format!("variants.{index}.set.{path}");
                return Err(Invalid::saying(path, message));
            }
        }
    }
    Ok(())
}

fn check_axes(axes: &[Axis]) -> Result<(), Invalid> {
    for (index, axis) in axes.iter().enumerate() {
        let at = |key: &str| format!("axes.{index}.{key}");
        check_path(&axis.path, &at("path"))?;
        if axis.values.is_empty() {
            return Err(Invalid::new(at("values"), "empty", "a list of values"));
        }
        let mut seen = HashMap::new();
        for (place, value) in axis.values.iter().enumerate() {
            if let Some(first) = seen.insert(plain(value), place) {
                let message = format!("{value} is there twice, first as values.{first}");
                return Err(Invalid::saying(at(&format!("values.{place}")), message));
            }
        }
        for (first, other) in axes[..index].iter().enumerate() {
            let message = if axis.path == other.path {
                format!(
                    "`{}` is the path of two axes, first of axes.{first}: put all values into one",
                    axis.path
                )
            } else if is_within(&axis.path, &other.path) || is_within(&other.path, &axis.path) {
                format!(
                    "`{}` and `{}`, of axes.{first}, are parts of each other: take only one of them",
                    axis.path, other.path
                )
            } else {
                continue;
            };
            return Err(Invalid::saying(at("path"), message));
        }
    }
    Ok(())
}

fn check_path(path: &str, place: &str) -> Result<(), Invalid> {
    if is_path(path) {
        return Ok(());
    }
    Err(Invalid::saying(
        place,
        format!("\"{path}\" is no path: give keys with dots between them, such as `recipe.epochs`"),
    ))
}

/// Returns the paths above a path: `a.b` and `a` of `a.b.c`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('.').map(|(dot, _)| &path[..dot])
}

/// Returns every combination of the axes' values; the last axis changes fastest.
fn grid(axes: &[Axis]) -> Vec<VariantConfig> {
    let mut variants = vec![VariantConfig {
        name: String::new(),
        set: Map::new(),
    }];
    for axis in axes {
        let key = axis.path.rsplit('.').next().unwrap_or(&axis.path);
        variants = variants
            .iter()
            .flat_map(|variant| {
                axis.values.iter().map(move |value| {
                    let mut next = variant.clone();
                    let comma = if next.name.is_empty() { "" } else { ", " };
                    next.name = format!("{}{comma}{key}={}", next.name, plain(value));
                    next.set.insert(axis.path.clone(), value.clone());
                    next
                })
            })
            .collect();
    }
    variants
}

/// Returns a value for people: a string without quotes, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn axis(path: &str, values: Value) -> Axis {
        let values = values.as_array().unwrap().clone();
        let path = path.to_owned();
        Axis { path, values }
    }

    fn listed(set: Value) -> VariantConfig {
        VariantConfig {
            name: "a".to_owned(),
            set: set.as_object().unwrap().clone(),
        }
    }

    fn error(listed: &[VariantConfig], axes: &[Axis]) -> String {
        variants(listed, axes, 1).unwrap_err().to_string()
    }

    #[test]
    fn a_grid_is_counted_before_it_is_made() {
        let many = |count: usize| json!((0..count).collect::<Vec<_>>());
        let axes = [399, 400, 100].map(|count| axis(&format!("x{count}"), many(count)));
        let message = error(&[], &axes);
        let expected = "`axes`: 399 x 400 x 100 variants with 1 seed are 15960000 runs, but an ablation may \
                        have at most 10000: take fewer values or fewer seeds";
        assert_eq!(message, expected);
        // More than a number holds.
        let axes: Vec<_> = (0..200)
            .map(|i| axis(&format!("x{i}"), many(100)))
            .collect();
        assert!(error(&[], &axes).contains("at most 10000"));
        let axes = [axis("x", many(100))];
        assert_eq!(variants(&[], &axes, 100).unwrap().len(), 100);
        assert!(variants(&[], &axes, 101).is_err());
        let listed = vec![listed(json!({})); 3];
        assert!(variants(&listed, &[], 3333).is_ok());
        let message = variants(&listed, &[], 3334).unwrap_err().to_string();
        assert!(
            message.starts_with("`variants`: 3 variants with 3334 seeds are 10002"),
            "{message}"
        );
    }

    #[test]
    fn paths_that_meet_are_refused() {
        let message = error(&[], &[axis("a.b", json!([1])), axis("a.b", json!([2]))]);
        assert!(
            message.contains("`axes.1.path`: `a.b` is the path of two axes, first of axes.0"),
            "{message}"
        );
        for (first, second) in [("a", "a.b"), ("a.b", "a")] {
            let message = error(&[], &[axis(first, json!([1])), axis(second, json!([2]))]);
            assert!(message.contains("parts of each other"), "{message}");
            let message = error(&[listed(json!({first: {}, "x": 1, second: 2}))], &[]);
            let expected = "`variants.0.set.a.b`: is a part of `a`, which is set here too";
            assert!(message.starts_with(expected), "{message}");
        }
        assert!(variants(&[], &[axis("a.b", json!([1])), axis("a.bc", json!([2]))], 1).is_ok());
        assert!(variants(&[listed(json!({"a.b": 1, "a.c": 2, "ab": 1}))], &[], 1).is_ok());
    }

    #[test]
    fn paths_and_values_are_checked() {
        for path in ["", ".", "a.", "a..b", " "] {
            assert!(
                error(&[], &[axis(path, json!([1]))]).contains("is no path"),
                "{path}"
            );
            assert!(
                error(&[listed(json!({path: 1}))], &[]).contains("is no path"),
                "{path}"
            );
        }
        assert!(error(&[], &[axis("a", json!([]))]).contains("a list of values"));
        let message = error(&[], &[axis("a", json!([1, 2, 1]))]);
        assert_eq!(
            message,
            "`axes.0.values.2`: 1 is there twice, first as values.0"
        );
        // They would have one name.
        assert!(error(&[], &[axis("a", json!([1, "1"]))]).contains("is there twice"));
        assert!(error(&[], &[]).contains("nothing to compare"));
        assert!(error(&[listed(json!({}))], &[axis("a", json!([1]))]).contains("not both"));
    }
}
