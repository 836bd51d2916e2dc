"""Fits with turned copies: few pictures of a part that lies at any angle, and of one that always lies the same way."""
import json
import math
import unittest

import numpy as np

from tool_case import SIZE, ToolCase, parse_lines, run, save_picture

FITTED, NEW = 24, 24
GOLDEN_ANGLE = 2.399963


def part(number, angle):
    """A dark bar with a bright head on a plain ground."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width] - np.array([height / 2, width / 2])[:, None, None]
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    pixels = np.full((height, width, 3), 150.0)
    pixels[(abs(along) < 26) & (abs(across) < 7)] = (60, 50, 80)
    pixels[(along > 12) & (along < 26) & (abs(across) < 11)] = (230, 200, 90)
    pixels += np.random.default_rng(number).normal(0, 3, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


class Turned(ToolCase):
    def pictures(self, name, count, angle, first=0):
        for number in range(first, first + count):
            save_picture(self.folder / name / f"{number:03}.png", part(number, angle(number)))
        return self.folder / name

    def fitted(self, angle, *options):
        model = self.folder / f"fitted{len(options)}.padim"
        result = self.fit(self.pictures("good", FITTED, angle), model, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return model, result

    def anomalous(self, model, pictures):
        result = self.detect(pictures, "--json", "-", model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        return sum(record["anomalous"] for record in parse_lines(result.stdout))

    def info(self, model):
        return json.loads(run("info", model, "--json").stdout)

    def test_loose_parts(self):
        """Turned copies help, which the fit says, and new angles are as good as those that were fitted."""
        def angle(number):
            return number * GOLDEN_ANGLE
        model, result = self.fitted(angle, "--augment-kind", "rotate")
        self.assertGreater(self.info(model)["examination"]["copies_gain"], 0)
        self.assertIn("They make frames that were left out more likely", result.stdout)
        self.assertNotIn("turned copies", result.stderr)
        new = self.pictures("new", NEW, angle, first=100)
        self.assertLessEqual(self.anomalous(model, new), 3)
        plain, _ = self.fitted(angle)
        threshold, alone = (self.info(m)["calibration"]["threshold"] for m in (model, plain))
        self.assertLess(threshold, 0.6 * alone)
        self.assertNotIn("copies_gain", self.info(plain)["examination"])

    def test_fixed_parts(self):
        """They do not, and the fit warns."""
        model, result = self.fitted(lambda _: 0.3, "--augment-kind", "rotate")
        self.assertLess(self.info(model)["examination"]["copies_gain"], 0)
        self.assertIn("turned copies make the frames of this fit less likely", result.stderr)
        self.assertIn("a fit without copies is better", result.stdout)


if __name__ == "__main__":
    unittest.main()
