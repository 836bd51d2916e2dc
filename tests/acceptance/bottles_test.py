"""Real H.264 footage through one pipeline that fits on its first five seconds and inspects the rest."""

import json

import numpy as np
from PIL import Image

from acceptance_case import AcceptanceCase, main, read_records

SIZE = (640, 360)
FRAMES = 1189
FITTED = 150
FRAME_RATE = 29.83
# Frames as the recording's description lists them; those between are transitions.
NORMAL = [(150, 162)]
RESTORED = [(411, 468), (873, 912), (1107, 1188)]
ANOMALOUS = [(174, 402), (480, 864), (924, 1094)]
# Where the hottest place may lie at a second of the recording: (left, top, right, bottom) around the missing bottles,
# or around the hand and what it holds.
LEFT, MIDDLE, RIGHT = (30, 50, 165, 335), (255, 50, 375, 335), (470, 50, 600, 335)
HOTTEST = {6: [(30, 0, 190, 150)], 8: [LEFT], 9: [LEFT], 10: [LEFT], 17: [(0, 0, 420, 150)], 20: [LEFT, MIDDLE],
           21: [LEFT, MIDDLE], 24: [LEFT, (100, 0, 390, 180)], 25: [LEFT], 26: [LEFT], 27: [LEFT],
           31: [(330, 0, 620, 150)], 33: [RIGHT], 34: [RIGHT], 36: [(270, 0, 620, 180)]}


def frames(stretches):
    return [frame for first, last in stretches for frame in range(first, last + 1)]


def auroc(anomalous, normal):
    """Share of pairs in the right order; a tie counts half."""
    anomalous, normal = np.asarray(anomalous)[:, None], np.asarray(normal)[None]
    return (anomalous > normal).mean() + (anomalous == normal).mean() / 2


def contains(box, x, y):
    left, top, right, bottom = box
    return left <= x < right and top <= y < bottom


class Bottles(AcceptanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.need_weights("efficientnet_lite0")
        cls.video = cls.need_shared("data", "video", "bottles.mp4")
        cls.model, cls.annotated = cls.folder / "bottles.padim", cls.folder / "annotated.mp4"
        cls.launch(f"filesrc location={cls.video}", "decodebin", "videoconvert",
                   f"padimfilter mode=fit-then-detect fit-frames={FITTED} model-file={cls.model} "
                   f"json-location={cls.folder}/scores.jsonl",
                   "videoconvert", "x264enc speed-preset=veryfast bframes=0", "h264parse", "mp4mux",
                   f"filesink location={cls.annotated}")
        cls.records = read_records(cls.folder / "scores.jsonl")

    def scored(self, stretches):
        return [self.records[frame] for frame in frames(stretches)]

    def stills(self, video):
        """One picture per second, by second."""
        folder = self.folder / f"{video.stem}-stills"
        if not folder.exists():
            folder.mkdir()
            self.launch(f"filesrc location={video}", "decodebin", "videorate", "video/x-raw,framerate=1/1",
                        "videoconvert", "pngenc", f"multifilesink location={folder}/%02d.png")
        return folder

    def test_every_frame_is_accounted_for(self):
        self.assertEqual([record["frame"] for record in self.records], list(range(FRAMES)))
        self.assertTrue(all(record["state"] == "fit" for record in self.records[:FITTED]))
        self.assertTrue(all(record["state"] == "detect" for record in self.records[FITTED:]))
        first = self.records[0]["pts_ns"]
        for number, record in enumerate(self.records):
            self.assertAlmostEqual((record["pts_ns"] - first) / 1e9, number / FRAME_RATE, delta=0.5 / FRAME_RATE)

    def test_anomalous_frames_score_above_all_others(self):
        anomalous = [record["raw_score"] for record in self.scored(ANOMALOUS)]
        others = [record["raw_score"] for record in self.scored(NORMAL + RESTORED)]
        self.assertGreaterEqual(auroc(anomalous, others), 0.999)

    def test_anomalous_frames_are_reported_and_normal_ones_are_not(self):
        anomalous = self.scored(ANOMALOUS)
        self.assertGreaterEqual(sum(record["anomalous"] for record in anomalous), 0.95 * len(anomalous))
        self.assertFalse([record["frame"] for record in self.scored(NORMAL) if record["anomalous"]])
        for record in self.scored([(FITTED, FRAMES - 1)]):
            self.assertEqual(record["anomalous"], bool(record["regions"]))

    def test_regions_lie_on_the_missing_bottle(self):
        for second, place in ((9, LEFT), (26, LEFT), (33, RIGHT)):
            hottest = self.records[round(second * FRAME_RATE)]["regions"][0]
            x, y = hottest["x"] + hottest["width"] / 2, hottest["y"] + hottest["height"] / 2
            self.assertTrue(contains(place, x, y), (second, hottest))
            self.assertLess(hottest["area"], 0.3 * SIZE[0] * SIZE[1])

    def test_hottest_place_lies_on_the_hand_or_the_missing_bottle(self):
        maps = self.folder / "maps"
        self.padim("detect", "--model", self.model, "--input", self.stills(self.video), "--maps", maps)
        for second, places in HOTTEST.items():
            scores = np.load(maps / f"{second:02}.npy")
            row, column = np.unravel_index(scores.argmax(), scores.shape)
            x, y = (column + 0.5) * SIZE[0] / scores.shape[1], (row + 0.5) * SIZE[1] / scores.shape[0]
            self.assertTrue(any(contains(place, x, y) for place in places), f"second {second}: ({x:.0f}, {y:.0f})")

    def test_annotated_recording_plays_and_glows_where_it_should(self):
        folder, original = self.stills(self.annotated), self.stills(self.video)
        self.assertEqual(len(list(folder.iterdir())), len(list(original.iterdir())))

        def redness(pictures, second, box):
            pixels = np.asarray(Image.open(pictures / f"{second:02}.png").convert("RGB").crop(box), float)
            return (pixels[..., 0] - pixels[..., 2]).mean()

        for second in (9, 26):
            self.assertGreater(redness(folder, second, LEFT) - redness(original, second, LEFT), 40)
            self.assertLess(abs(redness(folder, second, RIGHT) - redness(original, second, RIGHT)), 25)
        for second in range(1, 5):
            self.assertLess(abs(redness(folder, second, LEFT) - redness(original, second, LEFT)), 5)

    def test_model_tells_how_it_came_about(self):
        info = json.loads(self.padim("info", self.model, "--json").stdout)
        self.assertEqual(info["frames"], FITTED)
        self.assertEqual(info["calibration"]["false_alarm_rate"], 0.001)
        self.assertTrue(4 <= info["calibration"]["segments"] <= 8)


if __name__ == "__main__":
    main()
