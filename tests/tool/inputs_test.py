"""What users have in their folders: odd names, odd pixel formats, broken files, nothing at all."""
import os
import unittest
import zlib

import numpy as np
from PIL import Image

from tool_case import SIZE, ToolCase, parse_lines, picture, run, save_picture

ODD_NAMES = ["with space.png", "größe-日本語.png", "100% %d %s.png", "UPPER.PNG", "dots.in.name.png", "#?&;'.png",
             "-dash.png", "sub dir/deeper/x.png"]


class OddFiles(ToolCase):
    def test_odd_names_are_read_and_named_alike_in_every_result(self):
        source, maps, output = self.folder / "in", self.folder / "maps", self.folder / "out"
        for number, name in enumerate(ODD_NAMES):
            save_picture(source / name, picture(number))
        result = self.detect(source, "--json", "-", "--maps", maps, "--output", output)
        self.assertEqual(result.returncode, 0, result.stderr)
        names = [os.path.relpath(record["source"], source) for record in parse_lines(result.stdout)]
        self.assertEqual(sorted(names), sorted(ODD_NAMES))
        for name in ODD_NAMES:
            self.assertTrue((output / name).exists(), name)
            self.assertTrue((maps / name).with_suffix(".npy").exists(), name)

    def test_same_stem_twice_gives_two_maps(self):
        source, maps = self.folder / "in", self.folder / "maps"
        save_picture(source / "a.png", picture(1))
        save_picture(source / "a.bmp", picture(2))
        self.assertEqual(self.detect(source, "--maps", maps).returncode, 0)
        self.assertEqual(sorted(file.name for file in maps.iterdir()), ["a.bmp.npy", "a.png.npy"])

    def test_hidden_and_foreign_files_are_left_out(self):
        source = self.folder / "in"
        save_picture(source / "a.png", picture(1))
        (source / "._a.png").write_bytes(b"resource fork")
        (source / "notes.txt").write_text("nothing")
        self.assertEqual(list(self.scores(source)), ["a.png"])


class PixelFormats(ToolCase):
    def test_the_same_picture_scores_the_same_in_every_file_format(self):
        source, pixels = self.folder / "in", picture(7)
        save_picture(source / "plain.png", pixels)
        save_picture(source / "plain.bmp", pixels)
        save_picture(source / "plain.tif", pixels)
        alpha = np.dstack([pixels, np.full(pixels.shape[:2], 90, np.uint8)])
        save_picture(source / "alpha.png", alpha)
        scores = self.scores(source)
        self.assertEqual(len(set(scores.values())), 1, scores)

    def test_grey_and_16_bits(self):
        source = self.folder / "in"
        grey = picture(7)[..., 0]
        save_picture(source / "grey.png", grey)
        save_picture(source / "grey_as_colour.png", np.dstack([grey] * 3))
        Image.fromarray(grey.astype(np.uint16) * 257).save(source / "deep.png")
        Image.fromarray(grey.astype(np.uint16) * 257).save(source / "deep.tif")
        scores = self.scores(source)
        self.assertEqual(scores["grey.png"], scores["grey_as_colour.png"])
        self.assertAlmostEqual(scores["deep.png"], scores["grey.png"], delta=0.02 * scores["grey.png"])
        self.assertAlmostEqual(scores["deep.tif"], scores["grey.png"], delta=0.02 * scores["grey.png"])

    def test_what_follows_the_end_of_a_jpeg_does_not_matter(self):
        source = self.folder / "in"
        source.mkdir()
        image = Image.fromarray(picture(7))
        for name, options in (("plain.jpg", {}), ("progressive.jpg", {"progressive": True})):
            image.save(source / name, quality=95, **options)
            motion = (source / name).read_bytes() + b"\x00\xff\xda\x12\xff\xdb motion"
            (source / f"motion_{name}").write_bytes(motion)
        scores = self.scores(source)
        self.assertEqual(scores["plain.jpg"], scores["motion_plain.jpg"])
        self.assertEqual(scores["progressive.jpg"], scores["motion_progressive.jpg"])

    def test_exif_orientation_is_ignored(self):
        source = self.folder / "in"
        source.mkdir()
        image = Image.fromarray(picture(7))
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees
        image.save(source / "plain.jpg", quality=95)
        image.save(source / "turned.jpg", quality=95, exif=exif)
        scores = self.scores(source)
        self.assertEqual(scores["plain.jpg"], scores["turned.jpg"])


class Unreadable(ToolCase):
    def broken_folder(self):
        source = self.folder / "in"
        for number in range(8):
            save_picture(source / f"{number}.png", picture(number))
        whole = source / "0.jpg"
        Image.fromarray(picture(9)).save(whole, quality=95)
        (source / "cut.jpg").write_bytes(whole.read_bytes()[:1500])
        (source / "cut.png").write_bytes((source / "0.png").read_bytes()[:3000])
        (source / "empty.png").write_bytes(b"")
        (source / "text.png").write_text("not an image")
        return source

    BROKEN = ("cut.jpg", "cut.png", "empty.png", "text.png")

    def test_detect_names_them_goes_on_and_fails_in_the_end(self):
        result = self.detect(self.broken_folder(), "--json", "-")
        self.assertEqual(result.returncode, 1, result.stderr)
        for part in ("4 of 13 images could not be read", *self.BROKEN):
            self.assertIn(part, result.stderr)
        self.assertEqual(len(parse_lines(result.stdout)), 9)

    def test_frame_numbers_count_unreadable_images(self):
        records = parse_lines(self.detect(self.broken_folder(), "--json", "-").stdout)
        self.assertEqual([record["frame"] for record in records], [0, 1, 2, 3, 4, 5, 6, 7, 8])
        (self.folder / "in" / "00.png").write_bytes(b"")  # now the broken one sorts after 0.png
        records = parse_lines(self.detect(self.folder / "in", "--json", "-").stdout)
        self.assertEqual([record["frame"] for record in records], [0, 1, 3, 4, 5, 6, 7, 8, 9])

    def test_damaged_jpegs_are_named_and_left_out(self):
        """Data that changed in the middle of a JPEG is neither fitted nor scored."""
        for number in range(3):
            noise = np.random.default_rng(number).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
            save_picture(self.folder / "in" / f"{number}.jpg", noise)
        file = self.folder / "in" / "1.jpg"
        data = bytearray(file.read_bytes())
        data[len(data) // 2:len(data) // 2 + 40] = bytes(range(40))
        file.write_bytes(data)
        result = self.detect(self.folder / "in", "--json", "-")
        self.assert_fails(result, 1, f"cannot read image '{file}': the file is damaged")
        self.assertEqual([record["frame"] for record in parse_lines(result.stdout)], [0, 2])

    def test_damaged_pngs_are_named_and_left_out(self):
        """Wherever the damage lies, and where the data ends early inside a file that seems whole."""
        source = self.folder / "in"
        save_picture(source / "whole.png", picture(1))
        whole = (source / "whole.png").read_bytes()
        at = whole.index(b"IDAT")
        length = int.from_bytes(whole[at - 4:at], "big")
        data, end = whole[at + 4:at + 4 + length], whole[-12:]

        def chunk(content):
            name = b"IDAT" + content
            return len(content).to_bytes(4, "big") + name + zlib.crc32(name).to_bytes(4, "big")

        changed = bytes([data[length // 2] ^ 255])
        damaged = {
            "cut": whole[:len(whole) // 2],
            "no_end": whole[:-12],
            "flipped": whole[:at + length // 2] + changed + whole[at + length // 2 + 1:],
            "flipped_with_checksum": whole[:at - 4] + chunk(data[:length // 2] + changed + data[length // 2 + 1:]) + end,
            "short_data": whole[:at - 4] + chunk(data[:length // 2]) + end,
            "half_the_rows": whole[:at - 4] + chunk(zlib.compress(zlib.decompress(data)[:SIZE[0] * SIZE[1]])) + end,
        }
        for name, content in damaged.items():
            (source / f"{name}.png").write_bytes(content)
        result = self.detect(source, "--json", "-")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(parse_lines(result.stdout)), 1, result.stdout)
        for name in damaged:
            self.assertIn(f"cannot read image '{source / name}.png': the file is damaged or truncated", result.stderr)
        self.assertIn("6 of 7 images could not be read", result.stderr)

    def test_skip_unreadable_succeeds(self):
        result = self.detect(self.broken_folder(), "--json", "-", "--skip-unreadable")
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in self.BROKEN:
            self.assertIn(name, result.stderr)

    def test_fit_saves_the_model_of_the_readable_ones(self):
        source, model = self.broken_folder(), self.folder / "m.padim"
        result = self.fit(source, model)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("4 of 13 images could not be read", result.stderr)
        self.assertIn("9 frames", run("info", model).stdout)
        self.assertEqual(self.fit(source, model, "--skip-unreadable").returncode, 0)


class Nothing(ToolCase):
    def test_each_useless_input_has_its_sentence(self):
        empty, text = self.folder / "empty", self.folder / "text.mp4"
        empty.mkdir()
        text.write_text("not a video")
        one = self.folder / "one"
        save_picture(one / "a.png", picture(1))
        for source, part in ((empty, "holds no image"), (self.folder / "missing", "does not exist"),
                             (text, "cannot decode video"), (one, "at least 2")):
            with self.subTest(source.name):
                self.assert_fails(self.fit(source, self.folder / "m.padim"), 1, part)
                self.assertFalse((self.folder / "m.padim").exists())

    def test_another_shape_is_refused_by_name(self):
        source = self.folder / "in"
        for number in range(6):
            save_picture(source / f"{number}.png", picture(number))
        save_picture(source / "tall.png", np.zeros((200, 40, 3), np.uint8))
        self.assert_fails(self.fit(source, self.folder / "m.padim"), 1, "tall.png")

    def test_masks_that_belong_to_no_frame_are_an_error(self):
        truth = self.folder / "truth"
        truth.mkdir()
        self.shared_model()
        result = self.detect(self.shared / "good", "--ground-truth", truth)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no mask in", result.stderr)

    def test_masks_have_the_shape_of_their_frame_at_any_size(self):
        truth = self.folder / "truth"
        self.shared_model()
        for size, status in ((SIZE, 0), ((2 * SIZE[0], 2 * SIZE[1]), 0), ((SIZE[1], SIZE[0]), 1), ((40, 40), 1)):
            with self.subTest(size):
                save_picture(truth / "00.png", np.full(size[::-1], 255, np.uint8))
                result = self.detect(self.shared / "good", "--ground-truth", truth)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertEqual("00.png" in result.stderr, status == 1)


if __name__ == "__main__":
    unittest.main()
