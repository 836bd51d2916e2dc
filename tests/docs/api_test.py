"""The API reference: Doxygen makes it without a warning, and it holds what programs use."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from skippable import main  # noqa: E402


class Api(unittest.TestCase):
    def test_reference_is_complete_and_without_warnings(self):
        if shutil.which("doxygen") is None:
            self.skipTest("doxygen is not installed")
        with tempfile.TemporaryDirectory(prefix="padim-api-") as folder:
            settings = (ROOT / "docs" / "Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {folder}\n"
            result = subprocess.run(["doxygen", "-"], input=settings, cwd=ROOT, capture_output=True, text=True,
                                    check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            classes = (pathlib.Path(folder) / "html" / "annotated.html").read_text()
            for name in ("Fitter", "Model", "Detector", "Learner", "Overlay", "Backbone"):
                self.assertIn(f">{name}<", classes)


if __name__ == "__main__":
    main()
