"""What thresholds cost, and thresholds that are chosen: the table, the choice, the curve, in a fit and afterwards."""
import json
import math
import os
import re
import shutil
import unittest

import numpy as np
from PIL import Image

from tool_case import ToolCase, parse_lines, picture, run, save_many, save_picture

RATES = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001]
ROW = re.compile(r"([> ]) (in force|[\d.]+)( \*)? +([\d.]+) +(\d+) of (\d+) +([\d.]+)(?: +(\d+) of (\d+) +([\d.]+))?$")


def threshold_at(calibration, rate):
    """Of separate images, by the definitions in docs/calibration.md: the conformal quantile, or with few images the
    predictive Gumbel quantile of the moments."""
    scores, distinct = np.sort(calibration["scores"]), calibration["distinct"]
    if distinct >= 3 / rate - 1:
        quantile = scores[math.ceil(round((len(scores) + 1) * (1 - rate), 6)) - 1]
    else:
        deviation = np.std(scores, ddof=1)
        beta = deviation * math.sqrt(6) / math.pi
        k = (-math.log(-math.log(1 - rate)) - np.euler_gamma) * math.sqrt(6) / math.pi
        variance = deviation ** 2 * (1 + 1.1396 * k + 1.1 * k ** 2) / distinct
        quantile = np.mean(scores) + k * deviation + variance / (2 * beta)
    return calibration["order_factor"] * quantile


def highest_that_misses(scores, share):
    """By trial: of the scores themselves, as the share changes nowhere else."""
    return max(t for t in scores if np.mean(scores < t) <= share)


def rows(text):
    """The lines of the table, taken apart."""
    found = [ROW.match(line) for line in text.splitlines()]
    return [match.groups() for match in found if match]


class ThresholdCase(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_model()
        cls.defects = cls.shared / "bad"
        for number in range(12):
            strength = 0.01 * number
            pixels = (1 - strength) * picture(300 + number) + strength * picture(300 + number, defect=True)
            save_picture(cls.defects / f"{number:02}.png", pixels.astype(np.uint8))
        cls.held_out = np.array(cls.calibration(cls.shared_model())["scores"])

    @staticmethod
    def calibration(model):
        return json.loads(run("info", model, "--json").stdout)["calibration"]

    def threshold(self, *options, model=None):
        return run("threshold", model or self.shared_model(), *self.backbone(), *options)

    def chosen(self, *options):
        """The model that was written with the threshold that `options` choose, and what was said."""
        model = self.folder / "chosen.padim"
        result = self.threshold(*options, "--output", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        return model, result

    def defect_scores(self):
        return np.array(list(self.scores(self.defects).values()))


class Table(ThresholdCase):
    def test_rows_count_the_scores_of_held_out_frames_and_defects(self):
        result = self.threshold("--defects", self.defects)
        self.assertEqual(result.returncode, 0, result.stderr)
        defects, found = self.defect_scores(), rows(result.stdout)
        self.assertGreaterEqual(len(found), len(RATES))
        for _, _, _, raw, above, held_out, share, missed, count, missed_share in found:
            t, slack = float(raw), 1e-4 * float(raw)  # it is printed with five digits
            self.assertEqual((int(held_out), int(count)), (len(self.held_out), len(defects)))
            self.assertTrue(np.sum(self.held_out >= t + slack) <= int(above) <= np.sum(self.held_out >= t - slack))
            self.assertTrue(np.sum(defects < t - slack) <= int(missed) <= np.sum(defects < t + slack))
            self.assertEqual((share, missed_share), (f"{int(above) / int(held_out):.3f}", f"{int(missed) / int(count):.3f}"))
        self.assertGreater(len({row[7] for row in found}), 1)  # the defects tell the thresholds apart

    def test_thresholds_are_quantiles_and_rise(self):
        found = rows(self.threshold().stdout)
        thresholds = [float(row[3]) for row in found]
        self.assertEqual(thresholds, sorted(thresholds))
        by_rate = {float(row[1]): row for row in found if row[1] != "in force"}
        self.assertEqual(sorted(by_rate, reverse=True), RATES)
        for rate, row in by_rate.items():
            self.assertAlmostEqual(float(row[3]) / threshold_at(self.calibration(self.shared_model()), rate), 1, delta=6e-5)
            self.assertEqual(row[2] is not None, rate < 1 / (len(self.held_out) + 1))

    def test_the_threshold_in_force_is_marked(self):
        for options, label in ((["--raw", "33.25"], "in force"), (["--false-alarm-rate", "0.1"], "0.1")):
            model, result = self.chosen(*options)
            marked = [row for row in rows(result.stdout) if row[0] == ">"]
            self.assertEqual([row[1] for row in marked], [label])
            self.assertAlmostEqual(float(marked[0][3]) / self.calibration(model)["threshold"], 1, delta=6e-5)
            self.assertEqual(rows(self.threshold(model=model).stdout), rows(result.stdout))
        marked = [row for row in rows(self.threshold().stdout) if row[0] == ">"]
        self.assertAlmostEqual(float(marked[0][3]) / self.calibration(self.shared_model())["threshold"], 1, delta=6e-5)

    def test_it_is_narrow_and_says_where_it_extrapolates(self):
        result = self.threshold("--defects", self.defects)
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 80)
        self.assertIn(f"> in force; * extrapolated: {len(self.held_out)} held-out scores measure no rate below "
                      f"{1 / (len(self.held_out) + 1):.2g}", result.stdout)

    def test_without_defects_none_is_missed(self):
        result = self.threshold()
        self.assertNotIn("missed", result.stdout)
        self.assertEqual({row[7:] for row in rows(result.stdout)}, {(None, None, None)})

    def test_a_fit_prints_the_same(self):
        model = self.folder / "m.padim"
        for options in ([], ["--defects", self.defects]):
            result = self.fit(self.shared / "good", model, *options)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, run("info", model).stdout + self.threshold(*options).stdout)
            self.assertEqual(model.read_bytes(), self.shared_model().read_bytes())

    def test_defects_can_be_a_video(self):
        video = self.folder / "bad.mp4"
        self.assertEqual(self.detect(self.defects, "--output", video, "--overlay", "none").returncode, 0)
        result = self.threshold("--defects", video)
        self.assertEqual({row[8] for row in rows(result.stdout)}, {"12"}, result.stderr)


class Choice(ThresholdCase):
    def test_no_higher_threshold_misses_as_few(self):
        defects = self.defect_scores()
        for share in (0, 0.1, 0.25, 0.5, 0.99):
            with self.subTest(share):
                model, result = self.chosen("--defects", self.defects, "--missed-at-most", share)
                expected = highest_that_misses(defects, share)
                self.assertAlmostEqual(self.calibration(model)["threshold"] / expected, 1, delta=1e-6)
                missed, alarms = np.sum(defects < expected), np.sum(self.held_out >= expected)
                self.assertIn(f"Held-out normal scores that reach it: {alarms} of {len(self.held_out)} "
                              f"({alarms / len(self.held_out):.3f}). Defects that do not: {missed} of 12 "
                              f"({missed / 12:.3f}).\n", result.stdout)
                records = parse_lines(self.detect(self.defects, "--json", "-", model=model).stdout)
                self.assertEqual(sum(not record["anomalous"] for record in records), missed)

    def test_all_else_stays_in_the_model(self):
        model, _ = self.chosen("--raw", "33.25")
        before, after = (json.loads(run("info", file, "--json").stdout) for file in (self.shared_model(), model))
        self.assertEqual((after["calibration"]["threshold"], after["calibration"]["rule"]), (33.25, "chosen"))
        for info in (before, after):
            del info["calibration"]["threshold"], info["calibration"]["rule"]
        self.assertEqual(before, after)
        self.assertIn("raw score 33.25 (shown as 0.5): chosen, not calibrated", run("info", model).stdout)

    def test_rate_is_that_of_the_table(self):
        for rate in (0.3, 0.05, 0.003):
            model, _ = self.chosen("--false-alarm-rate", rate)
            self.assertAlmostEqual(self.calibration(model)["threshold"] / threshold_at(self.calibration(self.shared_model()), rate), 1, delta=1e-6)

    def test_a_model_may_be_replaced(self):
        model = self.folder / "m.padim"
        model.write_bytes(self.shared_model().read_bytes())
        result = self.threshold("--raw", "20", "--output", model, model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.calibration(model)["threshold"], 20)

    def test_without_output_nothing_is_written(self):
        before = self.shared_model().read_bytes()
        result = self.threshold("--raw", "33.25")
        self.assertEqual(result.returncode, 0)
        self.assertIn("--output", result.stderr)
        self.assertIn("Chosen: raw score 33.25", result.stdout)
        self.assertEqual(self.shared_model().read_bytes(), before)

    def test_a_fit_takes_it(self):
        model = self.folder / "m.padim"
        options = ["--defects", self.defects, "--missed-at-most", "0.25"]
        for more in ([], ["--false-alarm-rate", "0.2"], ["--strip"]):
            result = self.fit(self.shared / "good", model, *options, *more)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(result.stdout.startswith(run("info", model).stdout))
            self.assertAlmostEqual(self.calibration(model)["threshold"] / highest_that_misses(self.defect_scores(), 0.25),
                                   1, delta=1e-6)
        self.assertNotEqual(self.fit(self.shared / "good", self.folder / "n.padim", "--resume", model).returncode, 0)

    def test_defects_that_look_normal_are_told(self):
        for number in range(9):
            save_picture(self.folder / "alike" / f"{number}.png", picture(400 + number))
        _, result = self.chosen("--defects", self.folder / "alike", "--missed-at-most", "0")
        self.assertIn("the model cannot tell these defects", result.stderr)
        _, result = self.chosen("--defects", self.defects, "--missed-at-most", "0.5")
        self.assertNotIn("cannot tell", result.stderr)


class Curve(ThresholdCase):
    def test_it_is_drawn(self):
        if shutil.which("gnuplot") is None:
            self.skipTest("gnuplot (Debian: gnuplot-nox) is not installed")
        curves = []
        for options in ([], ["--defects", self.defects]):
            file = self.folder / "it's a curve.png"
            result = self.threshold("--curve", file, *options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            with Image.open(file) as plot:
                curves.append(np.asarray(plot.convert("RGB")).astype(int))
        red = [np.sum((pixels[..., 0] - pixels[..., 1] > 120) & (pixels[..., 0] > 180)) for pixels in curves]
        self.assertEqual(red[0], 0)  # the curve of the defects
        self.assertGreater(red[1], 100)

    def test_what_cannot_be_drawn_is_known_before_the_work(self):
        empty = self.folder / "path"
        empty.mkdir()
        (empty / "sh").symlink_to("/bin/sh")
        model = self.folder / "m.padim"
        fit = ["fit", "--input", self.shared / "good", "--output", model, *self.backbone()]
        self.assert_fails(run(*fit, "--curve", self.folder / "c.png", env={**os.environ, "PATH": str(empty)}), 1,
                          "c.png", "apt-get install gnuplot-nox")
        self.assert_fails(run(*fit, "--curve", self.folder / "c.jpg"), 2, "c.jpg", ".png")
        self.assert_fails(run(*fit, "--curve", self.folder / "none" / "c.png"), 1, "none", "does not exist")
        self.assertFalse(model.exists())


class Refusals(ThresholdCase):
    def test_without_calibration_there_is_nothing_to_weigh_by(self):
        model = self.folder / "m.padim"
        self.assert_fails(self.fit(self.shared / "good", model, "--no-calibration", "--defects", self.defects), 2,
                          "--no-calibration", "--defects")
        result = self.fit(self.shared / "good", model, "--no-calibration")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(rows(result.stdout), [])
        self.assert_fails(self.threshold("--defects", self.defects, model=model), 2, model, "without calibration",
                          "--no-calibration")
        self.assert_fails(run("fit", "--resume", model, "--input", self.shared / "good", "--output", self.folder / "n",
                              *self.backbone(), "--defects", self.defects), 2, model, "without calibration")
        self.assertFalse((self.folder / "n").exists())

    def test_output_needs_a_choice(self):
        self.assert_fails(self.threshold("--output", self.folder / "m.padim"), 2, "--output", "--missed-at-most")
        self.assertFalse((self.folder / "m.padim").exists())

    def test_defects_that_cannot_be_read_are_named(self):
        self.assert_fails(self.threshold("--defects", self.folder / "nothing"), 1, "nothing")
        bad = self.folder / "bad"
        shutil.copytree(self.defects, bad)
        (bad / "03.png").write_bytes(b"not an image")
        self.assert_fails(self.threshold("--defects", bad), 1, "03.png", "1 of 12 images of --defects")
        Image.open(self.defects / "04.png").resize((64, 96)).save(bad / "03.png")
        self.assert_fails(self.threshold("--defects", bad), 1, "03.png", "shape")

    def test_a_fit_is_kept_where_its_defects_fail(self):
        bad, model = self.folder / "bad", self.folder / "m.padim"
        bad.mkdir()
        (bad / "a.png").write_bytes(b"not an image")
        self.assert_fails(self.fit(self.shared / "good", model, "--defects", bad), 1, "a.png")
        self.assertEqual(model.read_bytes(), self.shared_model().read_bytes())

    def test_a_fit_is_kept_where_the_defects_are_interrupted(self):
        model, many = self.folder / "m.padim", self.folder / "many"
        save_many(many, 8000)
        result = self.interrupt("fit", "--input", self.shared / "good", "--output", model, *self.backbone(),
                                "--defects", many, works=lambda _: model.exists())
        self.assert_fails(result, 130, "interrupted")
        self.assertEqual(model.read_bytes(), self.shared_model().read_bytes())


if __name__ == "__main__":
    unittest.main()
