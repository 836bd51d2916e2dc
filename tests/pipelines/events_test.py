"""The examples that act on anomalies: clips, alarms, a program that reads every frame's verdict."""
import json
import pathlib
import socket
import subprocess
import time

import numpy as np
from PIL import Image

from example_case import EXAMPLES, SMALL, ExampleCase, decode, main

SECOND = 1_000_000_000


class EventsTest(ExampleCase):
    def events(self):
        """(begin, end) of each stretch of anomalous frames, in frames."""
        return [(stretch["begin"], stretch["end"]) for stretch in self.scene["stretches"] if stretch["kind"] != "normal"]

    def test_clips(self):
        """One clip per defect, from before it appears to after it is gone; neighbours within the gap share one."""
        clips = self.folder / "clips"
        names = self.example("08-clips.sh", "--folder", clips, "--before", 0.1, "--after", 0, "--gap", 0).stdout.split()
        self.assertEqual(len(names), len(self.events()))
        self.assertEqual(sorted(names), sorted(map(str, clips.iterdir())))
        for name in names:
            self.assertRegex(name, rf"^{clips}/clip-\d{{8}}-\d{{6}}(-\d+)?\.mkv$")
        for name, (begin, end) in zip(names, self.events()):
            # From the last key frame (every 15 frames) before three frames ahead of the defect; to the frame after it.
            self.assertGreaterEqual(len(decode(name)), end - max(begin - 3, 0))
            self.assertLessEqual(len(decode(name)), end - begin + 3 + 15 + 2)

        before = {name: pathlib.Path(name).read_bytes() for name in names}
        self.assertEqual(len(self.example("08-clips.sh", "--folder", clips, "--gap", 1).stdout.split()), 1)
        self.assertEqual({name: pathlib.Path(name).read_bytes() for name in names}, before, "earlier clips are kept")
        self.assertEqual(len(list(clips.iterdir())), len(names) + 1)

    def test_alarm_command(self):
        """The command runs at the beginning and at the end of the anomaly, with the message as JSON."""
        lines = self.example("11-alarm.sh", "--command", 'echo "$EVENT $(cat)"').stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["begin", "end"])
        begin, end = (json.loads(line.split(maxsplit=1)[1]) for line in lines)
        first, last = self.events()[0][0], self.events()[-1][1] - 1
        self.assertAlmostEqual(begin["begin-running-time"] / SECOND, first / 30, places=3)
        self.assertAlmostEqual(end["running-time"] / SECOND, last / 30, places=3)
        self.assertGreaterEqual(begin["score"], 0.5)
        self.assertGreaterEqual(end["peak-score"], begin["score"])

    def test_alarm_picture(self):
        """The picture of an alarm is that of the frame with which the anomaly began, not of the one before."""
        pictures = self.folder / "pictures"
        begin, end = self.example("11-alarm.sh", "--pictures", pictures, "--command", "cat; echo").stdout.split("\n\n")[:2]
        begin, end = json.loads(begin), json.loads(end)
        self.assertEqual([str(path) for path in pictures.iterdir()], [begin["picture"]])
        self.assertNotIn("picture", end)
        self.assertTrue(begin["frame-follows"])
        self.assertEqual(begin["frame"], self.events()[0][0])
        self.assertRegex(begin["wall-clock"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(begin["source"], "^padimfilter")
        frames = decode(self.folder / "sample" / "inspection.mp4")
        picture, = decode(begin["picture"])
        defect = np.abs(frames[begin["frame"]] - frames[begin["frame"] - 1]) > 20  # where it is new
        self.assertTrue(defect.any())
        # Drawn over as it is, the defect's place is unlike the frame before, by more than the rest of the picture is.
        difference = np.abs(picture - frames[begin["frame"] - 1])
        self.assertGreater(difference[defect].mean(), 3 * difference[~defect].mean())

    def test_alarm_obeys_its_options(self):
        """A threshold that nothing reaches, more frames in a row than any anomaly has, a mask of everything but a corner."""
        mask = np.zeros(SMALL[::-1], np.uint8)
        mask[:12, :16] = 255
        Image.fromarray(mask).save(self.folder / "mask.png")
        for option, value in (("--threshold", 1), ("--min-frames", 1000), ("--mask", self.folder / "mask.png")):
            with self.subTest(option):
                self.assertEqual(self.example("11-alarm.sh", option, value).stdout, "")

    def test_what_is_missing_or_unknown_is_named(self):
        """No example runs on something else than what it was told."""
        missing = str(self.folder / "missing.mp4")
        for name in ("01-fit-recording.sh", "02-annotate-recording.sh", "03-fit-then-detect-live.sh", "11-alarm.sh"):
            for options, status, word in ((["--input", missing], 1, missing), (["--device", "x"], 2, "--device")):
                with self.subTest(name):
                    result = subprocess.run([EXAMPLES / name, *options], env=self.environment, capture_output=True,
                                            text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
                    self.assertEqual(result.returncode, status, result.stderr)
                    self.assertIn(word, result.stderr)

    def test_alarm_mqtt(self):
        """A subscriber gets both messages."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        broker = subprocess.Popen(["/usr/sbin/mosquitto", "-p", str(port)], env=self.environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(broker.wait)
        self.addCleanup(broker.terminate)
        self.wait_for_broker(port)
        # A subscription that lasts: the broker keeps what is published until the subscriber comes back.
        subscriber = ["mosquitto_sub", "-p", str(port), "-i", "test", "-c", "-q", "1", "-t", "line1/#"]
        self.execute(*subscriber, "-E")
        self.example("11-alarm.sh", "--command", "true", "--mqtt", f"127.0.0.1:{port}", "--topic", "line1")
        messages = [line.split(maxsplit=1)
                    for line in self.execute(*subscriber, "-C", "2", "-W", "60", "-v").stdout.splitlines()]
        self.assertEqual([topic for topic, _ in messages], ["line1/begin", "line1/end"])
        self.assertGreater(json.loads(messages[1][1])["frames"], 0)

    def wait_for_broker(self, port):
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        self.fail("the broker does not answer")

    def test_python_reader(self):
        """One line per frame with its verdict."""
        lines = self.example("10-python-reader.sh").stdout.splitlines()
        self.assertEqual(len(lines), self.scene["inspection"]["frames"])
        for stretch in self.scene["stretches"]:
            verdicts = {line.split()[-1] for line in lines[stretch["begin"]:stretch["end"]]}
            self.assertEqual(verdicts, {"normal" if stretch["kind"] == "normal" else "anomaly"})


if __name__ == "__main__":
    main()
