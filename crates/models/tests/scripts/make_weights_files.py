"""Writes weights files with Keras, timm and torchvision, and what those compute with them.

    python make_weights_files.py FOLDER          full-size networks (about 1.5 GB)
    python make_weights_files.py --small FOLDER  narrow ones, compressed: the fixtures of the tests

Needs keras, jax, h5py, torch, torchvision, timm and safetensors from PyPI. FOLDER/files.json lists the files; for each:
the network, whose it is, and the logits of two images at some sizes. The images follow from the formula of
tests/support/formula.rs. The test `weights_files` reads all of it; for a folder of full-size files run

    XCEPTION_WEIGHTS_FILES=FOLDER cargo test --release --workspace --test weights_files -- --ignored
"""

import argparse
import gzip
import json
import os
import pathlib
import re
import shutil
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np

from formula import fill, images


def channels(published, width):
    """As the crate's width multiplier."""
    return max(1, int(np.floor(published * width / 8 + 0.5))) * 8


class Folder:
    def __init__(self, path, small):
        self.path, self.small, self.entries = pathlib.Path(path), small, []
        self.path.mkdir(parents=True, exist_ok=True)

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
        self.entries.append(entry)
        self.finish()
        print(name, {size: float(np.abs(logits).max()) for size, logits in outputs.items()}, flush=True)

    def finish(self):
        (self.path / "files.json").write_text(json.dumps(self.entries, separators=(",", ":")).replace("},{", "},\n{") + "\n")


# ---- Keras


def randomize(model, gain):
    import keras

    rng = np.random.default_rng(0)
    for layer in model._flatten_layers(include_self=False, recursive=True):
        weights = []
        for variable in layer.variables if not getattr(layer, "layers", None) else []:
            shape, role = tuple(variable.shape), variable.name
            if role in ("gamma",):
                value = rng.uniform(0.9, 1.1, shape)
            elif role == "moving_variance":
                value = rng.uniform(0.8, 1.2, shape)
            elif role in ("beta", "moving_mean", "bias"):
                value = rng.uniform(-0.1, 0.1, shape)
            elif "kernel" in role:
                depthwise = role == "depthwise_kernel" or isinstance(layer, keras.layers.DepthwiseConv2D)
                fan_in = np.prod(shape[:-2]) if depthwise else np.prod(shape[:-1])
                convolution = len(shape) == 4 and not depthwise and role != "pointwise_kernel"
                value = rng.normal(0, np.sqrt((gain if convolution else 1.0) / fan_in), shape)
            else:
                continue
            variable.assign(value.astype(np.float32))
    assert isinstance(model, keras.Model)


def rebuilt(model, width, classes):
    """A model of the same layers, with fewer channels and for images of any size."""
    config = model.get_config()
    for layer in config["layers"]:
        inner = layer["config"]
        layer.pop("build_config", None)
        if "batch_shape" in inner:
            inner["batch_shape"] = (None, None, None, 3)
        if "filters" in inner:
            # The last convolution of a bottleneck has four times its channels.
            expansion = 4 if inner["name"].endswith(("_0_conv", "_3_conv")) else 1
            inner["filters"] = channels(inner["filters"] // expansion, width) * expansion
        if "units" in inner:
            inner["units"] = classes
        if inner["name"] == "conv_preds":
            inner["filters"] = classes
        if "target_shape" in inner:
            inner["target_shape"] = (classes,)
    return type(model).from_config(config)


def narrow_xception(width, classes, middle, top=True):
    """keras.applications.Xception, layer by layer, with a width and a number of middle modules."""
    import keras
    from keras import layers

    def width_of(published):
        return channels(published, width)

    def separable(x, published, name):
        x = layers.SeparableConv2D(width_of(published), 3, padding="same", use_bias=False, name=name)(x)
        return layers.BatchNormalization(name=name + "_bn")(x)

    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(width_of(32), 3, strides=2, use_bias=False, name="block1_conv1")(inputs)
    x = layers.Activation("relu")(layers.BatchNormalization(name="block1_conv1_bn")(x))
    x = layers.Conv2D(width_of(64), 3, use_bias=False, name="block1_conv2")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(name="block1_conv2_bn")(x))

    def down(x, block, sizes, first_relu=True):
        residual = layers.Conv2D(width_of(sizes[-1]), 1, strides=2, padding="same", use_bias=False)(x)
        residual = layers.BatchNormalization()(residual)
        for index, size in enumerate(sizes):
            if index or first_relu:
                x = layers.Activation("relu")(x)
            x = separable(x, size, f"block{block}_sepconv{index + 1}")
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
        return layers.add([x, residual])

    x = down(x, 2, [128, 128], first_relu=False)
    x = down(x, 3, [256, 256])
    x = down(x, 4, [728, 728])
    for block in range(5, 5 + middle):
        residual = x
        for index in range(3):
            x = separable(layers.Activation("relu")(x), 728, f"block{block}_sepconv{index + 1}")
        x = layers.add([x, residual])
    x = down(x, 5 + middle, [728, 1024])
    for index, size in enumerate([1536, 2048]):
        x = layers.Activation("relu")(separable(x, size, f"block{6 + middle}_sepconv{index + 1}"))
    if top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, name="predictions")(x)
    return keras.Model(inputs, x, name="xception")


def without_names(path):
    """Makes a `.weights.h5` file one of the releases that don't write the layers' names."""
    import h5py

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


def keras_2_name(name):
    """The name of a ResNet's layer in the first releases."""
    fixed = {"conv1_conv": "conv1", "conv1_bn": "bn_conv1"}
    found = re.fullmatch(r"conv(\d)_block(\d)_(\d)_(conv|bn)", name)
    if not found:
        return fixed.get(name, name)
    stage, block, index, part = found.groups()
    branch = "1" if index == "0" else "2" + "abc"[int(index) - 1]
    return f"{'res' if part == 'conv' else 'bn'}{stage}{'abcdef'[int(block) - 1]}_branch{branch}"


def as_keras_2(path):
    """Makes a legacy file with a whole model one of `save_weights` in Keras 2: the weights at the root under names that
    end with `:0`; and stores it as h5py does where it is told to compress and to use the newest format."""
    import h5py

    with h5py.File(path) as old, h5py.File(path + ".new", "w", libver="latest") as new:
        old = old["model_weights"]
        names = [str(name) for name in old.attrs["layer_names"]]
        new.attrs["layer_names"] = [keras_2_name(name).encode() for name in names]
        new.attrs["backend"], new.attrs["keras_version"] = b"tensorflow", b"2.2.4"
        for name in names:
            group = new.create_group(keras_2_name(name))
            weights = {str(weight): f"{keras_2_name(name)}/{weight.rpartition('/')[2]}:0" for weight in old[name].attrs["weight_names"]}
            group.attrs["weight_names"] = [weight.encode() for weight in weights.values()]
            for weight, new_name in weights.items():
                values = old[name][weight][()]
                group.create_dataset(new_name, data=values, chunks=values.shape, compression="gzip", shuffle=True)
    os.replace(path + ".new", path)


def keras_files(folder):
    import keras
    from keras import layers

    small = folder.small
    width, classes = (0.02, 10) if small else (1.0, 1000)

    def outputs(model, sizes, order=1):
        """`order` is -1 for a network that takes blue, green, red: the images are red, green, blue."""
        return {size: model.predict(images(size).transpose(0, 2, 3, 1)[..., ::order], verbose=0).tolist() for size in sizes}

    def three(name, network, model, sizes, order=1):
        results = outputs(model, sizes, order)
        folder.add(f"{name}.h5", model.save, network, "keras", results)
        folder.add(f"{name}.weights.h5", model.save_weights, network, "keras", results)
        folder.add(f"{name}.keras", model.save, network, "keras", results)

        def nameless(path):
            model.save_weights(path)
            without_names(path)

        def nameless_archive(path):
            model.save(path)
            repacked_without_names(path)

        def old(path):
            model.save(path)
            as_keras_2(path)

        folder.add(f"{name}_nameless.weights.h5", nameless, network, "keras", results)
        if "nested" not in name:
            folder.add(f"{name}_nameless.keras", nameless_archive, network, "keras", results)
            folder.add(f"{name}_keras2.h5", old, network, "keras", results)

    def headed(backbone, *head):
        return keras.Sequential([keras.Input((150, 150, 3)), backbone, layers.GlobalAveragePooling2D(), layers.Dropout(0.2), *head])

    applications = keras.applications
    plain = dict(weights=None, classifier_activation=None)

    # Layers that were made before shift the numbers of those that follow.
    keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()])

    def xception(top=True):
        if small:
            return narrow_xception(width, classes, middle=1, top=top)
        return rebuilt(applications.Xception(include_top=top, **plain), width, classes)

    sizes = [71] if small else [299, 150, 71]
    model = xception()
    randomize(model, 1.0)
    three("xception", "xception", model, sizes)

    backbone = xception(top=False)
    model = headed(backbone, layers.Dense(5))
    randomize(model, 1.0)
    three("xception_nested", "xception", model, [150])
    folder.add("xception_nested_backbone.h5", model.save, "xception", "keras", {}, new_head=3)
    folder.add("xception_notop.weights.h5", backbone.save_weights, "xception", "keras", {}, new_head=3)

    backbone = xception(top=False)
    for layer in backbone.layers[: len(backbone.layers) // 2]:
        layer.trainable = False
    model = headed(backbone, layers.Dense(16, activation="relu"), layers.Dense(5))
    randomize(model, 1.0)
    results = outputs(model, [150])
    folder.add("xception_two_dense.h5", model.save, "xception", "keras", results)
    folder.add("xception_two_dense.keras", model.save, "xception", "keras", results)
    folder.add("xception_two_dense.weights.h5", model.save_weights, "xception", "keras", {}, new_head=3)

    backbone = xception(top=False)
    x = layers.Dense(5)(layers.GlobalAveragePooling2D()(backbone.output))
    model = keras.Model(backbone.input, x)
    randomize(model, 1.0)
    folder.add("xception_flat_head.keras", model.save, "xception", "keras", outputs(model, [150]))

    def inception(top=True):
        return rebuilt(applications.InceptionV3(include_top=top, **plain), width, classes)

    model = inception()
    randomize(model, 2.0)
    three("inception_v3", "inception_v3", model, [75] if small else [299, 150, 75])
    model = headed(inception(top=False), layers.Dense(5))
    randomize(model, 2.0)
    three("inception_v3_nested", "inception_v3", model, [150])

    model = rebuilt(applications.ResNet50(**plain), width, classes)
    randomize(model, 1.0)
    three("resnet50", "resnet50", model, [64] if small else [224, 150, 71], order=-1)

    model = rebuilt(applications.MobileNet(**plain), width, classes)
    randomize(model, 2.0)
    three("mobilenet_v1", "mobilenet_v1", model, [64] if small else [224, 150, 71])
    model = headed(rebuilt(applications.MobileNet(include_top=False, **plain), width, classes), layers.Dense(5))
    randomize(model, 2.0)
    three("mobilenet_v1_nested", "mobilenet_v1", model, [150])


# ---- PyTorch


def torch_files(folder):
    import timm
    import torch
    import torchvision
    from safetensors.torch import save_file

    def files(name, network, source, model, sizes):
        with torch.inference_mode():
            results = {size: model(torch.from_numpy(images(size))).tolist() for size in sizes}
        state = model.state_dict()
        wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}
        add = lambda ending, write: folder.add(f"{name}{ending}", write, network, source, results)
        add(".safetensors", lambda path: save_file({k: v.contiguous() for k, v in state.items()}, path))
        add(".pth", lambda path: torch.save(state, path))
        add("_wrapped.pth", lambda path: torch.save(wrapped, path))
        add("_legacy.pth", lambda path: torch.save(state, path, _use_new_zipfile_serialization=False))

    models = torchvision.models
    files("timm_xception", "xception", "timm", fill(timm.create_model("legacy_xception"), 1.0), [299, 150, 71])
    inception = models.inception_v3(weights=None, init_weights=False, transform_input=False)
    files("torchvision_inception_v3", "inception_v3", "torchvision", fill(inception, 2.0), [299, 150, 75])
    files("torchvision_resnet18", "resnet18", "torchvision", fill(models.resnet18(), 1.0), [224, 71])
    files("torchvision_resnet50", "resnet50", "torchvision", fill(models.resnet50(), 1.0), [224, 71])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    folder = Folder(arguments.folder, arguments.small)
    keras_files(folder)
    if not arguments.small:
        torch_files(folder)
