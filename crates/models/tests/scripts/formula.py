"""The numbers of tests/support/formula.rs: each is computed from its tensor's name and its index."""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
IMAGES = 2


def uniform(name, count):
    """The numbers of a name, in [0, 1)."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = ((start ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def images(size):
    """The images, [N, 3, H, W]."""
    noise = uniform("input", IMAGES * 3 * size * size).reshape(IMAGES, 3, size, size)
    k, c, h, w = np.ogrid[0:IMAGES, 0:3, 0:size, 0:size]
    wave = np.sin(0.05 * (k + 1) * h + 0.03 * (c + 1) * w)
    return (0.5 * (2 * noise - 1) + 0.5 * wave).astype(np.float32)


def fill(model, gain):
    """Fills a PyTorch model, and returns it in evaluation mode."""
    import torch

    norms = {name for name, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            layer, _, leaf = name.rpartition(".")
            if leaf == "num_batches_tracked":
                continue
            u = uniform(name, tensor.numel())
            fan_in = int(np.prod(tensor.shape[1:]))
            if leaf == "running_var":
                value = 0.8 + 0.4 * u
            elif leaf == "running_mean" or (leaf == "bias" and layer in norms):
                value = 0.2 * u - 0.1
            elif layer in norms:
                value = 0.9 + 0.2 * u
            elif leaf == "bias":
                value = 0.1 * u - 0.05
            else:
                value = (2 * u - 1) * np.sqrt(3 * (gain if tensor.dim() == 4 else 1) / fan_in)
            tensor.copy_(torch.from_numpy(value.astype(np.float32).reshape(tensor.shape)))
    return model.eval()
