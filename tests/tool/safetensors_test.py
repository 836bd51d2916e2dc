"""A model opened by Python's own safetensors package, which is fetched from PyPI into the build folder once."""
import importlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

import numpy as np

from tool_case import ToolCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from skippable import main  # noqa: E402

REQUIREMENT = "safetensors==0.5.3"


def find_package():
    """The package installed, or fetched into the cache; skips where neither can be had."""
    try:
        return importlib.import_module("safetensors.numpy"), importlib.import_module("safetensors")
    except ImportError:
        pass
    folder = pathlib.Path(os.environ["PADIM_TEST_CACHE"]) / REQUIREMENT.replace("==", "-")
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, REQUIREMENT]
        if subprocess.run(command, check=False).returncode != 0:
            raise unittest.SkipTest(f"{REQUIREMENT} is neither installed nor to be had from PyPI")
    sys.path.insert(0, str(folder))
    return importlib.import_module("safetensors.numpy"), importlib.import_module("safetensors")


class Safetensors(ToolCase):
    def test_model_opens_with_the_format_s_own_package(self):
        numpy_part, package = find_package()
        model = self.shared_model()
        tensors = numpy_part.load_file(model)
        with package.safe_open(str(model), framework="numpy") as file:
            metadata = file.metadata()
        info = json.loads(metadata["model"])
        positions, d = info["positions"][0] * info["positions"][1], info["dimensions"]
        self.assertEqual(metadata["format"], "padim-model")
        self.assertEqual((tensors["mean"].shape, tensors["mean"].dtype), ((positions, d), np.float32))
        self.assertEqual((tensors["whitener"].shape, tensors["whitener"].dtype),
                         ((positions, d * (d + 1) // 2), np.float16))
        self.assertEqual(tensors["comoment"].shape, (positions, d * (d + 1) // 2))
        self.assertTrue(all(np.isfinite(tensors[name]).all() for name in ("mean", "whitener", "comoment")))

    def test_weights_open_too(self):
        numpy_part, _ = find_package()
        self.assertGreater(len(numpy_part.load_file(self.weights)), 5)


if __name__ == "__main__":
    main()
