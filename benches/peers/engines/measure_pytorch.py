"""Measures PyTorch: python measure_pytorch.py NETWORK --batch N --size N --variant VARIANT ...

A variant is a memory layout, and for inference optionally what TorchScript makes of the network: frozen (constants
and batch normalization folded) or optimized (frozen, and layers handed to oneDNN in its own layout).
"""

import argparse

import torch
import torch.nn.functional as F

import clock
import networks


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    for name in ["batch", "size", "threads", "steps", "warm-up"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--train", action="store_true")
    return parser.parse_args()


def inference(network, images, variant):
    network.eval()
    if "frozen" in variant or "optimized" in variant:
        with torch.no_grad():
            network = torch.jit.freeze(torch.jit.trace(network, images))
        if "optimized" in variant:
            network = torch.jit.optimize_for_inference(network)

    @torch.inference_mode()
    def step():
        return network(images)

    return step


def training(network, images):
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, fused=True)
    classes = torch.arange(len(images)) % network(images).shape[1]

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), classes).backward()
        optimizer.step()

    return step


def main():
    given = arguments()
    libraries = clock.peak_memory()
    torch.set_num_threads(given.threads)
    layout = torch.channels_last if "channels_last" in given.variant else torch.contiguous_format
    network = networks.make(given.network).to(memory_format=layout)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    images = torch.randn(given.batch, 3, given.size, given.size).to(memory_format=layout)
    step = training(network, images) if given.train else inference(network, images, given.variant)
    times = clock.measure(step, given.steps, given.warm_up)
    clock.report(
        milliseconds=times,
        library_memory=libraries,
        parameters=parameters,
        network=type(network).__name__,
        engine_version=torch.__version__,
    )


if __name__ == "__main__":
    main()
