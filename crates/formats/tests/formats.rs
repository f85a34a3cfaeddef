//! Reads a small file of each format. The fixtures come from `scripts/make_fixtures.py`, which says what they hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::fs;
use std::path::{Path, PathBuf};

use burn_pack::{DType, Tensor, Writer};
use xception_formats::{
    ElementType, Format, KerasFile, Kind, read_burnpack, read_pytorch, read_safetensors,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

const HALVES: [f32; 6] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5];

/// Returns `count` numbers from `start` on, in eighths.
fn eighths(start: usize, count: usize) -> Vec<f32> {
    (start..start + count)
        .map(|index| index as f32 / 8.0)
        .collect()
}

/// Returns the burnpack file of the fixtures.
fn burnpack() -> Vec<u8> {
    let bytes = HALVES.iter().flat_map(|value| value.to_le_bytes());
    let bytes = burn_pack::Bytes::from_bytes_vec(bytes.collect());
    let tensor = Tensor::new("a.weight".to_owned(), DType::F32, [2, 3], None, bytes);
    let writer = Writer::new(vec![tensor]).with_metadata("made", "by hand");
    writer.into_bytes().unwrap().to_vec()
}

#[test]
fn formats_are_told_apart_by_their_content() {
    for (name, format) in [
        ("small.safetensors", Format::Safetensors),
        ("small.pth", Format::Pytorch),
        ("small.h5", Format::Hdf5),
        ("small.weights.h5", Format::Hdf5),
        ("small.keras", Format::KerasArchive),
        ("small.bpk", Format::Burnpack),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let nameless = folder.path().join("file");
        fs::copy(fixture(name), &nameless).unwrap();
        assert_eq!(Format::of(&nameless).unwrap(), format, "{name}");
    }
}

#[test]
fn safetensors_are_read() {
    let file = read_safetensors(&fixture("small.safetensors")).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["a.weight", "b", "n"]);
    assert_eq!(file.metadata["made"], "by hand");
    assert_eq!(file.shape("a.weight"), Some(&[2, 3][..]));
    assert_eq!(file.tensors["a.weight"].read().unwrap(), HALVES);
    assert_eq!(file.tensors["b"].element(), ElementType::F16);
    assert_eq!(file.tensors["b"].read().unwrap(), [1.5, -0.25]);
    assert_eq!(
        file.tensors["n"].read().unwrap_err(),
        "it isn't made of floating-point numbers"
    );
}

#[test]
fn pytorch_checkpoints_are_read() {
    let file = read_pytorch(&fixture("small.pth")).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["a.count", "a.weight"]);
    assert_eq!(file.shape("a.weight"), Some(&[2, 3][..]));
    assert_eq!(file.tensors["a.weight"].read().unwrap(), HALVES);
    assert_eq!(file.tensors["a.count"].element(), ElementType::Other);
}

#[test]
fn burnpack_is_read() {
    assert_eq!(fs::read(fixture("small.bpk")).unwrap(), burnpack());
    let file = read_burnpack(&fixture("small.bpk")).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["a.weight"]);
    assert_eq!(file.metadata["made"], "by hand");
    assert_eq!(file.shape("a.weight"), Some(&[2, 3][..]));
    assert_eq!(file.tensors["a.weight"].read().unwrap(), HALVES);
}

#[test]
fn keras_files_are_read() {
    for (name, file) in [
        ("small.h5", KerasFile::read_hdf5(&fixture("small.h5"))),
        (
            "small.weights.h5",
            KerasFile::read_hdf5(&fixture("small.weights.h5")),
        ),
        (
            "small.keras",
            KerasFile::read_archive(&fixture("small.keras")),
        ),
    ] {
        let file = file.unwrap();
        let layer = |kind| {
            let mut layers = file.layers.iter().filter(|layer| layer.kind() == kind);
            let layer = layers.next().unwrap();
            assert!(layers.next().is_none(), "{name}");
            layer
        };
        let numbers = |kind, role: &str| layer(kind).weights[role].read().unwrap();
        assert_eq!(file.layers.len(), 3, "{name}");
        assert_eq!(layer(Kind::Conv).name, "conv", "{name}");
        assert_eq!(layer(Kind::Norm).name, "norm", "{name}");
        assert_eq!(layer(Kind::Dense).name, "head", "{name}");
        assert_eq!(
            layer(Kind::Conv).weights["kernel"].shape(),
            [3, 3, 3, 2],
            "{name}"
        );
        assert_eq!(numbers(Kind::Conv, "kernel"), eighths(0, 54), "{name}");
        for (place, role) in ["gamma", "beta", "moving_mean", "moving_variance"]
            .into_iter()
            .enumerate()
        {
            assert_eq!(
                numbers(Kind::Norm, role),
                eighths(54 + 2 * place, 2),
                "{name}"
            );
        }
        assert_eq!(layer(Kind::Dense).weights["kernel"].shape(), [2, 4]);
        assert_eq!(numbers(Kind::Dense, "kernel"), eighths(62, 8), "{name}");
        assert_eq!(numbers(Kind::Dense, "bias"), eighths(70, 4), "{name}");
        // Files of weights alone have no configuration.
        let activation = file.config.activations.get("head").map(String::as_str);
        let expected = (name != "small.weights.h5").then_some("softmax");
        assert_eq!(activation, expected, "{name}");
        assert_eq!(file.config.size, expected.map(|_| 8), "{name}");
    }
}

#[test]
fn a_keras_file_of_the_first_release_is_read() {
    let file = KerasFile::read_hdf5(&fixture("small_keras1.h5")).unwrap();
    let layers: Vec<_> = file
        .layers
        .iter()
        .map(|layer| (layer.name.as_str(), layer.kind()))
        .collect();
    assert_eq!(layers, [("conv", Kind::Conv), ("head", Kind::Dense)]);
    let mut start = 0;
    for (layer, shapes) in file
        .layers
        .iter()
        .zip([[&[3, 3, 3, 2][..], &[2]], [&[2, 4], &[4]]])
    {
        for (role, shape) in ["kernel", "bias"].into_iter().zip(shapes) {
            let weight = &layer.weights[role];
            assert_eq!(weight.shape(), shape);
            let count = shape.iter().product();
            assert_eq!(weight.read().unwrap(), eighths(start, count), "{role}");
            start += count;
        }
    }
}
