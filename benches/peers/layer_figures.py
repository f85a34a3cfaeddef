"""What follows from the times of a layer."""

import statistics

import layers

# The steps of PyTorch and ONNX Runtime are the layer's; ours are passes of the bench, of which these are shown beside them.
PASSES = {
    "forward": "forward",
    "input_gradient": "input gradient",
    "weight_gradient": "weight gradient",
    "training": "training",
    "inference": "inference",
}


class Figures:
    """The figures of a layer, from its entry in the results."""

    def __init__(self, entry):
        self.entry = entry
        self.layer = layers.Layer(entry["size"], entry["channels"], entry["batch"])

    def times(self, engine, groups, step):
        """Milliseconds of each round, of the engine's variant that is the fastest for this."""
        variants = {}
        for turns in self.entry["rounds"]:
            for turn in turns:
                samples = turn["milliseconds"][str(groups)].get(step)
                if turn["engine"] == engine and samples:
                    variants.setdefault(turn["variant"], []).append(statistics.median(samples))
        return min(variants.values(), key=statistics.median, default=[])

    def cost(self, engine, groups, step):
        """Picoseconds of a multiply-add, or nothing."""
        times = self.times(engine, groups, step)
        return 1e9 * statistics.median(times) / self.layer.products(groups, step) if times else None

    def better_end(self, engine, step):
        """Picoseconds of a multiply-add at the end of the spectrum where it takes less."""
        ends = [self.cost(engine, groups, step) for groups in [1, self.layer.channels]]
        return min(ends) if None not in ends else None

    def times_of_the_better_end(self, engine, groups, step):
        return self.cost(engine, groups, step) / self.better_end(engine, step)

    def ratios(self, peer, groups, step):
        """Ours over theirs, round by round."""
        theirs = self.times(peer, groups, step)
        return [own / other for own, other in zip(self.times("xception", groups, step), theirs)]
