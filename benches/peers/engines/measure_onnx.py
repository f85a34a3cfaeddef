"""Measures ONNX Runtime or OpenVINO: python measure_onnx.py ENGINE FILE.onnx --batch N ...

Both have to give PyTorch's output for the input beside the file.
"""

import argparse
import importlib
import json
import pathlib

import numpy as np
from safetensors.numpy import load_file

import clock


def load_onnx_runtime(onnxruntime, path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def load_openvino(openvino, path, threads, precision):
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    # The images are shared with the request, as the other engines read them where they are.
    return lambda images: request.infer([images], share_inputs=True, share_outputs=True)[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("model", type=pathlib.Path)
    for name in ["batch", "threads", "steps", "warm-up"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()

    images = load_file(given.model.with_suffix(".input.safetensors"))["images"]
    expected = load_file(given.model.with_suffix(".output.safetensors"))["logits"]
    about = json.loads(given.model.with_suffix(".json").read_text())
    assert len(images) == given.batch
    module = importlib.import_module("onnxruntime" if given.engine == "ONNX Runtime" else "openvino")
    libraries = clock.peak_memory()
    model = str(given.model)
    half = given.engine == "OpenVINO bf16"
    if given.engine == "ONNX Runtime":
        infer = load_onnx_runtime(module, model, given.threads)
    else:
        infer = load_openvino(module, model, given.threads, "bf16" if half else "f32")
    deviation = float(np.abs(infer(images) - expected).max()) / about["largest"]
    times = clock.measure(lambda: infer(images), given.steps, given.warm_up)
    tolerance = 0.1 if half else 1e-3
    if not deviation < tolerance:
        raise SystemExit(f"the output differs from PyTorch's by {deviation} of the largest logit")
    clock.report(
        milliseconds=times,
        parameters=about["parameters"],
        network=about["network"],
        deviation=deviation,
        library_memory=libraries,
        engine_version=module.__version__.split("-")[0],
    )


if __name__ == "__main__":
    main()
