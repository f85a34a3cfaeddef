"""The figures of the spectrum as Markdown."""

import statistics

import layers
import table
from layer_figures import PASSES, Figures

GOAL = 1.5


def markdown(content, picture):
    """The whole document."""
    parts = ["# The spectrum between dense and depthwise convolution", introduction(content), f"![]({picture})"]
    for entry in content["rows"].values():
        if entry["rounds"]:
            figures = Figures(entry)
            parts.append(f"## {entry['title']}")
            parts.append(about(entry))
            for step, title in layers.STEPS.items():
                parts += [f"### {title}", beside_peers(figures, step)]
            parts += ["### Ours by pass", by_pass(figures)]
    return "\n\n".join(parts) + "\n"


def introduction(content):
    machine = content["machine"]
    versions = {}
    for entry in content["rows"].values():
        for turn in (turn for turns in entry["rounds"] for turn in turns):
            versions[turn["engine"]] = turn["engine_version"]
    simd = f" ({', '.join(machine['simd'])})" if machine["simd"] else ""
    return "\n".join(
        [
            f"- Machine: {machine['processor']}, {machine['cores']} cores{simd}, {machine['memory_gb']} GB, "
            f"{machine['system']}, {machine['rustc']}",
            f"- Threads: {content['threads']}",
            f"- Versions: {', '.join(f'{engine} {version}' for engine, version in versions.items())}",
            "- Command: `benches/peers/spectrum`, which says how it measures",
            "- A 3x3 layer of some channels to as many, cut into segments that are convolved apart: 1 is a dense convolution, "
            "as many as channels a depthwise one. *Inference* is a forward pass with bias and ReLU, *training* a forward "
            "pass and the gradients of input and weight. PyTorch in the faster of its two memory layouts, each time.",
            "- Picoseconds are those of a multiply-add, of which training has three times as many as inference. *Ends* is "
            "that time in times of ours at the better end of the spectrum. All are medians over rounds; a ratio is the "
            "median of those of the rounds, with the least and the most.",
        ]
    )


def about(entry):
    busy = [turn["cores_of_others"] for turns in entry["rounds"] for turn in turns]
    return (
        f"{len(entry['rounds'])} rounds, {entry['date']}, commit {entry['commit']}. Other programs took "
        f"{statistics.median(busy):.2f} cores meanwhile, {max(busy):.2f} in the worst turn."
    )


def beside_peers(figures, step):
    layer = figures.layer
    peers = [peer for peer in ["PyTorch", "ONNX Runtime"] if figures.times(peer, 1, step)]
    heading = ["segments", "width", "ours, ms", "ps", "ends"]
    for peer in peers:
        heading += [f"{peer}, ms", "ours by theirs"]
    rows = [heading]
    for groups in layer.groups:
        own = statistics.median(figures.times("xception", groups, step))
        row = [str(groups), str(layer.channels // groups), f"{own:.2f}", number(figures.cost("xception", groups, step))]
        row.append(f"{figures.times_of_the_better_end('xception', groups, step):.2f}")
        for peer in peers:
            row.append(f"{statistics.median(figures.times(peer, groups, step)):.2f}")
            row.append(table.spread(figures.ratios(peer, groups, step)))
        rows.append(row)
    return table.pipes(rows)


def by_pass(figures):
    layer = figures.layer
    rows = [["segments", "width", *(f"{title}, ms" for title in PASSES.values()), "ReLU alone, ms"]]
    for groups in layer.groups:
        row = [str(groups), str(layer.channels // groups)]
        for step in PASSES:
            own = statistics.median(figures.times("xception", groups, step))
            times = figures.times_of_the_better_end("xception", groups, step)
            mark = "**" if times > GOAL else ""
            row.append(f"{own:.2f} ({mark}{times:.2f}{mark})")
        row.append(f"{statistics.median(figures.times('xception', groups, 'relu')):.2f}")
        rows.append(row)
    text = (
        f"In parentheses times of the better end, bold above {GOAL}. A ReLU by itself reads and writes what a forward pass "
        "reads and writes besides the weight: less time than that is not to be had, whatever the multiply-adds."
    )
    return f"{text}\n\n{table.pipes(rows)}"


def number(value):
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
