//! `docs/configuration.md`: its tables are made from the schemas, and its examples are read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use xception::train::config::schema::{FileKind, Key};
use xception::train::config::{AblationConfig, RunConfig};

use crate::support::{regenerates, succeed};

const PAGE: &str = "docs/configuration.md";
/// What stands before a table: the kind of file, and the path that the table's keys are below.
const START: &str = "<!-- keys: ";
const END: &str = "<!-- end of keys -->";

fn page() -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The tables' headings, such as `run model.xception`.
fn headings(page: &str) -> Vec<&str> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(START));
    lines.map(|line| line.trim_end_matches(" -->")).collect()
}

/// The page with tables made anew.
fn with_tables(page: &str) -> String {
    let headings = headings(page);
    let mut made = String::new();
    let mut inside = false;
    for line in page.split_inclusive('\n') {
        inside &= line.trim_end() != END;
        if !inside {
            made.push_str(line);
        }
        if let Some(heading) = line.strip_prefix(START) {
            made.push_str(&table(
                heading.trim_end().trim_end_matches(" -->"),
                &headings,
            ));
            inside = true;
        }
    }
    made
}

/// Whether a key is in the table of a heading, whatever other tables there are.
fn is_below(kind: FileKind, key: &Key, heading: &str) -> bool {
    let below = |path: &str| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    match heading.split_once(' ') {
        None => heading == kind.name(),
        Some((name, path)) => name == kind.name() && below(path),
    }
}

/// The table of the keys that no longer heading has.
fn table(heading: &str, headings: &[&str]) -> String {
    let kind = FileKind::ALL
        .into_iter()
        .find(|kind| heading.split(' ').next() == Some(kind.name()));
    let kind = kind.unwrap();
    let keys = kind.keys();
    let mut table =
        "| key | type | default | example | meaning |\n|---|---|---|---|---|\n".to_owned();
    for key in &keys {
        let all = headings
            .iter()
            .filter(|heading| is_below(kind, key, heading));
        if all.max_by_key(|heading| heading.len()) == Some(&heading) {
            table += &row(key, &keys);
        }
    }
    table
}

fn row(key: &Key, keys: &[Key]) -> String {
    let default = match (key.required, key.schema.get("default")) {
        (true, _) => "required".to_owned(),
        (false, None | Some(Value::Null)) => "–".to_owned(),
        (false, Some(_)) if key.schema.contains_key("properties") => "`{}`".to_owned(),
        (false, Some(default)) => code(default),
    };
    let mut kind = one_of(&types(&key.schema));
    if let Some(bounds) = key.bounds() {
        let each = if key.schema.contains_key("items") {
            "each "
        } else {
            ""
        };
        kind += &format!(", {each}{bounds}");
    }
    if key.schema.contains_key("uniqueItems") {
        kind += ", at least one, none twice";
    }
    let mut meaning = key.description().replace("\n\n", "<br>");
    for (choice, description) in key.choices() {
        if !description.is_empty() {
            meaning += &format!("<br>{}: {description}", code(&choice));
        }
    }
    let example = code(&example(key, keys));
    let cells = [format!("`{}`", key.path), kind, default, example, meaning];
    format!(
        "| {} |\n",
        cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
    )
}

/// The example of a key; of an object, its required keys or else its first one.
fn example(key: &Key, keys: &[Key]) -> Value {
    if let Some(example) = key.example() {
        return example;
    }
    let below = |child: &&Key| {
        let name = child
            .path
            .strip_prefix(&key.path)
            .and_then(|rest| rest.strip_prefix('.'));
        name.is_some_and(|name| !name.contains(['.', '[']))
    };
    let mut children: Vec<_> = keys.iter().filter(below).collect();
    assert!(!children.is_empty(), "{} has no example", key.path);
    if children.iter().any(|child| child.required) {
        children.retain(|child| child.required);
    } else {
        children.truncate(1);
    }
    let name = |child: &Key| child.path.rsplit('.').next().unwrap().to_owned();
    children
        .iter()
        .map(|child| (name(child), example(child, keys)))
        .collect()
}

/// The types of value that a schema allows, in words.
fn types(schema: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |kind: String| {
        if !found.contains(&kind) {
            found.push(kind);
        }
    };
    let choices = ["const", "enum"]
        .into_iter()
        .filter_map(|keyword| schema.get(keyword));
    let choices: Vec<_> = choices
        .flat_map(|choice| choice.as_array().cloned().unwrap_or(vec![choice.clone()]))
        .collect();
    choices.iter().for_each(|choice| add(code(choice)));
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) if choices.is_empty() => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for name in names {
        match name {
            "integer" => add("a whole number".to_owned()),
            "number" => add("a number".to_owned()),
            "string" => add("a string".to_owned()),
            "boolean" => add("`true` or `false`".to_owned()),
            "object" => add("an object".to_owned()),
            "array" => add(list(schema)),
            _ => {} // null is as good as left out
        }
    }
    for keyword in ["oneOf", "anyOf"] {
        for alternative in schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            types(alternative.as_object().unwrap())
                .into_iter()
                .for_each(&mut add);
        }
    }
    found
}

fn list(schema: &Map<String, Value>) -> String {
    let count = match (schema.get("minItems"), schema.get("maxItems")) {
        (Some(least), Some(most)) if least == most => format!("{most} "),
        (_, Some(most)) => format!("at most {most} "),
        (_, None) => String::new(),
    };
    let items = schema
        .get("items")
        .and_then(|items| items.get("type"))
        .and_then(Value::as_str);
    let items = match items {
        Some("integer") => "whole numbers",
        Some("number") => "numbers",
        None if schema.get("items").is_none_or(|items| items == true) => "values",
        _ => "objects",
    };
    format!("a list of {count}{items}")
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "any value".to_owned(),
        [name] => name.clone(),
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
    }
}

fn code(value: &Value) -> String {
    format!("`{}`", spaced(value))
}

/// JSON in one line, with spaces where a person has them.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(list) => format!(
            "[{}]",
            list.iter().map(spaced).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(object) => {
            let members = object
                .iter()
                .map(|(key, value)| format!("\"{key}\": {}", spaced(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

#[test]
fn the_tables_are_those_of_the_schemas() {
    let (path, text) = page();
    let made = with_tables(&text);
    if regenerates() {
        xception_files::write(&path, made.as_bytes()).unwrap();
        return;
    }
    assert!(
        text == made,
        "the tables of {PAGE} are out of date: run this test once with XCEPTION_REGENERATE=1 in the environment"
    );
}

#[test]
fn every_key_has_a_row() {
    let (_, text) = page();
    for kind in FileKind::ALL {
        for key in kind.keys() {
            let row = format!("| `{}` |", key.path);
            assert_eq!(text.matches(&row).count(), 1, "{}: {row}", kind.name());
        }
    }
}

fn put(file: &mut Value, path: &str, value: Value) {
    let place = path.split('.').fold(file, |place, key| &mut place[key]);
    *place = value;
}

fn read(kind: FileKind, file: &Value) {
    let text = file.to_string();
    match kind {
        FileKind::Run => drop(<RunConfig>::parse(&text, &[]).unwrap()),
        FileKind::Ablation => drop(<AblationConfig>::parse("file", &text, &[]).unwrap()),
    }
}

#[test]
fn the_example_of_every_key_is_read() {
    let keys = FileKind::Run.keys();
    for key in &keys {
        let mut file = Value::Null;
        for other in keys.iter().filter(|other| other.required) {
            let parent = other.path.rfind('.').map_or("", |dot| &other.path[..=dot]);
            let around = key.path.starts_with(parent);
            let apart = !key.path.starts_with(&format!("{}.", other.path));
            if around && apart {
                put(&mut file, &other.path, example(other, &keys));
            }
        }
        put(&mut file, &key.path, example(key, &keys));
        read(FileKind::Run, &file);
    }

    let keys = FileKind::Ablation.keys();
    let of = |path: &str| example(keys.iter().find(|key| key.path == path).unwrap(), &keys);
    let parts = |list: &str| -> Value {
        let below = |key: &&Key| key.path.starts_with(&format!("{list}[]."));
        let name = |key: &Key| key.path.rsplit('.').next().unwrap().to_owned();
        keys.iter()
            .filter(below)
            .map(|key| (name(key), example(key, &keys)))
            .collect()
    };
    let mut file: Value = ["title", "question", "base", "seeds"]
        .into_iter()
        .map(|key| (key, of(key)))
        .collect();
    for (list, value) in [
        ("axes", of("axes")),
        ("axes", json!([parts("axes")])),
        ("variants", of("variants")),
        ("variants", json!([{"name": "base"}, parts("variants")])),
    ] {
        let mut file = file.clone();
        file[list] = value;
        read(FileKind::Ablation, &file);
    }
    file["variants"] = json!([{"name": "base"}, parts("variants")]);
    for claims in [of("claims"), json!([parts("claims")])] {
        file["claims"] = claims;
        read(FileKind::Ablation, &file);
    }
}

/// What stands between the fences of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(fence.as_str()).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_examples_of_the_page_are_read() {
    let (_, text) = page();
    let blocks = blocks(&text, "json");
    assert!(blocks.len() >= 10);
    for block in blocks {
        let file: Value = serde_json::from_str(block).unwrap();
        let kind = match file.get("model") {
            Some(_) => FileKind::Run,
            None => FileKind::Ablation,
        };
        // A part of an ablation is read in the place of that part of a whole one.
        let mut whole =
            json!({"title": "t", "question": "q", "base": {"model": "xception"}, "seeds": [1]});
        whole
            .as_object_mut()
            .unwrap()
            .extend(file.as_object().unwrap().clone());
        read(kind, if kind == FileKind::Run { &file } else { &whole });
    }
}

#[test]
fn the_grid_of_the_page_has_the_names_that_it_lists() {
    let (_, text) = page();
    let grid =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/ablations/residual-by-activation.json");
    for (index, variant) in <AblationConfig>::read(&grid, &[])
        .unwrap()
        .variants
        .iter()
        .enumerate()
    {
        let line = format!("{}. `{}`", index + 1, variant.name);
        assert!(text.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_commands_help_leads_to_the_page() {
    for command in ["ablate", "train"] {
        let help = succeed(&[command, "--help"]);
        assert!(
            help.contains(PAGE) && help.contains("xception schema"),
            "{help}"
        );
    }
}
