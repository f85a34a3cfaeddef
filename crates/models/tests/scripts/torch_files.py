"""The files that PyTorch writes of the networks of timm, torchvision and pytorchcv, a function a family."""

import timm
import torch
from formula import fill, images
from pytorchcv.model_provider import get_model
from safetensors.torch import save_file
from torchvision import models


def files(folder, name, network, source, model, sizes, large=False):
    """Of a large network only two files."""
    with torch.inference_mode():
        results = {size: model(torch.from_numpy(images(size))).tolist() for size in sizes}
    state = model.state_dict()
    wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}
    add = lambda ending, write: folder.add(f"{name}{ending}", write, network, source, results)
    add(".safetensors", lambda path: save_file({k: v.contiguous() for k, v in state.items()}, path))
    add(".pth", lambda path: torch.save(state, path))
    if not large:
        add("_wrapped.pth", lambda path: torch.save(wrapped, path))
        add("_legacy.pth", lambda path: torch.save(state, path, _use_new_zipfile_serialization=False))


def pytorchcv(name, gain):
    """A network of pytorchcv, which takes one size of images alone, as it averages 7x7 values at the end; here it averages
    all there are."""
    model = fill(get_model(name), gain)
    model.features.final_pool = torch.nn.AdaptiveAvgPool2d(1)
    return model


def xception(folder):
    files(folder, "timm_xception", "xception", "timm", fill(timm.create_model("legacy_xception"), 1.0), [299, 150, 71])


def inception_v3(folder):
    model = models.inception_v3(weights=None, init_weights=False, transform_input=False)
    files(folder, "torchvision_inception_v3", "inception_v3", "torchvision", fill(model, 2.0), [299, 150, 75])


def resnet18(folder):
    files(folder, "torchvision_resnet18", "resnet18", "torchvision", fill(models.resnet18(), 1.0), [224, 71])


def resnet50(folder):
    files(folder, "torchvision_resnet50", "resnet50", "torchvision", fill(models.resnet50(), 1.0), [224, 71])


def resnext50(folder):
    """The published network, and two others in groups with few files each."""
    for groups, width, large in [(32, 4, False), (2, 40, True), (1, 128, True)]:
        model = models.resnet50(groups=groups, width_per_group=width)
        name = f"resnext50_{groups}x{width}d"
        files(folder, f"torchvision_{name}", name, "torchvision", fill(model, 1.0), [224, 71], large=large)


def vgg16(folder):
    for name, model in [("vgg16", models.vgg16()), ("vgg16_bn", models.vgg16_bn())]:
        files(folder, f"torchvision_{name}", name, "torchvision", fill(model, 2.0), [224, 150], large=True)


def googlenet(folder):
    for name, heads in [("torchvision_googlenet", False), ("torchvision_googlenet_aux", True)]:
        model = models.googlenet(weights=None, init_weights=False, transform_input=False, aux_logits=heads)
        files(folder, name, "googlenet", "torchvision", fill(model, 2.0), [224, 150, 71])


def inception_v2(folder):
    # Where a map's size is odd, pytorchcv's convolution and pool of a reduction disagree about the next.
    files(folder, "pytorchcv_bninception", "inception_v2", "pytorchcv", pytorchcv("bninception", 2.0), [224, 160])


def inception_resnet_v2(folder):
    model = fill(timm.create_model("inception_resnet_v2"), 2.0)
    files(folder, "timm_inception_resnet_v2", "inception_resnet_v2", "timm", model, [299, 150, 75], large=True)


def aligned_xception(folder):
    """The networks with an output stride of 32: names and shapes don't show another."""
    for name in ["xception41", "xception65", "xception71", "xception41p", "xception65p"]:
        files(folder, f"timm_{name}", name, "timm", fill(timm.create_model(name), 1.0), [299, 150, 71], large=True)


def shufflenet(folder):
    for name, network in [
        ("shufflenet_g3_w1", "shufflenet_v1"),
        ("shufflenet_g3_wd4", "shufflenet_v1"),
        ("shufflenet_g1_w1", "shufflenet_v1_g1"),
        ("shufflenet_g8_w1", "shufflenet_v1_g8"),
    ]:
        files(folder, f"pytorchcv_{name}", network, "pytorchcv", pytorchcv(name, 1.0), [224, 150, 71])


FAMILIES = dict(
    xception=xception,
    inception_v3=inception_v3,
    resnet18=resnet18,
    resnet50=resnet50,
    vgg16=vgg16,
    googlenet=googlenet,
    inception_v2=inception_v2,
    inception_resnet_v2=inception_resnet_v2,
    resnext50_32x4d=resnext50,
    shufflenet_v1=shufflenet,
    aligned_xception=aligned_xception,
)
