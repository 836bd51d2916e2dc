"""The examples for live video, on test pictures."""
from example_case import ExampleCase, main, parse_lines


class LiveTest(ExampleCase):
    def test_fit_then_detect(self):
        """The body that appears three seconds after the fit is found, and nothing before it."""
        scores = self.folder / "live.jsonl"
        self.example("03-fit-then-detect-live.sh", "--device", "none", "--fit-frames", 60, "--frames", 200,
                     "--json", scores)
        records = parse_lines(scores.read_text())
        self.assertEqual([record["frame"] for record in records if record["state"] == "fit"], list(range(60)))
        detected = [record for record in records if record["state"] == "detect"]
        anomalous = [record["pts_ns"] for record in detected if record["anomalous"]]
        self.assertGreater(len(anomalous), 30)
        self.assertAlmostEqual(min(anomalous) / 1e9, 5, delta=0.1)
        self.assertEqual(len(anomalous), sum(record["pts_ns"] >= min(anomalous) for record in detected))
        self.assertTrue((self.folder / "live.padim").is_file())


if __name__ == "__main__":
    main()
