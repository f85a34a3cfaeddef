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
    if name == "xception_32_quarter":
        return SmallXception(width=0.25, middle_modules=2, classes=10)
    import torchvision

    if name == "inception_v3_32":
        network = torchvision.models.inception_v3(
            weights=None, aux_logits=False, init_weights=False, dropout=0.0, num_classes=10
        )
        for row in [network.Conv2d_1a_3x3, network.Conv2d_2a_3x3, network.Conv2d_4a_3x3]:
            row.conv.stride, row.conv.padding = (1, 1), (1, 1)
        network.maxpool1 = network.maxpool2 = nn.Identity()
        return with_width(network, 0.25)
    if name == "resnet50_32":
        network = torchvision.models.resnet50(weights=None, num_classes=10)
        network.conv1 = convolution(3, 64, 3, padding=1)
        network.maxpool = nn.Identity()
        return with_width(network, 0.25)

    if name == "inception_v3":
        return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False, dropout=0.0)
    if name == "resnet50":
        return torchvision.models.resnet50(weights=None)
    raise ValueError(name)


def scaled(channels, width):
    """A published number of channels times the width, to the nearest multiple of 8."""
    return max(1, int(channels * width / 8 + 0.5)) * 8


def with_width(network, width):
    """Scales the outputs of all convolutions; their inputs follow from a pass of an image through the network."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                new = nn.LazyConv2d(
                    scaled(child.out_channels, width), child.kernel_size, child.stride, child.padding, bias=False
                )
            elif isinstance(child, nn.BatchNorm2d):
                new = nn.BatchNorm2d(scaled(child.num_features, width), child.eps)
            elif isinstance(child, nn.Linear):
                new = nn.LazyLinear(child.out_features)
            else:
                continue
            setattr(module, name, new)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 32, 32))
    return network.train()


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

        first, second, *entry = [scaled(channels, width) for channels in (32, 64, 128, 256, 728)]
        middle, third, fourth, last = [scaled(channels, width) for channels in (728, 1024, 1536, 2048)]
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
