//! `shards:DIR`: images in tar files, in the layout of WebDataset.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{batches, jpeg, keeps_its_promises, load, plan};
use tempfile::TempDir;
use xception_data::{
    BatchPlan, Batches, DataError, DataSource, Dataset, LoadOptions, Samples, Targets,
    folder_preprocessing,
};

/// Writes a shard with these members.
fn shard(path: &Path, members: &[(String, Vec<u8>)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut archive = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, &content[..])
            .unwrap();
    }
    archive.into_inner().unwrap();
}

/// The members of some samples, whose class is their number modulo 3.
fn members(numbers: std::ops::Range<usize>) -> Vec<(String, Vec<u8>)> {
    let sample = |number: usize| {
        let cls = (number % 3).to_string();
        [
            (format!("in/{number:04}.cls"), cls.into_bytes()),
            (format!("in/{number:04}.jpg"), jpeg(number)),
            (format!("in/{number:04}.txt"), b"a caption".to_vec()),
        ]
    };
    numbers.flat_map(sample).collect()
}

/// Five shards of 6 training images, and one of 9 test images.
fn set() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..5 {
        let path = dir.path().join(format!("photos-train-{number:03}.tar"));
        shard(&path, &members(number * 6..number * 6 + 6));
    }
    shard(&dir.path().join("photos-val-0.tar"), &members(100..109));
    dir
}

fn source(dir: &TempDir) -> String {
    format!("shards:{}", dir.path().display())
}

/// A damaged set: its first shard is replaced by what `damage` makes of its bytes.
fn damaged(damage: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let dir = set();
    let path = dir.path().join("photos-train-000.tar");
    fs::write(&path, damage(fs::read(&path).unwrap())).unwrap();
    let error = load(&source(&dir), 0).unwrap_err();
    assert!(matches!(error, DataError::Shard { .. }), "{error}");
    error.to_string()
}

/// A set whose first shard has these members beside others.
fn with_members(dir: &TempDir, more: &[(&str, &[u8])]) -> Result<Dataset, DataError> {
    let mut all = members(0..2);
    all.extend(
        more.iter()
            .map(|(name, content)| ((*name).to_owned(), content.to_vec())),
    );
    all.extend(members(4..6));
    shard(&dir.path().join("photos-train-000.tar"), &all);
    load(&source(dir), 0)
}

#[test]
fn samples_are_members_that_share_a_name() {
    let dir = set();
    let data = load(&source(&dir), 1 << 20).unwrap();
    assert_eq!(data.classes, ["0", "1", "2"]);
    assert_eq!((data.train.len(), data.test.len()), (30, 9));
    for index in 0..30 {
        assert_eq!(data.train.labels(index), [index as u32 % 3]);
    }
    // The same images as files in folders give the same pixels.
    let folders = tempfile::tempdir().unwrap();
    for number in 0..30 {
        let path = format!("train/{}/{number:04}.jpg", number % 3);
        support::write(&folders.path().join(path), &jpeg(number));
        let path = format!("val/{}/{number:04}.jpg", number % 3);
        support::write(&folders.path().join(path), &jpeg(number));
    }
    let files = load(&format!("folder:{}", folders.path().display()), 0).unwrap();
    let pixels = |samples: &Samples, index: usize| {
        let one = samples.slice(index..index + 1);
        batches(&one, BatchPlan::test(1, data.normalization))
            .remove(0)
            .pixels
    };
    for number in 0..30 {
        let file = number % 3 * 10 + number / 3;
        assert_eq!(
            pixels(&data.train, number),
            pixels(&files.train, file),
            "{number}"
        );
    }
    keeps_its_promises(|cache_bytes| load(&source(&dir), cache_bytes).unwrap());
    keeps_its_promises(|cache_bytes| {
        load(&source(&dir), cache_bytes)
            .unwrap()
            .hold_back(9)
            .unwrap()
    });
}

#[test]
fn few_shards_are_read_at_a_time_and_the_order_is_that_of_all_workers() {
    let dir = set();
    let parsed: DataSource = source(&dir).parse().unwrap();
    let data = parsed
        .load_as(&LoadOptions {
            shuffle_buffer: 1,
            ..LoadOptions::new(folder_preprocessing(support::SIDE))
        })
        .unwrap();
    let order = |epoch| data.train.shuffled(3, epoch);
    let shards: Vec<u32> = order(0).iter().map(|index| index / 6).collect();
    assert_eq!(shards.chunk_by(|a, b| a == b).count(), 5);
    assert_ne!(order(0), order(1));
    let data = load(&source(&dir), 0).unwrap();
    let mixed: Vec<u32> = data
        .train
        .shuffled(3, 0)
        .iter()
        .map(|index| index / 6)
        .collect();
    assert!(mixed.chunk_by(|a, b| a == b).count() > 10);
}

#[test]
fn json_has_a_class_or_a_set_and_names_are_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    let sample = |number: usize, json: &str| {
        [
            (format!("{number}.jpeg"), jpeg(number)),
            (format!("{number}.json"), json.as_bytes().to_vec()),
        ]
    };
    let sets = [
        sample(0, r#"{"labels": ["dog", "cat"]}"#),
        sample(1, r#"{"labels": ["cat"], "caption": "x"}"#),
        sample(2, r#"{"labels": [2]}"#),
    ];
    shard(&dir.path().join("train/0.tar"), &sets.concat());
    shard(
        &dir.path().join("test/0.tar"),
        &sample(3, r#"{"labels": ["owl", "dog"]}"#),
    );
    let error = load(&source(&dir), 0).unwrap_err().to_string();
    assert!(
        error.contains("member `2.json`") && error.contains("classes.txt"),
        "{error}"
    );
    fs::write(dir.path().join("classes.txt"), "cat\ndog\nowl\n").unwrap();
    let data = load(&source(&dir), 0).unwrap();
    assert_eq!(data.classes, ["cat", "dog", "owl"]);
    let targets = &batches(&data.train, BatchPlan::test(4, data.normalization))[0].targets;
    let sets = vec![vec![0, 1], vec![0], vec![2]];
    assert_eq!(*targets, Targets::Sets { sets, classes: 3 });

    fs::write(dir.path().join("classes.txt"), "cat\ndog\n").unwrap();
    let error = load(&source(&dir), 0).unwrap_err().to_string();
    assert!(
        error.contains("train/0.tar`, member `2.json`, at byte ") && error.contains("class 2"),
        "{error}"
    );
    // A class beside the sets.
    shard(
        &dir.path().join("test/0.tar"),
        &sample(3, r#"{"label": "dog"}"#),
    );
    let error = load(&source(&dir), 0).unwrap_err().to_string();
    assert!(error.contains("test/0.tar`, member `3.json`"), "{error}");
}

#[test]
fn a_shard_that_is_cut_off_is_named_with_member_and_offset() {
    let end = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    // Within a member's content: the header before it says how long it is.
    let error = damaged(|bytes| bytes[..bytes.len() / 2].to_vec());
    assert!(
        error.contains("photos-train-000.tar`, member `in/"),
        "{error}"
    );
    assert!(
        error.contains("the shard is cut off: the member has "),
        "{error}"
    );
    // Between two members, which only the missing mark of the end shows.
    let error = damaged(|bytes| {
        let last = end(&bytes).div_ceil(512) * 512;
        bytes[..last].to_vec()
    });
    assert!(error.contains("without the mark of its end"), "{error}");
    // Within a header.
    let error = damaged(|bytes| bytes[..512 * 2 + 100].to_vec());
    assert!(error.contains("at byte "), "{error}");
    assert!(damaged(|_| Vec::new()).contains("without the mark of its end"));
}

#[test]
fn a_damaged_header_is_an_error_with_its_place() {
    let error = damaged(|mut bytes| {
        bytes[1024] ^= 0x55; // the name in the second header
        bytes
    });
    assert!(
        error.contains("photos-train-000.tar` at byte 513: "),
        "{error}"
    );
    assert!(damaged(|bytes| bytes.iter().map(|byte| !byte).collect()).contains("at byte 0: "));
}

#[test]
fn wrong_samples_are_errors_with_their_place() {
    let told = |more: &[(&str, &[u8])], member: &str, problem: &str| {
        let error = with_members(&set(), more).unwrap_err().to_string();
        let place = format!("photos-train-000.tar`, member `{member}`, at byte ");
        assert!(error.contains(&place) && error.contains(problem), "{error}");
    };
    let image = jpeg(3);
    told(&[("a.jpg", &image)], "a.jpg", "an image without a `.cls`");
    told(&[("a.cls", b"1")], "a.cls", "a label without an image");
    told(
        &[("a.cls", b"x y"), ("a.jpg", &image)],
        "a.cls",
        "some classes have numbers",
    );
    told(&[("a.cls", b""), ("a.jpg", &image)], "a.cls", "no class");
    told(
        &[("a.jpg", &image), ("a.png", &image)],
        "a.png",
        "a second image",
    );
    told(&[("a.jpg", &image), ("a.json", b"{}")], "a.json", "`label`");
    told(
        &[("a.jpg", &image), ("a.json", b"{\"labels\": [1]}")],
        "a.json",
        "a set",
    );
    told(
        &[("a.cls", b"1048576"), ("a.jpg", &image)],
        "a.cls",
        "1048576",
    );
    let parted = [
        ("a.jpg", &image[..]),
        ("b.jpg", &image),
        ("b.cls", b"1"),
        ("a.cls", b"1"),
    ];
    told(&parted, "a.jpg", "without a `.cls`");
    // What is no sample is passed over.
    let more: [(&str, &[u8]); 3] = [("README", b"x"), ("__info__.json", b"x"), ("c.txt", b"x")];
    assert_eq!(with_members(&set(), &more).unwrap().train.len(), 28);
}

#[test]
fn a_shard_that_is_lost_or_cut_off_later_ends_the_epoch() {
    let dir = set();
    let path = dir.path().join("photos-train-003.tar");
    let epoch = || -> Result<Vec<_>, _> {
        let data = load(&source(&dir), 0).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
        let batches = Batches::new(data.train.clone(), plan(&data))
            .unwrap()
            .collect();
        fs::write(&path, &bytes).unwrap();
        batches
    };
    let error = epoch().unwrap_err();
    assert!(matches!(error, DataError::Shard { .. }), "{error}");
    assert!(
        error.to_string().contains("photos-train-003.tar` at byte "),
        "{error}"
    );
}

#[test]
fn a_broken_image_is_named_with_shard_member_and_offset() {
    let dir = set();
    let data = with_members(&dir, &[("n/bad.jpg", b"no image"), ("n/bad.cls", b"1")]).unwrap();
    let broken = data.broken_images().unwrap();
    assert_eq!(broken.len(), 1);
    let text = broken[0].to_string();
    assert!(
        text.contains("photos-train-000.tar, member n/bad.jpg at byte "),
        "{text}"
    );
}

#[test]
fn the_hash_sees_names_sizes_and_labels() {
    let hash = |dir: &TempDir| load(&source(dir), 0).unwrap().sha256();
    let base = hash(&set());
    assert_eq!(base, hash(&set()));
    type Members = Vec<(String, Vec<u8>)>;
    let changed = |change: &dyn Fn(&mut Members)| {
        let dir = set();
        let mut members = members(0..6);
        change(&mut members);
        shard(&dir.path().join("photos-train-000.tar"), &members);
        hash(&dir)
    };
    assert_eq!(base, changed(&|_| ()));
    assert_ne!(base, changed(&|members| members[0].1 = b"2".to_vec()));
    assert_ne!(base, changed(&|members| members[1].1.push(0)));
    assert_ne!(base, changed(&|members| members[2].0.push('x')));
    let renamed = set();
    let path = |name: &str| -> PathBuf { renamed.path().join(name) };
    fs::rename(path("photos-train-000.tar"), path("a-train-000.tar")).unwrap();
    assert_ne!(base, hash(&renamed));
}
