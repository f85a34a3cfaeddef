//! Sizes that no machine has are refused before anything is made of that size.

use std::time::{Duration, Instant};

use crate::support::{Workshop, fail, succeed};

/// Memory and time that a machine with little of both has.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn networks_that_no_machine_holds_are_refused() {
    let workshop = Workshop::new();
    let file = workshop.text("tiny.json");
    let start = Instant::now();
    for (change, part) in [
        (
            "model.xception.classes=99999999999",
            "`model.xception.classes`: is 99999999999, but has to be from 1 to 1048576",
        ),
        (
            "model.xception.middle_modules=1000000000",
            "`model.xception.middle_modules`: is 1000000000, but has to be from 0 to 1024",
        ),
        (
            "model.xception.fully_connected=[100000000,100000000]",
            "`model.xception.fully_connected`: is 100000000, but has to be from 1 to 65536",
        ),
        (
            "model.xception.fully_connected=[65536,65536,65536]",
            "billion parameters",
        ),
    ] {
        let errors = fail(1, &["summary", "xception", "--set", change]);
        assert!(errors.contains(part), "{change}: {errors}");
        let out = workshop.text("out");
        for arguments in [&["--plan"][..], &["--out", &out]] {
            let mut all = vec!["ablate", &file, "--set", change];
            all.extend(arguments);
            let errors = fail(1, &all);
            assert!(errors.contains(part), "{change}: {errors}");
        }
        assert!(!workshop.path("out").exists());
    }
    for (change, part) in [
        (
            "recipe.batch_size=18446744073709551615",
            "from 2 to 1000000",
        ),
        (
            "recipe.epochs=18446744073709551615",
            "is 18446744073709551615, but has to be from 1 to 1000000",
        ),
    ] {
        let errors = fail(1, &["ablate", &file, "--plan", "--set", change]);
        assert!(errors.contains(part), "{change}: {errors}");
    }
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}

#[test]
fn a_large_network_is_counted_at_once() {
    let start = Instant::now();
    let wide = ["--set", "model.xception.width=16"];
    let text = succeed(&[&["summary", "xception", "--size", "4096"][..], &wide].concat());
    assert!(text.contains("32768 x 128 x 128"), "{text}");
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}
