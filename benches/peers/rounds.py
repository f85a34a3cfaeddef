"""Runs the engines of a row in turns."""

import json
import os
import re
import statistics
import subprocess
import sys
import threading

import environment
import rows

# A variant of an engine that is slower than its fastest by this factor is measured in the first round alone.
HOPELESS = 1.3

# The engines that read the network that PyTorch exports.
FROM_ONNX = ["ONNX Runtime", "OpenVINO", "OpenVINO bf16", "RTen"]


class Failed(Exception):
    """An engine that didn't do what it was asked for."""


def engines(row):
    """(engine, variant) of a row, in the order of their turns."""
    torch = [("PyTorch", "channels_last"), ("PyTorch", "contiguous")]
    if row.training:
        return [("xception", ""), *torch]
    return [
        ("xception", ""),
        *torch,
        ("PyTorch", "channels_last, frozen"),
        ("PyTorch", "contiguous, optimized"),
        *((engine, "") for engine in FROM_ONNX),
    ]


def measure(row, peers, results, *, threads, rounds, steps, lock, progress, write):
    """All rounds of a row; results are written after each."""
    entry = results.start(row.name, title=row.title, training=row.training, batch=row.batch)
    model = None
    if not row.training:
        try:
            model = export(row, peers, lock)
        except Failed as reason:
            environment.say(f"the export to ONNX failed: {reason}")
            entry["left_out"] = {engine: "without an ONNX file" for engine in FROM_ONNX}
    for number in range(1, rounds + 1):
        turns = []
        with environment.locked(lock):
            for engine, variant in engines(row):
                name = label(engine, variant)
                if name in entry["left_out"]:
                    continue
                try:
                    found = turn(engine, variant, row, peers, model, threads, steps)
                    text = f"{found['median']:9.2f} ms"
                    turns.append({"engine": engine, "variant": variant, **found})
                except Failed as reason:
                    text = f"failed: {reason}"
                    entry["left_out"][name] = text
                environment.say(f"{progress}, round {number}/{rounds}: {name:32} {text}")
        entry["rounds"].append(turns)
        if number == 1:
            leave_out_hopeless(entry)
        write()


def label(engine, variant):
    return f"{engine} ({variant})" if variant else engine


def leave_out_hopeless(entry):
    turns = entry["rounds"][0]
    for engine in {turn["engine"] for turn in turns}:
        variants = [turn for turn in turns if turn["engine"] == engine]
        fastest = min(turn["median"] for turn in variants)
        for slow in variants:
            if slow["median"] > HOPELESS * fastest:
                name = label(engine, slow["variant"])
                entry["left_out"][name] = f"{slow['median']:.0f} ms in the first round"


def turn(engine, variant, row, peers, model, threads, steps):
    """A fresh process: median, all milliseconds, peak memory, and what it says that it ran."""
    shape = ["--batch", row.batch, "--threads", threads, "--steps", steps, "--warm-up", rows.WARM_UP]
    if engine == "xception":
        found = xception(peers.xception, [
            "--model", row.model_argument, "--batch", row.batch, "--size", row.size, "--threads", threads,
            "--rounds", steps, "--warm-up", rows.WARM_UP, *(["--train"] if row.training else []),
        ])
    elif engine == "PyTorch":
        script = environment.HERE / "engines" / "measure_pytorch.py"
        step = ["--train"] if row.training else []
        found = python(peers.python, script, row.network, "--size", row.size, "--variant", variant, *shape, *step)
    elif engine == "RTen":
        found = rten(peers, model, threads, steps)
    else:
        script = environment.HERE / "engines" / "measure_onnx.py"
        found = python(peers.python, script, engine, model, *shape)
    if found["parameters"] != row.parameters:
        raise Failed(f"it has {found['parameters']} parameters, not {row.parameters}")
    found["median"] = statistics.median(found["milliseconds"])
    return found


def xception(program, options):
    """What `xception bench` measures with these options."""
    output, _ = process([program, "bench", "--json", *options])
    report = json.loads(output)
    return {
        "milliseconds": report["milliseconds"]["rounds"],
        "peak_memory": report["peak_memory"],
        "device": report["device"],
        "device_memory": report["device_memory"],
        "parameters": report["parameters"],
        "engine_version": dict(report["versions"])["xception"],
        "gflops": report["gflops"],
        "ceiling_gflops": report["ceiling"]["gflops"],
        "gigabytes_per_second": report["gigabytes_per_second"],
        "ceiling_gigabytes_per_second": report["ceiling"]["gigabytes_per_second"],
    }


def python(interpreter, script, *arguments):
    """What a script of `engines` reports on its last line."""
    output, _ = process([interpreter, "-W", "ignore", script, *arguments])
    return json.loads(output.splitlines()[-1])


def rten(peers, model, threads, steps):
    """RTen's own program, with prepacked weights. It compares its output to PyTorch's."""
    output, peak_memory = process([
        peers.rten, model, "--prepack", "--num-threads", threads, "--n-iters", rows.WARM_UP + steps,
        "--inputs", model.with_suffix(".input.safetensors"),
        "--check-outputs", model.with_suffix(".output.safetensors"),
    ])
    times = [float(text) for text in re.findall(r"#\d+ - Model returned \d+ outputs in ([\d.]+)ms", output)]
    difference = re.search(r"max diff ([\d.eE+-]+)", output)
    if len(times) != rows.WARM_UP + steps or not difference:
        raise Failed(f"RTen printed something else than expected: {output[-500:]}")
    about = json.loads(model.with_suffix(".json").read_text())
    deviation = float(difference.group(1)) / about["largest"]
    check(deviation)
    return {
        "milliseconds": times[rows.WARM_UP:],
        "peak_memory": peak_memory,
        "parameters": about["parameters"],
        "engine_version": environment.RTEN,
        "deviation": deviation,
    }


def check(deviation):
    if not deviation < 1e-3:
        raise Failed(f"its output differs from PyTorch's by {deviation} of the largest logit")


def process(command):
    """Runs a command; its standard output, and the peak of its resident memory in bytes."""
    command = [str(part) for part in command]
    settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=settings
    ) as child:
        try:
            output, errors = communicate(child)
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Failed(f"exit code {child.returncode}: {errors[-1000:].strip()}")
    unit = 1 if sys.platform == "darwin" else 1024
    return output, usage.ru_maxrss * unit


def communicate(child):
    """Both outputs, without waiting for the process, whose memory only `wait4` tells."""
    errors = []
    reader = threading.Thread(target=lambda: errors.append(child.stderr.read()))
    reader.start()
    output = child.stdout.read()
    reader.join()
    return output, errors[0]


def export(row, peers, lock):
    """The network as ONNX, with an input and PyTorch's output; made once, and again when the code changes."""
    scripts = [environment.HERE / "engines" / name for name in ["networks.py", "export_onnx.py"]]
    digest = environment.digest(*scripts, environment.PINS)
    model = peers.cache / f"models-{digest}" / f"{row.name}.onnx"
    if not model.with_suffix(".json").exists():
        environment.say(f"exporting {model}")
        model.parent.mkdir(exist_ok=True)
        with environment.locked(lock):
            process([peers.python, "-W", "ignore", scripts[-1], row.network, row.batch, row.size, model])
    return model
