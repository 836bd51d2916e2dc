"""The example programs that read the element's metadata, in C and in Python: one line per scored frame."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tiny_backbone import write_tiny_backbone  # noqa: E402

PROGRAMS = {
    "C": ([os.environ["PADIM_PRINT_SCORES_C"]], "fakesink"),
}
if os.environ["PADIM_INTROSPECTION"]:
    PROGRAMS["Python"] = ([os.environ["PADIM_TEST_PYTHON"], os.environ["PADIM_PRINT_SCORES_PY"]], "appsink")
VIDEO = "video/x-raw,width=96,height=64,framerate=30/1"


def run(command, pipeline):
    return subprocess.run([*command, pipeline], capture_output=True, text=True, timeout=120, check=False)


class PrintScoresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="padim-programs-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        weights = write_tiny_backbone(cls.folder / "backbone")
        cls.filter = f"padimfilter backbone=tiny backbone-file={weights} precision=float32 overlay=0"

    def pipeline(self, pattern, frames, settings, sink):
        source = f"videotestsrc pattern={pattern} num-buffers={frames} ! {VIDEO}"
        return f"{source} ! {self.filter} {settings} ! {sink} name=sink sync=false"

    def test_prints_one_line_per_scored_frame(self):
        for language, (command, sink) in PROGRAMS.items():
            with self.subTest(language):
                result = run(command, self.pipeline("smpte", 20, "mode=fit-then-detect fit-frames=12", sink))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                lines = result.stdout.splitlines()
                self.assertEqual(len(lines), 8)
                self.assertTrue(all(line.endswith(" normal") for line in lines), lines)

    def test_says_what_is_anomalous(self):
        model = self.folder / "bars.padim"
        for language, (command, sink) in PROGRAMS.items():
            with self.subTest(language):
                fit = run(command, self.pipeline("smpte", 12, f"mode=fit model-file={model}", sink))
                self.assertEqual((fit.returncode, fit.stdout, fit.stderr), (0, "", ""))
                result = run(command, self.pipeline("snow", 3, f"model-file={model}", sink))
                lines = result.stdout.splitlines()
                self.assertEqual(len(lines), 3, result.stderr)
                self.assertTrue(all(line.endswith(" anomaly") for line in lines), lines)
                self.assertTrue(all(0.5 <= float(line.split()[-2]) < 1 for line in lines), lines)

    def test_reports_what_went_wrong(self):
        missing = self.folder / "missing.padim"
        for language, (command, sink) in PROGRAMS.items():
            with self.subTest(language):
                result = run(command, self.pipeline("smpte", 3, f"model-file={missing}", sink))
                self.assertEqual(result.returncode, 1)
                self.assertIn("missing.padim", result.stderr)


if __name__ == "__main__":
    unittest.main()
