"""`padim eval` reproduces the published implementation and the default configuration on real photographs."""

import json
import unittest

from acceptance_case import AcceptanceCase, main


class Evaluation(AcceptanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.need_shared("data", "hazelnut_toy")

    def evaluate(self, backbone, *options):
        save = self.folder / "results"
        self.padim("eval", "--data", self.data, "--save", save, "--backbone-file", self.need_weights(backbone),
                   *options)
        return json.loads((save / "results.json").read_text())["classes"][0]

    def golden(self, name):
        return json.loads((self.need_shared("golden", name) / "results.json").read_text())

    def check_scores(self, result, files, scores):
        ours = {image["file"]: image["raw_score"] for image in result["images"]}
        self.assertEqual(len(ours), len(files))
        for file, score in zip(files, scores, strict=True):
            self.assertAlmostEqual(ours[str(self.data / file)] / score, 1, delta=1e-3)

    def test_reference_protocol_is_the_published_implementation(self):
        result = self.evaluate("resnet18", "--protocol", "reference")
        golden = self.golden("hazelnut_toy_resnet18")
        self.check_scores(result, golden["test_files"], golden["raw_image_score"])
        self.assertEqual(result["image_auroc"], 1)
        self.assertAlmostEqual(result["pixel_auroc"], golden["pixel_auroc"], delta=5e-4)

    def test_default_configuration_in_paper_geometry(self):
        golden = self.golden("hazelnut_toy_efficientnet_lite0")
        for radius in 0, 1:
            for protocol in "official", "reference":
                with self.subTest(radius=radius, protocol=protocol):
                    known = golden[f"radius{radius}"]
                    options = ["--backbone", "efficientnet_lite0", "--protocol", protocol, "--geometry", "paper",
                               "--precision", "float32", "--search-radius", radius]
                    # The golden scores are those of the paper's estimate of the covariance.
                    result = self.evaluate("efficientnet_lite0", *options, "--prior", 0)
                    self.check_scores(result, golden["test_files"], known["raw_image_score"])
                    self.assertEqual(result["image_auroc"], 1)
                    self.assertAlmostEqual(result["pixel_auroc"], known["pixel_auroc"], delta=1e-3)
                    self.assertAlmostEqual(result["aupro_30"], known["aupro_03"], delta=3e-3)
                    self.assertEqual(result["seen_share_of_defects"], 1)
                    self.check_prior_costs_no_quality(result, self.evaluate("efficientnet_lite0", *options))

    def check_prior_costs_no_quality(self, without, recommended):
        self.assertEqual(recommended["image_auroc"], 1)
        self.assertGreaterEqual(recommended["pixel_auroc"], without["pixel_auroc"] - 1e-3)


if __name__ == "__main__":
    main()
