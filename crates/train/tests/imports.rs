//! Imports between the crate's modules run one way.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and the modules it may import. `data` is a crate of its own, which the crate gives this name.
const MAY_IMPORT: [(&str, &[&str]); 7] = [
    ("record", &[]),
    ("data", &[]),
    ("network", &[]),
    ("config", &["record", "data", "network"]),
    ("training", &["record", "data", "network", "config"]),
    ("report", &["record"]),
    (
        "ablation",
        &["record", "data", "network", "config", "training", "report"],
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The modules that a text names after `crate::`, braces included; tests at its end are left out.
fn imported(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let listed = match part.strip_prefix('{') {
            Some(rest) => rest.split('}').next().unwrap(),
            None => part
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap(),
        };
        let first = |name: &str| {
            name.trim()
                .split("::")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        names.extend(listed.split(',').map(first));
    }
    names
}

#[test]
fn no_module_imports_one_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for (module, allowed) in MAY_IMPORT {
        let mut paths = Vec::new();
        if module != "data" {
            files(&source.join(module), &mut paths);
        }
        paths.extend(Some(source.join(module).with_extension("rs")).filter(|path| path.exists()));
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        {
            for name in imported(&fs::read_to_string(path).unwrap()) {
                let is_module = MAY_IMPORT.iter().any(|(module, _)| *module == name);
                let fits = name == module || !is_module || allowed.contains(&name.as_str());
                assert!(fits, "{} imports {name}", path.display());
                seen += usize::from(is_module && name != module);
            }
        }
    }
    assert!(seen > 30, "only {seen} imports were found");
}

#[test]
fn imports_are_found_in_all_their_forms() {
    let text = "use crate::record::Claim;\nuse crate::{TrainError, data};\n// crate::report\nlet x = crate::config::a();\n\
                #[cfg(test)]\nmod tests { use crate::training::Run; }";
    let names: Vec<_> = imported(text).into_iter().collect();
    assert_eq!(names, ["TrainError", "config", "data", "record"]);
}
