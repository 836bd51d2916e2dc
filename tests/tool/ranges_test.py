"""The options that library, element and tool share accept the same values (tests/support/option_ranges.json)."""
import json
import pathlib
import unittest

from tool_case import ToolCase, run

ROWS = json.loads((pathlib.Path(__file__).parent.parent / "support" / "option_ranges.json").read_text())
NEEDED = {"fit": ["--input", "absent", "--output", "y.padim"], "detect": ["--model", "absent.padim", "--input", "absent"]}


def outside(row):
    """The nearest integers, or half and twice a fraction."""
    below, above = row["least"], row["most"]
    return below / 2 if isinstance(below, float) else below - 1, above * 2 if isinstance(above, float) else above + 1


class Ranges(ToolCase):
    def each(self):
        for row in ROWS:
            if "tool" in row:
                yield row, *row["tool"].split()

    def use(self, command, option, value):
        return run(command, *NEEDED[command], f"{option}={value}", cwd=self.folder)

    def test_what_is_in_range_is_accepted(self):
        for row, command, option in self.each():
            for value in row["least"], row["most"]:
                with self.subTest(f"{command} {option}={value}"):
                    self.assert_fails(self.use(command, option, value), 1, "absent")

    def test_what_is_outside_is_a_usage_error(self):
        for row, command, option in self.each():
            for value in outside(row):
                with self.subTest(f"{command} {option}={value}"):
                    self.assert_fails(self.use(command, option, value), 2, option, "--help")

    def test_help_shows_the_default(self):
        for row, command, option in self.each():
            default = row.get("tool_default", row["default"])
            if default is None:
                continue
            with self.subTest(f"{command} {option}"):
                # "=100" or "[100]", by the version of CLI11
                self.assertRegex(run(command, "--help").stdout, rf"(?m)^ +{option} .*[=\[]{default}(?![\d.])")


if __name__ == "__main__":
    unittest.main()
