"""Measures PyTorch: python measure_pytorch.py NETWORK --batch N --size N --variant VARIANT ...

A variant is a memory layout, optionally with "compiled" (by torch.compile), and for inference with what TorchScript makes of the
network: "frozen" (constants and batch normalization folded) or "optimized" (frozen, and layers handed to oneDNN in its own layout).
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
    parser.add_argument("--mixed", action="store_true", help="autocast to float16, and in training a scaled loss")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def inference(network, images, variant, mixed):
    network.eval()
    if "compiled" in variant:
        network = torch.compile(network)
    if "frozen" in variant or "optimized" in variant:
        with torch.no_grad():
            network = torch.jit.freeze(torch.jit.trace(network, images))
        if "optimized" in variant:
            network = torch.jit.optimize_for_inference(network)

    @torch.inference_mode()
    def step():
        with torch.autocast(images.device.type, torch.float16, enabled=mixed):
            return network(images)

    return step


def training(network, images, variant, mixed):
    network.train()
    device = images.device
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, fused=True)
    classes = torch.arange(len(images), device=device) % network(images).shape[1]
    scaler = torch.amp.GradScaler(device.type, enabled=mixed)
    if "compiled" in variant:
        network = torch.compile(network)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.float16, enabled=mixed):
            loss = F.cross_entropy(network(images), classes)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    return step


def main():
    given = arguments()
    libraries = clock.peak_memory()
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.backends.cudnn.allow_tf32 = False  # float32 is what it says
    torch.backends.cudnn.benchmark = True
    on_card = given.device != "cpu"
    layout = torch.channels_last if "channels_last" in given.variant else torch.contiguous_format
    network = networks.make(given.network).to(given.device, memory_format=layout)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    images = torch.randn(given.batch, 3, given.size, given.size).to(given.device, memory_format=layout)
    make = training if given.train else inference
    step = make(network, images, given.variant, given.mixed)
    times = clock.measure(step, given.steps, given.warm_up, torch.cuda.synchronize if on_card else None)
    clock.report(
        milliseconds=times,
        library_memory=libraries,
        device=torch.cuda.get_device_name() if on_card else "processor",
        device_memory=torch.cuda.max_memory_reserved() if on_card else None,
        parameters=parameters,
        network=type(network).__name__,
        engine_version=torch.__version__,
    )


if __name__ == "__main__":
    main()
