"""What is taken of a folder as people have it, and that the rest is said with its reason."""
import contextlib
import os
import unittest

import numpy as np
from PIL import Image

from tool_case import ToolCase, mask, parse_lines, picture, run, save_picture


class FolderCase(ToolCase):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "in"

    def put(self, *names, first=0):
        for number, name in enumerate(names, first):
            save_picture(self.source / name, picture(number))

    def taken(self, *options):
        """Paths below the folder, and what is said beside them."""
        result = self.detect(self.source, "--json", "-", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [os.path.relpath(r["source"], self.source) for r in parse_lines(result.stdout)], result.stderr

    def check(self, names, *parts):
        taken, said = self.taken()
        self.assertEqual(taken, sorted(names))
        for part in parts:
            self.assertIn(part, said)
        return said


class LeftOut(FolderCase):
    def test_where_all_is_taken_nothing_is_said(self):
        self.put("a.png", "sub/b.png")
        self.assertNotIn("left out", self.check(["a.png", "sub/b.png"]))

    def test_hidden_folders_and_those_of_systems(self):
        self.put("a.png", ".Trash-1000/files/b.png", ".thumbnails/c.png", "@eaDir/d.png", "__MACOSX/e.png",
                 "$RECYCLE.BIN/f.png", "lost+found/g.png", "System Volume Information/h.png", "._a.png")
        self.check(["a.png"], "1 image taken; left out: ", "2 hidden folders (.Trash-1000, .thumbnails)",
                   "5 folders of the system ($RECYCLE.BIN, ", "1 hidden file (._a.png)")

    def test_masks_beside_their_pictures(self):
        self.put("a.png", "b.png", "lone_mask.png")
        save_picture(self.source / "ground_truth" / "c.png", mask())
        save_picture(self.source / "a_mask.bmp", mask())
        self.check(["a.png", "b.png", "lone_mask.png"], "2 masks (a_mask.bmp, ground_truth/)")

    def test_other_formats_by_their_extensions(self):
        self.put("a.png", "B.PNG", "c.Jpeg", "d.webp", "e.pgm")
        for name in ("notes.txt", "more.TXT", "video.mp4", "README"):
            (self.source / name).write_text("nothing")
        os.mkfifo(self.source / "pipe.png")
        self.check(["B.PNG", "a.png", "c.Jpeg", "d.webp", "e.pgm"],
                   "5 files of other formats (.mp4, .png, .txt, README)")

    def test_pages_of_a_tiff_after_the_first(self):
        self.put("a.png")
        pages = [Image.fromarray(picture(number)) for number in range(3)]
        pages[0].save(self.source / "stack.tif", save_all=True, append_images=pages[1:])
        self.check(["a.png", "stack.tif"], "2 further pages of TIFFs (stack.tif)")
        with contextlib.suppress(RuntimeError):  # some versions of Pillow cannot write several pages of BigTIFF
            pages[0].save(self.folder / "big.TIFF", save_all=True, append_images=pages[1:], big_tiff=True)
            (self.folder / "big.TIFF").rename(self.source / "big.TIFF")
            self.check(["a.png", "big.TIFF", "stack.tif"], "4 further pages of TIFFs (big.TIFF, stack.tif)")
        result = self.detect(self.source / "stack.tif")
        self.assertIn("2 further pages of TIFFs (stack.tif)", result.stderr)

    def test_a_tiff_that_runs_in_a_circle_ends(self):
        self.put("a.tif")
        whole = (self.source / "a.tif").read_bytes()
        place = int.from_bytes(whole[4:8], "little")
        entries = int.from_bytes(whole[place:place + 2], "little")
        end = place + 2 + 12 * entries
        (self.source / "a.tif").write_bytes(whole[:end] + whole[4:8] + whole[end + 4:])
        self.check(["a.tif"], "further pages")

    def test_an_empty_folder_says_what_it_holds_instead(self):
        self.put(".trash/a.png")
        self.assert_fails(self.detect(self.source), 1, "holds no image", "1 hidden folder (.trash)")


class Links(FolderCase):
    def test_folders_and_files_behind_links_are_taken(self):
        elsewhere = self.folder / "monday"
        save_picture(elsewhere / "a.png", picture(1))
        save_picture(self.folder / "b.png", picture(2))
        self.source.mkdir()
        (self.source / "today").symlink_to(elsewhere)
        (self.source / "b.png").symlink_to(self.folder / "b.png")
        self.check(["b.png", "today/a.png"])

    def test_circles_end(self):
        self.put("a.png", "sub/b.png")
        (self.source / "sub" / "up").symlink_to(self.source)
        (self.source / "self").symlink_to("self")
        self.check(["a.png", "sub/b.png"], "1 second name of a file or folder (sub/up)")

    def test_each_file_counts_once_by_the_name_it_has_here(self):
        self.put("z/a.png", "b.png")
        (self.source / "latest.png").symlink_to("z/a.png")
        (self.source / "again").symlink_to("z")
        os.link(self.source / "b.png", self.source / "z" / "hard.png")
        self.check(["b.png", "z/a.png"], "3 second names of files or folders (again, latest.png, z/hard.png)")

    def test_a_picture_behind_a_broken_link_cannot_be_read(self):
        self.put("a.png")
        (self.source / "gone.png").symlink_to(self.folder / "gone")
        self.assert_fails(self.detect(self.source), 1, "gone.png", "1 of 2 images could not be read")


class Unreadable(FolderCase):
    def setUp(self):
        super().setUp()
        self.put("a.png", "private/b.png")
        (self.source / "private").chmod(0)
        self.addCleanup((self.source / "private").chmod, 0o700)
        if os.access(self.source / "private", os.R_OK):
            self.skipTest("root reads everything")

    def test_a_folder_that_may_not_be_read_is_an_error_or_skipped(self):
        self.assert_fails(self.detect(self.source), 1, "private", "Permission denied")
        taken, said = self.taken("--skip-unreadable")
        self.assertEqual(taken, ["a.png"])
        self.assertIn("1 folder that cannot be read (private)", said)


class OwnPictures(FolderCase):
    def test_results_below_the_input_are_no_input(self):
        self.put("a.png", "b.jpg", "c.bmp", "d.tif")
        for _ in range(3):
            result = self.detect(self.source, "--output", self.source / "annotated")
            self.assertIn("4 frames", result.stderr)
        self.check(["a.png", "b.jpg", "c.bmp", "d.tif"], "4 pictures that padim wrote (annotated/)")

    def test_wherever_they_are_moved(self):
        self.put("a.png", "b.png")
        result = self.detect(self.source / "a.png", "--output", self.source / "c.jpg")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check(["a.png", "b.png"], "1 picture that padim wrote (c.jpg)")
        Image.open(self.source / "c.jpg").load()

    def test_a_folder_of_nothing_else_is_refused(self):
        self.put("a.png")
        self.assertEqual(self.detect(self.source, "--output", self.folder / "out").returncode, 0)
        self.assert_fails(self.fit(self.folder / "out", self.folder / "m.padim"), 1, "1 picture that padim wrote")


class Names(FolderCase):
    def test_folders_may_have_dots_and_extensions(self):
        for name in ("set.v2", "parts.jpg", "line.mp4", "100%d.png"):
            with self.subTest(name):
                self.source = self.folder / name
                self.put("a.png", "deeper.jpg/b.png")
                self.check(["a.png", "deeper.jpg/b.png"])

    def test_output_folders_may_have_dots(self):
        self.put("a.png")
        for name in ("results_2024.05", "set.v2", "parts.jpg/"):
            with self.subTest(name):
                result = self.detect(self.source, "--output", f"{self.folder}/{name}")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertTrue((self.folder / name / "a.png").exists())


class DataSets(FolderCase):
    """Normal pictures and defects, told apart by folders."""

    def lay_out(self, *names):
        for number, name in enumerate(names):
            save_picture(self.source / name, picture(number))

    def check_fit(self, folder, meant):
        result = self.fit(folder, self.folder / "m.padim")
        self.assert_fails(result, 2, f"did you mean '{meant}'?")

    def test_a_fit_names_the_training_images(self):
        self.lay_out("nut/train/good/a.png", "nut/test/good/b.png", "nut/test/cut/c.png", "nut/ground_truth/cut/c.png")
        nut = self.source / "nut"
        self.check_fit(self.source, nut / "train/good")
        self.check_fit(nut, nut / "train/good")
        self.check_fit(nut / "test", nut / "train/good")

    def test_or_the_normal_ones(self):
        self.lay_out("OK/a.png", "scratch/b.png")
        self.check_fit(self.source, self.source / "OK")

    def test_folders_of_normal_images_only_are_fine(self):
        self.lay_out(*(f"train/good/{n}.png" for n in range(12)), "train/monday/none.txt.png")
        (self.source / "train/monday/none.txt.png").unlink()
        self.assertEqual(self.fit(self.source / "train", self.folder / "m.padim").returncode, 0)
        self.assertEqual(self.fit(self.source, self.folder / "m.padim").returncode, 0)

    def test_defects_hold_no_normal_images(self):
        self.lay_out("test/good/b.png", "test/cut/c.png", "ground_truth/cut/c.png")
        for folder in (self.source, self.source / "test"):
            result = run("threshold", self.shared_model(), "--defects", folder, *self.backbone())
            self.assert_fails(result, 2, f"did you mean '{self.source / 'test/cut'}'?")
        result = run("threshold", self.shared_model(), "--defects", self.source / "test/cut", *self.backbone())
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_detection_takes_all_but_the_masks(self):
        self.lay_out("train/good/a.png", "test/good/b.png", "test/cut/c.png", "ground_truth/cut/c_mask.png")
        self.check(["test/cut/c.png", "test/good/b.png", "train/good/a.png"], "1 mask (ground_truth/cut/)")


class Masks(FolderCase):
    """Ground truth as tools write it."""

    def kinds(self):
        marks = mask()
        palette = Image.fromarray((marks > 0).astype(np.uint8), "P")
        palette.putpalette([0, 0, 0, 0, 0, 3])
        erased = np.dstack([np.full_like(marks, 255)] * 3 + [marks])
        return {"00.png": marks, "01_mask.png": marks > 0, "02_mask.BMP": marks, "03_mask.tif": marks,
                "04.jpg": marks, "05.png": (marks // 255).astype(np.uint16), "06.png": marks // 255,
                "07.png": palette, "08.png": erased, "09.pgm": marks,
                "10.png": np.dstack([marks * 0, marks * 0, marks // 255])}

    def write(self):
        truth = self.folder / "truth"
        truth.mkdir()
        for name, pixels in self.kinds().items():
            save_picture(self.source / f"{name[:2]}.png", picture(7, defect=True))
            (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(truth / name)
        save_picture(self.source / "normal.png", picture(3))
        return truth

    def test_every_kind_of_mask_marks_the_same(self):
        truth = self.write()
        result = self.detect(self.source, "--ground-truth", truth)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"of {len(self.kinds())} anomalous frames", result.stdout)
        pixel_line = result.stdout.splitlines()[1]
        for file in truth.iterdir():
            Image.fromarray(mask()).save(truth / f"{file.name[:2]}.png")
            if file.name != f"{file.name[:2]}.png":
                file.unlink()
        plain = self.detect(self.source, "--ground-truth", truth)
        self.assertEqual(plain.stdout.splitlines()[1], pixel_line)

    def test_a_defect_without_a_mask_is_never_normal(self):
        for name in ("good/0.png", "cut/1.png", "cut/2.png"):
            save_picture(self.source / name, picture(1, defect=name.startswith("cut")))
        save_picture(self.folder / "truth" / "cut" / "1.png", mask())
        result = self.detect(self.source, "--ground-truth", self.folder / "truth")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("of 2 anomalous frames", result.stdout)
        self.assertIn("of 1 normal frames", result.stdout)
        self.assertRegex(result.stdout, "no mask +1 of the anomalous frames")

    def test_eval_reads_them_too(self):
        for number in range(12):
            save_picture(self.source / "train/good" / f"{number}.png", picture(number))
        save_picture(self.source / "test/good/0.png", picture(20))
        save_picture(self.source / "train/good/.hidden.png", picture(20))
        for name, pixels in self.kinds().items():
            save_picture(self.source / "test/cut" / f"{name[:2]}.png", picture(7, defect=True))
            (self.source / "ground_truth/cut").mkdir(parents=True, exist_ok=True)
            image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
            image.save(self.source / "ground_truth/cut" / name)
        result = run("eval", "--data", self.source, *self.backbone(), "--save", self.folder / "results")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("train/good: 12 images taken; left out: 1 hidden file", result.stderr)
        self.assertIn(f'"defects": {len(self.kinds())}', (self.folder / "results/results.json").read_text())


class MaskOption(FolderCase):
    """--mask: where to look."""

    def scores_with(self, pixels):
        file = self.folder / "mask.png"
        (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file)
        self.put("a.png")
        return list(self.scores(self.source, "--mask", file).values())

    def test_what_is_transparent_is_ignored_whatever_its_colour(self):
        black = 255 - mask()
        erased = np.dstack([np.full_like(black, 255)] * 3 + [black])
        self.assertEqual(self.scores_with(erased), self.scores_with(black))

    def test_labels_are_no_mask(self):
        self.put("a.png")
        Image.fromarray(255 - mask() // 255 * 254 > 1).save(self.folder / "fine.png")
        Image.fromarray(1 - mask() // 255).save(self.folder / "labels.png")
        self.assertEqual(self.detect(self.source, "--mask", self.folder / "fine.png").returncode, 0)
        self.assert_fails(self.detect(self.source, "--mask", self.folder / "labels.png"), 1, "labels.png", "255")


if __name__ == "__main__":
    unittest.main()
