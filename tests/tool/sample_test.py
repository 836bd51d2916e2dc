"""The sample scene: the same for the same seed, truthful, and inspected from end to end as videos."""
import json
import subprocess
import unittest

import numpy as np
from PIL import Image

from tool_case import ToolCase, parse_lines, run

FRAMES = ["--fit-frames", "24", "--inspect-frames", "40"]


def decoded(video):
    """Every byte of every decoded frame."""
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!", "fdsink"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120).stdout


class Sample(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sample = cls.shared / "sample"
        result = run("sample", "--output", cls.sample, *FRAMES)
        assert result.returncode == 0, result.stderr
        cls.description = json.loads((cls.sample / "sample.json").read_text())

    def masks(self):
        return {int(file.stem[6:]): np.asarray(Image.open(file)) for file in (self.sample / "truth").iterdir()}

    def test_timeline_covers_the_footage_with_at_least_five_kinds(self):
        stretches = self.description["stretches"]
        self.assertEqual(stretches[0]["begin"], 0)
        self.assertEqual(stretches[-1]["end"], 40)
        for before, after in zip(stretches, stretches[1:]):
            self.assertEqual(before["end"], after["begin"])
        self.assertGreaterEqual(len({stretch["kind"] for stretch in stretches} - {"normal"}), 5)
        normal = sum(stretch["end"] - stretch["begin"] for stretch in stretches if stretch["kind"] == "normal")
        self.assertGreaterEqual(normal, 20)

    def test_masks_belong_to_the_anomalous_frames_alone(self):
        anomalous = {frame for stretch in self.description["stretches"] if stretch["kind"] != "normal"
                     for frame in range(stretch["begin"], stretch["end"])}
        masks = self.masks()
        self.assertEqual(set(masks), anomalous)
        for mask in masks.values():
            self.assertEqual(mask.shape, (480, 640))
            self.assertTrue(set(np.unique(mask)) <= {0, 255})
            self.assertTrue(1e-4 < (mask > 0).mean() < 0.05)

    def test_the_same_seed_gives_the_same_frames_and_masks(self):
        again, other = self.folder / "again", self.folder / "other"
        self.assertEqual(run("sample", "--output", again, *FRAMES).returncode, 0)
        self.assertEqual(run("sample", "--output", other, *FRAMES, "--seed", "7").returncode, 0)
        for name in ("normal.mp4", "inspection.mp4"):
            self.assertEqual(decoded(self.sample / name), decoded(again / name))
            self.assertNotEqual(decoded(self.sample / name), decoded(other / name))
        for file in (self.sample / "truth").iterdir():
            self.assertEqual(file.read_bytes(), (again / "truth" / file.name).read_bytes())

    def test_the_footage_has_as_many_frames_as_it_says(self):
        frame = 640 * 480 * 3 // 2
        self.assertEqual(len(decoded(self.sample / "normal.mp4")), 24 * frame)
        self.assertEqual(len(decoded(self.sample / "inspection.mp4")), 40 * frame)

    def test_old_masks_do_not_survive_a_shorter_run(self):
        output = self.folder / "s"
        self.assertEqual(run("sample", "--output", output, *FRAMES).returncode, 0)
        (output / "truth" / "frame_000999.png").write_bytes(b"old")
        (output / "truth" / "notes.txt").write_text("mine")
        self.assertEqual(run("sample", "--output", output, "--fit-frames", "10", "--inspect-frames", "40").returncode, 0)
        self.assertFalse((output / "truth" / "frame_000999.png").exists())
        self.assertTrue((output / "truth" / "notes.txt").exists())

    def test_videos_end_to_end(self):
        model, video, maps = self.folder / "m.padim", self.folder / "out.mkv", self.folder / "maps"
        fitted = self.fit(self.sample / "normal.mp4", model)
        self.assertEqual(fitted.returncode, 0, fitted.stderr)
        self.assertIn("false-alarm rate 0.001 per frame", fitted.stderr)
        self.assertIn("24 frames", fitted.stdout)
        result = self.detect(self.sample / "inspection.mp4", "--json", "-", "--output", video, "--maps", maps,
                             "--ground-truth", self.sample / "truth", model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        records = parse_lines(result.stdout)
        self.assertEqual([record["frame"] for record in records], list(range(40)))
        for number, record in enumerate(records):
            self.assertAlmostEqual(record["pts_ns"], number * 1e9 / 30, delta=1e6)
        self.assertTrue((maps / "frame_000039.npy").exists())
        # Even a random network, fitted on less than a second, tells most defects from the noise.
        self.assertGreater(float(result.stderr.split("image AUROC")[1].split()[0]), 0.8)
        replayed = parse_lines(self.detect(video, "--json", "-", model=model).stdout)
        self.assertEqual(len(replayed), 40)
        for before, after in zip(records, replayed):  # Matroska counts milliseconds
            self.assertAlmostEqual(before["pts_ns"], after["pts_ns"], delta=1e6)

    def test_a_recording_that_is_cut_off_is_named(self):
        model, whole, cut = self.folder / "m.padim", self.folder / "whole.mkv", self.folder / "cut.mkv"
        self.assertEqual(run("sample", "--output", self.folder / "long", "--fit-frames", "90",
                             "--inspect-frames", "40").returncode, 0)
        source = self.folder / "long" / "normal.mp4"
        self.assertEqual(self.fit(source, model).returncode, 0)
        result = self.detect(source, "--output", whole, model=model)
        self.assertNotIn("cut off", result.stderr)
        cut.write_bytes(whole.read_bytes()[:whole.stat().st_size // 3])
        result = self.detect(cut, model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"'{cut}' ends after", result.stderr)

    def test_annotated_frames_of_a_video_are_numbered(self):
        model, output = self.folder / "m.padim", self.folder / "frames"
        self.assertEqual(self.fit(self.sample / "normal.mp4", model).returncode, 0)
        self.assertEqual(self.detect(self.sample / "inspection.mp4", "--output", output, model=model).returncode, 0)
        self.assertEqual(sorted(file.name for file in output.iterdir()), [f"frame_{n:06}.png" for n in range(40)])
        with Image.open(output / "frame_000000.png") as image:
            self.assertEqual(image.size, (640, 480))


if __name__ == "__main__":
    unittest.main()
