"""What tests in Python share: the reference data, and telling Meson that all was skipped."""

import os
import sys
import unittest

SKIPPED = 77


def shared_folder(*parts):
    """A path below $PADIM_SHARED (the folder of reference data), or None where there is none."""
    path = os.path.join(os.environ.get("PADIM_SHARED", ""), *parts)
    return path if os.environ.get("PADIM_SHARED") and os.path.exists(path) else None


def skip_file(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


class CountingResult(unittest.TextTestResult):
    """A class that is skipped as a whole counts no test, so what passed is counted here."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    """unittest.main(), with exit code 77 when every test was skipped."""
    runner = unittest.TextTestRunner(verbosity=2, resultclass=CountingResult)
    result = unittest.main(exit=False, testRunner=runner).result
    if result.wasSuccessful() and result.skipped and result.passed == 0:
        skip_file("; ".join(sorted({reason for _, reason in result.skipped})))
    sys.exit(0 if result.wasSuccessful() and result.passed > 0 else 1)
