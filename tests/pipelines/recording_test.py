"""The examples for recorded video: fit, annotate, metadata only."""
import os

import numpy as np

from example_case import EXAMPLES, ROOT, ExampleCase, decode, main, parse_lines


class RecordingTest(ExampleCase):
    def test_fit_then_annotate(self):
        """A model fitted by the first example finds every defect with the second one, and the annotated video plays."""
        self.assertTrue((self.folder / "model.padim").is_file())
        result = self.example("02-annotate-recording.sh")
        self.assertIn("padimfilter", result.stderr, "the pipeline is shown")
        self.assert_scene_judged(parse_lines((self.folder / "scores.jsonl").read_text()))
        self.assertEqual(len(decode(self.folder / "annotated.mp4")), self.scene["inspection"]["frames"])

    def test_earlier_files_are_kept(self):
        """What lies under the name of an output, an input above all, is not written over."""
        source = self.folder / "sample" / "inspection.mp4"
        footage, other = source.read_bytes(), self.folder / "part.of.line"
        other.write_bytes(b"yesterday's")
        for _ in range(2):
            self.example("02-annotate-recording.sh", "--output", source, "--json", other)
        self.assertEqual(source.read_bytes(), footage)
        self.assertEqual(other.read_bytes(), b"yesterday's")
        for number in (2, 3):
            self.assertEqual(len(decode(source.with_name(f"inspection-{number}.mp4"))), self.scene["inspection"]["frames"])
            self.assert_scene_judged(parse_lines((self.folder / f"part.of-{number}.line").read_text()))

    def test_own_files(self):
        """Options replace the default files; names may hold spaces."""
        model = self.folder / "my model.padim"
        video = self.folder / "my video.mp4"
        video.symlink_to(self.folder / "sample" / "normal.mp4")
        self.example("01-fit-recording.sh", "--input", video, "--model", model)
        self.assertTrue(model.is_file())

    def test_side_by_side(self):
        """Left of the middle every frame is as it came; right of it a defect glows, and only then."""
        self.example("12-side-by-side.sh", "--width", 320, "--height", 240)
        frames = decode(self.folder / "side-by-side.mp4", size=(128, 48), channels=3)
        clean = decode(self.folder / "sample" / "inspection.mp4", channels=3)
        self.assertEqual(len(frames), self.scene["inspection"]["frames"])
        self.assertLess(np.abs(frames[:, :, :62] - clean[:, :, :62]).mean(), 5)
        red, green, blue = np.moveaxis(frames[:, 8:, 66:], 3, 0)  # below the text
        glowing = red + green - 2 * blue > 100                    # from yellow to red
        for stretch in self.scene["stretches"]:
            hot = {bool(any_hot) for any_hot in glowing[stretch["begin"]:stretch["end"]].any(axis=(1, 2))}
            self.assertEqual(hot, {stretch["kind"] != "normal"}, stretch)

    def test_metadata_only(self):
        """Standard output holds JSON lines and nothing else."""
        self.assert_scene_judged(parse_lines(self.example("04-metadata-only.sh").stdout))

    def test_program(self):
        """The README's program tells a defect from a normal picture."""
        for name in ("normal", "inspection"):
            self.execute("gst-launch-1.0", "-q", "filesrc", f"location={self.folder}/sample/{name}.mp4", "!", "decodebin",
                         "!", "videoconvert", "!", "pngenc", "!", "multifilesink", f"location={self.folder}/{name}-%d.png")
        normal = [self.folder / f"normal-{number}.png" for number in range(0, 60, 2)]
        for stretch in self.scene["stretches"][:4]:
            part = self.folder / f"inspection-{stretch['begin'] + 1}.png"
            result = self.execute(os.environ["PADIM_INSPECT"], *normal, part, cwd=ROOT)
            self.assertEqual(result.stdout.split()[1], "normal" if stretch["kind"] == "normal" else "anomalous")

    def test_help(self):
        """Every example explains itself and its options."""
        for example in sorted(EXAMPLES.glob("[0-9]*")):
            help_text = self.execute(example, "--help").stdout
            self.assertIn("--", help_text, example)
            self.assertIn("default", help_text, example)


if __name__ == "__main__":
    main()
