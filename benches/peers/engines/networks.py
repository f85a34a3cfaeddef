"""The networks in PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn


def make(name):
    """A network with random weights, always the same."""
    torch.manual_seed(1)
    network = published(name)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            # Keeps the scale of activations through any depth, so that the logits depend on every layer.
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return network


def published(name):
    if name == "xception":
        import timm

        return timm.create_model("legacy_xception", pretrained=False)
    if name == "xception_32":
        return SmallXception(width=0.125, middle_modules=2, classes=10)
    import torchvision

    if name == "inception_v3":
        return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False, dropout=0.0)
    if name == "resnet50":
        return torchvision.models.resnet50(weights=None)
    raise ValueError(name)


def convolution(channels_in, channels, kernel, stride=1, padding=0, groups=1):
    return nn.Conv2d(channels_in, channels, kernel, stride, padding, groups=groups, bias=False)


class SeparableConvNorm(nn.Module):
    def __init__(self, channels_in, channels):
        super().__init__()
        self.depthwise = convolution(channels_in, channels_in, 3, padding=1, groups=channels_in)
        self.pointwise = convolution(channels_in, channels, 1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.norm(self.pointwise(self.depthwise(x)))


class Module(nn.Module):
    """Separable convolutions with ReLU before each, an optional pool, and a residual connection."""

    def __init__(self, channels_in, channels, first_activation, pool):
        super().__init__()
        inputs = [channels_in, *channels[:-1]]
        self.convolutions = nn.ModuleList(map(SeparableConvNorm, inputs, channels))
        self.first_activation = first_activation
        self.pool = nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()
        self.shortcut = nn.Identity()
        if pool:
            self.shortcut = nn.Sequential(
                convolution(channels_in, channels[-1], 1, stride=2), nn.BatchNorm2d(channels[-1])
            )

    def forward(self, x):
        y = F.relu(x) if self.first_activation else x
        for index, convolution in enumerate(self.convolutions):
            y = convolution(F.relu(y, inplace=True) if index else y)
        return self.pool(y).add_(self.shortcut(x))


class SmallXception(nn.Module):
    """Xception (F. Chollet, 2017, figure 5) with a stem that keeps the resolution."""

    def __init__(self, width, middle_modules, classes):
        super().__init__()

        def scaled(*published):
            return [max(1, int(channels * width / 8 + 0.5)) * 8 for channels in published]

        first, second, *entry = scaled(32, 64, 128, 256, 728)
        middle, third, fourth, last = scaled(728, 1024, 1536, 2048)
        stem = []
        for channels_in, channels in [(3, first), (first, second)]:
            stem += [convolution(channels_in, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        modules = []
        channels_in = second
        for channels in entry:
            modules.append(Module(channels_in, [channels] * 2, bool(modules), pool=True))
            channels_in = channels
        modules += [Module(middle, [middle] * 3, True, pool=False) for _ in range(middle_modules)]
        modules.append(Module(middle, [middle, third], True, pool=True))
        exit_flow = []
        for channels_in, channels in [(third, fourth), (fourth, last)]:
            exit_flow += [SeparableConvNorm(channels_in, channels), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*stem, *modules, *exit_flow)
        self.classifier = nn.Linear(last, classes)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))
