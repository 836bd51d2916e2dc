"""What the built libraries show to a program that loads them: libpadim its namespace, the plugin its entry points."""

import os
import re
import subprocess
import unittest

LIBRARY = os.environ["PADIM_LIBRARY"]
PLUGIN = os.environ["PADIM_PLUGIN"]

OWN = re.compile(r"(typeinfo for |typeinfo name for |vtable for |VTT for |guard variable for |(non-)?virtual thunk to )?"
                 r"padim::")


def exported(library):
    lines = subprocess.run(["nm", "--dynamic", "--defined-only", "--demangle", library], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return [line.split(maxsplit=2)[2] for line in lines]


def needed(library):
    text = subprocess.run(["readelf", "--dynamic", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


class Symbols(unittest.TestCase):
    def test_library_shows_its_namespace_alone(self):
        symbols = exported(LIBRARY)
        self.assertTrue(any(symbol.startswith("padim::Fitter::finish(") for symbol in symbols))
        self.assertEqual([symbol for symbol in symbols if not OWN.match(symbol)], [])

    def test_plugin_shows_its_entry_points_alone(self):
        self.assertEqual(sorted(exported(PLUGIN)), ["gst_plugin_padim_get_desc", "gst_plugin_padim_register"])

    def test_library_needs_no_glib(self):
        libraries = needed(LIBRARY)
        self.assertTrue(any(library.startswith("libtorch") for library in libraries))
        self.assertEqual([library for library in libraries if re.match(r"lib(glib|gobject|gio|gst)", library)], [])

    def test_plugin_leaves_the_heavy_libraries_to_libpadim(self):
        self.assertEqual([library for library in needed(PLUGIN) if re.match(r"lib(torch|c10|opencv)", library)], [])


if __name__ == "__main__":
    unittest.main()
