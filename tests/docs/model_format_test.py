"""docs/model-format.md: its numpy example, run on a fitted model, computes what the model promises."""
import pathlib
import re
import sys
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "tool"))
from tool_case import ToolCase, picture, run, save_picture  # noqa: E402

DOCUMENT = (ROOT / "docs" / "model-format.md").read_text()


def example():
    """The names that the document's example defines."""
    names = {}
    exec(re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL).group(1), names)  # the document's own code
    return names


class ModelFormatTest(ToolCase):
    def setUp(self):
        super().setUp()
        self.names = example()
        self.model = self.shared_model()
        self.info, self.tensors = self.names["read_model"](self.model)

    def test_whitener_whitens_the_covariance(self):
        """W Sigma W^T = I at every position, up to W's half precision."""
        d = self.info["dimensions"]
        for comoment, whitener in zip(self.tensors["comoment"], self.tensors["whitener"]):
            sigma = self.names["unpack_comoment"](comoment, d).astype(float) / (self.info["frames"] - 1)
            sigma += self.info["epsilon"] * np.eye(d)  # the prior of the tests' backbone is 0
            w = self.names["unpack_whitener"](whitener, d).astype(float)
            np.testing.assert_allclose(w @ sigma @ w.T, np.eye(d), atol=2e-2)

    def test_distances(self):
        """The distance of the mean is 0, that of mean + L e_1 is 1."""
        d = self.info["dimensions"]
        mean = self.tensors["mean"]
        self.assertEqual(self.names["distances"](self.model, mean).max(), 0)
        column = np.array([np.linalg.inv(self.names["unpack_whitener"](w, d).astype(float))[:, 0]
                           for w in self.tensors["whitener"]])
        np.testing.assert_allclose(self.names["distances"](self.model, mean + column), 1, atol=1e-2)

    def test_stored_embeddings_are_those_of_the_fit(self):
        """Of so few images all are stored: their mean and co-moment are the model's, up to half precision."""
        stored = np.concatenate([self.tensors[name].astype(float) for name in sorted(self.tensors)
                                 if name.endswith(".embeddings")])
        self.assertEqual(len(stored), self.info["frames"])
        mean = stored.mean(axis=0)
        np.testing.assert_allclose(self.tensors["mean"], mean, atol=1e-3 * np.abs(mean).max())
        comoment = self.names["unpack_comoment"](self.tensors["comoment"][0], self.info["dimensions"])
        centred = stored[:, 0] - mean[0]
        np.testing.assert_allclose(comoment, centred.T @ centred, atol=1e-2 * np.abs(comoment).max())

    def test_checksum(self):
        """A flipped bit anywhere before the checksum is noticed."""
        data = bytearray(self.model.read_bytes())
        data[len(data) // 2] ^= 1
        damaged = self.folder / "damaged.padim"
        damaged.write_bytes(data)
        with self.assertRaisesRegex(ValueError, "damaged.padim"):
            self.names["read_model"](damaged)

    def test_every_name_is_described(self):
        """The document names every tensor and every field that a model, stripped or not, has."""
        save_picture(self.folder / "good" / "0.png", picture(0))
        for name in self.tensors:
            self.assertIn(f"`{re.sub('segment[0-9]+', 'segment0', name)}`", DOCUMENT)
        for fields in (self.info, self.info["reduction"], self.info["geometry"], self.info["calibration"],
                       self.info["examination"]):
            for field in fields:
                self.assertIn(f"`{field}`", DOCUMENT)

    def test_data_is_aligned_and_dense(self):
        """The data begins at a multiple of 64 bytes, follows without holes, and ends with the checksum."""
        data = self.model.read_bytes()
        begin = 8 + int.from_bytes(data[:8], "little")
        self.assertEqual(begin % 64, 0)
        self.assertEqual(sum(tensor.nbytes for tensor in self.tensors.values()), len(data) - begin)
        self.assertEqual(data[-32:], self.tensors["sha256"].tobytes())


class StrippedTest(ToolCase):
    def test_stripped(self):
        """A stripped model has mean, whitener and checksum only, and the same example reads it."""
        for number in range(8):
            save_picture(self.folder / "good" / f"{number}.png", picture(number))
        model = self.folder / "stripped.padim"
        result = run("fit", "--input", self.folder / "good", "--output", model, "--strip", *self.backbone())
        self.assertEqual(result.returncode, 0, result.stderr)
        _, tensors = example()["read_model"](model)
        self.assertEqual(set(tensors), {"mean", "whitener", "sha256"})


if __name__ == "__main__":
    unittest.main()
