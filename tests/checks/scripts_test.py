"""Scripts parse: bash in its own words, Python by compiling; and those that are meant to be run can be."""

import os
import subprocess
import unittest

from source_tree import files, name


def shell_scripts():
    return [path for path in files(".sh", "") if path.read_bytes().startswith(b"#!/bin/bash") or path.suffix == ".sh"]


class Scripts(unittest.TestCase):
    def test_bash_parses(self):
        for path in shell_scripts():
            result = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""), name(path))

    def test_bash_scripts_stop_at_the_first_failure(self):
        for path in shell_scripts():
            text = path.read_text()
            if text.startswith("#!"):
                self.assertIn("\nset -euo pipefail\n", text, name(path))
                self.assertTrue(os.access(path, os.X_OK), f"{name(path)} is not executable")

    def test_python_compiles(self):
        for path in files(".py"):
            compile(path.read_text(), str(path), "exec")


if __name__ == "__main__":
    unittest.main()
