"""The stages against the libraries whose rules they follow: numpy, scipy, PyTorch and Pillow."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from skippable import main  # noqa: E402

RUN_STAGE = os.environ["PADIM_RUN_STAGE"]


class Oracle(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="padim-oracle-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = np.random.default_rng(1)

    def need(self, module):
        try:
            return __import__(module, fromlist=["_"])
        except ImportError:
            self.skipTest(f"{module} is not installed")

    def stage(self, name, *arguments, outputs=1):
        """Runs a stage; arrays among the arguments go through files. Returns its output arrays."""
        words = []
        for i, argument in enumerate(arguments):
            if isinstance(argument, np.ndarray):
                np.save(self.folder / f"in{i}.npy", argument)
                argument = self.folder / f"in{i}.npy"
            words.append(str(argument))
        files = [self.folder / f"out{i}.npy" for i in range(outputs)]
        result = subprocess.run([RUN_STAGE, name, *words, *map(str, files)], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [np.load(file) for file in files]

    def embeddings(self, frames, positions, dimensions):
        """Correlated, with means and spreads of very different sizes."""
        values = self.random.normal(size=(frames, positions, dimensions))
        mixing = self.random.normal(size=(positions, dimensions, dimensions)) * self.random.uniform(0.1, 3, dimensions)
        return (np.einsum("npd,pde->npe", values, mixing) + self.random.uniform(-50, 50, dimensions)).astype(np.float32)


class Gaussian(Oracle):
    def test_mean_and_covariance_equal_numpy_in_any_batch_split(self):
        for frames, dimensions in ((2, 4), (30, 17), (200, 40), (25, 64)):
            x = self.embeddings(frames, 3, dimensions)
            for batch in (1, 3, 16, 500):
                mean, comoment = self.stage("gaussian", x, batch, outputs=2)
                np.testing.assert_allclose(mean, x.astype(float).mean(axis=0), rtol=1e-5, atol=1e-4)
                for p in range(3):
                    expected = np.cov(x[:, p].astype(float), rowvar=False)
                    ours = np.zeros_like(expected)
                    ours[np.tril_indices(dimensions)] = comoment[p] / (frames - 1)
                    error = np.abs(np.tril(ours - expected)).max() / expected.diagonal().max()
                    self.assertLess(error, 1e-5, (frames, dimensions, batch))

    def test_distances_equal_scipy(self):
        distance = self.need("scipy.spatial.distance")
        for frames, dimensions, epsilon in ((60, 20, 0.01), (10, 32, 0.5), (300, 100, 0.1)):
            x, probes = self.embeddings(frames, 6, dimensions), self.embeddings(4, 6, dimensions)
            (ours,) = self.stage("distances", x, epsilon, 3, 0, probes)
            for p in range(6):
                cov = np.cov(x[:, p].astype(float), rowvar=False) + epsilon * np.eye(dimensions)
                inverse, mean = np.linalg.inv(cov), x[:, p].astype(float).mean(axis=0)
                for m in range(4):
                    expected = distance.mahalanobis(probes[m, p].astype(float), mean, inverse)
                    self.assertAlmostEqual(ours[m, p] / expected, 1, delta=2e-3)

    def test_search_radius_takes_the_smallest_distance_around(self):
        width, height, dimensions = 5, 4, 8
        x, probes = (self.embeddings(n, width * height, dimensions) for n in (50, 2))
        covariance = [np.cov(x[:, p].astype(float), rowvar=False) + 0.1 * np.eye(dimensions)
                      for p in range(width * height)]
        mean = x.astype(float).mean(axis=0)
        for radius in range(5):
            (ours,) = self.stage("distances", x, 0.1, width, radius, probes)
            for m, p in np.ndindex(2, width * height):
                around = [q for q in range(width * height)
                          if abs(q % width - p % width) <= radius and abs(q // width - p // width) <= radius]
                squares = [d @ np.linalg.solve(covariance[q], d) for q in around for d in [probes[m, p] - mean[q]]]
                self.assertAlmostEqual(ours[m, p] / np.sqrt(min(squares)), 1, delta=2e-3)


class ScoreMap(Oracle):
    def test_equals_interpolation_by_torch_and_smoothing_by_scipy(self):
        torch, ndimage = self.need("torch"), self.need("scipy.ndimage")
        for grid, size in (((14, 14), (224, 224)), ((12, 21), (192, 336)), ((56, 56), (224, 224)), ((1, 1), (16, 16)),
                           ((3, 2), (12, 8)), ((16, 16), (256, 256))):
            d = self.random.uniform(0, 60, grid).astype(np.float32)
            (ours,) = self.stage("score_map", d, size[1], size[0])
            upsampled = torch.nn.functional.interpolate(torch.from_numpy(d)[None, None], size=size, mode="bilinear",
                                                        align_corners=False)[0, 0].numpy()
            expected = ndimage.gaussian_filter(upsampled.astype(float), sigma=4)
            np.testing.assert_allclose(ours, expected, atol=1e-4)


class Resample(Oracle):
    def test_equals_pillow_bit_for_bit(self):
        image = self.need("PIL.Image")
        filters = {"lanczos": image.LANCZOS, "triangle": image.BILINEAR}
        for round_ in range(16):
            width, height = self.random.integers(1, 200, 2)
            size = tuple(int(side) for side in self.random.integers(1, 150, 2))
            picture = self.random.integers(0, 256, (height, width, 3), np.uint8)
            if round_ % 3 == 0:
                picture = (picture > 127).astype(np.uint8) * 255  # overshoots at every edge
            for name, number in filters.items():
                (ours,) = self.stage("resample", picture, *size, name)
                expected = np.asarray(image.fromarray(picture).resize(size, number))
                np.testing.assert_array_equal(ours, expected, f"{name} {width}x{height} to {size}")


if __name__ == "__main__":
    main()
