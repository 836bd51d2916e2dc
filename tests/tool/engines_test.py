"""LibTorch is loaded by a process that needs it, and by no other; where it is missing, the need and the remedy are said."""
import json
import os
import pathlib
import re
import shutil
import unittest

from tool_case import TOOL, ToolCase, picture, run, save_picture
from tiny_backbone import DESCRIPTION

LIBTORCH = "PADIM_ENGINES" in os.environ
MODULE = "libpadim-torch.so"
WITH_LOADER = {**os.environ, "LD_DEBUG": "files"}


def loaded(result):
    """File names of the libraries that the loader put into the process."""
    return {pathlib.Path(file).name for file in re.findall(r"file=(\S+) \[0\];  generating link map", result.stderr)}


def libtorch_of(result):
    return {name for name in loaded(result) if name.startswith((MODULE, "libtorch", "libc10"))}


class EnginesCase(ToolCase):
    def setUp(self):
        super().setUp()
        self.shared_model()
        self.picture = self.folder / "inspected.png"
        save_picture(self.picture, picture(100, defect=True))

    def detect_with(self, weights, *options, **environment):
        """Detects in one picture; the loader's own log is in stderr."""
        return run("detect", "--model", self.shared_model(), "--input", self.picture, "--json", "-", "--backbone-file",
                   weights, *options, env={**WITH_LOADER, **environment})

    def score(self, result):
        self.assertEqual(result.returncode, 0, [line for line in result.stderr.splitlines() if "padim:" in line])
        return json.loads(result.stdout.splitlines()[-1])["score"]

    def libtorch_network(self):
        """The same network with an activation behind a pool, which changes nothing and which oneDNN does not fuse."""
        description = json.loads(json.dumps(DESCRIPTION))
        description["blocks"][0]["layers"][1]["activation"] = "relu"
        (self.folder / "tiny.json").write_text(json.dumps(description))
        return shutil.copy(self.weights, self.folder)

    def tool_without_module(self):
        """A copy of the tool and the library in the build's order, without the LibTorch engine beside them."""
        folder = self.folder / "copy"
        (folder / "libpadim").mkdir(parents=True)
        (folder / "tools/padim").mkdir(parents=True)
        for library in (pathlib.Path(TOOL).parent.parent.parent / "libpadim").glob("libpadim.so*"):
            if library.is_file():
                shutil.copy(library, folder / "libpadim")
        return folder, shutil.copy(TOOL, folder / "tools/padim")


class WithoutNeed(EnginesCase):
    def test_the_processor_needs_no_libtorch(self):
        for options in ([], ["--device", "cpu"], ["--precision", "float32"]):
            result = self.detect_with(self.weights, *options)
            self.score(result)
            self.assertTrue(any(name.startswith("libpadim.so") for name in loaded(result)))
            self.assertEqual(libtorch_of(result), set())

    @unittest.skipIf(os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/kfd"), "this machine has a GPU")
    def test_auto_is_the_processor_where_there_is_no_gpu(self):
        result = self.detect_with(self.weights, "--device", "auto")
        self.score(result)
        self.assertEqual(libtorch_of(result), set())


@unittest.skipUnless(LIBTORCH, "this build has no LibTorch engine")
class WithNeed(EnginesCase):
    def test_networks_that_onednn_does_not_execute_run_on_libtorch(self):
        expected = self.score(self.detect_with(self.weights, "--precision", "float32"))
        result = self.detect_with(self.libtorch_network(), "--precision", "float32")
        self.assertAlmostEqual(self.score(result), expected, places=4)
        self.assertIn(MODULE, libtorch_of(result))

    @unittest.skipIf(os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/kfd"), "this machine has a GPU")
    def test_a_gpu_that_is_not_there_is_named(self):
        result = self.detect_with(self.weights, "--device", "cuda")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"padim: device 'cuda' is not available: .*LibTorch \d.*use cpu or auto")


class Missing(EnginesCase):
    def assert_named(self, need, remedy, *options, weights=None, **environment):
        folder, tool = self.tool_without_module()
        result = run("detect", "--model", self.shared_model(), "--input", self.picture, "--backbone-file",
                     weights or self.weights, *options, tool=tool,
                     env={**os.environ, "LD_LIBRARY_PATH": "", **environment})
        self.assert_fails(result, 1, f"{need} needs the LibTorch engine, {MODULE}", "was found in none of: ",
                          folder / "libpadim/padim/engines", folder / "libpadim", remedy)

    def test_for_a_gpu(self):
        self.assert_named("device 'cuda'", "or use device cpu", "--device", "cuda")

    def test_for_a_network(self):
        self.assert_named("backbone 'tiny', in which a pool has an activation or a sum,", "or use another backbone",
                          weights=self.libtorch_network())

    def test_for_a_precision(self):
        self.assert_named("precision 'bfloat16' on this processor", "or use precision float32", "--precision",
                          "bfloat16", ONEDNN_MAX_CPU_ISA="AVX2")


if __name__ == "__main__":
    unittest.main()
