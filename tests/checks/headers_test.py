"""Every public header compiles on its own and without a warning; every header has its guard and keeps namespaces shut."""

import concurrent.futures
import json
import os
import re
import subprocess
import unittest

from source_tree import ROOT, files, name

COMPILER = json.loads(os.environ["PADIM_CXX"])
INCLUDE = ROOT / "libpadim" / "include"


def compile_alone(header):
    """What the compiler says to a file that includes this header twice and nothing else."""
    line = f'#include "{header.relative_to(INCLUDE)}"\n'
    command = [*COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
               "-Werror", f"-I{INCLUDE}", "-x", "c++", "-"]
    return subprocess.run(command, input=2 * line, capture_output=True, text=True, check=False)


class Headers(unittest.TestCase):
    def test_public_headers_compile_on_their_own(self):
        headers = files(".h", folders=["libpadim/include"])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for header, result in zip(headers, pool.map(compile_alone, headers)):
                self.assertEqual(result.returncode, 0, f"{name(header)}:\n{result.stderr}")

    def test_public_headers_are_installed(self):
        listed = (ROOT / "libpadim" / "meson.build").read_text()
        for header in files(".h", folders=["libpadim/include"]):
            relative = str(header.relative_to(ROOT / "libpadim"))
            self.assertTrue(f"'{relative}'" in listed, f"{relative} is not installed")

    def test_guards(self):
        for header in files(".h"):
            # The metadata library's is for C, and guarded as GStreamer's own.
            guard = "#ifndef GST_PADIM_" if name(header).startswith("gst-libs/") else "#pragma once\n"
            self.assertTrue(header.read_text().startswith(guard), name(header))

    def test_namespaces_stay_shut(self):
        for header in files(".h"):
            self.assertIsNone(re.search(r"^\s*using\s+namespace", header.read_text(), re.MULTILINE), name(header))


if __name__ == "__main__":
    unittest.main()
