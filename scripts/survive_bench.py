"""What survive.py works on: a folder with a tiny backbone, footage and models, a small disk, and the count of a row."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from tiny_backbone import write_tiny_backbone  # noqa: E402

SIZE = (96, 64)
CAPS = f"video/x-raw,format=GRAY8,width={SIZE[0]},height={SIZE[1]},framerate=30/1"
TEST_SOURCE = f"videotestsrc {{options}} pattern=ball ! {CAPS}"
MIB = 1 << 20
MOST_SECONDS = 120


class Skipped(Exception):
    """A row that cannot run here, with the reason."""


def words(text):
    return text.split()


def picture(number, defect):
    """Texture with a little noise of its own; a defect is a bright patch."""
    y, x = np.mgrid[0:SIZE[1], 0:SIZE[0]]
    pixels = 110 + 40 * np.sin(x / 5) * np.cos(y / 7) + np.random.default_rng(number).normal(0, 4, x.shape)
    if defect:
        pixels[20:40, 40:60] = 250
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


class Bench:
    """A folder with a tiny backbone, pictures, footage and models, and the programs that work on them."""

    def __init__(self, folder, build):
        self.folder = folder
        self.environment = os.environ | {
            "PATH": f"{build}/tools/padim:{os.environ['PATH']}",
            "GST_PLUGIN_PATH": f"{build}/gst-plugin",
            "GST_REGISTRY": str(folder / "registry.bin"),
            "PADIM_BACKBONES": f"{folder}/backbone:{ROOT}/models",
            "OMP_WAIT_POLICY": "passive",
        }
        os.environ.update(self.environment)
        write_tiny_backbone(folder / "backbone")
        for name, defects in (("good", []), ("bad", range(24)), ("line", [*range(20, 30), *range(50, 60)])):
            (folder / name).mkdir()
            for number in range(24 if name != "line" else 60):
                picture(number, number in defects).save(folder / name / f"{number:04}.png")
        self.good, self.line = folder / "good", folder / "line"
        self.model, self.other = folder / "part.padim", folder / "other.padim"
        self.ball, self.video = folder / "ball.padim", folder / "video.mkv"
        self.expect(*self.fit(self.model))
        self.expect(*self.fit(self.other, "--augment", 2))
        self.expect(*self.element_fit(self.ball))
        self.expect("gst-launch-1.0", "-q", *words(TEST_SOURCE.format(options="num-buffers=90")), "!", "videoconvert", "!",
                    "x264enc", "!", "matroskamux", "!", "filesink", f"location={self.video}")

    def run(self, *command, seconds=MOST_SECONDS, **options):
        command = list(map(str, command))
        try:
            return subprocess.run(command, env=self.environment, capture_output=True, text=True, errors="replace",
                                  timeout=seconds, check=False, **options)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -9, "", f"hung for {seconds} s")

    def expect(self, *command):
        result = self.run(*command)
        if result.returncode != 0:
            sys.exit(f"survive: {command} failed with {result.returncode}: {result.stderr}")

    def fit(self, model, *options):
        return ["padim", "fit", "--input", self.good, "--output", model, "--backbone", "tiny", *options]

    def detect(self, *options, source=None):
        return ["padim", "detect", "--model", self.model, "--input", source or self.line, *options]

    def element_fit(self, model, frames=40):
        return ["gst-launch-1.0", "-q", *words(TEST_SOURCE.format(options=f"num-buffers={frames}")), "!", "padimfilter",
                "mode=fit", "backbone=tiny", f"model-file={model}", "!", "fakesink"]

    def element_detect(self, *properties, frames=-1, model=None):
        return ["gst-launch-1.0", *words(TEST_SOURCE.format(options=f"num-buffers={frames}")), "!", "padimfilter",
                f"model-file={model or self.ball}", *properties, "!", "fakesink"]

    def is_model(self, file):
        return self.run("padim", "info", file).returncode == 0

    def plays(self, video):
        return self.run("gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!", "fakesink")

    def seconds(self, *command):
        begin = time.monotonic()
        self.expect(*command)
        return time.monotonic() - begin


class Row:
    """What came of one fault: how often it struck, what it left, what failed."""

    def __init__(self, faults=0):
        self.faults = faults
        self.failures = []
        self.notes = {}

    def check(self, right, what):
        if not right:
            self.failures.append(what)

    def count(self, what, number=1):
        self.notes[what] = self.notes.get(what, 0) + number


def folder_for(bench, name):
    folder = bench.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def kill_after(bench, command, seconds, stdout=subprocess.DEVNULL):
    """Kills the command after so long; returns what it printed, and whether it was still running."""
    with subprocess.Popen(list(map(str, command)), env=bench.environment, stdout=stdout, stderr=subprocess.DEVNULL,
                          text=True) as process:
        time.sleep(seconds)
        running = process.poll() is None
        process.kill()
        return process.communicate()[0] or "", running


def sweep(row, folder, *kept):
    """Counts and removes what lies in the folder besides."""
    for file in set(folder.iterdir()) - set(kept):
        row.count("left-over files")
        file.unlink()


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


class Disk:
    """A small disk, mounted for a while."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(exist_ok=True)

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skipped("mounting a disk needs root")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", self.folder], capture_output=True).returncode:
            raise Skipped("no disk can be mounted here")
        return self

    def fill(self):
        with open(self.folder / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def protect(self):
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


def dataset(bench):
    """The pictures in the layout of MVTec AD."""
    data = bench.folder / "data"
    if not data.exists():
        for part, name in (("train/good", "good"), ("test/good", "good"), ("test/bad", "bad")):
            shutil.copytree(bench.folder / name, data / "part" / part)
        mask = np.zeros(SIZE[::-1], np.uint8)
        mask[20:40, 40:60] = 255
        (data / "part" / "ground_truth" / "bad").mkdir(parents=True)
        for number in range(24):
            Image.fromarray(mask).save(data / "part/ground_truth/bad" / f"{number:04}_mask.png")
    return data
