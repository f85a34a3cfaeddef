"""Writes the outputs of timm's aligned Xceptions with pre-activation, and at other output strides: python
make_aligned_xception_references.py FOLDER

Needs torch and timm from PyPI. The networks have ten classes, and the images are small, so that the files are.
"""

import json
import pathlib
import sys

import timm
import torch

from formula import IMAGES, fill, images

SIZE, CLASSES, GAIN = 97, 10, 1.0
NETWORKS = {
    "xception41p": ("xception41p", 32),
    "xception65p": ("xception65p", 32),
    "xception41_stride16": ("xception41", 16),
    "xception41p_stride8": ("xception41p", 8),
    "xception71_stride8": ("xception71", 8),
}


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.flatten().tolist()]


def described(output):
    exact = output.double()
    return dict(shape=list(output.shape), mean=float(exact.mean()), std=float(exact.std(correction=0)), first=rounded(exact.flatten()[:8]))


def reference(name, output_stride):
    model = fill(timm.create_model(name, num_classes=CLASSES, output_stride=output_stride), GAIN)
    last = len(model.blocks) - 1
    modules = {"stem": model.stem}
    modules |= {f"blocks.{index}": model.blocks[index] for index in (0, 2, 3, last - 2, last - 1)}
    stages = {}
    for stage, module in modules.items():
        module.register_forward_hook(lambda _module, _input, output, stage=stage: stages.update({stage: described(output)}))
    with torch.inference_mode():
        logits = model(torch.from_numpy(images(SIZE)))
    print(name, output_stride, "largest logit", float(logits.abs().max()), "difference of the images", float((logits[0] - logits[1]).std()))
    return dict(
        source=f"timm {timm.__version__} {name}, num_classes={CLASSES}, output_stride={output_stride}",
        gain=GAIN,
        input=[IMAGES, 3, SIZE, SIZE],
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        state=[[name, list(tensor.shape)] for name, tensor in model.state_dict().items()],
        logits=[rounded(row) for row in logits],
        features=stages,
    )


for file, network in NETWORKS.items():
    path = pathlib.Path(sys.argv[1], f"{file}.json")
    path.write_text(json.dumps(reference(*network), separators=(",", ":")))
