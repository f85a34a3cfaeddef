"""Runs the engines of a layer in turns."""

import json
import os
import pathlib
import subprocess
import sys

import environment
import layers
import others
import rounds

TURNS = [("xception", ""), ("PyTorch", "contiguous"), ("PyTorch", "channels_last"), ("ONNX Runtime", "")]


def program():
    """The bench of the kernels, built as it is in the checkout."""
    environment.say("building the bench")
    command = ["cargo", "bench", "--package", "xception-kernels", "--bench", "spectrum", "--no-run",
               "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=environment.ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit("the bench can't be built")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "spectrum":
            return pathlib.Path(message["executable"])
    sys.exit("cargo built no bench called spectrum")


def measure(layer, bench, python, results, *, threads, count, patience, lock, progress, write):
    """All rounds of a layer; results are written after each."""
    entry = results.start(layer.name, title=layer.title, size=layer.size, channels=layer.channels, batch=layer.batch)
    for number in range(1, count + 1):
        turns = []
        with environment.locked(lock):
            for engine, variant in TURNS:
                name = rounds.label(engine, variant)
                others.wait_until_idle(patience)
                before = others.Usage()
                try:
                    found = turn(engine, variant, layer, bench, python, threads)
                except rounds.Failed as reason:
                    sys.exit(f"{name}: {reason}")
                busy = before.cores_of_others()
                turns.append({"engine": engine, "variant": variant, "cores_of_others": busy, **found})
                environment.say(f"{progress}, round {number}/{count}: {name}; other programs took {busy:.2f} cores")
        entry["rounds"].append(turns)
        write()


def turn(engine, variant, layer, bench, python, threads):
    """A fresh process: the milliseconds of each number of groups and step."""
    shape = ["--size", layer.size, "--channels", layer.channels, "--batch", layer.batch]
    groups = ["--groups", ",".join(map(str, layer.groups))]
    if engine == "xception":
        return xception([bench, *shape, *groups, "--rounds", layers.SAMPLES, "--json"], threads)
    script = "measure_layers_pytorch.py" if engine == "PyTorch" else "measure_layers_onnx.py"
    layout = ["--variant", variant] if variant else []
    script = environment.HERE / "engines" / script
    output, _ = rounds.process([
        python, "-W", "ignore", script, *shape, *groups, "--threads", threads, "--samples", layers.SAMPLES,
        "--seconds", layers.SECONDS, *layout,
    ])
    return json.loads(output.splitlines()[-1])


def xception(command, threads):
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    output, _ = rounds.process(command)
    report = json.loads(output)
    times = {str(row.pop("groups")): row for row in report["rows"]}
    return {"engine_version": report["version"], "milliseconds": times}
