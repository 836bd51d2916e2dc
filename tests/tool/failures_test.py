"""Interrupts, full disks and wrong files: nothing is lost, nothing is half-written, everything is said."""
import os
import resource
import shutil
import subprocess
import unittest

from tool_case import TOOL, ToolCase, reads_from, run, save_many


class Interrupts(ToolCase):
    def many_pictures(self, count):
        source = self.folder / "many"
        save_many(source, count)
        return source

    def test_interrupted_fit_leaves_the_old_model_whole(self):
        model = self.folder / "m.padim"
        model.write_bytes(self.shared_model().read_bytes())
        pictures = self.many_pictures(8000)
        result = self.interrupt("fit", "--input", pictures, "--output", model, *self.backbone(),
                                works=reads_from(pictures))
        self.assert_fails(result, 130, "interrupted", model)
        self.assertEqual(model.read_bytes(), self.shared_model().read_bytes())
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()), ["m.padim", "many"])

    def test_interrupted_first_fit_writes_nothing(self):
        model = self.folder / "m.padim"
        pictures = self.many_pictures(8000)
        result = self.interrupt("fit", "--input", pictures, "--output", model, *self.backbone(),
                                works=reads_from(pictures))
        self.assert_fails(result, 130, "interrupted", "was not written")
        self.assertFalse(model.exists())

    def test_interrupted_detect_leaves_whole_lines_and_a_playable_video(self):
        lines, video = self.folder / "s.jsonl", self.folder / "out.mp4"
        result = self.interrupt("detect", "--model", self.shared_model(), "--input", self.many_pictures(8000),
                                *self.backbone(), "--json", lines, "--output", video,
                                works=lambda _: lines.exists() and "\n" in lines.read_text())
        self.assert_fails(result, 130, "interrupted")
        self.assertTrue(lines.read_text().endswith("}\n"))
        frames = len(lines.read_text().splitlines())
        self.assertTrue(0 < frames < 8000)
        replayed = self.detect(video, "--json", "-")
        self.assertEqual(replayed.returncode, 0, replayed.stderr)
        self.assertEqual(len(replayed.stdout.splitlines()), frames)


class Writing(ToolCase):
    def test_full_disk_is_an_error(self):
        self.shared_model()
        result = self.detect(self.shared / "good", "--json", "/dev/full")
        self.assert_fails(result, 1, "/dev/full", "No space left")

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_half_a_drawing_replaces_nothing(self):
        """gnuplot, whose status is 0, finds no room after 4 KiB."""
        curve = self.folder / "curve.png"
        curve.write_text("earlier")
        self.shared_model()
        result = run("threshold", self.shared_model(), "--defects", self.shared / "good", *self.backbone(), "--curve", curve,
                     restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(str(curve), result.stderr)
        self.assertIn("untouched", result.stderr)
        self.assertEqual(curve.read_text(), "earlier")

    def test_closed_pipe_is_an_error_and_no_crash(self):
        self.shared_model()
        reader, writer = os.pipe()
        os.close(reader)
        command = ["detect", "--model", self.shared_model(), "--input", self.shared / "good", *self.backbone()]
        with os.fdopen(writer, "wb") as output:
            result = subprocess.run([TOOL, *map(str, command), "--json", "-"], stdout=output, stderr=subprocess.PIPE,
                                    text=True, timeout=120, check=False)
        self.assert_fails(result, 1, "standard output", "Broken pipe")

    def test_unwritable_places_are_known_before_the_work(self):
        self.shared_model()
        good, file = self.shared / "good", self.folder / "file"
        file.write_text("in the way")
        self.assert_fails(self.fit(good, self.folder / "no" / "m.padim"), 1, "does not exist")
        self.assert_fails(self.detect(good, "--maps", file), 1, file)
        self.assert_fails(self.detect(good, "--output", file / "deeper"), 1, file)
        self.assert_fails(self.detect(good, "--json", self.folder / "no" / "s.jsonl"), 1, "s.jsonl")

    def test_the_input_is_never_overwritten(self):
        self.shared_model()
        before = (self.shared / "good" / "00.png").read_bytes()
        self.assert_fails(self.detect(self.shared / "good", "--output", self.shared / "good"), 2, "overwrite")
        self.assert_fails(self.detect(self.shared / "good", "--output", self.folder / "x.avi"), 2, "x.avi")
        self.assertEqual((self.shared / "good" / "00.png").read_bytes(), before)


class WrongFiles(ToolCase):
    def test_models_that_are_none_are_named(self):
        foreign = self.folder / "foreign.padim"
        foreign.write_text("hello, this is not a model at all")
        cut = self.folder / "cut.padim"
        cut.write_bytes(self.shared_model().read_bytes()[:-100])
        for model in (foreign, cut, self.folder / "missing.padim"):
            with self.subTest(model.name):
                self.assert_fails(run("info", model), 1, model)
                self.assert_fails(self.detect(self.shared / "good", model=model), 1, model)

    def test_missing_weights_name_the_places_searched(self):
        environment = {**os.environ, "PADIM_BACKBONES": f"{self.folder}/first:{self.folder}/second"}
        result = run("detect", "--model", self.shared_model(), "--input", self.shared / "good", env=environment)
        self.assert_fails(result, 1, "tiny", self.folder / "first", self.folder / "second")

    def test_weights_are_found_beside_the_model_and_in_the_environment(self):
        model = self.folder / "m.padim"
        model.write_bytes(self.shared_model().read_bytes())
        command = ["detect", "--model", model, "--input", self.shared / "good" / "00.png"]
        environment = {**os.environ, "PADIM_BACKBONES": str(self.weights.parent)}
        self.assertEqual(run(*command, env=environment).returncode, 0)
        for name in ("tiny.json", "tiny.safetensors"):
            os.link(self.weights.parent / name, self.folder / name)
        environment["PADIM_BACKBONES"] = ""
        result = run(*command, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
