"""What the tests of models/ share: where things are, an independent .safetensors reader, and skipping."""

import json
import os
import struct
import sys
import unittest

import numpy as np

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = os.path.join(ROOT, "models")
CONVERT = os.path.join(MODELS, "convert")
SKIPPED = 77


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


def shared_folder(*parts):
    """A path below $PADIM_SHARED (the folder of reference data), or None where there is none."""
    path = os.path.join(os.environ.get("PADIM_SHARED", ""), *parts)
    return path if os.environ.get("PADIM_SHARED") and os.path.exists(path) else None


def skip_file(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def main():
    """unittest.main(), with exit code 77 when every test was skipped."""
    result = unittest.main(exit=False, verbosity=2).result
    if result.wasSuccessful() and result.testsRun > 0 and result.testsRun == len(result.skipped):
        skip_file("; ".join(sorted({reason for _, reason in result.skipped})))
    sys.exit(0 if result.wasSuccessful() else 1)
