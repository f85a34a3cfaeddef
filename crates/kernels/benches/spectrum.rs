//! The spectrum between a dense and a depthwise convolution: one 3x3 layer at every number of groups.
//!
//! `cargo bench -p xception-kernels --bench spectrum -- [OPTIONS]` prints, for each number of groups and pass, the median
//! milliseconds, GFLOP/s, and the time of a multiply-add in times of that of the faster of the two ends of the
//! spectrum, one group and a group a channel.
//!
//! - `--size 19`, `--channels 728`, `--batch 8`: the layer's height and width, channels in and out, and images
//! - `--groups 1,28,728`: only these numbers of groups; all divisors of the channels without it
//! - `--passes forward,training`: only these passes; all without it
//! - `--rounds 9`: rounds; each measures every row once, so that what else the machine does falls on all alike
//! - `--burn`: also Burn's own operations, whose weight gradient takes a convolution for each group
//! - `--json`: every time in milliseconds

#![allow(clippy::panic, clippy::unwrap_used)]

#[path = "spectrum/given_gradient.rs"]
mod given_gradient;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Command;
use std::time::Instant;

use burn::prelude::*;
use given_gradient::with_gradient;
use support::{Case, elements, fractions, tensor};
use xception_kernels::{
    Activation, Epilogue, FusedConv2d, Geometry, burn_conv2d, conv2d, relu, within_pool,
};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A measurement runs at least so long, and its step so often.
const SECONDS: f64 = 0.004;

/// What is measured of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Forward,
    InputGradient,
    WeightGradient,
    /// Forward, and both gradients.
    Training,
    /// A fused convolution with bias and ReLU.
    Inference,
    /// ReLU by itself, which reads as much and writes as much as a forward pass does besides the weight.
    Relu,
    BurnForward,
    BurnTraining,
}

impl Pass {
    const OWN: [Self; 6] = [
        Self::Forward,
        Self::InputGradient,
        Self::WeightGradient,
        Self::Training,
        Self::Inference,
        Self::Relu,
    ];
    const BURN: [Self; 2] = [Self::BurnForward, Self::BurnTraining];

    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input_gradient",
            Self::WeightGradient => "weight_gradient",
            Self::Training => "training",
            Self::Inference => "inference",
            Self::Relu => "relu",
            Self::BurnForward => "burn_forward",
            Self::BurnTraining => "burn_training",
        }
    }

    /// How often a forward pass's products are computed.
    fn passes(self) -> f64 {
        match self {
            Self::Training | Self::BurnTraining => 3.0,
            _ => 1.0,
        }
    }
}

#[derive(Debug)]
struct Options {
    size: usize,
    channels: usize,
    batch: usize,
    groups: Vec<usize>,
    /// All if there are none.
    passes: Vec<String>,
    rounds: usize,
    burn: bool,
    json: bool,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self {
            size: 19,
            channels: 728,
            batch: 8,
            groups: Vec::new(),
            passes: Vec::new(),
            rounds: 9,
            burn: false,
            json: false,
        };
        let mut arguments = std::env::args().skip(1).filter(|text| text != "--bench");
        while let Some(name) = arguments.next() {
            let mut texts = || -> Vec<String> {
                let list = arguments.next().unwrap_or_default();
                list.split(',').map(String::from).collect()
            };
            let mut numbers = || -> Vec<usize> {
                let texts = texts();
                texts.iter().map(|text| text.parse().unwrap()).collect()
            };
            match name.as_str() {
                "--size" => options.size = numbers()[0],
                "--channels" => options.channels = numbers()[0],
                "--batch" => options.batch = numbers()[0],
                "--groups" => options.groups = numbers(),
                "--passes" => options.passes = texts(),
                "--rounds" => options.rounds = numbers()[0],
                "--burn" => options.burn = true,
                "--json" => options.json = true,
                _ => panic!("there is no option {name}"),
            }
        }
        if options.groups.is_empty() {
            options.groups = (1..=options.channels)
                .filter(|&groups| options.channels.is_multiple_of(groups))
                .collect();
        }
        options
    }
}

/// A layer with its tensors.
struct Layer {
    case: Case,
    input: Tensor<4>,
    weight: Tensor<4>,
    /// Of the output.
    gradient: Tensor<4>,
    trailing: Tensor<4>,
    fused: FusedConv2d,
}

impl Layer {
    fn new(options: &Options, groups: usize) -> Self {
        let case = Case {
            batch: options.batch,
            channels: options.channels,
            outputs: options.channels,
            groups,
            size: [options.size; 2],
            geometry: Geometry::same(3),
        };
        let device = Device::flex();
        let make = |shape, seed| tensor(fractions(elements(shape), seed), shape, &device);
        let weight = make(case.weight(), 2);
        let bias = Tensor::zeros([case.outputs], &device);
        let [batch, channels, height, width] = case.input();
        Self {
            case,
            input: make(case.input(), 1),
            gradient: make(case.output(), 3),
            trailing: make([batch, height, width, channels], 1),
            fused: FusedConv2d::new(weight.clone(), bias, case.geometry, groups, true),
            weight,
        }
    }

    fn convolve(&self, input: Tensor<4>, weight: Tensor<4>, burn: bool) -> Tensor<4> {
        let Case {
            geometry, groups, ..
        } = self.case;
        match burn {
            false => conv2d(input, weight, None, &geometry, groups),
            true => burn_conv2d(input, weight, None, &geometry, groups),
        }
    }

    /// The seconds of a backward pass to input and weight, or one of them, and of what comes before where that counts.
    fn backward(&self, [input, weight]: [bool; 2], forward: bool, burn: bool) -> f64 {
        let tracked = |tensor: &Tensor<4>, needed: bool| {
            let tensor = tensor.clone().autodiff();
            if needed {
                tensor.require_grad()
            } else {
                tensor
            }
        };
        let (input, weight) = (tracked(&self.input, input), tracked(&self.weight, weight));
        let gradient = self.gradient.clone().autodiff();
        let mut start = Instant::now();
        let loss = with_gradient(self.convolve(input, weight, burn), gradient);
        if !forward {
            start = Instant::now();
        }
        let gradients = loss.backward();
        let seconds = start.elapsed().as_secs_f64();
        drop(gradients);
        seconds
    }

    /// The seconds of a pass, once.
    fn once(&self, pass: Pass) -> f64 {
        let start = Instant::now();
        let output = match pass {
            Pass::Forward => self.convolve(self.input.clone(), self.weight.clone(), false),
            Pass::BurnForward => self.convolve(self.input.clone(), self.weight.clone(), true),
            Pass::Inference => {
                let epilogue = Epilogue {
                    residual: None,
                    activation: Activation::Relu,
                };
                self.fused.forward(self.trailing.clone(), epilogue)
            }
            Pass::Relu => relu(self.input.clone()),
            Pass::InputGradient => return self.backward([true, false], false, false),
            Pass::WeightGradient => return self.backward([false, true], false, false),
            Pass::Training => return self.backward([true, true], true, false),
            Pass::BurnTraining => return self.backward([true, true], true, true),
        };
        let seconds = start.elapsed().as_secs_f64();
        drop(output);
        seconds
    }

    /// The mean seconds of a pass over as many as take a while.
    fn seconds(&self, pass: Pass) -> f64 {
        let (mut total, mut count) = (0.0, 0.0);
        while total < SECONDS {
            total += self.once(pass);
            count += 1.0;
        }
        total / count
    }

    fn gflops(&self, pass: Pass, seconds: f64) -> f64 {
        let taps = elements(self.case.weight()) / self.case.outputs;
        2.0 * pass.passes() * (elements(self.case.output()) * taps) as f64 / seconds / 1e9
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The allocator's settings in the program, which keeps freed pages and asks for large ones.
const ALLOCATOR_SETTINGS: [(&str, &str); 2] = [
    ("MIMALLOC_PURGE_DELAY", "-1"),
    ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
];

fn main() {
    let options = Options::parse();
    if std::env::var_os(ALLOCATOR_SETTINGS[0].0).is_none() {
        // The allocator reads them when a process starts.
        let mut again = Command::new(std::env::current_exe().unwrap());
        again
            .args(std::env::args_os().skip(1))
            .envs(ALLOCATOR_SETTINGS);
        std::process::exit(again.status().unwrap().code().unwrap_or(1));
    }
    within_pool(|| run(&options));
}

fn run(options: &Options) {
    let mut passes = Pass::OWN.to_vec();
    if options.burn {
        passes.extend(Pass::BURN);
    }
    if !options.passes.is_empty() {
        passes.retain(|pass| options.passes.iter().any(|name| name == pass.name()));
    }
    let groups = options.groups.iter();
    let layers: Vec<Layer> = groups.map(|&groups| Layer::new(options, groups)).collect();
    // For each layer and pass the times of all rounds.
    let mut times = vec![vec![Vec::new(); passes.len()]; layers.len()];
    for round in 0..=options.rounds {
        for (layer, times) in layers.iter().zip(&mut times) {
            for (&pass, times) in passes.iter().zip(times) {
                if round == 0 {
                    layer.once(pass);
                } else if Pass::OWN.contains(&pass) || round <= 3 {
                    times.push(layer.seconds(pass));
                }
            }
        }
    }
    match options.json {
        true => print_json(options, &layers, &passes, &times),
        false => print_table(options, &layers, &passes, &times),
    }
}

fn print_table(options: &Options, layers: &[Layer], passes: &[Pass], times: &[Vec<Vec<f64>>]) {
    let Options {
        size,
        channels,
        batch,
        ..
    } = options;
    println!("{size}x{size}x{channels}, batch {batch}; ms, GFLOP/s, and time by the faster end's");
    print!("{:>6} {:>5}", "groups", "width");
    for pass in passes {
        print!("  {:>27}", pass.name());
    }
    println!();
    for (layer, row) in layers.iter().zip(times) {
        let groups = layer.case.groups;
        print!("{groups:6} {:5}", channels / groups);
        for (index, &pass) in passes.iter().enumerate() {
            let rate = |layer: &Layer, row: &[Vec<f64>]| layer.gflops(pass, median(&row[index]));
            let ends = layers.iter().zip(times);
            let ends = ends.filter(|(layer, _)| [1, *channels].contains(&layer.case.groups));
            let best = ends
                .map(|(layer, row)| rate(layer, row))
                .fold(0.0, f64::max);
            let own = rate(layer, row);
            let seconds = median(&row[index]);
            print!("  {:9.3} ms {own:7.1} {:6.2}", seconds * 1e3, best / own);
        }
        println!();
    }
}

fn print_json(options: &Options, layers: &[Layer], passes: &[Pass], times: &[Vec<Vec<f64>>]) {
    let rows = layers.iter().zip(times).map(|(layer, row)| {
        let lists = passes.iter().zip(row).map(|(pass, times)| {
            let times: Vec<String> = times.iter().map(|t| format!("{:.5}", t * 1e3)).collect();
            format!("\"{}\": [{}]", pass.name(), times.join(", "))
        });
        let lists: Vec<String> = lists.collect();
        format!(
            "{{\"groups\": {}, {}}}",
            layer.case.groups,
            lists.join(", ")
        )
    });
    let rows: Vec<String> = rows.collect();
    println!(
        "{{\"version\": \"{}\", \"size\": {}, \"channels\": {}, \"batch\": {}, \"rows\": [{}]}}",
        env!("CARGO_PKG_VERSION"),
        options.size,
        options.channels,
        options.batch,
        rows.join(", ")
    );
}
