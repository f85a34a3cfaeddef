//! Reproducible weights and images: each value is computed from its tensor's name and its index, by FNV-1a and the
//! finaliser of splitmix64.

use std::collections::BTreeSet;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns `count` values in [0, 1) for a name.
fn uniform(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let start = name.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    (1..=count as u64).map(move |index| {
        let mut z = start.wrapping_add(index.wrapping_mul(GOLDEN));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / (1u64 << 24) as f64
    })
}

/// Makes all tensors of a state, in order, under PyTorch's names and in its layout.
pub fn state(state: &[(String, Vec<usize>)], gain: f64) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let norms: BTreeSet<&str> = state
        .iter()
        .filter_map(|(name, _)| name.strip_suffix(".running_var"))
        .collect();
    let tensor = |(name, shape): &(String, Vec<usize>)| {
        let (layer, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let is_norm = norms.contains(layer);
        let count: usize = shape.iter().product();
        let fan_in = shape.iter().skip(1).product::<usize>() as f64;
        let gain = if shape.len() == 4 { gain } else { 1.0 };
        let bound = (3.0 * gain / fan_in).sqrt();
        let values = uniform(name, count).map(|u| match leaf {
            "running_var" => 0.8 + 0.4 * u,
            "running_mean" => 0.2 * u - 0.1,
            "bias" if is_norm => 0.2 * u - 0.1,
            "weight" if is_norm => 0.9 + 0.2 * u,
            "bias" => 0.1 * u - 0.05,
            _ => (2.0 * u - 1.0) * bound,
        });
        let values = values.map(|value| value as f32).collect();
        (name.clone(), shape.clone(), values)
    };
    let counted = |(name, _): &&(String, Vec<usize>)| !name.ends_with("num_batches_tracked");
    state.iter().filter(counted).map(tensor).collect()
}

/// Makes images, `[count, channels, height, width]`, of noise on waves, so that no two pixels are equal.
pub fn images([count, channels, height, width]: [usize; 4]) -> Vec<f32> {
    let noise = uniform("input", count * channels * height * width);
    noise
        .enumerate()
        .map(|(index, u)| {
            let image = index / (channels * height * width);
            let channel = index / (height * width) % channels;
            let (row, column) = (index / width % height, index % width);
            let wave = (0.05 * (image + 1) as f64 * row as f64
                + 0.03 * (channel + 1) as f64 * column as f64)
                .sin();
            (0.5 * (2.0 * u - 1.0) + 0.5 * wave) as f32
        })
        .collect()
}
