"""padim::Ranking gives what scikit-learn gives, and the AU-PRO of an independent implementation on scipy.

The program under test is $PADIM_DUMP_RANKING (SCORES.npy MASKS.npy ...).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from skippable import main  # noqa: E402

try:
    from scipy import ndimage
    from sklearn import metrics
except ImportError:
    ndimage = metrics = None

EIGHT = np.ones((3, 3))


def oracle_pro_curve(scores, masks):
    """(false-positive rate, mean overlap) straight from the definition: every distinct score is a threshold."""
    defects = [np.sort(scores[i][labels == number])
               for i, (labels, count) in enumerate(ndimage.label(mask, EIGHT) for mask in masks)
               for number in range(1, count + 1)]
    thresholds = np.unique(scores)[::-1]
    normal = np.sort(scores[masks == 0])
    x = 1 - np.searchsorted(normal, thresholds) / len(normal)
    y = sum(1 - np.searchsorted(defect, thresholds) / len(defect) for defect in defects) / len(defects)
    return np.append(0, x), np.append(0, y)


def oracle_area(x, y, limit):
    end = np.flatnonzero(x >= limit)[0]
    at_limit = y[end - 1] + (y[end] - y[end - 1]) * (limit - x[end - 1]) / (x[end] - x[end - 1])
    return np.trapz(np.append(y[:end], at_limit), np.append(x[:end], limit)) / limit


def oracle_best_f1(scores, labels):
    """The published implementation's way to its threshold."""
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total != 0)
    return f1.max(), thresholds[np.argmax(f1[:-1])]


def blobs(random, shape, share):
    """Masks of smooth blobs, about `share` of the pixels."""
    noise = np.stack([ndimage.gaussian_filter(random.standard_normal(shape[1:]), 2) for _ in range(shape[0])])
    return (noise > np.quantile(noise, 1 - share)).astype(np.uint8)


def cases():
    """(name, scores, masks)"""
    random = np.random.default_rng(3)
    shape = (3, 40, 50)
    masks = blobs(random, shape, 0.1)
    smooth = masks + 2 * random.standard_normal(shape)
    yield "random", smooth, masks
    yield "many ties", np.round(smooth), masks
    yield "two values", smooth > 1, masks
    yield "constant", np.full(shape, 7.5), masks
    yield "perfect", masks + 0.5 * random.random(shape), masks
    yield "inverted", -smooth - 5 * masks, masks
    yield "wide range", np.sign(smooth) * np.exp(40 * smooth.clip(-2, 2)), masks
    yield "denormals and zeros", np.where(smooth > 0, 1e-42, np.where(smooth > -1, 0.0, -0.0)), masks
    yield "mask values other than 1", smooth, masks * np.uint8(128)
    yield "noise as mask", smooth, (random.random(shape) > 0.7).astype(np.uint8)
    yield "diagonal neighbours", smooth, np.tile(np.eye(40, 50, dtype=np.uint8), (3, 1, 1))
    single = np.zeros(shape, np.uint8)
    single[1, 20, 20] = 1
    yield "one defect pixel", smooth, single
    yield "one normal pixel", smooth, 1 - single
    yield "only the first image has defects", smooth, masks * np.array([1, 0, 0], np.uint8)[:, None, None]
    yield "one row", smooth[:, :1], masks[:, :1] | single[:1, :1] | (np.arange(50) > 44)
    yield "two pixels", np.array([[[1.0, 2.0]]]), np.array([[[0, 1]]], np.uint8)
    yield "many images", np.tile(smooth, (5, 1, 1)) + random.standard_normal((15, 40, 50)), np.tile(masks, (5, 1, 1))
    many = blobs(random, (2, 200, 300), 0.03)
    yield "large", ndimage.gaussian_filter(many + random.standard_normal(many.shape), (0, 2, 2)), many
    yield "one normal pixel, tied with all", np.full(shape, 1.0), 1 - single


@unittest.skipIf(metrics is None, "scipy and scikit-learn (Debian: python3-scipy, python3-sklearn) are not installed")
class RankingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = [(name, scores.astype(np.float32), masks) for name, scores, masks in cases()]
        cls.results = cls.measure(*((scores, masks) for _, scores, masks in cls.cases))

    @staticmethod
    def measure(*pairs):
        """What the program says about each pair of scores and masks."""
        with tempfile.TemporaryDirectory(prefix="padim-ranking-") as folder:
            files = []
            for number, (scores, masks) in enumerate(pairs):
                files += [f"{folder}/{number}-scores.npy", f"{folder}/{number}-masks.npy"]
                np.save(files[-2], np.ascontiguousarray(scores, dtype=np.float32))
                np.save(files[-1], np.ascontiguousarray(masks, dtype=np.uint8))
            result = subprocess.run([os.environ["PADIM_DUMP_RANKING"], *files], capture_output=True, text=True,
                                    check=False)
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_equals_the_oracles(self):
        for (name, scores, masks), ours in zip(self.cases, self.results, strict=True):
            with self.subTest(name):
                labels = (masks != 0).ravel()
                flat = scores.ravel()
                self.assertEqual(ours["anomalous"], labels.sum())
                self.assertEqual(ours["normal"], (~labels).sum())
                self.assertEqual(ours["defects"], sum(ndimage.label(mask, EIGHT)[1] for mask in masks))
                self.assertAlmostEqual(ours["auroc"], metrics.roc_auc_score(labels, flat), delta=1e-12)
                self.assertAlmostEqual(ours["average_precision"], metrics.average_precision_score(labels, flat),
                                       delta=1e-12)
                f1, threshold = oracle_best_f1(flat, labels)
                self.assertAlmostEqual(ours["best_f1"], f1, delta=1e-12)
                self.assertAlmostEqual(metrics.f1_score(labels, flat >= np.float32(ours["best_f1_threshold"])), f1,
                                       delta=1e-12)
                self.assertEqual(np.float32(ours["best_f1_threshold"]), threshold)
                pro_curve = oracle_pro_curve(scores, masks)
                self.assertAlmostEqual(ours["aupro_30"], oracle_area(*pro_curve, 0.3), delta=1e-9)
                self.assertAlmostEqual(ours["aupro_05"], oracle_area(*pro_curve, 0.05), delta=1e-9)

    def test_curve_follows_the_exact_one(self):
        for (name, scores, masks), ours in zip(self.cases, self.results, strict=True):
            with self.subTest(name):
                curve = np.array(ours["curve"])
                self.assertEqual(curve[0].tolist(), [0, 0, 0])
                np.testing.assert_allclose(curve[-1], [1, 1, 1], atol=1e-9)
                self.assertTrue((np.diff(curve, axis=0) >= -1e-12).all())
                self.assertLess(len(curve), 6010)
                self.assertAlmostEqual(np.trapz(curve[:, 1], curve[:, 0]),
                                       metrics.roc_auc_score((masks != 0).ravel(), scores.ravel()), delta=1e-3)

    def test_a_class_that_is_missing_leaves_its_measures_out(self):
        random = np.random.default_rng(1)
        scores = random.random((2, 9, 8))
        normal, anomalous = self.measure((scores, np.zeros(scores.shape)), (scores, np.ones(scores.shape)))
        for name in "auroc", "average_precision", "best_f1", "aupro_30", "aupro_05":
            self.assertIsNone(normal[name], name)
        self.assertEqual((normal["normal"], normal["anomalous"], normal["defects"]), (144, 0, 0))
        for name in "auroc", "aupro_30", "aupro_05":
            self.assertIsNone(anomalous[name], name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = metrics.average_precision_score(np.ones(144), scores.ravel())
        self.assertEqual(anomalous["average_precision"], expected)
        self.assertEqual(anomalous["best_f1"], 1)
        self.assertEqual(anomalous["curve"], [])


if __name__ == "__main__":
    main()
