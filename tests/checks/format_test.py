"""One clang-format for all sources; line ends and tabs of everything else."""

import re
import shutil
import subprocess
import sys
import unittest

from source_tree import ROOT, files, name

sys.path.insert(0, str(ROOT / "tests" / "support"))
from skippable import main  # noqa: E402

CLANG_FORMAT = "14"  # Debian 12's; later ones break lines elsewhere


class Format(unittest.TestCase):
    def test_clang_format_has_nothing_to_change(self):
        program = shutil.which(f"clang-format-{CLANG_FORMAT}") or shutil.which("clang-format")
        if program is None:
            self.skipTest("clang-format is not installed")
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        if not re.search(rf"version {CLANG_FORMAT}\.", version):
            self.skipTest(f"sources are formatted by clang-format {CLANG_FORMAT}, this is {version.strip()}")
        result = subprocess.run([program, "--dry-run", "--Werror", *files(".h", ".cpp")], capture_output=True,
                                text=True, check=False, cwd=ROOT)
        self.assertEqual(result.returncode, 0, result.stderr[:4000])

    def test_lines_end_cleanly(self):
        for path in files(".h", ".cpp", ".py", ".sh", ".build", ".md", ".json"):
            text = path.read_text()
            self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), f"{name(path)}: last line")
            self.assertIsNone(re.search(r"[ \t]$", text, re.MULTILINE), f"{name(path)}: blanks at the end of a line")
            self.assertNotIn("\t", text, f"{name(path)}: tab")
            self.assertNotIn("\r", text, f"{name(path)}: carriage return")


if __name__ == "__main__":
    main()
