"""What is measured of the spectrum: a layer is a 3x3 convolution of some channels to as many, at every number of groups."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer at each number of groups, called segments in the paper."""

    size: int
    channels: int
    batch: int = 8

    @property
    def name(self):
        return f"{self.size}x{self.channels}"

    @property
    def title(self):
        return f"{self.size}x{self.size}x{self.channels}, batch {self.batch}"

    @property
    def groups(self):
        return [groups for groups in range(1, self.channels + 1) if self.channels % groups == 0]

    def products(self, groups, step):
        """Multiply-adds of a step."""
        forward = self.batch * self.size**2 * self.channels * 9 * (self.channels // groups)
        return forward * (3 if step == "training" else 1)


LAYERS = [Layer(19, 728), Layer(32, 128)]
BY_NAME = {layer.name: layer for layer in LAYERS}

# Forward for inference, with bias and ReLU; forward and both gradients.
STEPS = {"inference": "Inference", "training": "Training"}

# Each number of groups is measured so often in a turn, and each time over steps that take so many seconds.
SAMPLES = 3
SECONDS = 0.004
