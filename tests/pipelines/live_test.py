"""The examples for live video, on test pictures."""
import json
import signal
import subprocess
import time

from example_case import EXAMPLES, ExampleCase, main, parse_lines

FRAME_NS = 1_000_000_000 // 30
APPEARS_NS = 5_000_000_000


class LiveTest(ExampleCase):
    def watch(self, scores, seconds=120):
        """The records that the example has written when some frames with the body were scored; Ctrl-C ends it."""
        command = [EXAMPLES / "03-fit-then-detect-live.sh", "--input", "test", "--fit-frames", "60", "--json", scores]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as live:
            for _ in range(seconds * 4):
                time.sleep(0.25)
                if len(self.scored_after(scores)) > 5 or live.poll() is not None:
                    break
            live.send_signal(signal.SIGINT)
            self.assertEqual(live.wait(60), 0)
        return parse_lines(scores.read_text())

    @staticmethod
    def scored_after(scores):
        lines = scores.read_text().splitlines()[:-1] if scores.exists() else []
        return [record for record in map(json.loads, lines) if record["state"] == "detect" and record["pts_ns"] > APPEARS_NS]

    def test_fit_then_detect(self):
        """Frames pass while the model is finished; the body that appears three seconds after the fit is found then, and
        nothing before it."""
        records = self.watch(self.folder / "live.jsonl")
        self.assertEqual([record["state"] for record in records[:61]], ["fit"] * 60 + ["finishing"])
        detected = [record for record in records if record["state"] == "detect"]
        before = [record["anomalous"] for record in detected if record["pts_ns"] < APPEARS_NS - 2 * FRAME_NS]
        after = [record["anomalous"] for record in detected if record["pts_ns"] > APPEARS_NS + 2 * FRAME_NS]
        self.assertNotIn(True, before)
        self.assertGreater(len(after), 3)
        self.assertNotIn(False, after)
        self.assertTrue((self.folder / "live.padim").is_file())

    def test_four_cameras(self):
        """Each camera fits a model of its own in the first run and detects with it in the second, whose scores follow
        those of the first."""
        for run, states in enumerate(({"fit"}, {"detect", "reuse"})):
            self.example("09-four-cameras.sh", "--fit-frames", 20, "--frames", 40)
            for number in range(1, 5):
                records = parse_lines((self.folder / "cameras" / f"camera{number}.jsonl").read_text())[run * 39:]
                self.assertEqual([record["frame"] for record in records], list(range(39)))
                self.assertLessEqual({record["state"] for record in records[:20]}, states)
        models = {(self.folder / "cameras" / f"camera{number}.padim").read_bytes() for number in range(1, 5)}
        self.assertEqual(len(models), 4)


if __name__ == "__main__":
    main()
