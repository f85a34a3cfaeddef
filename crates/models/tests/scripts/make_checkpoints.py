"""Writes the small PyTorch checkpoints of the tests: python make_checkpoints.py FOLDER

Needs torch from PyPI. Each holds the same ResNet-18 with 8 channels everywhere, whose numbers follow from the
formula of tests/support/formula.rs. The hostile ones, but for hostile_code.pth, belong to the fixtures of
crates/formats, whose readers refuse them whatever network is asked for.
"""

import collections
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import torch

from formula import uniform

folder = pathlib.Path(sys.argv[1])


def resnet18():
    """The names and shapes of torchvision's network, narrowed, with 4 classes."""
    yield from conv_norm("conv1", "bn1", 3, 8, 7)
    for stage in [1, 2, 3, 4]:
        for block in [0, 1]:
            name = f"layer{stage}.{block}"
            yield from conv_norm(f"{name}.conv1", f"{name}.bn1", 8, 8, 3)
            yield from conv_norm(f"{name}.conv2", f"{name}.bn2", 8, 8, 3)
            if stage > 1 and block == 0:
                yield from conv_norm(f"{name}.downsample.0", f"{name}.downsample.1", 8, 8, 1)
    yield "fc.weight", (4, 8)
    yield "fc.bias", (4,)


def conv_norm(conv, norm, channels_in, channels, kernel):
    yield f"{conv}.weight", (channels, channels_in, kernel, kernel)
    for leaf in ["weight", "bias", "running_mean", "running_var"]:
        yield f"{norm}.{leaf}", (channels,)
    yield f"{norm}.num_batches_tracked", ()


def tensor(name, shape):
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    return torch.from_numpy(uniform(name, int(np.prod(shape))).astype(np.float32).reshape(shape))


state = collections.OrderedDict((name, tensor(name, shape)) for name, shape in resnet18())
half = collections.OrderedDict((name, value.half() if value.is_floating_point() else value) for name, value in state.items())
torch.save(state, folder / "resnet18.pth")
torch.save(state, folder / "resnet18_legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}, "optimizer": {"lr": 0.1}}, folder / "resnet18_wrapped.pth")
average = collections.OrderedDict((name, value.clone()) for name, value in state.items())
torch.save({"model": state, "ema": average}, folder / "resnet18_twice.pth")
torch.save(half, folder / "resnet18_half.pth")
# The stem has 21 letters: see `without_zip64_end`.
torch.save(state, folder / "resnet18_long_names_x.pth")


class Code:
    """What a pickle runs when Python loads it."""

    def __reduce__(self):
        return (__import__("os").system, ("touch /tmp/the-pickle-was-run",))


torch.save({**state, "conv1.weight": Code()}, folder / "hostile_code.pth")
with zipfile.ZipFile(folder / "hostile_code_archive.pth", "w") as archive:
    archive.writestr("archive/data.pkl", pickle.dumps({"conv1.weight": Code()}))
    archive.writestr("archive/version", "3\n")
with zipfile.ZipFile(folder / "hostile_climbing.pth", "w") as archive:
    archive.writestr("../../../../tmp/data.pkl", pickle.dumps({}))
    archive.writestr("../../../../tmp/version", "3\n")
for name, size in [("config.json", 32 << 20), ("model.weights.h5", 64 << 20)]:
    ending = name.split(".")[0]
    with zipfile.ZipFile(folder / f"hostile_bomb_{ending}.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for member in ["config.json", "model.weights.h5"]:
            archive.writestr(member, b"\0" * (size if member == name else 16))
with zipfile.ZipFile(folder / "hostile_bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("archive/data.pkl", b"\0" * (128 << 20))
