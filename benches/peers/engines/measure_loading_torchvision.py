"""Measures torchvision's loading of images with Pillow: python measure_loading_torchvision.py FOLDER IMAGES"""

import io
import pathlib
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

import clock

SIDE = 299


def main():
    folder, images = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    files = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    prepare = transforms.Compose([
        transforms.RandomResizedCrop(SIDE),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])

    def load(file):
        return prepare(Image.open(io.BytesIO(file)).convert("RGB"))

    for file in files:
        load(file)
    wall, processor = time.perf_counter(), time.process_time()
    for index in range(images):
        load(files[index % len(files)])
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    clock.report(
        version=f"{torchvision.__version__} with Pillow {PIL.__version__}",
        images=images,
        processor=1e3 * processor / images,
        wall=1e3 * wall / images,
    )


if __name__ == "__main__":
    main()
