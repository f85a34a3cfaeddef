"""Networks of keras.applications with random weights, of any width."""

import re

import keras
import numpy as np
from keras import layers


def channels(published, width):
    """As the crate's width multiplier."""
    return max(1, int(np.floor(published * width / 8 + 0.5))) * 8


def rounded(values, bits):
    """The nearest numbers with so many bits of mantissa."""
    dropped = 23 - bits
    whole = values.astype(np.float32).view(np.uint32) + np.uint32(1 << (dropped - 1))
    return (whole >> np.uint32(dropped) << np.uint32(dropped)).view(np.float32)


def randomize(model, gain, coarse=False):
    """Draws all weights. Coarse ones, so that a file compresses well, have seven bits of mantissa, and one in kernels."""
    rng = np.random.default_rng(0)
    for layer in model._flatten_layers(include_self=False, recursive=True):
        for variable in layer.variables if not getattr(layer, "layers", None) else []:
            shape, role = tuple(variable.shape), variable.name
            if role in ("gamma",):
                value = rng.uniform(0.9, 1.1, shape)
            elif role == "moving_variance":
                value = rng.uniform(0.8, 1.2, shape)
            elif role in ("beta", "moving_mean", "bias"):
                value = rng.uniform(-0.1, 0.1, shape)
            elif "kernel" in role:
                depthwise = role == "depthwise_kernel" or isinstance(layer, layers.DepthwiseConv2D)
                fan_in = np.prod(shape[:-2]) if depthwise else np.prod(shape[:-1])
                convolution = len(shape) == 4 and not depthwise and role != "pointwise_kernel"
                value = rng.normal(0, np.sqrt((gain if convolution else 1.0) / fan_in), shape)
            else:
                continue
            if coarse:
                value = rounded(value, 1 if "kernel" in role else 7)
            variable.assign(value.astype(np.float32))
    assert isinstance(model, keras.Model)


# The published numbers of channels whose maps are concatenated to the input of the blocks of Inception-ResNet-V2.
BLOCK35 = (96, 64, 96, 64)
BLOCK17 = (*BLOCK35, 384, 384)
BLOCK_INPUTS = {"35": BLOCK35, "17": BLOCK17, "8": (*BLOCK17, 384, 288, 320)}


def narrow_filters(name, published, width):
    """The number of filters of a layer that has the published number."""
    block = re.fullmatch(r"block(35|17|8)_\d+_conv", name)
    if block:
        return sum(channels(inner, width) for inner in BLOCK_INPUTS[block.group(1)])
    # The last convolution of a bottleneck has four times its channels.
    expansion = 4 if name.endswith(("_0_conv", "_3_conv")) else 1
    return channels(published // expansion, width) * expansion


def rebuilt(model, width, classes, size=None, units={}):
    """A model of the same layers, with fewer channels and for images of any size, or of one."""
    config = model.get_config()
    for layer in config["layers"]:
        inner = layer["config"]
        layer.pop("build_config", None)
        if "batch_shape" in inner:
            inner["batch_shape"] = (None, size, size, 3)
        if "filters" in inner:
            inner["filters"] = narrow_filters(inner["name"], inner["filters"], width)
        if "units" in inner:
            inner["units"] = units.get(inner["name"], classes)
        if inner["name"] == "conv_preds":
            inner["filters"] = classes
        if "target_shape" in inner:
            inner["target_shape"] = (classes,)
    return type(model).from_config(config)


def narrow_xception(width, classes, middle, top=True):
    """keras.applications.Xception, layer by layer, with a width and a number of middle modules."""

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
