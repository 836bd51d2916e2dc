"""Fits that go on and fits that are merged, against one fit over everything."""
import json
import unittest

import numpy as np

from tool_case import ToolCase, picture, run, save_picture


def tensors(path):
    """The arrays of a model file, read by plain numpy."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    types = {"F32": np.float32, "F16": np.float16, "U8": np.uint8}
    return {name: np.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], types[entry["dtype"]])
            for name, entry in header.items() if name != "__metadata__"}


def threshold(model):
    return json.loads(run("info", model, "--json").stdout)["calibration"]["threshold"]


class MergeResume(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for part, first in (("a", 0), ("b", 16)):
            for number in range(first, first + 16):
                for folder in (part, "all"):
                    save_picture(cls.shared / folder / f"{number:02}.png", picture(number))
        cls.models = {name: cls.shared / f"{name}.padim" for name in ("a", "b", "all")}
        for name, model in cls.models.items():
            result = run("fit", "--input", cls.shared / name, "--output", model, *cls.backbone())
            assert result.returncode == 0, result.stderr

    def assert_equals_one_fit(self, model):
        expected = tensors(self.models["all"])
        found = tensors(model)
        self.assertEqual(found.keys(), expected.keys())
        for name, values in expected.items():
            if values.dtype == np.float32:
                np.testing.assert_allclose(found[name], values, atol=1e-4 * np.abs(values).max(), err_msg=name)
        self.assertAlmostEqual(threshold(model) / threshold(self.models["all"]), 1, places=3)

    def test_merge_equals_one_fit(self):
        model = self.folder / "merged.padim"
        result = run("merge", self.models["a"], self.models["b"], "--output", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("fitted on 32 frames", result.stdout)
        self.assert_equals_one_fit(model)

    def test_resume_equals_one_fit(self):
        model = self.folder / "resumed.padim"
        result = run("fit", "--resume", self.models["a"], "--input", self.shared / "b", "--output", model,
                     *self.backbone())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("fitted on 32 frames", result.stdout)
        self.assert_equals_one_fit(model)

    def test_a_model_may_be_resumed_in_place(self):
        model = self.folder / "m.padim"
        model.write_bytes(self.models["a"].read_bytes())
        result = run("fit", "--resume", model, "--input", self.shared / "b", "--output", model, *self.backbone())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_equals_one_fit(model)

    def test_models_that_differ_are_refused_with_the_difference(self):
        other = self.folder / "other.padim"
        self.assertEqual(self.fit(self.shared / "b", other, "--epsilon", "0.5").returncode, 0)
        self.assert_fails(run("merge", self.models["a"], other, "--output", self.folder / "c.padim"), 1, "other.padim",
                          "epsilons differ")
        self.assertFalse((self.folder / "c.padim").exists())

    def test_a_stripped_model_is_small_scores_the_same_and_cannot_go_on(self):
        model = self.folder / "stripped.padim"
        self.assertEqual(self.fit(self.shared / "a", model, "--strip").returncode, 0)
        self.assertLess(model.stat().st_size, self.models["a"].stat().st_size / 2)
        whole = self.detect(self.shared / "b", "--json", "-", model=self.models["a"])
        stripped = self.detect(self.shared / "b", "--json", "-", model=model)
        self.assertEqual(whole.stdout, stripped.stdout)
        for result in (run("merge", self.models["a"], model, "--output", self.folder / "c.padim"),
                       run("fit", "--resume", model, "--input", self.shared / "b", "--output", self.folder / "c.padim",
                           *self.backbone())):
            self.assert_fails(result, 2, "stripped")

    def test_augmented_fits_are_repeatable_and_wider(self):
        models = [self.folder / "x.padim", self.folder / "y.padim"]
        for model in models:
            self.assertEqual(self.fit(self.shared / "a", model, "--augment", "3").returncode, 0)
        self.assertEqual(models[0].read_bytes(), models[1].read_bytes())
        epsilon = [json.loads(run("info", m, "--json").stdout)["epsilon"] for m in (models[0], self.models["a"])]
        self.assertGreater(epsilon[0], epsilon[1])

    def test_turned_copies_are_recorded_and_kept_apart_from_light_ones(self):
        turned, light = self.folder / "turned.padim", self.folder / "light.padim"
        self.assertEqual(self.fit(self.shared / "a", turned, "--augment-kind", "rotate").returncode, 0)
        info = json.loads(run("info", turned, "--json").stdout)
        self.assertEqual((info["augment"], info["augment_kind"]), (8, "rotate"))
        self.assertEqual(self.fit(self.shared / "b", light, "--augment", "1").returncode, 0)
        self.assert_fails(run("merge", turned, light, "--output", self.folder / "c.padim"), 1, "light.padim",
                          "augmented copies differ")


if __name__ == "__main__":
    unittest.main()
