"""Where the time goes: the table that detect prints with --profile. Nothing here depends on how fast the machine is."""
import re
import unittest

from tool_case import ToolCase, picture, save_picture

STAGES = ["input", "preprocess", "network", "embedding", "distances", "map", "regions", "overlay", "output"]
ROUNDING = 0.001  # of each number in the table


class Profile(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_model()
        for number in range(12):
            save_picture(cls.shared / "in" / f"{number:02}.png", picture(number, defect=number % 2 == 1))

    def profile(self, *options):
        """{stage: (mean, median, 99th percentile)} in the table's order."""
        result = self.detect(self.shared / "in", "--profile", *options)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        title, table = re.search(r"(  ms per frame +mean +p50 +p99)\n((?:  \w+(?: +\d+\.\d{3}){3}\n)+)\Z",
                                 result.stderr).groups()
        lines = [line.split() for line in table.splitlines()]
        self.assertEqual({len(line) for line in table.splitlines()}, {len(title)})
        return {name: tuple(map(float, numbers)) for name, *numbers in lines}

    def test_every_stage_and_their_sum_have_a_line(self):
        self.assertEqual(list(self.profile()), [*STAGES, "all"])

    def test_means_add_up_and_percentiles_rise(self):
        table = self.profile("--output", self.folder / "out")
        self.assertAlmostEqual(sum(table[stage][0] for stage in STAGES), table["all"][0], delta=10 * ROUNDING)
        for stage, (mean, median, high) in table.items():
            with self.subTest(stage):
                # Of twelve frames the 99th percentile is the slowest.
                self.assertLessEqual(median, high)
                self.assertLessEqual(mean, high + ROUNDING)
                self.assertLessEqual(median, table["all"][1] + ROUNDING)
                self.assertLessEqual(high, table["all"][2] + ROUNDING)

    def test_only_what_is_drawn_takes_time_to_draw(self):
        self.assertEqual(self.profile("--maps", self.folder / "maps")["overlay"], (0, 0, 0))
        self.assertGreater(self.profile("--output", self.folder / "out")["overlay"][2], 0)

    def test_nothing_is_printed_unasked(self):
        self.assertNotIn("ms per frame", self.detect(self.shared / "in").stderr)


if __name__ == "__main__":
    unittest.main()
