"""Writes tests/fixtures/pytorch.json: what PyTorch's own optimizers give.

    pip install torch
    python tests/scripts/pytorch_values.py
"""

import json
from pathlib import Path

import torch

FOLDER = Path(__file__).parent.parent / "fixtures"
STEPS = 8
SIZE = 6

# Of very different sizes, with a gradient that is 0 throughout. The rate changes on the way, as it does in training.
index = torch.arange(SIZE)
start = (index - 2.5) * 0.3
gradients = [
    torch.cos(1.3 * step + 0.7 * index) * 10.0 ** (2 - index) * (index != 3) for step in range(STEPS)
]
rates = [0.01 * 0.5 ** (step // 3) for step in range(STEPS)]


def steps(make, options):
    # A matrix and a vector with the same values: kernels may have a decay that vectors don't.
    matrix = torch.nn.Parameter(start.clone().reshape(2, 3))
    vector = torch.nn.Parameter(start.clone())
    groups = [{"params": [matrix]}, {"params": [vector], "weight_decay": 0.0}]
    optimizer = make(groups, lr=0.0, **options)
    parameters = []
    for gradient, rate in zip(gradients, rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        matrix.grad, vector.grad = gradient.clone().reshape(2, 3), gradient.clone()
        optimizer.step()
        parameters.append([matrix.detach().flatten().tolist(), vector.detach().tolist()])
    return {**options, "parameters": parameters}


sgd, adam_w = torch.optim.SGD, torch.optim.AdamW
values = {
    "made_with": {"torch": torch.__version__},
    "start": start.tolist(),
    "gradients": [gradient.tolist() for gradient in gradients],
    "rates": rates,
    "sgd": [
        steps(sgd, {"momentum": 0.9, "nesterov": False, "weight_decay": 0.0}),
        steps(sgd, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        steps(sgd, {"momentum": 0.0, "nesterov": False, "weight_decay": 0.01}),
    ],
    "adam_w": [
        steps(adam_w, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}),
        steps(adam_w, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.5}),
    ],
}
(FOLDER / "pytorch.json").write_text(json.dumps(values, indent=1) + "\n")
