"""The reductions of `padim fit` against numpy, scikit-learn and CPython's random."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from sklearn.decomposition import PCA

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from tool_case import SIZE, ToolCase, picture, run, save_picture  # noqa: E402

TAPS = ("layer1", "layer2", "layer3")
CHANNELS = 8 + 16 + 24
FRAMES = 24


def read_model(path):
    """(description, tensors) of a model, written from the format's description alone."""
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    model = json.loads(header.pop("__metadata__")["model"])
    types = {"F32": "<f4", "F16": "<f2", "U8": "u1"}
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        data = content[begin + first:begin + end]
        tensors[name] = np.frombuffer(data, types[entry["dtype"]]).reshape(entry["shape"])
    return model, tensors


def semi_orthogonal(seed, rows, columns):
    """The documented matrix: Q of a Gaussian matrix, with a positive diagonal of R."""
    random.seed(seed)
    gaussian = np.array([[random.gauss(0, 1) for _ in range(columns)] for _ in range(rows)])
    q, r = np.linalg.qr(gaussian)
    return q * np.sign(np.diag(r))


def on_grid(tap, width, height):
    """[B, height, width, C]: averaged down over its cells, or replicated up."""
    batch, rows, columns, channels = tap.shape
    if rows >= height:
        return tap.reshape(batch, height, rows // height, width, columns // width, channels).mean(axis=(2, 4))
    return tap.repeat(height // rows, axis=1).repeat(width // columns, axis=2)


class Reductions(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number in range(FRAMES):
            save_picture(cls.shared / "good" / f"{number:02}.png", picture(number))
        cls.taps = cls.dump_taps()

    @classmethod
    def dump_taps(cls):
        """Each tap of all pictures, [B, h, w, C], as the backbone alone gives it."""
        with tempfile.TemporaryDirectory(prefix="padim-taps-") as folder:
            np.save(os.path.join(folder, "input.npy"), np.stack([picture(number) for number in range(FRAMES)]))
            subprocess.run([os.environ["PADIM_DUMP_TAPS"], cls.weights.with_suffix(".json"), cls.weights,
                            os.path.join(folder, "input.npy"), folder, "float32"], check=True, capture_output=True)
            return [np.load(os.path.join(folder, f"{name}.npy")).astype(np.float64) for name in TAPS]

    def embeddings(self, grid, taps=None):
        """[B, P, F] in double precision."""
        taps = self.taps if taps is None else taps
        height, width = taps[-1 if grid == "coarsest" else 0].shape[1:3]
        joined = np.concatenate([on_grid(tap, width, height) for tap in taps], axis=-1)
        return joined.reshape(FRAMES, height * width, -1)

    def fitted(self, *options):
        path = self.folder / "m.padim"
        result = self.fit(self.shared / "good", path, "--input-size", f"{SIZE[0]}x{SIZE[1]}", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.startswith(run("info", path).stdout))
        return read_model(path)

    def check_statistics(self, tensors, embedded):
        """Mean and co-moment are those of the embeddings."""
        mean = embedded.mean(axis=0)
        np.testing.assert_allclose(tensors["mean"], mean, atol=2e-5 * np.abs(mean).max())
        rows, columns = np.tril_indices(embedded.shape[2])
        centered = embedded - mean
        comoment = np.einsum("bpi,bpj->pij", centered, centered)[:, rows, columns]
        np.testing.assert_allclose(tensors["comoment"], comoment, atol=1e-4 * np.abs(comoment).max())

    def test_semi_orthogonal_is_the_documented_matrix(self):
        for seed, dimensions, grid in ((1024, 20, "finest"), (3, 7, "coarsest"), (2**40 + 7, CHANNELS, "coarsest")):
            with self.subTest(seed=seed, dimensions=dimensions, grid=grid):
                model, tensors = self.fitted("--reduction", "semi-orthogonal", "--dimensions", dimensions, "--seed", seed,
                                             "--grid", grid)
                self.assertEqual((model["reduction"]["kind"], model["reduction"]["channels"]), ("semi-orthogonal", []))
                matrix = tensors["projection"].astype(np.float64)
                np.testing.assert_allclose(matrix.T @ matrix, np.eye(dimensions), atol=1e-6)
                np.testing.assert_allclose(matrix, semi_orthogonal(seed, CHANNELS, dimensions), atol=1e-6)
                self.check_statistics(tensors, self.embeddings(grid) @ matrix)

    def test_pca_spans_the_subspace_of_scikit_learn(self):
        for grid, dimensions in (("finest", 10), ("coarsest", 10), ("coarsest", 3)):
            with self.subTest(grid=grid, dimensions=dimensions):
                model, tensors = self.fitted("--reduction", "pca", "--dimensions", dimensions, "--grid", grid)
                self.assertEqual(model["reduction"]["kind"], "pca")
                matrix = tensors["projection"].astype(np.float64)
                embeddings = self.embeddings(grid)
                expected = PCA(dimensions, svd_solver="full").fit(embeddings.reshape(-1, CHANNELS)).components_.T
                cosines = np.linalg.svd(expected.T @ matrix, compute_uv=False)  # of the angles between the subspaces
                np.testing.assert_allclose(cosines, 1, atol=1e-4)
                np.testing.assert_allclose(np.abs((expected * matrix).sum(axis=0)), 1, atol=1e-3)
                self.assertTrue((matrix[np.abs(matrix).argmax(axis=0), np.arange(dimensions)] > 0).all())
                self.check_statistics(tensors, embeddings @ matrix)

    def test_no_and_random_reduction(self):
        random.seed(5)
        for reduction, channels in ((["none"], list(range(CHANNELS))),
                                    (["random", "--dimensions", 9, "--seed", 5], random.sample(range(CHANNELS), 9))):
            for grid in ("finest", "coarsest"):
                with self.subTest(reduction=reduction, grid=grid):
                    model, tensors = self.fitted("--reduction", *reduction, "--grid", grid)
                    self.assertEqual(model["reduction"]["channels"], channels)
                    self.assertNotIn("projection", tensors)
                    self.check_statistics(tensors, self.embeddings(grid)[:, :, channels])

    def test_taps(self):
        for names in (["layer2"], ["layer3", "layer1"], ["layer1", "layer2"]):
            with self.subTest(names=names):
                model, tensors = self.fitted("--taps", ",".join(names), "--grid", "finest")
                self.assertEqual([tap["name"] for tap in model["taps"]], sorted(names))
                used = [tap for name, tap in zip(TAPS, self.taps) if name in names]
                self.check_statistics(tensors, self.embeddings("finest", used))
                result = self.detect(self.shared / "good", "--json", "-", model=self.folder / "m.padim")
                self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_fails(self.fit(self.shared / "good", self.folder / "n.padim", "--taps", "layer1,layer7"), 2,
                          "'layer7'", "layer1, layer2, layer3")

    def test_every_reduction_is_found_again_by_detect(self):
        for reduction in ("none", "random", "semi-orthogonal", "pca"):
            with self.subTest(reduction):
                self.fitted("--reduction", reduction, "--dimensions", 12)
                save_picture(self.folder / "bad" / "bad.png", picture(100, defect=True))
                save_picture(self.folder / "bad" / "good.png", picture(101))
                result = self.detect(self.folder / "bad", "--json", "-", model=self.folder / "m.padim")
                self.assertEqual(result.returncode, 0, result.stderr)
                bad, good = (json.loads(line)["raw_score"] for line in result.stdout.splitlines())
                self.assertGreater(bad, 2 * good)


if __name__ == "__main__":
    unittest.main()
