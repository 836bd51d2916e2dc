"""What the tests of models/ share: where things are, and an independent .safetensors reader."""

import json
import os
import struct
import sys

import numpy as np

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = os.path.join(ROOT, "models")
CONVERT = os.path.join(MODELS, "convert")

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from skippable import main, shared_folder, skip_file  # noqa: E402, F401


def read_safetensors(path):
    """(name -> array, metadata) of a float32 file, written from the format's description alone."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors, data = {}, content[8 + length:]
    for name, entry in header.items():
        assert entry["dtype"] == "F32", entry
        first, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[first:end], "<f4").reshape(entry["shape"])
    return tensors, metadata
