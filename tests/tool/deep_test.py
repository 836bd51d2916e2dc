"""Pictures with 16 bits per sample, of which cameras use 10 or 12: fit and detect read them alike, and as 8-bit ones."""
import json
import shutil
import struct
import unittest
import zlib

import numpy as np
from PIL import Image

from tool_case import ToolCase, mask, picture, run, save_picture

TIFF_MAXIMUM = 281


def grey(number, defect=False):
    return picture(number, defect)[..., 0]


def deep(pixels, bits):
    """The same with more bits, which the sensor's noise fills."""
    noise = np.random.default_rng(int(pixels.sum())).integers(0, 1 << (bits - 8), pixels.shape)
    return ((pixels.astype(np.uint16) << (bits - 8)) + noise).astype(np.uint16)


def save_pgm(path, samples, maximum):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"P5\n# a comment\n{samples.shape[1]} {samples.shape[0]}\n{maximum}\n"
    path.write_bytes(header.encode() + samples.astype(">u2").tobytes())


def chunk(name, content):
    """Of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


class Deep(ToolCase):
    def write(self, folder, bits, count=12, extension="png", first=0, defect=False):
        for number in range(first, first + count):
            pixels = grey(number, defect)
            save_picture(self.folder / folder / f"{number:02}.{extension}", pixels if bits == 8 else deep(pixels, bits))
        return self.folder / folder

    def fitted(self, source, *options):
        model = self.folder / f"{source.name}{len(options)}.padim"
        result = self.fit(source, model, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return model, result.stderr

    def bits_of(self, model):
        return json.loads(run("info", model, "--json").stdout).get("sample_bits")

    def detected(self, model, source, *options):
        """Raw scores in order, and what was said."""
        result = self.detect(source, "--json", "-", *options, model=model)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line)["raw_score"] for line in result.stdout.splitlines()], result.stderr

    def test_scores_are_those_of_the_8_bit_pictures(self):
        """In PNG and in TIFF, with 10, 12 and 14 bits in use; each picture alone is read like all together."""
        plain, _ = self.fitted(self.write("plain", 8))
        expected, _ = self.detected(plain, self.write("test", 8, first=50, count=4, defect=True))
        for bits, extension in ((12, "png"), (12, "tif"), (10, "png"), (14, "png")):
            with self.subTest(f"{bits} bits in {extension}"):
                model, said = self.fitted(self.write(f"{extension}{bits}", bits, extension=extension))
                self.assertIn(f"16-bit pictures are read as {bits}-bit ones, the range that they use", said)
                self.assertEqual(self.bits_of(model), bits)
                self.assertIn(f"read as {bits}-bit ones", run("info", model).stdout)
                test = self.write(f"test{extension}{bits}", bits, extension=extension, first=50, count=4, defect=True)
                scores, said = self.detected(model, test)
                np.testing.assert_allclose(scores, expected, rtol=1e-4)
                self.assertEqual(said.count(f"16-bit pictures are read as {bits}-bit ones, as in the fit"), 1, said)
                alone, _ = self.detected(model, test / f"50.{extension}")
                self.assertEqual(alone, scores[:1])

    def test_the_brightest_picture_decides_for_all(self):
        """One picture of many uses the range: the dark ones are not stretched."""
        source = self.write("mixed", 8)
        for number in range(12):
            save_picture(source / f"{number:02}.png", deep(grey(number), 12) // (1 if number == 7 else 8))
        self.assertEqual(self.bits_of(self.fitted(source)[0]), 12)

    def test_all_16_bits_are_as_ever(self):
        model, said = self.fitted(self.write("wide", 16))
        self.assertEqual(self.bits_of(model), 16)
        self.assertNotIn("16-bit", said)
        scores, said = self.detected(model, self.write("test", 16, first=50, count=2))
        self.assertNotIn("16-bit", said)
        plain, _ = self.fitted(self.write("plain", 8))
        np.testing.assert_allclose(scores, self.detected(plain, self.write("test8", 8, first=50, count=2))[0], rtol=1e-4)

    def test_8_bit_pictures_have_no_range(self):
        model, said = self.fitted(self.write("plain", 8))
        self.assertIsNone(self.bits_of(model))
        self.assertNotIn("16-bit", said)
        _, said = self.detected(model, self.write("test", 16, count=1))
        self.assertIn("read as 16-bit ones, as the fit had none (see --bits)", said)
        narrow = self.write("narrow", 12, first=50, count=2)
        scores, _ = self.detected(model, narrow, "--bits", "12")
        np.testing.assert_allclose(scores, self.detected(model, self.write("test8", 8, first=50, count=2))[0], rtol=1e-4)

    def test_what_the_file_states_counts(self):
        """Dark pictures of 12 bits: PGM's largest value, TIFF's MaxSampleValue and PNG's sBIT tell what could come."""
        for number in range(6):
            dark = deep(grey(number), 10) // 2
            save_pgm(self.folder / "pgm" / f"{number}.pgm", dark, 4095)
            (self.folder / "tiff").mkdir(exist_ok=True)
            Image.fromarray(dark).save(self.folder / "tiff" / f"{number}.tif", tiffinfo={TIFF_MAXIMUM: 4095})
            file = self.folder / "sbit" / f"{number}.png"
            save_picture(file, dark)
            data = file.read_bytes()
            file.write_bytes(data[:33] + chunk(b"sBIT", b"\x0c") + data[33:])
            save_picture(self.folder / "silent" / f"{number}.png", dark)
        for name, bits in (("pgm", 12), ("tiff", 12), ("sbit", 12), ("silent", 10)):
            with self.subTest(name):
                self.assertEqual(self.bits_of(self.fitted(self.folder / name)[0]), bits)

    def test_bits_can_be_given(self):
        model, said = self.fitted(self.write("narrow", 12), "--bits", "14")
        self.assertEqual(self.bits_of(model), 14)
        self.assertNotIn("16-bit", said)

    def test_bits_are_for_images(self):
        self.assert_fails(self.fit("videotestsrc num-buffers=3", self.folder / "m.padim", "--bits", "12"), 2,
                          "--bits is for images")

    def test_values_above_the_range_are_counted(self):
        model, _ = self.fitted(self.write("narrow", 12))
        test = self.write("test", 12, first=50, count=3)
        samples = deep(grey(51), 12)
        samples[3, 5] = 5000
        save_picture(test / "51.png", samples)
        _, said = self.detected(model, test)
        self.assertIn("1 16-bit picture has values above 4095", said)
        self.assertNotIn("above", self.detected(model, test / "52.png")[1])

    def test_resume_and_defects_read_as_the_fit_did(self):
        model, _ = self.fitted(self.write("narrow", 12))
        dark = self.folder / "dark"
        for number in range(20, 26):
            save_picture(dark / f"{number}.png", deep(grey(number), 12) // 8)
        defects = self.write("bad", 12, first=60, count=4, defect=True)
        resumed = self.folder / "resumed.padim"
        result = self.fit(dark, resumed, "--resume", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("read as 12-bit ones, as in the fit", result.stderr)
        self.assertEqual(self.bits_of(resumed), 12)
        result = run("threshold", model, "--defects", defects, *self.backbone())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("read as 12-bit ones, as in the fit", result.stderr)
        self.assertIn("0 of 4", result.stdout)

    def test_merge_refuses_another_range(self):
        narrow, _ = self.fitted(self.write("narrow", 12))
        wide, _ = self.fitted(self.write("wide", 16, first=20))
        self.assert_fails(run("merge", narrow, wide, "--output", self.folder / "m.padim"), 1,
                          "ranges of 16-bit pictures differ (12 bits and 16 bits)")

    def test_eval_reads_test_images_like_the_training_images(self):
        for bits in (8, 12):
            data = self.folder / f"data{bits}" / "part"
            self.write(f"data{bits}/part/train/good", bits)
            self.write(f"data{bits}/part/test/good", bits, first=30, count=4)
            self.write(f"data{bits}/part/test/bad", bits, first=50, count=3, defect=True)
            for number in range(50, 53):
                save_picture(data / "ground_truth" / "bad" / f"{number}_mask.png", mask())
        rows = []
        for bits in (8, 12):
            result = run("eval", "--data", self.folder / f"data{bits}", "--save", self.folder / f"save{bits}",
                         *self.backbone())
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual("part: 16-bit pictures are read as 12-bit ones" in result.stderr, bits == 12)
            rows.append(json.loads((self.folder / f"save{bits}" / "results.json").read_text())["classes"][0]["pixel_auroc"])
        self.assertAlmostEqual(rows[0], rows[1], places=6)
        self.assertGreater(rows[0], 0.9)

    def test_floating_point_pictures_are_refused(self):
        source = self.write("narrow", 12)
        Image.fromarray(grey(1).astype(np.float32)).save(source / "float.tif")
        result = self.fit(source, self.folder / "m.padim")
        self.assertEqual(result.returncode, 1)
        self.assertIn("float.tif': its samples are floating-point numbers; save it with 8 or 16 bits", result.stderr)

    def test_unreadable_ones_do_not_count(self):
        source = self.write("narrow", 12)
        shutil.copy(source / "00.png", source / "cut.png")
        (source / "cut.png").write_bytes((source / "00.png").read_bytes()[:300])
        model = self.folder / "m.padim"
        self.assertEqual(self.fit(source, model, "--skip-unreadable").returncode, 0)
        self.assertEqual(self.bits_of(model), 12)


if __name__ == "__main__":
    unittest.main()
