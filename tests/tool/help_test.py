"""Help texts and usage errors: what a user sees before anything runs."""
import unittest

from tool_case import ToolCase, run

COMMANDS = ("fit", "detect", "eval", "info", "merge", "sample", "threshold")


class Help(ToolCase):
    def test_help_names_every_command(self):
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", result.stdout)

    def test_each_command_has_help_with_examples(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = run(command, "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("Examples:\n", result.stdout)
                self.assertIn(f"  padim {command} ", result.stdout)

    def test_version(self):
        result = run("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^\d+\.\d+\.\d+\n$")

    def test_usage_errors_exit_with_2_and_name_the_option(self):
        fit = ["fit", "--input", "x", "--output", "y.padim"]
        detect = ["detect", "--model", "m.padim", "--input", "x"]
        for arguments, part in (
            ([], "subcommand"),
            (["paint"], "paint"),
            (["fit"], "--input"),
            (["fit", "--input", "x"], "--output"),
            (fit + ["--grid", "middle"], "middle"),
            (fit + ["--reduction", "npca"], "npca"),
            (fit + ["--false-alarm-rate", "0.9"], "--false-alarm-rate"),
            (fit + ["--false-alarm-rate", "0.1", "--no-calibration"], "--no-calibration"),
            (fit + ["--search-radius", "9"], "--search-radius"),
            (fit + ["--seed", "-1"], "--seed"),
            (fit + ["--epsilon", "0"], "--epsilon"),
            (fit + ["--epsilon", "0.1", "--relative-epsilon", "0.1"], "--relative-epsilon"),
            (fit + ["--precision", "float16"], "float16"),
            (fit + ["--frobnicate"], "--frobnicate"),
            (detect + ["--threshold", "1.5"], "--threshold"),
            (detect + ["--overlay", "glitter"], "glitter"),
            (detect + ["--colormap", "grey"], "grey"),
            (["info"], "model"),
            (["merge", "a.padim", "--output", "c.padim"], "models"),
            (fit + ["--resume", "m.padim", "--grid", "finest"], "--grid"),
            (fit + ["--augment", "33"], "--augment"),
            (fit + ["--augment-kind", "mirror"], "mirror"),
            (fit + ["--resume", "m.padim", "--augment-kind", "rotate"], "--augment-kind"),
            (["sample"], "--output"),
            (["eval"], "--data"),
            (["eval", "--data", "x", "--protocol", "mine"], "mine"),
            (["eval", "--data", "x", "--ablation", "--taps", "layer1"], "--taps"),
            (["eval", "--data", "x", "--fusion", "product"], "product"),
            (["eval", "--data", "x", "--false-alarm-rate", "0"], "--false-alarm-rate"),
            (["sample", "--output", "x", "--inspect-frames", "3"], "--inspect-frames"),
            (fit + ["--missed-at-most", "0.1"], "--defects"),
            (fit + ["--no-calibration", "--curve", "c.png"], "--curve"),
            (["threshold"], "model"),
            (["threshold", "m.padim", "--defects", "x", "--missed-at-most", "1.1"], "--missed-at-most"),
            (["threshold", "m.padim", "--false-alarm-rate", "0.6"], "--false-alarm-rate"),
            (["threshold", "m.padim", "--raw", "0"], "--raw"),
            (["threshold", "m.padim", "--raw", "3", "--false-alarm-rate", "0.1"], "--raw"),
        ):
            with self.subTest(" ".join(arguments)):
                self.assert_fails(run(*arguments, cwd=self.folder), 2, part, "--help")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
