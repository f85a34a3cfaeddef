"""Measures a 3x3 layer in ONNX Runtime: python measure_layers_onnx.py --groups 1,2,... ..."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

import clock
import layer_arguments


def model(given, groups, random):
    """A convolution and a ReLU."""
    shape = [given.batch, given.channels, given.size, given.size]
    weight = random.standard_normal((given.channels, given.channels // groups, 3, 3), np.float32)
    constants = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.zeros(given.channels, np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("Conv", ["images", "weight", "bias"], ["sums"], group=groups, pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["sums"], ["output"]),
    ]
    ends = [[helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)] for name in ["images", "output"]]
    graph = helper.make_graph(nodes, "layer", *ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def inference(session, images):
    def step():
        return session.run(None, {"images": images})

    return step


def main():
    given = layer_arguments.parse()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = given.threads
    options.inter_op_num_threads = 1
    random = np.random.default_rng(1)
    images = random.standard_normal((given.batch, given.channels, given.size, given.size), np.float32)
    steps = {}
    for groups in given.groups:
        content = model(given, groups, random)
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        steps[groups, "inference"] = inference(session, images)
    clock.report(
        milliseconds=layer_arguments.by_groups(clock.in_turns(steps, given.samples, given.seconds)),
        engine_version=onnxruntime.__version__,
    )


if __name__ == "__main__":
    main()
