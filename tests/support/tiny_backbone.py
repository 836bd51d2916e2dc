#!/usr/bin/env python3
"""Writes a tiny backbone with seeded random weights, so that tests need no download.

    tiny_backbone.py OUTDIR [--seed N]

leaves OUTDIR/tiny.json and OUTDIR/tiny.safetensors: three taps (8, 16 and 24 channels) at strides 4, 8 and 16, built
from every kind of layer that the descriptions know: plain, grouped and pointwise convolutions, max pooling, identity
and projected shortcuts. The biases stand for folded batch norms.
"""
import argparse
import json
import pathlib
import struct

import numpy as np

DESCRIPTION = {
    "name": "tiny",
    "title": "Tiny random network for tests",
    "input": {"mean": [127.5, 127.5, 127.5], "std": [64.0, 64.0, 64.0]},
    "padding": "symmetric",
    "batch_norm_epsilon": 1e-5,
    "epsilon": {"relative": 0.1},
    "weights": {"file": "tiny.safetensors", "licence": "MIT", "source": "tests/support/tiny_backbone.py"},
    "blocks": [
        {
            "name": "stem",
            "layers": [
                {"conv": "conv1", "channels": 8, "kernel": 3, "stride": 2, "activation": "relu"},
                {"max_pool": 3, "stride": 2},
            ],
            "tap": "layer1",
        },
        {
            "name": "layer2.0",
            "layers": [
                {"conv": "layer2.conv1", "channels": 16, "kernel": 3, "stride": 2, "activation": "relu"},
                {"conv": "layer2.conv2", "channels": 16, "kernel": 3},
            ],
            "shortcut": {"conv": "layer2.downsample", "channels": 16, "kernel": 1, "stride": 2},
            "activation": "relu",
            "tap": "layer2",
        },
        {
            "name": "layer3.0",
            "layers": [
                {"conv": "layer3.0.depthwise", "channels": 16, "kernel": 3, "stride": 2, "groups": 16,
                 "activation": "relu6"},
                {"conv": "layer3.0.pointwise", "channels": 24, "kernel": 1},
            ],
        },
        {
            "name": "layer3.1",
            "layers": [
                {"conv": "layer3.1.conv1", "channels": 24, "kernel": 3, "activation": "relu"},
                {"conv": "layer3.1.conv2", "channels": 24, "kernel": 3},
            ],
            "shortcut": "identity",
            "activation": "relu",
            "tap": "layer3",
        },
    ],
}


def convolutions(description):
    """Yields (name, output channels, input channels per group, kernel side) of every convolution, in order."""
    channels = 3
    for block in description["blocks"]:
        block_input = channels
        for layer in block["layers"]:
            if "conv" in layer:
                yield layer["conv"], layer["channels"], channels // layer.get("groups", 1), layer["kernel"]
                channels = layer["channels"]
        shortcut = block.get("shortcut")
        if isinstance(shortcut, dict):
            yield shortcut["conv"], shortcut["channels"], block_input, shortcut["kernel"]


def random_weights(description, seed):
    """He-scaled weights keep the activations of every tap in the same range."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, outputs, inputs, kernel in convolutions(description):
        scale = np.sqrt(2.0 / (inputs * kernel * kernel))
        weight = random.standard_normal((outputs, inputs, kernel, kernel)) * scale
        tensors[f"{name}.weight"] = weight.astype("<f4")
        tensors[f"{name}.bias"] = (random.standard_normal(outputs) * 0.1).astype("<f4")
    return tensors


def save_safetensors(tensors, path):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def write_tiny_backbone(folder, seed=1):
    """Writes both files into `folder` (created where missing) and returns the path of the weights."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.json").write_text(json.dumps(DESCRIPTION, indent=2) + "\n")
    save_safetensors(random_weights(DESCRIPTION, seed), folder / "tiny.safetensors")
    return folder / "tiny.safetensors"


def main():
    parser = argparse.ArgumentParser(description="Writes tiny.json and tiny.safetensors.")
    parser.add_argument("folder", metavar="OUTDIR")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(write_tiny_backbone(arguments.folder, arguments.seed))


if __name__ == "__main__":
    main()
