"""Runs the two loaders in turns."""

import json
import os
import pathlib
import subprocess
import sys

import environment
import rounds

ENGINES = ["xception", "torchvision"]


def program():
    """The bench of the data crate, built as it is in the checkout."""
    environment.say("building the bench")
    command = ["cargo", "bench", "--package", "xception-data", "--bench", "loading", "--no-run",
               "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=environment.ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit("the bench can't be built")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "loading":
            return pathlib.Path(message["executable"])
    sys.exit("cargo built no bench called loading")


def measure(entry, name, folder, images, bench, python, count, write):
    """All rounds of a set of files; results are written after each."""
    os.environ["RAYON_NUM_THREADS"] = "1"
    script = environment.HERE / "engines" / "measure_loading_torchvision.py"
    commands = dict(zip(ENGINES, [[bench, folder, images], [python, "-W", "ignore", script, folder, images]]))
    for number in range(1, count + 1):
        turns = []
        for engine, command in commands.items():
            try:
                output, _ = rounds.process(command)
            except rounds.Failed as reason:
                sys.exit(f"{engine}: {reason}")
            found = json.loads(output.splitlines()[-1])
            turns.append({"engine": engine, **found})
            environment.say(f"{name}, round {number}/{count}: {engine:12} {found['processor'] or found['wall']:8.2f} ms")
        entry["rounds"].append(turns)
        write()


def milliseconds(entry, engine):
    """The processor's time of an image in each round, or the clock's where the system doesn't tell."""
    turns = [turn for turns in entry["rounds"] for turn in turns if turn["engine"] == engine]
    return [turn["processor"] or turn["wall"] for turn in turns]
