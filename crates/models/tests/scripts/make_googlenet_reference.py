"""Writes the outputs of GoogLeNet with its two auxiliary heads: python make_googlenet_reference.py FILE

Needs torch and torchvision from PyPI. In evaluation mode torchvision leaves the heads out, so they are applied here to the
stages they belong to.
"""

import json
import pathlib
import sys

import torch
import torchvision

from formula import IMAGES, fill, images

SIZE, GAIN = 224, 2.0
STAGES = ["inception3b", "inception4a", "inception4d", "inception4e", "inception5b"]
HEADS = {"aux1": "inception4a", "aux2": "inception4d"}


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.flatten().tolist()]


def rows(logits):
    return [rounded(row) for row in logits]


model = torchvision.models.googlenet(weights=None, init_weights=False, transform_input=False, aux_logits=True)
fill(model, GAIN)
stages = {}
for stage in STAGES:
    model.get_submodule(stage).register_forward_hook(lambda _module, _input, output, stage=stage: stages.update({stage: output}))
with torch.inference_mode():
    logits = model(torch.from_numpy(images(SIZE)))
    aux_logits = [model.get_submodule(head)(stages[stage]) for head, stage in HEADS.items()]


def described(output):
    exact = output.double()
    return dict(shape=list(output.shape), mean=float(exact.mean()), std=float(exact.std(correction=0)), first=rounded(exact.flatten()[:8]))


reference = dict(
    source=f"torchvision {torchvision.__version__} googlenet, aux_logits=True",
    gain=GAIN,
    input=[IMAGES, 3, SIZE, SIZE],
    parameters=sum(parameter.numel() for parameter in model.parameters()),
    state=[[name, list(tensor.shape)] for name, tensor in model.state_dict().items()],
    logits=rows(logits),
    features={stage: described(stages[stage]) for stage in STAGES},
    aux_logits=[rows(head) for head in aux_logits],
)
pathlib.Path(sys.argv[1]).write_text(json.dumps(reference, separators=(",", ":")))
