"""Evaluation on small data sets in MVTec AD's layout: figures, files and everything that can be wrong with a data set."""
import csv
import json
import math
import os
import pathlib
import shutil
import unittest

import numpy as np
from PIL import Image

from tool_case import SIZE, ToolCase, mask, picture, reads_from, run, save_many, save_picture

FIGURES = ["image_auroc", "image_ap", "image_f1", "pixel_auroc", "pixel_ap", "pixel_f1", "aupro_30", "aupro_05",
           "false_alarm_rate", "missed_rate"]
RATES = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001]


def write_class(folder, training=12, normal=4, defective=5):
    """Normal pictures, and defective ones of two kinds, of which one hardly shows."""
    for number in range(training):
        save_picture(folder / "train" / "good" / f"{number:03}.png", picture(number))
    for number in range(normal):
        save_picture(folder / "test" / "good" / f"{number:03}.png", picture(100 + number))
    for number in range(defective):
        for kind, strength in (("patch", 1), ("stain", 0.08)):
            defect = (1 - strength) * picture(200 + number) + strength * picture(200 + number, defect=True)
            save_picture(folder / "test" / kind / f"{number:03}.png", defect.astype(np.uint8))
            save_picture(folder / "ground_truth" / kind / f"{number:03}_mask.png", mask())


def auroc(scores, labels):
    """By comparison with every value: slow and plain."""
    normal = np.sort(scores[~labels])
    below = np.searchsorted(normal, scores[labels], "left") + np.searchsorted(normal, scores[labels], "right")
    return below.sum() / 2 / (len(normal) * labels.sum())


class EvalCase(ToolCase):
    @classmethod
    def data(cls):
        """Two classes, written once; tests that spoil one take a copy."""
        data = cls.shared / "data"
        if not data.exists():
            write_class(data / "board")
            write_class(data / "cap", training=9, normal=3, defective=2)
        return data

    def copy(self):
        copy = self.folder / "data"
        shutil.copytree(self.data(), copy)
        return copy

    def evaluate(self, *options, data=None):
        return run("eval", "--data", data or self.data(), *self.backbone(), *options)

    def results(self, *options, data=None):
        save = self.folder / "results"
        result = self.evaluate("--save", save, *options, data=data)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads((save / "results.json").read_text()), result


class Figures(EvalCase):
    def test_table_and_files_say_the_same(self):
        results, run_result = self.results()
        names = [one["class"] for one in results["classes"]]
        self.assertEqual(names, ["board", "cap"])
        lines = [line.split() for line in run_result.stdout.splitlines()]
        self.assertEqual([line[0] for line in lines[2:]], names + ["mean"])
        with open(self.folder / "results" / "results.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["class"] for row in rows], names + ["mean"])
        for one, row, line in zip(results["classes"] + [results["mean"]], rows, lines[2:], strict=True):
            for figure, printed in zip(FIGURES, line[-len(FIGURES):], strict=True):
                self.assertAlmostEqual(one[figure], float(row[figure]), delta=1e-6)
                self.assertAlmostEqual(one[figure], float(printed), delta=6e-4)
        for figure in FIGURES:
            self.assertAlmostEqual(results["mean"][figure], np.mean([one[figure] for one in results["classes"]]))

    def test_figures_follow_from_the_scores_and_maps_of_fit_and_detect(self):
        options = ["--input-size", f"{SIZE[0]}x{SIZE[1]}"]
        results, _ = self.results("--classes", "board", *options)
        board, model, maps = self.data() / "board", self.folder / "m.padim", self.folder / "maps"
        self.assertEqual(self.fit(board / "train" / "good", model, *options).returncode, 0)
        scores = self.scores_by_path(board / "test", model, maps)
        labels = np.array(["good" not in path for path in scores])
        raw = np.array(list(scores.values()))
        one = results["classes"][0]
        self.assertEqual([image["raw_score"] for image in one["images"]], raw.tolist())
        self.assertAlmostEqual(one["image_auroc"], auroc(raw, labels), delta=1e-12)
        threshold = json.loads(run("info", model, "--json").stdout)["calibration"]["threshold"]
        self.assertEqual(one["threshold"], threshold)
        self.assertEqual(one["false_alarm_rate"], np.mean(raw[~labels] >= threshold))
        self.assertEqual(one["missed_rate"], np.mean(raw[labels] < threshold))
        # The network input is as large as the pictures, so that map and mask meet pixel by pixel.
        pixels = np.stack([np.load(maps / pathlib.Path(path).with_suffix(".npy")) for path in scores])
        truth = np.stack([mask() > 0 if anomalous else np.zeros(SIZE[::-1], bool) for anomalous in labels])
        self.assertAlmostEqual(one["pixel_auroc"], auroc(pixels.ravel(), truth.ravel()), delta=1e-12)
        self.assertEqual(one["defects"], 10)

    def test_operating_points_count_the_test_images(self):
        results, _ = self.results()
        for one in results["classes"]:
            model = self.folder / f"{one['class']}.padim"
            self.assertEqual(self.fit(self.data() / one["class"] / "train" / "good", model).returncode, 0)
            held_out = np.array(json.loads(run("info", model, "--json").stdout)["calibration"]["scores"])
            normal, defective = (np.array([image["raw_score"] for image in one["images"]
                                           if image["anomalous"] == anomalous]) for anomalous in (False, True))
            points = one["operating_points"]
            self.assertEqual([p["expected_false_alarm_rate"] for p in points if p["expected_false_alarm_rate"]],
                             RATES)
            for point in points:
                t = point["threshold"]
                self.assertEqual(point["held_out_rate"], np.mean(held_out >= t))
                self.assertEqual((point["false_alarms"], point["missed"]), (np.sum(normal >= t), np.sum(defective < t)))
                self.assertEqual((point["false_alarm_rate"], point["missed_rate"]),
                                 (np.mean(normal >= t), np.mean(defective < t)))
            in_force = next(point for point in points if point["in_force"])
            for figure in ("threshold", "false_alarm_rate", "missed_rate"):
                self.assertEqual(in_force[figure], one[figure])

    def test_without_calibration_there_are_no_operating_points(self):
        results, _ = self.results("--classes", "cap", "--protocol", "reference", "--input-size", "64x64")
        self.assertEqual(results["classes"][0]["operating_points"], [])

    def test_principal_components_come_from_all_training_images(self):
        # More images than a fit keeps for its basis; those at the end look different.
        for number in range(80):
            pixels = picture(number)
            if number >= 70:
                pixels[8:56, 8:40] = pixels[8:56, 8:40][::-1]
            save_picture(self.folder / "data" / "board" / "train" / "good" / f"{number:03}.png", pixels)
        for folder in ("test", "ground_truth"):
            shutil.copytree(self.data() / "board" / folder, self.folder / "data" / "board" / folder)
        board, model = self.folder / "data" / "board", self.folder / "m.padim"
        options = ["--reduction", "pca", "--dimensions", "5"]
        results, _ = self.results(*options, data=self.folder / "data")
        self.assertEqual(self.fit(board / "train" / "good", model, *options).returncode, 0)
        scores = self.scores_by_path(board / "test", model, self.folder / "maps")
        self.assertEqual([image["raw_score"] for image in results["classes"][0]["images"]], list(scores.values()))

    def scores_by_path(self, folder, model, maps):
        result = self.detect(folder, "--json", "-", "--maps", maps, model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        records = [json.loads(line) for line in result.stdout.splitlines()]
        return {os.path.relpath(record["source"], folder): record["raw_score"] for record in records}

    def test_reference_protocol_needs_no_calibration(self):
        results, result = self.results("--protocol", "reference", "--input-size", "64x64")
        self.assertEqual(results["protocol"], "reference")
        for one in results["classes"]:
            self.assertIsNone(one["threshold"])
            self.assertIsNone(one["missed_rate"])
            self.assertEqual(one["model"]["geometry"], "paper")
            self.assertGreater(one["pixel_auroc"], 0.6)
        self.assertTrue(result.stdout.splitlines()[-1].endswith("-      -"))

    def test_aliases_of_the_published_implementation(self):
        save = self.folder / "results"
        result = run("eval", "--data_path", self.data(), "--save_path", save, "--arch", "tiny", *self.backbone()[2:],
                     "--classes", "cap,board")
        self.assertEqual(result.returncode, 0, result.stderr)
        results = json.loads((save / "results.json").read_text())
        self.assertEqual([one["class"] for one in results["classes"]], ["cap", "board"])

    def test_a_class_can_be_the_whole_data_set(self):
        results, _ = self.results(data=self.data() / "cap")
        self.assertEqual([one["class"] for one in results["classes"]], ["cap"])

    def test_results_do_not_depend_on_the_number_of_threads(self):
        one, _ = self.results("--classes", "cap")
        backbone = [*self.backbone()[:-1], "3"]
        save = self.folder / "three"
        result = run("eval", "--data", self.data(), "--classes", "cap", "--save", save, *backbone)
        self.assertEqual(result.returncode, 0, result.stderr)
        three = json.loads((save / "results.json").read_text())
        for figure in FIGURES:
            self.assertAlmostEqual(one["classes"][0][figure], three["classes"][0][figure], delta=1e-4)

    def test_figures_without_a_value_are_left_out(self):
        data = self.copy()
        shutil.rmtree(data / "cap" / "test" / "good")
        results, result = self.results("--classes", "cap", data=data)
        one = results["classes"][0]
        self.assertIsNone(one["image_auroc"])
        self.assertIsNone(one["false_alarm_rate"])
        self.assertTrue(math.isfinite(one["pixel_auroc"]))
        self.assertIn("   4      -", result.stdout)

    def test_cropped_defects_are_told(self):
        data = self.copy()
        for file in data.glob("board/ground_truth/patch/*"):
            pixels = mask()
            pixels[:4] = 255
            save_picture(file, pixels)
        results, result = self.results("--classes", "board", "--geometry", "paper", "--input-size", "64x64", data=data)
        self.assertLess(results["classes"][0]["seen_share_of_defects"], 1)
        self.assertIn("crops", result.stderr)


class WithoutMasks(EvalCase):
    """Data sets that say which images are defective, not where."""

    def images_only(self, *options):
        data = self.copy()
        shutil.rmtree(data / "cap" / "ground_truth")
        return data, *self.results(*options, data=data)

    def test_figures_of_images_are_the_same_and_others_are_missing(self):
        _, results, result = self.images_only()
        with_masks = json.loads(self.evaluated_with_masks().read_text())
        for one, before in zip(results["classes"], with_masks["classes"], strict=True):
            masks = one["class"] != "cap"
            self.assertEqual(one["masks"], masks)
            for figure in FIGURES:
                of_pixels = figure.startswith(("pixel", "aupro"))
                self.assertEqual(one[figure], before[figure] if masks or not of_pixels else None, figure)
            self.assertEqual(one["operating_points"], before["operating_points"])
        self.assertIsNone(results["classes"][1]["seen_share_of_defects"])
        self.assertEqual(results["mean"]["pixel_auroc"], results["classes"][0]["pixel_auroc"])
        self.assertRegex(result.stderr, "cap: figures of images only, .*cap/ground_truth")
        self.assertNotIn("board: ", result.stderr)

    def evaluated_with_masks(self):
        save = self.folder / "with masks"
        self.assertEqual(self.evaluate("--save", save, "--no-pictures").returncode, 0)
        return save / "results.json"

    def test_pictures_show_what_is_unknown_in_grey_and_the_report_says_so(self):
        for protocol in ("official", "reference"):
            with self.subTest(protocol):
                self.images_only("--classes", "cap", "--protocol", protocol, "--input-size", "64x64")
                save = self.folder / "results"
                for kind, level in (("patch", 128), ("good", 0)):
                    pixels = np.asarray(Image.open(save / "pictures" / "cap" / kind / "000.png"))
                    width = (pixels.shape[1] + 6) // 5
                    self.assertEqual(set(pixels[-100:, width:2 * width - 6].flat), {level})
                self.assertLess(np.mean(pixels[-100:, 3 * width:4 * width - 6]), 128)  # of a good one little is marked
                self.assertIn("figures of images only: cap", (save / "report.html").read_text())
                shutil.rmtree(self.folder / "data")


class Comparisons(EvalCase):
    def test_sum_adds_the_maps_of_one_model_per_tap(self):
        # Wider than high: the taps' strides would give other network inputs, were each tap left to itself.
        results, _ = self.results("--classes", "cap", "--fusion", "sum", "--taps", "layer1,layer3")
        one = results["classes"][0]
        self.assertEqual((one["fusion"], one["threshold"]), ("sum", None))
        cap, sums = self.data() / "cap", {}
        size = "x".join(map(str, one["model"]["input"]))
        for tap in ("layer1", "layer3"):
            model, maps = self.folder / f"{tap}.padim", self.folder / tap
            self.assertEqual(self.fit(cap / "train" / "good", model, "--taps", tap, "--input-size", size).returncode, 0)
            self.assertEqual(self.detect(cap / "test", "--maps", maps, model=model).returncode, 0)
            for file in maps.rglob("*.npy"):
                name = str(file.relative_to(maps).with_suffix(""))
                sums[name] = sums.get(name, 0) + np.load(file)
        ours = {"/".join(pathlib.Path(image["file"]).with_suffix("").parts[-2:]): image["raw_score"]
                for image in one["images"]}
        self.assertEqual(sorted(ours), sorted(sums))
        for name, scores in sums.items():
            self.assertAlmostEqual(ours[name] / scores.max(), 1, delta=1e-5)

    def test_ablation_compares_layers_and_dimensions(self):
        save = self.folder / "ablation"
        result = self.evaluate("--ablation", "--save", save)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("100 dimensions are left out", result.stderr)
        rows = json.loads((save / "ablation.json").read_text())["configurations"]
        self.assertEqual([row["name"] for row in rows],
                         ["layer1 alone", "layer2 alone", "layer3 alone", "sum of all maps", "all together"])
        self.assertEqual([len(row["classes"][0]["model"]["taps"]) for row in rows], [1, 1, 1, 1, 3])
        self.assertEqual([row["classes"][0]["fusion"] for row in rows], ["concatenate"] * 3 + ["sum", "concatenate"])
        joint, _ = self.results()
        for figure in FIGURES[:-2]:
            self.assertAlmostEqual(rows[-1]["mean"][figure], joint["mean"][figure], delta=1e-5)
        printed = [line for line in result.stdout.splitlines() if line.startswith("all together")][0].split()
        self.assertAlmostEqual(float(printed[2]), rows[-1]["mean"]["image_auroc"], delta=6e-4)
        with open(save / "ablation.csv", newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual([line["class"] for line in lines], ["board", "cap", "mean"] * 5)


class Pictures(EvalCase):
    def test_every_image_has_five_panels(self):
        self.results()
        save = self.folder / "results"
        pictures = sorted(str(file.relative_to(save / "pictures")) for file in save.glob("pictures/*/*/*.png"))
        images = sorted(f"{file.parts[-4]}/{file.parts[-2]}/{file.name}" for file in self.data().glob("*/test/*/*.png"))
        self.assertEqual(pictures, images)
        pixels = np.asarray(Image.open(save / "pictures" / "board" / "patch" / "000.png"))
        width = (pixels.shape[1] + 6) // 5
        panels = [pixels[-200:, i * width:i * width + width - 6].astype(int) for i in range(5)]
        self.assertEqual([panel.shape for panel in panels], [panels[0].shape] * 5)
        truth = panels[1][..., 0] > 0
        self.assertAlmostEqual(truth.mean(), (mask() > 0).mean(), delta=0.01)
        image, _, heat, found, outline = panels
        self.assertGreater(image[truth].mean(), image[~truth].mean())
        self.assertTrue(found[..., 0][truth].mean() > 200 > found[..., 0][~truth].mean())
        # Jet: the hot is red, the cold is blue.
        self.assertGreater(heat[truth][:, 0].mean(), heat[truth][:, 2].mean())
        self.assertGreater(heat[~truth][:, 2].mean(), heat[~truth][:, 0].mean())
        self.assertTrue((np.abs(outline - image).sum(axis=-1) > 0).mean() < 0.2)
        self.assertTrue(((outline == [255, 0, 0]).all(axis=-1)).any())

    def test_plots(self):
        if shutil.which("gnuplot") is None:
            self.skipTest("gnuplot (Debian: gnuplot-nox) is not installed")
        self.results()
        for name in ("roc_curve.png", "pro_curve.png", "histograms/board.png", "histograms/cap.png"):
            with Image.open(self.folder / "results" / name) as plot:
                self.assertGreater(len(plot.convert("RGB").getcolors(1 << 20)), 10, name)

    def test_without_gnuplot_the_rest_is_there(self):
        empty = self.folder / "path"
        empty.mkdir()
        (empty / "sh").symlink_to("/bin/sh")
        save = self.folder / "results"
        result = run("eval", "--data", self.data(), "--save", save, *self.backbone(),
                     env={**os.environ, "PATH": str(empty)})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("apt-get install gnuplot-nox", result.stderr)
        self.assertFalse((save / "roc_curve.png").exists())
        self.assertIn("gnuplot", (save / "report.html").read_text())
        self.assertTrue((save / "pictures" / "cap" / "patch" / "000.png").exists())


class HostileData(EvalCase):
    """Each fault is one sentence that names the file."""

    def check(self, data, status, *parts, options=()):
        self.assert_fails(self.evaluate(*options, data=data), status, *parts)

    def test_layout(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.check(self.folder / "nothing", 1, "nothing", "not a folder")
        self.check(empty, 1, "no class", empty, "train/good")
        self.check(self.data(), 1, "no class 'lid'", "board, cap", options=["--classes", "board,lid"])
        (empty / "lid" / "train" / "good").mkdir(parents=True)
        self.check(empty, 1, "lid/train/good", "no image")

    def test_class_without_test_images(self):
        data = self.copy()
        shutil.rmtree(data / "cap" / "test")
        self.check(data, 1, "'cap' has no test image")
        (data / "cap" / "test" / "scratch").mkdir(parents=True)
        self.check(data, 1, "cap/test/scratch", "no image")

    def test_missing_mask(self):
        data = self.copy()
        (data / "cap" / "ground_truth" / "stain" / "001_mask.png").unlink()
        self.check(data, 1, "cap/test/stain/001.png", "cap/ground_truth/stain/001_mask.png")

    def test_mask_of_another_size(self):
        data = self.copy()
        file = data / "cap" / "ground_truth" / "stain" / "001_mask.png"
        Image.open(file).resize((50, 40)).save(file)
        self.check(data, 1, file, "50x40", "96x64")

    def test_unreadable_images(self):
        for part in ("test/patch/001.png", "train/good/003.png", "ground_truth/patch/000_mask.png"):
            with self.subTest(part):
                data = self.folder / part.replace("/", "-")
                shutil.copytree(self.data() / "cap", data)
                (data / part).write_bytes(b"not an image")
                self.check(data, 1, part)

    def test_images_of_another_shape(self):
        data = self.copy()
        file = data / "cap" / "test" / "good" / "001.png"
        Image.open(file).resize((64, 96)).save(file)
        self.check(data, 1, file, "64x96")

    def test_results_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.check(self.data(), 1, "cannot create folder", options=["--save", self.folder / "file" / "results"])

    def test_interrupt(self):
        data = self.folder / "many"
        save_many(data / "train" / "good", 8000)
        save_picture(data / "test" / "good" / "0.png", picture(2))
        result = self.interrupt("eval", "--data", data, *self.backbone(), works=reads_from(data))
        self.assert_fails(result, 130, "interrupted")


if __name__ == "__main__":
    unittest.main()
