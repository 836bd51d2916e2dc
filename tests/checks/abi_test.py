"""Programs that were built against libpadim run with it as it is now: its ABI is the stored one."""

import os
import pathlib
import shutil
import sys
import unittest

from source_tree import ROOT, name

sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
import abi  # noqa: E402
from skippable import main  # noqa: E402

BUILD = pathlib.Path(os.environ["PADIM_BUILD"])


class Abi(unittest.TestCase):
    def setUp(self):
        if not all(map(shutil.which, ("abidw", "abidiff"))):
            self.skipTest("abigail-tools is not installed")
        self.file = abi.stored(BUILD)
        if not self.file.exists():
            self.skipTest(f"there is no {name(self.file)}: the ABI is watched by the compiler that made the description")
        self.stored = self.file.read_text()

    def test_it_is_the_stored_one(self):
        self.assertEqual(abi.difference(self.stored, abi.describe(BUILD)), "", "where this is meant: scripts/abi.py")

    def test_changes_are_seen(self):
        """Planted ones: each replaces a text that is in the description once or more."""
        for what, before, after in (
                ("a member with another name", 'var-decl name="weights_sha256"', 'var-decl name="digest"'),
                ("another enumerator", '<enumerator name="float32" value="1" />', '<enumerator name="float32" value="3" />'),
                ("a struct that has grown", 'name="Roi" size-in-bits="256"', 'name="Roi" size-in-bits="320"'),
                ("a virtual function at another place", 'vtable-offset="2"', 'vtable-offset="7"'),
                ("a function that is gone", '<elf-symbol name="_ZN5padim6Fitter3add', '<elf-symbol name="_ZN5padim6Fitter4fold'),
        ):
            with self.subTest(what):
                self.assertIn(before, self.stored)
                self.assertNotEqual(abi.difference(self.stored, self.stored.replace(before, after)), "")


if __name__ == "__main__":
    main()
