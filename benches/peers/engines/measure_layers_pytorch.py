"""Measures a 3x3 layer in PyTorch: python measure_layers_pytorch.py --groups 1,2,... --variant contiguous ..."""

import torch
import torch.nn.functional as F

import clock
import layer_arguments


def inference(images, weight, bias, groups):
    @torch.inference_mode()
    def step():
        return F.relu_(F.conv2d(images, weight, bias, padding=1, groups=groups))

    return step


def training(images, weight, gradient, groups):
    images, weight = (tensor.clone().requires_grad_() for tensor in [images, weight])

    def step():
        images.grad = weight.grad = None
        F.conv2d(images, weight, padding=1, groups=groups).backward(gradient)

    return step


def main():
    given = layer_arguments.parse()
    torch.set_num_threads(given.threads)
    layout = torch.channels_last if given.variant == "channels_last" else torch.contiguous_format
    shape = [given.batch, given.channels, given.size, given.size]
    images, gradient = (torch.randn(shape).to(memory_format=layout) for _ in range(2))
    bias = torch.zeros(given.channels)
    steps = {}
    for groups in given.groups:
        weight = torch.randn(given.channels, given.channels // groups, 3, 3).to(memory_format=layout)
        steps[groups, "inference"] = inference(images, weight, bias, groups)
        steps[groups, "training"] = training(images, weight, gradient, groups)
    clock.report(
        milliseconds=layer_arguments.by_groups(clock.in_turns(steps, given.samples, given.seconds)),
        engine_version=torch.__version__,
    )


if __name__ == "__main__":
    main()
