"""Writes the small weights files of the tests: python make_fixtures.py FOLDER

Needs Keras 3 with a backend and h5py. The Keras files hold one network of a convolution, a batch normalization and a
dense layer, whose weights are 0, 1/8, 2/8 and so on, in the order of `model.weights`; that of Keras 1 has no batch
normalization, but a convolution with a bias. The PyTorch checkpoint holds the tensors `a.weight` (2 x 3, single
precision: 0 to 2.5 in steps of 0.5) and `a.count` (a 64-bit integer). It is pickled here the way `torch.save` does it,
so PyTorch itself isn't needed.
"""

import collections
import io
import pathlib
import pickle
import struct
import sys
import types
import zipfile

import h5py
import keras
import numpy as np

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

model = keras.Sequential(
    [
        keras.layers.Input((8, 8, 3), name="images"),
        keras.layers.Conv2D(2, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(4, activation="softmax", name="head"),
    ]
)
start = 0
weights = []
for weight in model.get_weights():
    weights.append((start + np.arange(weight.size, dtype=np.float32).reshape(weight.shape)) / 8)
    start += weight.size
model.set_weights(weights)
model.save(folder / "small.h5")
model.save_weights(folder / "small.weights.h5")
model.save(folder / "small.keras")

# As Keras 1 wrote it, and VGG-16 is published: the weights lie in their layer's group, and their names begin with its name.
shapes = {"conv": {"W": (3, 3, 3, 2), "b": (2,)}, "pool": {}, "head": {"W": (2, 4), "b": (4,)}}
start = 0
with h5py.File(folder / "small_keras1.h5", "w") as file:
    file.attrs["layer_names"] = [name.encode() for name in shapes]
    for name, roles in shapes.items():
        group = file.create_group(name)
        group.attrs["weight_names"] = [f"{name}_{role}_1:0".encode() for role in roles]
        for role, shape in roles.items():
            size = int(np.prod(shape))
            values = (start + np.arange(size, dtype=np.float32).reshape(shape)) / 8
            group.create_dataset(f"{name}_{role}_1:0", data=values)
            start += size

# Stand-ins for the names of PyTorch that its pickles refer to.
torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})


def _rebuild_tensor_v2(*arguments):
    raise NotImplementedError


_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2
for name in ["FloatStorage", "LongStorage"]:
    setattr(torch, name, type(name, (), {"__module__": "torch"}))


class Storage:
    def __init__(self, kind, key, length):
        self.id = ("storage", getattr(torch, kind), key, "cpu", length)


class Tensor:
    def __init__(self, storage, shape, stride):
        self.arguments = (storage, 0, shape, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


state = collections.OrderedDict()
state["a.weight"] = Tensor(Storage("FloatStorage", "0", 6), (2, 3), (3, 1))
state["a.count"] = Tensor(Storage("LongStorage", "1", 1), (), ())
buffer = io.BytesIO()
Pickler(buffer, protocol=2).dump(state)
with zipfile.ZipFile(folder / "small.pth", "w", zipfile.ZIP_STORED) as archive:
    archive.writestr("small/data.pkl", buffer.getvalue())
    archive.writestr("small/byteorder", "little")
    archive.writestr("small/data/0", struct.pack("<6f", *[index / 2 for index in range(6)]))
    archive.writestr("small/data/1", struct.pack("<q", 7))
    archive.writestr("small/version", "3\n")

header = (
    b'{"__metadata__":{"made":"by hand"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},'
    b'"b":{"dtype":"F16","shape":[2],"data_offsets":[24,28]},"n":{"dtype":"I64","shape":[],"data_offsets":[28,36]}}'
)
header += b" " * (-len(header) % 8)
with open(folder / "small.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header)
    file.write(struct.pack("<6f2eq", *[index / 2 for index in range(6)], 1.5, -0.25, 7))
