#!/usr/bin/env python3
"""Makes the CIFAR-10 sheets that are built into the program.

    python3 tools/make_embedded_cifar10.py DIR

DIR holds the canonical binary files (data_batch_1.bin .. data_batch_5.bin, test_batch.bin). Needs numpy and Pillow.
Writes crates/data/embedded/cifar10-train-2000.png and cifar10-test-1000.png, and prints the SHA-256 that
`Dataset::sha256` must give for them (the constant in crates/data/src/embedded.rs).

The rule, free of chance: of the 5,000 training images of each class, in the order of the files, every 25th is taken
from the first on (200 a class); of the 1,000 test images, every 10th (100 a class). Tile i of a sheet, counted from
left to right and from top to bottom, is the (i // 10)-th image taken from class i % 10.
"""

import hashlib
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 10
SIDE = 32
COLUMNS = 50
RECORD = 1 + 3 * SIDE * SIDE
RECORDS_PER_FILE = 10_000
OUTPUT = Path(__file__).resolve().parent.parent / "crates" / "data" / "embedded"


def read_split(paths):
    """Labels [N] and pixels [N, 3, 32, 32] of the files, in their order."""
    records = []
    for path in paths:
        data = np.fromfile(path, dtype=np.uint8)
        if data.size != RECORDS_PER_FILE * RECORD:
            sys.exit(f"{path}: {RECORDS_PER_FILE * RECORD} bytes expected, {data.size} found")
        records.append(data.reshape(-1, RECORD))
    records = np.concatenate(records)
    return records[:, 0], records[:, 1:].reshape(-1, 3, SIDE, SIDE)


def choose(labels, pixels, per_class):
    """The chosen images [per_class * CLASSES, 3, 32, 32]; image i is of class i % CLASSES."""
    chosen = []
    for label in range(CLASSES):
        members = np.flatnonzero(labels == label)
        step = len(members) // per_class
        chosen.append(members[::step][:per_class])
    return pixels[np.stack(chosen, axis=1).reshape(-1)]


def write_sheet(pixels, path):
    """Lays the images out as tiles and writes them as an RGB PNG."""
    rows = len(pixels) // COLUMNS
    tiles = pixels.reshape(rows, COLUMNS, 3, SIDE, SIDE)
    sheet = tiles.transpose(0, 3, 1, 4, 2).reshape(rows * SIDE, COLUMNS * SIDE, 3)
    Image.fromarray(np.ascontiguousarray(sheet)).save(path, optimize=True)
    print(f"{path.name}: {len(pixels)} images, {path.stat().st_size} bytes")


def update_hash(digest, pixels):
    """Mirrors `Dataset::sha256`: height, width and count, then the pixels, then the labels, little-endian."""
    labels = np.arange(len(pixels)) % CLASSES
    digest.update(struct.pack("<QQQ", SIDE, SIDE, len(pixels)))
    digest.update(np.ascontiguousarray(pixels).tobytes())
    digest.update(labels.astype("<u4").tobytes())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    train = choose(*read_split([source / f"data_batch_{i}.bin" for i in range(1, 6)]), per_class=200)
    test = choose(*read_split([source / "test_batch.bin"]), per_class=100)

    OUTPUT.mkdir(parents=True, exist_ok=True)
    write_sheet(train, OUTPUT / "cifar10-train-2000.png")
    write_sheet(test, OUTPUT / "cifar10-test-1000.png")

    digest = hashlib.sha256()
    update_hash(digest, train)
    update_hash(digest, test)
    print(f"sha256 {digest.hexdigest()}")
    scaled = train.astype(np.float64) / 255
    print(f"mean {scaled.mean(axis=(0, 2, 3))}, std {scaled.std(axis=(0, 2, 3))}")


if __name__ == "__main__":
    main()
