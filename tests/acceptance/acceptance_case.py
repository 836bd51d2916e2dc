"""What the acceptance tests share: the tool and gst-launch-1.0 as a user runs them, and reading what they leave."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from skippable import main, shared_folder  # noqa: E402, F401

CACHE = pathlib.Path(os.environ["PADIM_TEST_CACHE"])


def converted_weights(backbone):
    """The backbone's weights, converted into the test cache on first use; None where their source is absent."""
    for folder in (ROOT / "models", CACHE):
        if (folder / f"{backbone}.safetensors").exists():
            return folder / f"{backbone}.safetensors"
    source = shared_folder("weights", f"{backbone}-npy")
    if source is None and backbone != "efficientnet_lite0":
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"{backbone}.safetensors"
    command = [sys.executable, ROOT / "models" / "convert", source or "--fetch", "--backbone", backbone,
               "--output", target]
    return target if subprocess.run(command, check=False).returncode == 0 else None


def read_records(file):
    return [json.loads(line) for line in pathlib.Path(file).read_text().splitlines()]


class AcceptanceCase(unittest.TestCase):
    """A folder for the class; weights and reference data, or a skip with the reason."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="padim-acceptance-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    @classmethod
    def need_weights(cls, backbone):
        file = converted_weights(backbone)
        if file is None:
            raise unittest.SkipTest(f"the weights of {backbone} cannot be had here")
        return file

    @classmethod
    def need_shared(cls, *parts):
        path = shared_folder(*parts)
        if path is None:
            raise unittest.SkipTest(f"the reference data {'/'.join(parts)} is not here")
        return pathlib.Path(path)

    @staticmethod
    def run_command(*command):
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False,
                                stdin=subprocess.DEVNULL)
        assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}\n{result.stderr}"
        return result

    @classmethod
    def padim(cls, *arguments):
        return cls.run_command(os.environ["PADIM_TOOL"], *arguments)

    @classmethod
    def launch(cls, pipeline, *elements):
        """Runs gst-launch-1.0 with `pipeline` (words) followed by `! element`, each a string of words."""
        words = pipeline.split() + [word for element in elements for word in ["!", *element.split()]]
        result = cls.run_command("gst-launch-1.0", *words)
        assert "CRITICAL" not in result.stderr, result.stderr
        return result
