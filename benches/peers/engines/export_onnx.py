"""Writes a network as ONNX: python export_onnx.py NETWORK BATCH SIZE FILE.onnx

Beside it, the weights, a random input and PyTorch's output for it, and what is in the file (last: it is the mark of a complete
export).
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

import networks


def main():
    network_name, batch, size, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
    network = networks.make(network_name).eval()
    images = torch.randn(batch, 3, size, size)
    with torch.inference_mode():
        logits = network(images)
    torch.onnx.export(
        network, (images,), str(path), dynamo=True, external_data=False, input_names=["images"], output_names=["logits"]
    )
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path.with_suffix(".weights.safetensors"))
    save_file({"images": images}, path.with_suffix(".input.safetensors"))
    save_file({"logits": logits}, path.with_suffix(".output.safetensors"))
    about = {
        "network": network_name,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "largest": logits.abs().max().item(),
    }
    path.with_suffix(".json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
