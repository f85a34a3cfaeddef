"""The time of a multiply-add over the spectrum as a picture, drawn as SVG that follows the reader's light or dark colours."""

import math

import layers
from layer_figures import Figures

WIDTH, HEIGHT = 460, 300
LEFT, TOP, RIGHT, BOTTOM = 64, 48, 24, 52
HEAD = 64
ENGINES = {"xception": "own", "PyTorch": "torch", "ONNX Runtime": "onnx"}

STYLE = """
.spectrum text{font-family:Helvetica,Arial,sans-serif;font-size:12px;fill:#22262B}
.spectrum .paper{fill:#FFFFFF}
.spectrum .title{font-size:14px;font-weight:bold}
.spectrum .middle{text-anchor:middle}
.spectrum .end{text-anchor:end}
.spectrum .grid{stroke:#E3E6EA}
.spectrum .axis{stroke:#6B747E}
.spectrum .goal{stroke:#6B747E;stroke-dasharray:5 4;fill:none}
.spectrum .line{fill:none;stroke-width:2.2}
.spectrum .own{stroke:#2F6FDB}.spectrum circle.own{fill:#2F6FDB}
.spectrum .torch{stroke:#D9661F}.spectrum circle.torch{fill:#D9661F}
.spectrum .onnx{stroke:#2E8B57}.spectrum circle.onnx{fill:#2E8B57}
@media (prefers-color-scheme:dark){
.spectrum text{fill:#ECECE8}
.spectrum .paper{fill:#15181C}
.spectrum .grid{stroke:#2C3238}
.spectrum .axis,.spectrum .goal{stroke:#8B949E}
.spectrum .own{stroke:#6FA2F5}.spectrum circle.own{fill:#6FA2F5}
.spectrum .torch{stroke:#F09A5B}.spectrum circle.torch{fill:#F09A5B}
.spectrum .onnx{stroke:#63BE8B}.spectrum circle.onnx{fill:#63BE8B}
}
"""


def svg(content):
    """The picture: a row a layer, a column a step."""
    entries = [entry for entry in content["rows"].values() if entry["rounds"]]
    all_figures = [Figures(entry) for entry in entries]
    costs = [
        cost
        for figures in all_figures
        for step in layers.STEPS
        for engine in ENGINES
        for groups in figures.layer.groups
        if (cost := figures.cost(engine, groups, step))
    ]
    least, most = (math.log10(costs_end) for costs_end in [min(costs) / 1.3, max(costs) * 1.3])
    width, height = WIDTH * len(layers.STEPS), HEAD + HEIGHT * len(all_figures)
    panels = [
        panel(figures, step, WIDTH * column, HEAD + HEIGHT * row, least, most)
        for row, figures in enumerate(all_figures)
        for column, step in enumerate(layers.STEPS)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="spectrum" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="spectrum-title">',
            '<title id="spectrum-title">Picoseconds of a multiply-add over the number of segments</title>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            text(LEFT, 26, "Picoseconds of a multiply-add over the number of segments, from dense to depthwise", "title"),
            legend(),
            *panels,
            "</svg>\n",
        ]
    )


def legend():
    parts, x = [], LEFT
    for engine, kind in ENGINES.items():
        parts.append(f'<line class="line {kind}" x1="{x}" x2="{x + 24}" y1="46" y2="46"/>')
        parts.append(text(x + 30, 50, engine))
        x += 48 + 8 * len(engine)
    parts.append(f'<line class="goal" x1="{x}" x2="{x + 24}" y1="46" y2="46"/>')
    parts.append(text(x + 30, 50, "1.5 times our better end"))
    return "\n".join(parts)


def panel(figures, step, left, top, least, most):
    layer = figures.layer
    right, bottom = left + WIDTH - RIGHT, top + HEIGHT - BOTTOM
    left, title = left + LEFT, f"{layers.STEPS[step]}, {layer.title}"
    upper = top + TOP

    def x(groups):
        return left + (right - left) * math.log(groups) / math.log(layer.channels)

    def y(cost):
        return bottom - (bottom - upper) * (math.log10(cost) - least) / (most - least)

    parts = [text((left + right) / 2, upper - 12, title, "title middle")]
    for exponent in range(math.ceil(least), math.floor(most) + 1):
        at = f"{y(10**exponent):.1f}"
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(text(left - 8, float(at) + 4, f"{10**exponent:,}", "end"))
    last = -math.inf
    for groups in layer.groups:
        at = f"{x(groups):.1f}"
        parts.append(f'<line class="axis" x1="{at}" x2="{at}" y1="{bottom}" y2="{bottom + 4}"/>')
        end = groups == layer.channels
        if end or (x(groups) - last > 26 and x(layer.channels) - x(groups) > 26):
            parts.append(text(x(groups), bottom + 19, str(groups), "middle"))
            last = x(groups)
    parts.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(text((left + right) / 2, bottom + 38, "segments", "middle"))
    goal = f"{y(1.5 * figures.better_end('xception', step)):.1f}"
    parts.append(f'<line class="goal" x1="{left}" x2="{right}" y1="{goal}" y2="{goal}"/>')
    for engine, kind in reversed(ENGINES.items()):
        costs = [(groups, figures.cost(engine, groups, step)) for groups in layer.groups]
        points = [(f"{x(groups):.1f}", f"{y(cost):.1f}") for groups, cost in costs if cost]
        if points:
            path = " ".join(f"{x},{y}" for x, y in points)
            parts.append(f'<polyline class="line {kind}" points="{path}"/>')
            parts += [f'<circle class="{kind}" cx="{x}" cy="{y}" r="3"/>' for x, y in points]
    return "\n".join(parts)


def text(x, y, content, kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{content}</text>'
