"""`meson devenv` gives a shell in which what was built is found, and leaves the user's own GStreamer alone."""

import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["PADIM_BUILD"])
OURS = ("GST_", "GI_", "PADIM_")


class DevenvTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment |= {"HOME": folder.name, "XDG_CACHE_HOME": str(self.home / "cache")}

    def devenv(self, *command):
        result = subprocess.run([os.environ["PADIM_MESON"], "devenv", "-C", BUILD, *command], env=self.environment,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_finds_the_element(self):
        """The element of this build, by a registry that lies in its folder; none is made at home."""
        self.assertIn(str(BUILD / "gst-plugin" / "libgstpadim.so"), self.devenv("gst-inspect-1.0", "padimfilter"))
        registry = pathlib.Path(self.devenv("printenv", "GST_REGISTRY").strip())
        self.assertTrue(registry.is_relative_to(BUILD) and registry.is_file(), registry)
        self.assertEqual([path for path in self.home.rglob("*") if "registry" in path.name], [])

    def test_finds_the_tool(self):
        """padim is the one of this build."""
        tool = self.devenv("sh", "-c", "command -v padim").strip()
        self.assertEqual(tool, str(BUILD / "tools" / "padim" / "padim"))
        self.assertEqual(self.devenv("padim", "--version").count("."), 2)


if __name__ == "__main__":
    unittest.main()
