"""The files that Keras writes, a function a family of networks."""

import keras
from formula import images
from keras import applications, layers
from keras_networks import narrow_xception, randomize, rebuilt
from keras_releases import as_keras_1, as_keras_2, inception_resnet_v2_names, repacked_without_names, resnet_name, without_names

PLAIN = dict(weights=None, classifier_activation=None)


class KerasFiles:
    """What the families have in common."""

    def __init__(self, folder):
        self.folder, self.small = folder, folder.small
        self.width, self.classes = (0.02, 10) if self.small else (1.0, 1000)
        # Layers that were made before shift the numbers of those that follow.
        keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()])

    def sizes(self, small, *full):
        return [small] if self.small else list(full)

    def rebuilt(self, model, width=None, **options):
        return rebuilt(model, width or self.width, self.classes, **options)

    def outputs(self, model, sizes, order=1):
        """`order` is -1 for a network that takes blue, green, red: the images are red, green, blue."""
        return {size: model.predict(images(size).transpose(0, 2, 3, 1)[..., ::order], verbose=0).tolist() for size in sizes}

    def add(self, name, write, network, outputs, new_head=None):
        self.folder.add(name, write, network, "keras", outputs, new_head)

    def layouts(self, name, network, model, sizes, order=1, renamed=lambda name: name, releases=True):
        """The three layouts of Keras 3, and if that is wanted those of other releases."""
        results = self.outputs(model, sizes, order)
        self.add(f"{name}.h5", model.save, network, results)
        self.add(f"{name}.weights.h5", model.save_weights, network, results)
        self.add(f"{name}.keras", model.save, network, results)

        def nameless(path):
            model.save_weights(path)
            without_names(path)

        def nameless_archive(path):
            model.save(path)
            repacked_without_names(path)

        def old(path):
            model.save(path)
            as_keras_2(path, renamed)

        if releases:
            self.add(f"{name}_nameless.weights.h5", nameless, network, results)
        if releases and "nested" not in name:
            self.add(f"{name}_nameless.keras", nameless_archive, network, results)
            self.add(f"{name}_keras2.h5", old, network, results)


def headed(backbone, *head, pool=True):
    pools = [layers.GlobalAveragePooling2D()] if pool else []
    return keras.Sequential([keras.Input((150, 150, 3)), backbone, *pools, layers.Dropout(0.2), *head])


def xception(files):
    def network(top=True):
        if files.small:
            return narrow_xception(files.width, files.classes, middle=1, top=top)
        return files.rebuilt(applications.Xception(include_top=top, **PLAIN))

    model = network()
    randomize(model, 1.0)
    files.layouts("xception", "xception", model, files.sizes(71, 299, 150, 71))

    backbone = network(top=False)
    model = headed(backbone, layers.Dense(5))
    randomize(model, 1.0)
    files.layouts("xception_nested", "xception", model, [150])
    files.add("xception_nested_backbone.h5", model.save, "xception", {}, new_head=3)
    files.add("xception_notop.weights.h5", backbone.save_weights, "xception", {}, new_head=3)

    backbone = network(top=False)
    for layer in backbone.layers[: len(backbone.layers) // 2]:
        layer.trainable = False
    model = headed(backbone, layers.Dense(16, activation="relu"), layers.Dense(5))
    randomize(model, 1.0)
    results = files.outputs(model, [150])
    files.add("xception_two_dense.h5", model.save, "xception", results)
    files.add("xception_two_dense.keras", model.save, "xception", results)
    files.add("xception_two_dense.weights.h5", model.save_weights, "xception", {}, new_head=3)

    backbone = network(top=False)
    x = layers.Dense(5)(layers.GlobalAveragePooling2D()(backbone.output))
    model = keras.Model(backbone.input, x)
    randomize(model, 1.0)
    files.add("xception_flat_head.keras", model.save, "xception", files.outputs(model, [150]))


def inception_v3(files):
    def network(top=True):
        return files.rebuilt(applications.InceptionV3(include_top=top, **PLAIN))

    model = network()
    randomize(model, 2.0)
    files.layouts("inception_v3", "inception_v3", model, files.sizes(75, 299, 150, 75))
    model = headed(network(top=False), layers.Dense(5))
    randomize(model, 2.0)
    files.layouts("inception_v3_nested", "inception_v3", model, [150])


def resnet50(files):
    model = files.rebuilt(applications.ResNet50(**PLAIN))
    randomize(model, 1.0)
    files.layouts("resnet50", "resnet50", model, files.sizes(64, 224, 150, 71), order=-1, renamed=resnet_name)


def mobilenet_v1(files):
    model = files.rebuilt(applications.MobileNet(**PLAIN))
    randomize(model, 2.0)
    files.layouts("mobilenet_v1", "mobilenet_v1", model, files.sizes(64, 224, 150, 71))
    model = headed(files.rebuilt(applications.MobileNet(include_top=False, **PLAIN)), layers.Dense(5))
    randomize(model, 2.0)
    files.layouts("mobilenet_v1_nested", "mobilenet_v1", model, [150])


def vgg16(files):
    """The layers after `Flatten` fix the size of the images: those of the narrow network have maps of 2x2 there."""
    size, width = (64, 1 / 32) if files.small else (224, 1.0)
    units = dict(fc1=24, fc2=16) if files.small else dict(fc1=4096, fc2=4096)

    def network(size=None, **options):
        return files.rebuilt(applications.VGG16(**options, **PLAIN), width, size=size, units=units)

    def keras_1(path):
        model.save(path)
        as_keras_1(path)

    model = network(size)
    randomize(model, 2.0, files.small)
    files.layouts("vgg16", "vgg16", model, [size], order=-1, releases=files.small)
    files.add("vgg16_keras1.h5", keras_1, "vgg16", files.outputs(model, [size], order=-1))

    backbone = network(include_top=False, pooling="avg")
    model = headed(backbone, layers.Dense(5), pool=False)
    randomize(model, 2.0, files.small)
    files.layouts("vgg16_nested", "vgg16", model, [150], order=-1)
    files.add("vgg16_notop.weights.h5", backbone.save_weights, "vgg16", {}, new_head=3)

    backbone = network(include_top=False)
    head = [layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dropout(0.5), layers.Dense(5)]
    model = keras.Sequential([keras.Input((96, 96, 3)), backbone, *head])
    randomize(model, 2.0, files.small)
    files.add("vgg16_nested_flatten.keras", model.save, "vgg16", files.outputs(model, [96], order=-1))


def inception_resnet_v2(files):
    def network(top=True):
        return files.rebuilt(applications.InceptionResNetV2(include_top=top, **PLAIN))

    model = network()
    randomize(model, 2.0, files.small)
    published = inception_resnet_v2_names(model)
    files.layouts(
        "inception_resnet_v2",
        "inception_resnet_v2",
        model,
        files.sizes(75, 299, 150, 75),
        renamed=lambda name: published.get(name, name),
    )
    model = headed(network(top=False), layers.Dense(5))
    randomize(model, 2.0, files.small)
    files.layouts("inception_resnet_v2_nested", "inception_resnet_v2", model, [150], releases=files.small)


FAMILIES = dict(
    xception=xception,
    inception_v3=inception_v3,
    resnet50=resnet50,
    mobilenet_v1=mobilenet_v1,
    vgg16=vgg16,
    inception_resnet_v2=inception_resnet_v2,
)
