"""Writes tests/fixtures/resize: images, and what Pillow and TensorFlow make of them.

    python make_resize_reference.py [FOLDER] [--large]

Needs NumPy, Pillow and TensorFlow (2.21 and 13.0 wrote what is committed). `--large` makes many
more and larger cases, for a measurement rather than for the repository.
"""

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

PILLOW = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
SCALING = "minus_one_to_one"


def images(large):
    """Name and image: noise, saturated noise (where cubics overshoot), smooth shapes."""
    rng = np.random.default_rng(7)

    def noise(height, width):
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)

    def saturated(height, width):
        return (rng.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8)

    def smooth(height, width):
        y, x = np.mgrid[0:height, 0:width]
        planes = [np.sin(x / 7) * np.cos(y / 5), np.cos((x + y) / 11), (x - y) / (height + width)]
        return np.clip(128 + 127 * np.stack(planes, -1), 0, 255).astype(np.uint8)

    yield "noise_37x53", noise(37, 53)
    yield "saturated_48x31", saturated(48, 31)
    yield "smooth_90x121", smooth(90, 121)
    yield "wide_5x64", noise(5, 64)
    yield "tiny_2x3", noise(2, 3)
    yield "dot_1x1", noise(1, 1)
    if large:
        yield "noise_480x640", noise(480, 640)
        yield "saturated_1080x811", saturated(1080, 811)
        yield "smooth_1200x1601", smooth(1200, 1601)
        yield "saturated_150x100", saturated(150, 100)


def resized_size(height, width, size, mode, fraction):
    """torchvision's `_compute_resized_output_size` and timm's `ResizeKeepRatio`."""
    scaled = [math.floor(side / fraction) for side in size]
    if mode == "exact":
        return scaled
    if scaled[0] == scaled[1]:
        short, long = (width, height) if width <= height else (height, width)
        new_short, new_long = scaled[0], int(scaled[0] * long / short)
        return [new_long, new_short] if width <= height else [new_short, new_long]
    ratio = min(height / scaled[0], width / scaled[1])
    return [round(side / ratio) for side in (height, width)]


def center_crop(pixels, size):
    """torchvision's `center_crop`."""
    top, left = (int(round((have - want) / 2.0)) for have, want in zip(pixels.shape, size))
    return pixels[top : top + size[0], left : left + size[1]]


def resized(pixels, size, filter_name, antialias):
    if antialias or filter_name == "nearest":
        image = Image.fromarray(pixels).resize((size[1], size[0]), PILLOW[filter_name])
        return np.asarray(image)
    values = tf.image.resize(pixels, size, method=filter_name, antialias=False).numpy()
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def cases(large):
    """Size, mode, crop fraction, filter, antialias."""
    sizes = [([20, 23], "exact", 1.0), ([32, 32], "shortest_side", 0.8975), ([29, 18], "shortest_side", 0.9)]
    if large:
        sizes += [([299, 299], "shortest_side", 0.8975), ([224, 224], "shortest_side", 0.875)]
        sizes += [([299, 299], "exact", 1.0), ([150, 71], "exact", 0.875), ([71, 71], "shortest_side", 1.0)]
    filters = [("nearest", True), ("bilinear", True), ("bicubic", True)]
    filters += [("bilinear", False), ("bicubic", False)]
    return itertools.product(sizes, filters)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--large"]
    large = "--large" in sys.argv
    default = Path(__file__).parent.parent / "fixtures" / "resize"
    folder = Path(arguments[0]) if arguments else default
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for name, pixels in images(large):
        Image.fromarray(pixels).save(folder / f"{name}.png", optimize=True)
        for (size, mode, fraction), (filter_name, antialias) in cases(large):
            whole = resized_size(*pixels.shape[:2], size, mode, fraction)
            expected = center_crop(resized(pixels, whole, filter_name, antialias), size)
            output = f"{name}_{mode}_{size[0]}x{size[1]}_{filter_name}{'' if antialias else '_points'}.png"
            Image.fromarray(expected).save(folder / output, optimize=True)
            resize = {"filter": filter_name, "antialias": antialias, "mode": mode}
            preprocessing = {"size": size, "resize": resize, "crop_fraction": fraction, "scaling": SCALING}
            records.append({"image": f"{name}.png", "preprocessing": preprocessing, "expected": output})
    (folder / "cases.json").write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")


if __name__ == "__main__":
    main()
