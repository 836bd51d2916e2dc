"""The main path: fit a folder or a video, look at the model, detect, and read every kind of result."""
import json
import pathlib
import unittest

import numpy as np
from PIL import Image

from tool_case import SIZE, ToolCase, mask, parse_lines, picture, run, save_picture

FIELDS = ["source", "frame", "state", "raw_score", "score", "threshold", "anomalous", "regions"]


def auroc(scores, labels):
    """Mann-Whitney with ties counted half, by comparison with every value: slow and plain."""
    normal = np.sort(scores[~labels])
    below = np.searchsorted(normal, scores[labels], "left") + np.searchsorted(normal, scores[labels], "right")
    return below.sum() / 2 / (len(normal) * labels.sum())


class Fit(ToolCase):
    def test_summary_says_what_was_fitted_and_which_rate_was_taken(self):
        self.shared_model()
        model = self.folder / "m.padim"
        result = self.fit(self.shared / "good", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("24", result.stdout)
        self.assertIn("tiny", result.stdout)
        self.assertIn("false-alarm rate 0.05 per image", result.stderr)
        self.assertTrue(result.stdout.startswith(run("info", model).stdout))
        self.assertIn("Expect the wanted rate within a factor of 2 to 3", result.stdout)

    def test_a_rate_beyond_what_the_images_can_show_is_said_to_be(self):
        self.shared_model()
        result = self.fit(self.shared / "good", self.folder / "m.padim", "--false-alarm-rate", "0.01")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("beyond what so many images can show", result.stdout)

    def test_options_reach_the_model(self):
        self.shared_model()
        model = self.folder / "m.padim"
        result = self.fit(self.shared / "good", model, "--grid", "finest", "--reduction", "random", "--dimensions", "7",
                          "--seed", "3", "--relative-epsilon", "0.2", "--search-radius", "1", "--input-size", "48x32",
                          "--false-alarm-rate", "0.05")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("default", result.stderr)
        info = json.loads(run("info", model, "--json").stdout)
        text = json.dumps(info)
        self.assertIn("finest", text)
        self.assertIn('"dimensions": 7', text)
        self.assertIn('"search_radius": 1', text)
        self.assertIn("0.05", text)

    def test_fit_without_calibration(self):
        self.shared_model()
        model = self.folder / "m.padim"
        result = self.fit(self.shared / "good", model, "--no-calibration")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("false-alarm rate", result.stdout + result.stderr)
        self.assertIn("not calibrated", result.stdout)
        calibration = json.loads(run("info", model, "--json").stdout)["calibration"]
        self.assertEqual((calibration["segments"], calibration["scores"]), (0, []))
        self.assertGreater(calibration["threshold"], 0)

    def test_fit_is_repeatable(self):
        self.shared_model()
        models = [self.folder / "a.padim", self.folder / "b.padim"]
        for model in models:
            self.assertEqual(self.fit(self.shared / "good", model).returncode, 0)
        self.assertEqual(models[0].read_bytes(), models[1].read_bytes())


class Detect(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_model()
        for number in range(100, 106):
            save_picture(cls.shared / "mixed" / "good" / f"{number}.png", picture(number))
            save_picture(cls.shared / "mixed" / "bad" / f"{number}.png", picture(number, defect=True))
            save_picture(cls.shared / "truth" / "bad" / f"{number}_mask.png", mask())
        cls.mixed = cls.shared / "mixed"

    def test_json_lines_have_the_documented_fields_in_order(self):
        result = self.detect(self.mixed, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        records = parse_lines(result.stdout)
        self.assertEqual(len(records), 12)
        for number, record in enumerate(records):
            self.assertEqual(list(record), FIELDS)
            self.assertEqual((record["frame"], record["state"]), (number, "detect"))
            self.assertEqual(record["anomalous"], record["score"] >= record["threshold"])
            self.assertEqual(record["anomalous"], bool(record["regions"]))
        self.assertEqual([record["source"] for record in records], sorted(record["source"] for record in records))
        bad = [record for record in records if "/bad/" in record["source"]]
        self.assertTrue(all(record["anomalous"] for record in bad))
        region = bad[0]["regions"][0]
        self.assertEqual(list(region), ["x", "y", "width", "height", "area", "score"])
        self.assertTrue(region["x"] <= 48 < region["x"] + region["width"])
        self.assertTrue(region["y"] <= 30 < region["y"] + region["height"])

    def test_json_file_equals_standard_output(self):
        file = self.folder / "scores.jsonl"
        self.assertEqual(self.detect(self.mixed, "--json", file).returncode, 0)
        self.assertEqual(file.read_text(), self.detect(self.mixed, "--json", "-").stdout)

    def test_threshold_changes_the_verdict_and_nothing_else(self):
        strict, lenient = (parse_lines(self.detect(self.mixed, "--json", "-", "--threshold", value).stdout)
                           for value in (0.01, 1))
        self.assertTrue(all(record["anomalous"] for record in strict))
        self.assertFalse(any(record["anomalous"] for record in lenient))
        self.assertEqual([record["raw_score"] for record in strict], [record["raw_score"] for record in lenient])

    def test_maps_are_float32_and_their_maximum_is_the_score(self):
        maps = self.folder / "maps"
        records = parse_lines(self.detect(self.mixed, "--json", "-", "--maps", maps).stdout)
        for record in records:
            relative = pathlib.Path(record["source"]).relative_to(self.mixed)
            values = np.load(maps / relative.with_suffix(".npy"))
            self.assertEqual(values.dtype, np.float32)
            self.assertEqual(values.ndim, 2)
            self.assertLess(values.shape[0], values.shape[1])
            self.assertAlmostEqual(values.max(), record["raw_score"], delta=1e-4 * record["raw_score"])

    def test_annotated_folder_keeps_names_and_marks_only_the_defect(self):
        output = self.folder / "out"
        self.assertEqual(self.detect(self.mixed, "--output", output, "--overlay", "heatmap").returncode, 0)
        before = np.asarray(Image.open(self.mixed / "bad" / "100.png"), np.int16)
        after = np.asarray(Image.open(output / "bad" / "100.png"), np.int16)
        self.assertEqual(before.shape, after.shape)
        changed = np.abs(before - after).max(axis=-1) > 8
        self.assertTrue(changed[30, 48])
        self.assertFalse(changed[:4, :4].any())
        good = np.asarray(Image.open(output / "good" / "100.png"))
        self.assertEqual(len(list(output.rglob("*.png"))), 12)
        self.assertEqual(good.shape, (SIZE[1], SIZE[0], 3))

    def test_overlay_none_leaves_the_pixels_alone(self):
        output = self.folder / "out.png"
        source = self.mixed / "bad" / "100.png"
        self.assertEqual(self.detect(source, "--output", output, "--overlay", "none").returncode, 0)
        np.testing.assert_array_equal(np.asarray(Image.open(output)), np.asarray(Image.open(source)))

    def test_quality_agrees_with_numpy(self):
        maps = self.folder / "maps"
        result = self.detect(self.mixed, "--json", self.folder / "s.jsonl", "--maps", maps,
                             "--ground-truth", self.shared / "truth")
        self.assertEqual(result.returncode, 0, result.stderr)
        records = parse_lines((self.folder / "s.jsonl").read_text())
        labels = np.array(["/bad/" in record["source"] for record in records])
        images = auroc(np.array([record["raw_score"] for record in records]), labels)
        self.assertIn(f"image AUROC  {images:.4f}", result.stdout)
        scores, pixels = [], []
        for record, bad in zip(records, labels):
            relative = pathlib.Path(record["source"]).relative_to(self.mixed)
            values = np.load(maps / relative.with_suffix(".npy"))
            rows = ((np.arange(values.shape[0]) + 0.5) * SIZE[1] / values.shape[0]).astype(int)
            columns = ((np.arange(values.shape[1]) + 0.5) * SIZE[0] / values.shape[1]).astype(int)
            scores.append(values.ravel())
            pixels.append((mask()[np.ix_(rows, columns)] > 0).ravel() & bad)
        expected = auroc(np.concatenate(scores), np.concatenate(pixels))
        printed = float(result.stdout.split("pixel AUROC")[1].split()[0])
        self.assertAlmostEqual(printed, expected, delta=5e-4)
        found = sum(record["anomalous"] for record in records if "/bad/" in record["source"])
        self.assertIn(f"found        {found} of 6 anomalous frames, {6 - found} missed", result.stdout)

    def test_summary_counts_frames(self):
        result = self.detect(self.mixed)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"padim: 12 frames in .* anomalous")


if __name__ == "__main__":
    unittest.main()
