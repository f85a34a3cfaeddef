//! `xception weights`, without a network.

use std::fs;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;
use xception_testing::server::{Reply, TestServer};

use crate::support::{fail, program, succeed};

/// Runs the program with a cache of its own, without the proxies of whoever runs the test.
fn run(cache: &TempDir, arguments: &[&str], mirror: Option<&str>) -> Output {
    let mut command = program(arguments);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "XCEPTION_MIRROR"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    if let Some(mirror) = mirror {
        command.env("XCEPTION_MIRROR", mirror);
    }
    command.env("XCEPTION_CACHE", cache.path());
    command.output().unwrap()
}

/// Runs the program, which has to fail, and gives its standard output and its standard error.
fn failing(cache: &TempDir, arguments: &[&str], mirror: Option<&str>) -> (String, String) {
    let output = run(cache, arguments, mirror);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
    (String::from_utf8(output.stdout).unwrap(), errors)
}

#[test]
fn the_list_has_every_network_and_says_where_figures_are_from() {
    let text = succeed(&["weights", "list"]);
    assert!(
        text.contains("xception.timm") && text.contains("BSD-3-Clause"),
        "{text}"
    );
    let rows: Vec<Value> = serde_json::from_str(&succeed(&["weights", "list", "--json"])).unwrap();
    let row = rows.iter().find(|row| row["name"] == "xception.keras");
    let row = row.unwrap();
    assert_eq!(row["preprocessing"]["scaling"], "minus_one_to_one");
    assert_eq!(row["hash"]["algorithm"], "MD5");
    assert!(row["accuracy"]["source"].is_string());
}

#[test]
fn a_wrong_name_gets_the_nearest() {
    let errors = fail(1, &["weights", "fetch", "xceptoin.keras"]);
    assert!(
        errors.contains("did you mean `xception.keras`?"),
        "{errors}"
    );
}

#[test]
fn another_file_from_a_mirror_is_refused_and_one_in_the_cache_found() {
    let cache = tempfile::tempdir().unwrap();
    let server = TestServer::start(b"something else".to_vec(), &[Reply::Serve]);
    let base = server.base();
    let fetch = ["weights", "fetch", "resnet34.torchvision"];
    let refused = "has SHA-256 ";
    let (_, errors) = failing(&cache, &fetch, Some(&base));
    assert!(
        errors.contains(refused) && errors.contains("expected b627a593..."),
        "{errors}"
    );
    let (_, errors) = failing(&cache, &[&fetch[..], &["--mirror", &base]].concat(), None);
    assert!(errors.contains(refused), "{errors}");
    assert_eq!(server.ranges(), [None, None]);

    let output = run(&cache, &["weights", "verify"], None);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("no weights in"),
        "{text}"
    );
    fs::write(cache.path().join("resnet34-b627a593.pth"), "damaged").unwrap();
    let (text, errors) = failing(&cache, &["weights", "verify"], None);
    assert!(
        text.contains("damaged") && errors.contains("resnet34.torchvision"),
        "{text}{errors}"
    );
    let (text, _) = failing(&cache, &["weights", "verify", "resnet18.torchvision"], None);
    assert!(text.contains("missing"), "{text}");
}
