"""The test case of models/convert: a tiny backbone, and running the converter inside this process."""

import collections
import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest

import numpy as np

from model_test_support import CONVERT, read_safetensors, skip_file

try:
    import torch
except ImportError:
    skip_file("PyTorch for Python (Debian: python3-torch) is not installed, and it makes the files to convert")

sys.path.insert(0, CONVERT)
_SPEC = importlib.util.spec_from_file_location("padim_convert", os.path.join(CONVERT, "__main__.py"))
padim_convert = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(padim_convert)

# Small enough to try every damage: a convolution with its norm, and a shortcut's.
TINY = {"name": "tiny", "blocks": [{
    "name": "stem", "layers": [{"conv": "conv1", "norm": "bn1", "channels": 4, "kernel": 3}],
    "shortcut": {"conv": "down.0", "norm": "down.1", "channels": 4, "kernel": 1}, "tap": "stem"}]}
TINY_SHAPES = {"conv1.weight": (4, 3, 3, 3), "down.0.weight": (4, 3, 1, 1)} | {
    f"{norm}.{part}": (4,) for norm in ("bn1", "down.1") for part in ("weight", "bias", "running_mean", "running_var")}


def tiny_state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = collections.OrderedDict()
    for name, shape in TINY_SHAPES.items():
        state[name] = torch.rand(shape, generator=generator)
    state["bn1.num_batches_tracked"] = torch.tensor(7)
    state["fc.weight"] = torch.rand(5, 4)
    return state


def saved(state, **options):
    stream = io.BytesIO()
    torch.save(state, stream, **options)
    return stream.getvalue()


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def both_formats(state):
    return {"zip": saved(state), "legacy": saved(state, _use_new_zipfile_serialization=False)}


class ConvertCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.output = self.path("out.safetensors")
        os.mkdir(self.path("models"))
        with open(self.path("models/tiny.json"), "w") as file:
            json.dump(TINY, file)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def convert(self, source, backbone="tiny", models=None, output=None):
        """(exit code, standard output, standard error)"""
        out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
        arguments = [source, "--backbone", backbone, "--models", models or self.path("models")]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = padim_convert.main([*arguments, "--output", output or self.output])
        return code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()

    def assert_converts(self, source, expected, **options):
        code, _, error = self.convert(source, **options)
        self.assertEqual((code, error), (0, ""))
        tensors, _ = read_safetensors(self.output)
        self.assertEqual(list(tensors), sorted(expected))
        for name, tensor in expected.items():
            np.testing.assert_array_equal(tensors[name], tensor.detach().float().numpy(), err_msg=name)

    def assert_refused(self, source, *words, **options):
        """One line that names the file and every one of `words`, no output and nothing left behind."""
        before = set(os.listdir(self.folder))
        code, out, error = self.convert(source, **options)
        self.assertEqual((code, out), (1, ""), error)
        self.assert_one_line(error)
        for word in (os.path.basename(source), *words):
            self.assertIn(word, error)
        self.assertEqual(set(os.listdir(self.folder)), before)

    def assert_one_line(self, error):
        self.assertRegex(error, r"\Apadim-convert: [^\n]+; [^\n]+\n\Z")
