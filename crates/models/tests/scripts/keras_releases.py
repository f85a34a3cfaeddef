"""Makes files of Keras 3 those of other releases: without names, of Keras 2, of Keras 1."""

import os
import pathlib
import re
import zipfile

import h5py
from keras import layers


def without_names(path):
    """Makes a `.weights.h5` file one of the releases that don't write the layers' names."""
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None))


def repacked_without_names(path):
    """The same of a `.keras` archive, whose `config.json` has the names; and compresses it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = pathlib.Path(path + ".weights.h5")
    weights.write_bytes(members["model.weights.h5"])
    without_names(weights)
    members["model.weights.h5"] = weights.read_bytes()
    weights.unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def resnet_name(name):
    """The name of a ResNet's layer in the first releases."""
    fixed = {"conv1_conv": "conv1", "conv1_bn": "bn_conv1"}
    found = re.fullmatch(r"conv(\d)_block(\d)_(\d)_(conv|bn)", name)
    if not found:
        return fixed.get(name, name)
    stage, block, index, part = found.groups()
    branch = "1" if index == "0" else "2" + "abc"[int(index) - 1]
    return f"{'res' if part == 'conv' else 'bn'}{stage}{'abcdef'[int(block) - 1]}_branch{branch}"


def inception_resnet_v2_names(model):
    """The names of the layers with weights in the published file of Inception-ResNet-V2, by their names in this model.

    That file is the one of github.com/yuyang-huang/keras-inception-resnet-v2, with the names of TF-Slim; Keras reads it by
    the layers' order alone.
    """
    stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
    mixed_5b = ["0_Conv2d_1x1", "1_Conv2d_0a_1x1", "1_Conv2d_0b_5x5", *[f"2_Conv2d_0{step}" for step in ("a_1x1", "b_3x3", "c_3x3")]]
    block35 = ["0_Conv2d_1x1", "1_Conv2d_0a_1x1", "1_Conv2d_0b_3x3", *[f"2_Conv2d_0{step}" for step in ("a_1x1", "b_3x3", "c_3x3")]]
    mixed_6a = ["0_Conv2d_1a_3x3", "1_Conv2d_0a_1x1", "1_Conv2d_0b_3x3", "1_Conv2d_1a_3x3"]
    block17 = ["0_Conv2d_1x1", *[f"1_Conv2d_0{step}" for step in ("a_1x1", "b_1x7", "c_7x1")]]
    mixed_7a = [f"{branch}_Conv2d_{step}" for branch in (0, 1) for step in ("0a_1x1", "1a_3x3")]
    mixed_7a += [f"2_Conv2d_{step}" for step in ("0a_1x1", "0b_3x3", "1a_3x3")]
    block8 = ["0_Conv2d_1x1", *[f"1_Conv2d_0{step}" for step in ("a_1x1", "b_1x3", "c_3x1")]]

    def branches(block, convolutions):
        return [f"{block}_Branch_{convolution}" for convolution in convolutions]

    numbered = [*stem, *branches("Mixed_5b", [*mixed_5b, "3_Conv2d_0b_1x1"])]
    for repeats, kind, convolutions, reduction in [
        (10, "Block35", block35, branches("Mixed_6a", mixed_6a)),
        (20, "Block17", block17, branches("Mixed_7a", mixed_7a)),
        (10, "Block8", block8, []),
    ]:
        for repeat in range(1, repeats + 1):
            numbered += branches(f"{kind}_{repeat}", convolutions)
        numbered += reduction

    def in_order(kind, pattern):
        """The layers that Keras numbers, as they were made."""
        number = lambda layer: int(re.fullmatch(pattern, layer.name).group(1) or 0)
        return sorted((layer for layer in model.layers if isinstance(layer, kind) and re.fullmatch(pattern, layer.name)), key=number)

    convolutions = in_order(layers.Conv2D, r"conv2d(?:_(\d+))?")
    norms = in_order(layers.BatchNormalization, r"batch_normalization(?:_(\d+))?")
    assert len(numbered) == len(convolutions) == len(norms)
    names = {"conv_7b": "Conv2d_7b_1x1", "conv_7b_bn": "Conv2d_7b_1x1_BatchNorm", "predictions": "Logits"}
    for convolution, norm, name in zip(convolutions, norms, numbered):
        names |= {convolution.name: name, norm.name: f"{name}_BatchNorm"}
    for layer in model.layers:
        if found := re.fullmatch(r"block(\d+_\d+)_conv", layer.name):
            names[layer.name] = f"Block{found.group(1)}_Conv2d_1x1"
    return names


def legacy_layers(path):
    """The layers of a legacy file with a whole model: names, and the weights by their role, in the file's order."""
    with h5py.File(path) as file:
        group = file["model_weights"]
        for name in group.attrs["layer_names"]:
            layer = group[str(name)]
            yield str(name), {str(weight).rpartition("/")[2]: layer[str(weight)][()] for weight in layer.attrs["weight_names"]}


def as_keras_2(path, renamed):
    """Makes a legacy file with a whole model one of `save_weights` in Keras 2: the weights at the root under names that
    end with `:0`; and stores it as h5py does where it is told to compress and to use the newest format.

    `renamed` gives the name of a layer in the first releases."""
    with h5py.File(path + ".new", "w", libver="latest") as new:
        found = [(renamed(name), weights) for name, weights in legacy_layers(path)]
        new.attrs["layer_names"] = [name.encode() for name, _ in found]
        new.attrs["backend"], new.attrs["keras_version"] = b"tensorflow", b"2.2.4"
        for name, weights in found:
            group = new.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{role}:0".encode() for role in weights]
            for role, values in weights.items():
                group.create_dataset(f"{name}/{role}:0", data=values, chunks=values.shape, compression="gzip", shuffle=True)
    os.replace(path + ".new", path)


def as_keras_1(path):
    """Makes a legacy file with a whole model one of `save_weights` in Keras 1, as which the weights of VGG-16 are published:
    the weights are in their layer's group as `LAYER_W_1:0` and `LAYER_b_1:0`."""
    roles = {"kernel": "W", "bias": "b"}
    with h5py.File(path + ".new", "w") as new:
        found = list(legacy_layers(path))
        new.attrs["layer_names"] = [name.encode() for name, _ in found]
        for name, weights in found:
            group = new.create_group(name)
            weights = {f"{name}_{roles[role]}_1:0": values for role, values in weights.items()}
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, values in weights.items():
                group.create_dataset(weight, data=values)
    os.replace(path + ".new", path)
