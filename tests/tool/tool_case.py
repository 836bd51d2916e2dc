"""What the tests of the tool share: running it, and small inputs to run it on."""
import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tiny_backbone import write_tiny_backbone  # noqa: E402

TOOL = os.environ["PADIM_TOOL"]
SIZE = (96, 64)  # width, height: a network input of few positions, so that every test is quick


def run(*arguments, tool=TOOL, **options):
    """Runs the tool; the result holds returncode, stdout and stderr as text."""
    command = [str(tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def picture(number, defect=False):
    """A textured picture with a little noise of its own; a defect is a bright patch at (40..56, 24..36)."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width]
    texture = 110 + 40 * np.sin(x / 5) * np.cos(y / 7)
    pixels = np.stack([texture, texture * 0.8 + 20, 200 - texture], axis=-1)
    pixels += np.random.default_rng(number).normal(0, 4, pixels.shape)
    if defect:
        pixels[24:36, 40:56] = (250, 240, 60)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def mask():
    """Where picture(..., defect=True) is defective."""
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    pixels[24:36, 40:56] = 255
    return pixels


def save_picture(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_many(folder, count):
    """The same picture `count` times, each a file of its own: long enough to be interrupted, and small."""
    folder.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    Image.fromarray(picture(1)).save(file, "JPEG", quality=20)
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(file.getvalue())


def parse_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def wait_until_caught(process, number):
    """Waits until the process handles the signal, as /proc tells."""
    while process.poll() is None:
        for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:") and int(line.split()[1], 16) >> (number - 1) & 1:
                return
    raise AssertionError(f"ended with {process.returncode} before it caught signal {number}")


def reads_from(folder):
    """Whether a process has a file below the folder open, as /proc tells."""
    def reads(process):
        names = []
        for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                names.append(link.readlink())
        return any(name.is_relative_to(folder) for name in names)
    return reads


class ToolCase(unittest.TestCase):
    """A folder for the class with a tiny backbone, and one for every test."""

    @classmethod
    def setUpClass(cls):
        cls._shared = tempfile.TemporaryDirectory(prefix="padim-tool-")
        cls.addClassCleanup(cls._shared.cleanup)
        cls.shared = pathlib.Path(cls._shared.name)
        cls.weights = write_tiny_backbone(cls.shared / "backbone")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="padim-tool-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @classmethod
    def backbone(cls):
        return ["--backbone", "tiny", "--backbone-file", cls.weights, "--precision", "float32", "--threads", "1"]

    @classmethod
    def shared_model(cls):
        """A model of normal pictures, fitted once for the class; the pictures lie in shared / "good"."""
        model = cls.shared / "shared.padim"
        if not model.exists():
            for number in range(24):
                save_picture(cls.shared / "good" / f"{number:02}.png", picture(number))
            result = run("fit", "--input", cls.shared / "good", "--output", model, *cls.backbone())
            assert result.returncode == 0, result.stderr
        return model

    def fit(self, source, model, *options):
        return run("fit", "--input", source, "--output", model, *self.backbone(), *options)

    def detect(self, source, *options, model=None):
        model = model or self.shared_model()
        return run("detect", "--model", model, "--input", source, *self.backbone(), *options)

    def scores(self, source, *options):
        """Raw score by file name."""
        result = self.detect(source, "--json", "-", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return {pathlib.Path(record["source"]).name: record["raw_score"] for record in parse_lines(result.stdout)}

    def assert_fails(self, result, status, *parts):
        """One sentence on stderr that begins with the tool's name and holds every part; no trace of a crash."""
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertTrue(result.stderr.startswith("padim: "), result.stderr)
        for part in parts:
            self.assertIn(str(part), result.stderr)

    def interrupt(self, *arguments, works):
        """Starts the tool, sends SIGINT once `works`, given the process, is true, and returns its result."""
        command = [TOOL, *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            wait_until_caught(process, signal.SIGINT)
            while process.poll() is None and not works(process):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)
