"""What is measured: a row is a network, the shape of its input, and a forward pass or a training step."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table."""

    name: str
    network: str
    parameters: int
    batch: int
    size: int
    training: bool
    # Steps that count in a turn.
    steps: int
    title_network: str

    @property
    def title(self):
        step = "training step" if self.training else "forward"
        return f"{self.title_network} {step}, {self.batch}x3x{self.size}x{self.size}"

    @property
    def model_argument(self):
        """The network as `xception bench --model` takes it."""
        small = pathlib.Path(__file__).resolve().parent / f"{self.network}.json"
        return str(small) if small.exists() else self.network


PARAMETERS = {"xception": 22_855_952, "inception_v3": 23_834_568, "resnet50": 25_557_032, "xception_32": 184_194,
              "xception_32_quarter": 729_914, "inception_v3_32": 1_380_706, "resnet50_32": 1_484_186}
TITLES = {"xception": "Xception", "inception_v3": "Inception V3", "resnet50": "ResNet-50",
          "xception_32": "Xception, small stem, width 1/8,", "xception_32_quarter": "Xception, small stem, width 1/4,",
          "inception_v3_32": "Inception V3, small stem, width 1/4,", "resnet50_32": "ResNet-50, small stem, width 1/4,"}


def row(network, batch, size, training, steps):
    return Row(
        name=f"{network}{'-train' if training else ''}-{batch}x{size}",
        network=network,
        parameters=PARAMETERS[network],
        batch=batch,
        size=size,
        training=training,
        steps=steps,
        title_network=TITLES[network],
    )


ROWS = [
    row("xception", 1, 299, False, 15),
    row("xception", 8, 299, False, 6),
    row("xception", 8, 96, True, 9),
    row("xception", 4, 299, True, 5),
    row("xception_32", 128, 32, True, 15),
    row("xception_32_quarter", 64, 32, True, 15),
    row("inception_v3_32", 64, 32, True, 3),
    row("resnet50_32", 64, 32, True, 5),
    row("inception_v3", 1, 299, False, 15),
    row("inception_v3", 8, 96, True, 9),
    row("resnet50", 1, 224, False, 15),
    row("resnet50", 8, 96, True, 9),
]
BY_NAME = {row.name: row for row in ROWS}

# Steps before those that count.
WARM_UP = 3
