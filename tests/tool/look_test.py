"""Where to look: fits and detections with a region of interest and a mask."""
import json
import unittest

import numpy as np

from tool_case import SIZE, ToolCase, picture, run, save_picture


def mask_around_the_defect():
    pixels = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    pixels[16:48, 28:72] = 0
    return pixels


class Look(ToolCase):
    def fit_with(self, *options):
        self.shared_model()
        model = self.folder / "look.padim"
        result = self.fit(self.shared / "good", model, "--false-alarm-rate", "0.001", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return model, result.stdout

    def anomalous(self, model, *options):
        save_picture(self.folder / "bad.png", picture(99, defect=True))
        result = self.detect(self.folder / "bad.png", "--json", "-", *options, model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["anomalous"]

    def test_roi_decides_what_is_seen(self):
        for roi, sees in (("20,10,60,40", True), ("0.2,0.2,0.6,0.6", True), ("0,40,96,24", False)):
            with self.subTest(roi):
                model, text = self.fit_with("--roi", roi)
                self.assertIn("are looked at", text)
                self.assertEqual(self.anomalous(model), sees)

    def test_mask_of_a_fit_is_part_of_the_model(self):
        save_picture(self.folder / "mask.png", mask_around_the_defect())
        model, text = self.fit_with("--mask", self.folder / "mask.png")
        self.assertIn("A mask ignores", text)
        self.assertFalse(self.anomalous(model))
        geometry = json.loads(run("info", model, "--json").stdout)["geometry"]
        self.assertEqual(sum(geometry["mask"]), geometry["input"][0] * geometry["input"][1])

    def test_mask_of_a_detection_narrows(self):
        save_picture(self.folder / "mask.png", mask_around_the_defect())
        model, _ = self.fit_with()
        self.assertTrue(self.anomalous(model))
        self.assertFalse(self.anomalous(model, "--mask", self.folder / "mask.png"))

    def test_a_mask_means_the_same_in_every_format(self):
        pixels = mask_around_the_defect()
        rgb = np.repeat(pixels[:, :, None], 3, axis=2)
        alpha = np.full_like(pixels, 7)
        formats = {
            "grey.png": pixels,
            "rgb.png": rgb,
            "rgba.png": np.dstack([rgb, alpha]),
            "deep.png": pixels.astype(np.uint16) * 257,
            "grey.jpg": pixels,
            "grey.bmp": pixels,
            "rgb.TIFF": rgb,
        }
        expected = None
        for name, picture_of_the_mask in formats.items():
            with self.subTest(name):
                save_picture(self.folder / name, picture_of_the_mask)
                model, _ = self.fit_with("--mask", self.folder / name)
                resolved = json.loads(run("info", model, "--json").stdout)["geometry"]["mask"]
                expected = expected or resolved
                self.assertEqual(resolved, expected)

    def test_a_truncated_mask_is_not_half_a_mask(self):
        for name in ("mask.png", "mask.jpg"):
            with self.subTest(name):
                save_picture(self.folder / name, mask_around_the_defect())
                whole = (self.folder / name).read_bytes()
                (self.folder / name).write_bytes(whole[:len(whole) * 2 // 3])
                result = self.fit(self.shared / "good", self.folder / "m.padim", "--mask", self.folder / name)
                self.assert_fails(result, 1, name)

    def test_unusable_values(self):
        self.shared_model()
        save_picture(self.folder / "square.png", np.zeros((32, 32), np.uint8))
        (self.folder / "text.png").write_text("no picture")
        for options, status, word in ((["--roi", "1,2,3"], 2, "1,2,3"), (["--roi", "50,0,96,64"], 2, "96x64"),
                                      (["--mask", self.folder / "absent.png"], 1, "absent.png"),
                                      (["--mask", self.folder / "text.png"], 1, "text.png"),
                                      (["--mask", self.folder / "square.png"], 2, "32x32")):
            with self.subTest(word):
                self.assert_fails(self.fit(self.shared / "good", self.folder / "m.padim", *options), status, word)


if __name__ == "__main__":
    unittest.main()
