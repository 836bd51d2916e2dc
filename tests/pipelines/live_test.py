"""The examples for live video, on test pictures."""
from example_case import ExampleCase, main, parse_lines


class LiveTest(ExampleCase):
    def test_fit_then_detect(self):
        """Frames pass while the model is finished; the body that appears three seconds after the fit is found then, and
        nothing before it."""
        scores = self.folder / "live.jsonl"
        self.example("03-fit-then-detect-live.sh", "--device", "none", "--fit-frames", 60, "--frames", 300,
                     "--json", scores)
        records = parse_lines(scores.read_text())
        self.assertEqual([record["state"] for record in records[:61]], ["fit"] * 60 + ["finishing"])
        detected = [record for record in records if record["state"] == "detect"]
        before = [record["anomalous"] for record in detected if record["pts_ns"] < 4.9e9]
        after = [record["anomalous"] for record in detected if record["pts_ns"] > 5.1e9]
        self.assertNotIn(True, before)
        self.assertGreater(len(after), 3)
        self.assertNotIn(False, after)
        self.assertTrue((self.folder / "live.padim").is_file())

    def test_four_cameras(self):
        """Each camera fits a model of its own in the first run and detects with it in the second."""
        for states in ({"fit"}, {"detect", "reuse"}):
            self.example("09-four-cameras.sh", "--fit-frames", 20, "--frames", 40)
            for number in range(1, 5):
                records = parse_lines((self.folder / "cameras" / f"camera{number}.jsonl").read_text())
                self.assertEqual([record["frame"] for record in records], list(range(39)))
                self.assertLessEqual({record["state"] for record in records[:20]}, states)
        models = {(self.folder / "cameras" / f"camera{number}.padim").read_bytes() for number in range(1, 5)}
        self.assertEqual(len(models), 4)


if __name__ == "__main__":
    main()
