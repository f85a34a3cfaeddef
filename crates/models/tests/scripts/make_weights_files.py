"""Writes weights files with Keras, timm, torchvision and pytorchcv, and what those compute with them.

    python make_weights_files.py FOLDER          full-size networks (about 7 GB)
    python make_weights_files.py --small FOLDER  narrow ones of Keras, compressed: the fixtures of the tests

With `--families NAME ...` only those of some families; what FOLDER has of others stays.

Needs keras, jax and h5py from PyPI, and for full-size networks torch, torchvision, timm, pytorchcv and safetensors.
FOLDER/files.json lists the files; for each: the network, whose it is, and the logits of two images at some sizes. The images
follow from the formula of tests/support/formula.rs. The test `weights_files` reads all of it; for a folder of full-size
files run

    XCEPTION_WEIGHTS_FILES=FOLDER cargo test --release --workspace --test weights_files -- --ignored
"""

import argparse
import gzip
import json
import os
import pathlib
import shutil

os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np


class Folder:
    def __init__(self, path, small):
        self.path, self.small = pathlib.Path(path), small
        self.path.mkdir(parents=True, exist_ok=True)
        self.list = self.path / "files.json"
        entries = json.loads(self.list.read_text()) if self.list.exists() else []
        self.entries = {entry["file"]: entry for entry in entries}

    def add(self, name, write, model, source, outputs, new_head=None):
        """Writes a file, and lists it with the outputs it has to give."""
        path = self.path / name
        write(str(path))
        if self.small:
            with open(path, "rb") as file, gzip.GzipFile(f"{path}.gz", "wb", mtime=0) as packed:
                shutil.copyfileobj(file, packed)
            path.unlink()
            name += ".gz"
        entry = dict(file=name, model=model, source=source, outputs=outputs)
        if new_head:
            entry["new_head"] = new_head
        self.entries[name] = entry
        self.list.write_text(json.dumps(list(self.entries.values()), separators=(",", ":")).replace("},{", "},\n{") + "\n")
        print(name, {size: float(np.abs(logits).max()) for size, logits in outputs.items()}, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--families", nargs="+")
    arguments = parser.parse_args()
    folder = Folder(arguments.folder, arguments.small)

    import keras_files

    files = keras_files.KerasFiles(folder)
    makers = [(name, family, files) for name, family in keras_files.FAMILIES.items()]
    if not arguments.small:
        import torch_files

        makers += [(name, family, folder) for name, family in torch_files.FAMILIES.items()]
    unknown = set(arguments.families or []) - {name for name, _, _ in makers}
    if unknown:
        parser.error(f"no such families: {', '.join(sorted(unknown))}")
    for name, family, target in makers:
        if not arguments.families or name in arguments.families:
            family(target)
