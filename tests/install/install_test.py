"""What `meson install` leaves, a program built against it with pkg-config or CMake alone, and the shell of `meson devenv`."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "support"))
from tiny_backbone import write_tiny_backbone  # noqa: E402

BUILD = os.environ["PADIM_BUILD"]
PREFIX = os.environ["PADIM_PREFIX"].lstrip("/")
LIBDIR = os.environ["PADIM_LIBDIR"]
LIBTORCH = os.environ["PADIM_LIBTORCH"] == "true"
COMPILER = json.loads(os.environ["PADIM_CXX"])


def run(*command, **environment):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False,
                            stdin=subprocess.DEVNULL, env={**os.environ, **{k: str(v) for k, v in environment.items()}})
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def save_picture(path, number, defect):
    """A textured picture with a little noise of its own; a defect is a bright patch."""
    y, x = np.mgrid[0:64, 0:96]
    texture = 110 + 40 * np.sin(x / 5) * np.cos(y / 7)
    pixels = np.stack([texture, texture * 0.8 + 20, 200 - texture], axis=-1)
    pixels += np.random.default_rng(number).normal(0, 4, pixels.shape)
    if defect:
        pixels[24:36, 40:56] = (250, 240, 60)
    path.write_bytes(b"P6\n96 64\n255\n" + np.clip(pixels, 0, 255).astype(np.uint8).tobytes())
    return path


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="padim-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.root = cls.folder / "root"
        run(os.environ["PADIM_MESON"], "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root)
        cls.prefix = cls.root / PREFIX
        cls.libraries = cls.prefix / LIBDIR

    def test_everything_is_there(self):
        wanted = [*(f"include/padim/{header.name}" for header in (ROOT / "libpadim/include/padim").glob("*.h")),
                  *(f"share/padim/models/{file.name}" for file in (ROOT / "models").glob("*.json")),
                  *(f"share/padim/models/convert/{file.name}" for file in (ROOT / "models/convert").glob("*.py")),
                  "share/padim/models/README.md", f"{LIBDIR}/libpadim.so", f"{LIBDIR}/pkgconfig/padim.pc",
                  f"{LIBDIR}/cmake/padim/padim-config.cmake", f"{LIBDIR}/cmake/padim/padim-config-version.cmake",
                  f"{LIBDIR}/gstreamer-1.0/libgstpadim.so", "bin/padim"]
        if LIBTORCH:
            wanted.append(f"{LIBDIR}/padim/engines/libpadim-torch.so")
        if os.environ["PADIM_INTROSPECTION"]:
            wanted += ["share/gir-1.0/GstPadim-1.0.gir", f"{LIBDIR}/girepository-1.0/GstPadim-1.0.typelib"]
        self.assertEqual([file for file in wanted if not (self.prefix / file).exists()], [])

    def test_nothing_of_the_build_is_there(self):
        strays = [str(path) for path in self.root.rglob("*") if path.name.endswith((".a", ".pyc", ".safetensors"))]
        self.assertEqual(strays, [])
        for binary in (self.prefix / "bin/padim", self.libraries / "libpadim.so"):
            self.assertNotIn(os.path.realpath(BUILD).encode(), binary.read_bytes(), f"{binary} knows the build folder")

    def test_tool_and_converter_run(self):
        self.assertIn("fit", run(self.prefix / "bin/padim", "--help", LD_LIBRARY_PATH=self.libraries))
        self.assertIn("--backbone", run(sys.executable, self.prefix / "share/padim/models/convert", "--help"))

    @unittest.skipUnless(LIBTORCH, "this build has no LibTorch engine")
    def test_engine_is_found_beside_the_library(self):
        """Wherever the tree was put: what a GPU that is not there is answered with names the engine's library."""
        picture = save_picture(self.folder / "any.ppm", 1, defect=False)
        command = [self.prefix / "bin/padim", "fit", "--input", picture, "--output", self.folder / "x.padim",
                   "--backbone", "tiny", "--backbone-file", write_tiny_backbone(self.folder / "gpu"),
                   "--device", "cuda:999"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                                env={**os.environ, "LD_LIBRARY_PATH": str(self.libraries), "LD_DEBUG": "files"})
        said = "\n".join(line for line in result.stderr.splitlines() if "padim-torch" in line or "padim: " in line)
        self.assertIn(f"{self.libraries.resolve()}/padim/engines/libpadim-torch.so", said)
        self.assertIn("device 'cuda:999' is not available", said)

    def test_plugin_loads(self):
        text = run("gst-inspect-1.0", "padimfilter", LD_LIBRARY_PATH=self.libraries,
                   GST_PLUGIN_PATH=self.libraries / "gstreamer-1.0", GST_REGISTRY=self.folder / "registry.bin")
        self.assertIn(str(self.libraries / "gstreamer-1.0/libgstpadim.so"), text)

    def judge(self, program, environment):
        """A program that fits on 24 pictures tells one with a defect from one without."""
        weights = write_tiny_backbone(self.folder / "backbone")
        normal = [save_picture(self.folder / f"{i}.ppm", i, defect=False) for i in range(24)]
        for defect, verdict in ((False, "normal"), (True, "anomalous")):
            inspected = save_picture(self.folder / f"{verdict}.ppm", 100, defect)
            score, said = run(program, weights, *normal, inspected, **environment).split()
            self.assertEqual(said, verdict)
            self.assertEqual(float(score) >= 0.5, defect)

    def test_program_is_built_with_pkg_config_alone(self):
        search = {"PKG_CONFIG_PATH": self.libraries / "pkgconfig", "PKG_CONFIG_SYSROOT_DIR": self.root}
        flags = run("pkg-config", "--cflags", "--libs", "padim", **search).split()
        self.assertEqual(run("pkg-config", "--modversion", "padim", **search).strip(), os.environ["PADIM_VERSION"])
        program = self.folder / "fit_and_detect"
        run(*COMPILER, "-Wall", "-Wextra", "-Werror", HERE / "fit_and_detect.cpp", "-o", program, *flags)
        self.judge(program, {"LD_LIBRARY_PATH": self.libraries})

    def configure(self, prefix, version):
        """CMake's exit code and output for a program that wants this version of the library."""
        folder = self.folder / f"cmake-{version}"
        launcher = [f"-DCMAKE_CXX_COMPILER_LAUNCHER={COMPILER[0]}"] if len(COMPILER) > 1 else []
        command = [os.environ["PADIM_CMAKE"], "-S", HERE / "cmake_program", "-B", folder, f"-DWANTED_VERSION={version}",
                   f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER[-1]}", *launcher]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
        return folder, result.returncode, result.stdout + result.stderr

    def test_program_is_built_with_cmake_alone(self):
        """From a folder that the installation was moved to, which the program finds again without help."""
        if not os.environ["PADIM_CMAKE"]:
            self.skipTest("cmake is not installed")
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        folder, status, said = self.configure(moved, os.environ["PADIM_VERSION"])
        self.assertEqual(status, 0, said)
        run(os.environ["PADIM_CMAKE"], "--build", folder)
        self.judge(folder / "fit_and_detect", {})

    def test_cmake_refuses_other_versions(self):
        if not os.environ["PADIM_CMAKE"]:
            self.skipTest("cmake is not installed")
        major, minor, patch = map(int, os.environ["PADIM_VERSION"].split("."))
        for version in (f"{major}.{minor}.{patch + 1}", f"{major}.{minor + 1}", f"{major + 1}.0"):
            _, status, said = self.configure(self.prefix, version)
            self.assertNotEqual(status, 0, version)
            self.assertIn("compatible with requested version", " ".join(said.split()))


class Devenv(unittest.TestCase):
    """The shell of `meson devenv`, with the tests' own helpers taken out of the environment."""

    def shell(self, command):
        with tempfile.TemporaryDirectory(prefix="padim-devenv-") as folder:
            return run(os.environ["PADIM_MESON"], "devenv", "-C", BUILD, "bash", "-c", command, LD_LIBRARY_PATH="",
                       GST_REGISTRY=f"{folder}/registry.bin")

    def test_finds_the_element(self):
        self.assertIn(f"{os.path.realpath(BUILD)}/gst-plugin/libgstpadim.so",
                      self.shell("gst-inspect-1.0 padimfilter"))

    def test_finds_the_tool_and_the_backbones(self):
        self.assertIn(f"{os.path.realpath(BUILD)}/tools/padim/padim", self.shell("type -p padim && padim --help"))
        folders = self.shell("echo $PADIM_BACKBONES").split()[-1].split(":")
        self.assertTrue(any((pathlib.Path(folder) / "resnet18.json").exists() for folder in folders), folders)


if __name__ == "__main__":
    unittest.main()
