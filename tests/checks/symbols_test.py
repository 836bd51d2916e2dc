"""What the built libraries show to a program that loads them: libpadim its namespace, the plugin its entry points."""

import os
import re
import subprocess
import unittest

LIBRARY = os.environ["PADIM_LIBRARY"]
PLUGIN = os.environ["PADIM_PLUGIN"]
ENGINE = os.environ.get("PADIM_ENGINE")

OWN = re.compile(r"(typeinfo for |typeinfo name for |vtable for |VTT for |guard variable for |(non-)?virtual thunk to )?"
                 r"padim::")


def exported(library):
    lines = subprocess.run(["nm", "--dynamic", "--defined-only", "--demangle", library], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return [line.split(maxsplit=2)[2] for line in lines]


def needed(library):
    text = subprocess.run(["readelf", "--dynamic", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def closure(library):
    """Names of all libraries that the loader adds."""
    text = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s*(\S+) => /", text, re.MULTILINE)


class Symbols(unittest.TestCase):
    def test_library_shows_its_namespace_alone(self):
        symbols = exported(LIBRARY)
        self.assertTrue(any(symbol.startswith("padim::Fitter::finish(") for symbol in symbols))
        self.assertEqual([symbol for symbol in symbols if not OWN.match(symbol)], [])

    def test_plugin_shows_its_entry_points_alone(self):
        self.assertEqual(sorted(exported(PLUGIN)), ["gst_plugin_padim_get_desc", "gst_plugin_padim_register"])

    def test_library_needs_no_glib(self):
        self.assertEqual([library for library in needed(LIBRARY) if re.match(r"lib(glib|gobject|gio|gst)", library)], [])

    def test_neither_libtorch_nor_opencv_comes_with_them(self):
        for binary in (LIBRARY, PLUGIN):
            libraries = closure(binary)
            self.assertTrue(any(library.startswith("libstdc++") for library in libraries), libraries)
            self.assertEqual([library for library in libraries if re.match(r"lib(torch|c10|opencv)", library)], [])

    @unittest.skipIf(ENGINE is None, "this build has no LibTorch engine")
    def test_engine_shows_its_entry_point_alone_and_brings_no_second_libpadim(self):
        self.assertEqual(exported(ENGINE), ["padim_engine"])
        libraries = needed(ENGINE)
        self.assertTrue(any(library.startswith("libtorch.so") for library in libraries), libraries)
        self.assertEqual([library for library in libraries if library.startswith("libpadim")], [])


if __name__ == "__main__":
    unittest.main()
