"""What the tests of the examples share: a short rendered scene, and running an example on it with the real backbone."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples" / "pipelines"
BACKBONE = "efficientnet_lite0.safetensors"
SKIPPED = 77
SMALL = (64, 48)


def backbones():
    """The folders that hold the default backbone's weights: made by scripts/setup.sh, or by other tests."""
    folders = [pathlib.Path(os.environ[name]) for name in ("PADIM_MODELS", "PADIM_TEST_CACHE")]
    return [folder for folder in folders if (folder / BACKBONE).is_file()]


def decode(video, size=SMALL, channels=1):
    """Decodes a video to the end; returns its frames, small, grey or in the three channels of RGB."""
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!", "videoconvert", "!",
               "videoscale", "!", f"video/x-raw,format={'GRAY8' if channels == 1 else 'RGB'},width={size[0]},height={size[1]}",
               "!", "fdsink", "fd=1"]
    result = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{video} does not play: {result.stderr.decode()}")
    shape = (-1, size[1], size[0]) + ((channels,) if channels > 1 else ())
    return np.frombuffer(result.stdout, np.uint8).reshape(shape).astype(int)


def parse_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class ExampleCase(unittest.TestCase):
    """Runs examples without a display, in a folder where the sample scene and its model lie as after the demo."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="padim-examples-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.environment = os.environ | {
            "DEMO_DIR": str(cls.folder),
            "PADIM_BACKBONES": ":".join(map(str, backbones())),
            "PATH": f"{os.environ['PADIM_BUILD']}/tools/padim:{os.environ['PATH']}",
        }
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            cls.environment.pop(name, None)
        cls.execute("padim", "sample", "--output", cls.folder / "sample", "--fit-frames", 200,
                    "--inspect-frames", 80)
        cls.example("01-fit-recording.sh")
        cls.scene = json.loads((cls.folder / "sample" / "sample.json").read_text())

    @classmethod
    def execute(cls, *command, **options):
        """Runs a command; it must succeed."""
        command = list(map(str, command))
        result = subprocess.run(command, env=cls.environment, capture_output=True, text=True, timeout=120,
                                stdin=subprocess.DEVNULL, check=False, **options)
        if result.returncode != 0:
            raise AssertionError(f"{command} failed with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result

    def play(self, *command, seconds=30):
        """Runs a command until its stream ends, or Ctrl-C after some seconds: the end of an RTSP stream may go unnoticed
        when its last packets are lost."""
        with subprocess.Popen(list(map(str, command)), env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                _, errors = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)

    @classmethod
    def example(cls, name, *options):
        return cls.execute(EXAMPLES / name, *options)

    def assert_scene_judged(self, records):
        """One record per frame of the inspection footage; every defect found, no normal frame reported."""
        self.assertEqual([record["frame"] for record in records], list(range(self.scene["inspection"]["frames"])))
        for stretch in self.scene["stretches"]:
            verdicts = {record["anomalous"] for record in records[stretch["begin"]:stretch["end"]]}
            self.assertEqual(verdicts, {stretch["kind"] != "normal"}, stretch)


def main():
    if not backbones():
        print(f"skipped: {BACKBONE} is missing; scripts/setup.sh fetches it")
        sys.exit(SKIPPED)
    unittest.main()
