"""The sample scene from end to end: rendered by the tool, fitted and inspected by pipelines, at untouched settings."""

import json

from acceptance_case import AcceptanceCase, main, read_records


class Sample(AcceptanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.need_weights("efficientnet_lite0")
        cls.padim("sample", "--output", cls.folder)
        cls.description = json.loads((cls.folder / "sample.json").read_text())
        cls.model = cls.folder / "board.padim"
        cls.launch(f"filesrc location={cls.folder}/normal.mp4", "decodebin", f"padimfilter mode=fit model-file={cls.model}",
                   "fakesink")
        cls.launch(f"filesrc location={cls.folder}/inspection.mp4", "decodebin",
                   f"padimfilter model-file={cls.model} json-location={cls.folder}/scores.jsonl", "fakesink")
        cls.records = read_records(cls.folder / "scores.jsonl")

    def stretches(self, normal):
        return [(stretch["kind"], self.records[stretch["begin"]:stretch["end"]])
                for stretch in self.description["stretches"] if (stretch["kind"] == "normal") == normal]

    def test_anomalous_frames_score_above_normal_ones(self):
        normal = [record["raw_score"] for _, records in self.stretches(True) for record in records]
        anomalous = [record["raw_score"] for _, records in self.stretches(False) for record in records]
        wins = sum((a > n) + (a == n) / 2 for a in anomalous for n in normal)
        self.assertGreaterEqual(wins / (len(anomalous) * len(normal)), 0.99)

    def test_300_normal_frames_raise_no_alarm(self):
        normal = [record for _, records in self.stretches(True) for record in records]
        self.assertGreaterEqual(len(normal), 300)
        self.assertFalse([record["frame"] for record in normal if record["anomalous"]])
        self.assertEqual({record["threshold"] for record in self.records}, {0.5})

    def test_every_kind_of_defect_is_found(self):
        found = {}
        for kind, records in self.stretches(False):
            found[kind] = found.get(kind, 0) + sum(record["anomalous"] for record in records)
        self.assertGreaterEqual(len(found), 5)
        self.assertTrue(all(found.values()), found)


if __name__ == "__main__":
    main()
