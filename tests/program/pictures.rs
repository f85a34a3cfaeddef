//! `draw`, and the pictures in `docs` that it made.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use xception::models::MODELS;

use crate::support::{Workshop, fail, program, regenerates, succeed};

/// The most bytes of a picture in `docs`.
const LARGEST: usize = 60_000;

#[test]
fn a_picture_is_written_or_printed() {
    let workshop = Workshop::new();
    let out = workshop.text("network.svg");
    let note = succeed(&["draw", "xception", "--out", &out]);
    assert!(
        note.contains("network.svg: xception, ") && note.contains(" pixels"),
        "{note}"
    );
    let picture = fs::read_to_string(&out).unwrap();
    for part in [
        "<svg xmlns=\"http://www.w3.org/2000/svg\"",
        ">xception</text>",
        ">F. Chollet, Xception, CVPR 2017</text>",
        ">22,855,952 parameters, 8.36 G multiply-adds</text>",
        ">Middle flow</text>",
        ">× 8</text>",
        ">SeparableConv 728, 3×3</text>",
        ">19×19×728</text>",
        "prefers-color-scheme:dark",
    ] {
        assert!(picture.contains(part), "{part}");
    }
    assert_eq!(succeed(&["draw", "xception", "--out", "-"]), picture);
    // A second time it replaces the first.
    succeed(&["draw", "xception", "--out", &out]);
    assert_eq!(fs::read_to_string(&out).unwrap(), picture);
}

#[test]
fn size_options_and_theme_change_the_picture() {
    let draw = |more: &[&str]| succeed(&[&["draw", "xception", "--out", "-"], more].concat());
    let changed = draw(&[
        "--size",
        "64",
        "--set",
        "model.xception.width=0.5",
        "--set",
        "model.xception.stem=small",
    ]);
    for part in [
        ">Image 64×64×3</text>",
        ">Here with width 0.5, stem small</text>",
        ">SeparableConv 368, 3×3</text>",
    ] {
        assert!(changed.contains(part), "{part}");
    }
    let dark = draw(&["--theme", "dark"]);
    let light = draw(&["--theme", "light"]);
    assert!(!dark.contains("prefers-color-scheme") && !light.contains("prefers-color-scheme"));
    assert_ne!(dark, light);
    let file = succeed(&["draw", "configs/models/xception-small.json", "--out", "-"]);
    assert!(
        file.contains(">xception</text>") && file.contains(">Here with "),
        "{file}"
    );
}

#[test]
fn a_picture_is_named_after_its_network() {
    let workshop = Workshop::new();
    fs::write(workshop.path("my.small.json"), r#"{"model": "resnet18"}"#).unwrap();
    for (model, name) in [
        ("resnet18", "resnet18.svg"),
        ("my.small.json", "my.small.svg"),
    ] {
        let mut command = program(&["draw", model]);
        let output = command.current_dir(workshop.path("")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(workshop.path(name).exists(), "{name}");
    }
    let [a, b] =
        ["resnet18.svg", "my.small.svg"].map(|name| fs::read(workshop.path(name)).unwrap());
    assert_eq!(a, b);
}

#[test]
fn bad_input_is_told() {
    let workshop = Workshop::new();
    let folder = workshop.text("");
    let missing = workshop.text("missing/x.svg");
    fs::create_dir(workshop.path("folder.svg")).unwrap();
    let taken = workshop.text("folder.svg");
    let cases: [(i32, &[&str], &str); 9] = [
        (1, &["xcepton"], "did you mean `xception`?"),
        (1, &["none.json"], "can't read none.json"),
        (1, &["xception", "--out", "x.png"], "has to end in .svg"),
        (1, &["xception", "--out", &folder], "has to end in .svg"),
        (1, &["xception", "--out", &missing], "there is no folder"),
        (1, &["xception", "--out", &taken], "it is a folder"),
        (
            1,
            &["inception_v3", "--size", "32", "--out", "-"],
            "75 x 75",
        ),
        (2, &["xception", "--theme", "blue"], "light"),
        (2, &[], "<MODEL>"),
    ];
    for (code, arguments, part) in cases {
        let errors = fail(code, &[&["draw"], arguments].concat());
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }

    fs::create_dir(workshop.path("closed")).unwrap();
    fs::set_permissions(workshop.path("closed"), Permissions::from_mode(0o555)).unwrap();
    if File::create(workshop.path("closed/probe")).is_ok() {
        return; // whoever runs this test may write everywhere
    }
    let closed = workshop.text("closed/x.svg");
    let errors = fail(1, &["draw", "resnet18", "--out", &closed]);
    assert!(errors.contains("closed/x.svg"), "{errors}");
}

#[test]
fn the_shipped_pictures_are_those_that_the_program_draws() {
    for name in ["xception", "inception_v3"] {
        let drawn = succeed(&["draw", name, "--out", "-"]);
        let path = format!("docs/{name}.svg");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
        if regenerates() {
            xception_files::write(&file, drawn.as_bytes()).unwrap();
        }
        assert!(
            fs::read_to_string(&file).unwrap_or_default() == drawn,
            "{path} is out of date: run `xception draw {name} --out {path}`"
        );
    }
}

#[test]
fn pictures_are_small() {
    for info in MODELS.iter() {
        let length = succeed(&["draw", info.name, "--out", "-"]).len();
        assert!(
            (2_000..LARGEST).contains(&length),
            "{}: {length}",
            info.name
        );
    }
}
