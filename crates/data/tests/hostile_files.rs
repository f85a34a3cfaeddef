//! Shards and lists that are damaged, or made to do harm, are errors: no panic, and bounded time.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::{jpeg, load, plan};
use xception_data::{Batches, Dataset};
use xception_testing::mutation::{Random, mutate};

/// Mutations of each file.
const MUTATIONS: usize = 300;
/// What a mutation may take, on a busy machine.
const SECONDS: Duration = Duration::from_secs(10);

/// Reads all batches of a set that could be loaded, until one is an error.
fn read(data: &Dataset) {
    for samples in [&data.train, &data.test] {
        let Ok(batches) = Batches::new(samples.clone(), plan(data)) else {
            continue;
        };
        for batch in batches {
            if batch.is_err() {
                break;
            }
        }
    }
}

/// Loads a set again and again with another mutation of one of its files. Returns how many could be loaded.
fn hold_out(source: &str, file: &std::path::Path) -> usize {
    let good = fs::read(file).unwrap();
    read(&load(source, 0).unwrap());
    let mut random = Random(0x0005_DEEC_E66D);
    let mut loaded = 0;
    for _ in 0..MUTATIONS {
        let mut bytes = good.clone();
        mutate(&mut bytes, &mut random);
        fs::write(file, &bytes).unwrap();
        let start = Instant::now();
        match load(source, 0) {
            Ok(data) => {
                loaded += 1;
                read(&data);
            }
            Err(error) => assert!(error.to_string().len() < 5000, "{error}"),
        }
        assert!(start.elapsed() < SECONDS, "{source}: {:?}", start.elapsed());
    }
    loaded
}

#[test]
fn mutated_shards_are_errors_or_sets() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, from: usize, json: bool| {
        let file = fs::File::create(dir.path().join(name)).unwrap();
        let mut archive = tar::Builder::new(file);
        for number in from..from + 6 {
            let class = (number % 3).to_string();
            let label = match json {
                true => ("json", format!("{{\"label\": {class}, \"by\": \"me\"}}")),
                false => ("cls", class),
            };
            let long_name = "a/".repeat(60);
            for (extension, content) in [(label.0, label.1.into_bytes()), ("jpg", jpeg(number))] {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                let name = format!("{long_name}{number}.{extension}");
                archive
                    .append_data(&mut header, name, &content[..])
                    .unwrap();
            }
        }
        archive.into_inner().unwrap();
    };
    write("set-train-0.tar", 0, false);
    write("set-train-1.tar", 6, true);
    write("set-val-0.tar", 12, false);
    let source = format!("shards:{}", dir.path().display());
    for shard in ["set-train-0.tar", "set-train-1.tar"] {
        let file = dir.path().join(shard);
        let good = fs::read(&file).unwrap();
        let loaded = hold_out(&source, &file);
        println!("{shard}: {loaded} of {MUTATIONS} were sets");
        // Neither is everything refused, nor does everything pass.
        assert!((1..MUTATIONS).contains(&loaded));
        fs::write(&file, good).unwrap();
    }
}

#[test]
fn mutated_lists_are_errors_or_sets() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..12 {
        support::write(&dir.path().join(format!("{number}.jpg")), &jpeg(number));
    }
    let split = |number: usize| ["train", "train", "test"][number % 3];
    let class = |number: usize| ["cat", "dog"][number / 3 % 2];
    let rows = (0..12).map(|n| format!("{n}.jpg,\"{}\",{}\n", class(n), split(n)));
    let csv = "path,label,split\n".to_owned() + &rows.collect::<String>();
    let rows = (0..12).map(|n| {
        let (class, split) = (class(n), split(n));
        format!("{{\"path\": \"{n}.jpg\", \"labels\": [\"{class}\"], \"split\": \"{split}\"}}\n")
    });
    for (name, text) in [("list.csv", csv), ("list.jsonl", rows.collect())] {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        let loaded = hold_out(&format!("list:{}", file.display()), &file);
        println!("{name}: {loaded} of {MUTATIONS} were sets");
        assert!(loaded < MUTATIONS);
    }
}
