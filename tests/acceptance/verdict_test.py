"""What a threshold promises, on photographs and recordings that are known: false alarms near the rate asked for,
anomalies found, from fits of a few pictures and from fits that show what does not belong into them."""

import json
import os
import subprocess

from PIL import Image

from acceptance_case import AcceptanceCase, main
from labelled_data import Scores, aliens, copy_in_order, hazelnut, looped, recording, with_passage


class VerdictCase(AcceptanceCase):
    """Fits on folders of pictures, each judged once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.need_weights("efficientnet_lite0")

    def fit(self, name, pictures, source="stream"):
        model = self.folder / f"{name}.padim"
        self.padim("fit", "--input", copy_in_order(pictures, self.folder / f"{name}-fitted"), "--output", model,
                   "--source", source)
        return model

    def scores(self, model, normal, anomalous):
        folder = self.folder / f"{model.stem}-judged"
        folder.mkdir()
        copy_in_order(normal, folder / "normal")
        copy_in_order(anomalous, folder / "anomalous")
        lines = self.padim("detect", "--model", model, "--input", folder, "--json", "-").stdout.splitlines()
        scored = {kind: [record["raw_score"] for record in map(json.loads, lines) if f"/{kind}/" in record["source"]]
                  for kind in ("normal", "anomalous")}
        self.assertEqual([len(scored["normal"]), len(scored["anomalous"])], [len(normal), len(anomalous)])
        return Scores(**scored)

    def threshold(self, model, rate):
        chosen = self.folder / "chosen.padim"
        self.padim("threshold", model, "--false-alarm-rate", rate, "--output", chosen)
        return self.info(chosen)["calibration"]["threshold"]

    def info(self, model):
        return json.loads(self.padim("info", model, "--json").stdout)

    def check(self, model, scores, *, rate, alarms, missed):
        threshold = self.threshold(model, rate)
        figures = scores.false_alarms(threshold), scores.missed(threshold)
        print(f"{model.stem}: asked for {rate}, {figures[0]:.3f} false alarms, {figures[1]:.3f} missed")
        self.assertLessEqual(figures[0], alarms, rate)
        self.assertLessEqual(figures[1], missed, rate)

    def check_all_told_apart(self, model, scores):
        for rate in (0.05, 0.01, 0.001):
            self.check(model, scores, rate=rate, alarms=0, missed=0)

    def dropped(self, model):
        """The names of the frames that the fit left out, which the sentences name, too."""
        names = [frame["name"] for frame in self.info(model)["examination"]["outliers"] if frame["dropped"]]
        told = self.padim("info", model).stdout
        for name in names[:10]:
            self.assertIn(name, told)
        return [os.path.basename(name) for name in names]


class Hazelnut(VerdictCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.photographs = hazelnut(cls.need_shared("data", "hazelnut_toy"))

    def judged(self, count):
        model = self.fit(f"hazelnut-{count}", self.photographs.fitted[:count], "images")
        return model, self.scores(model, self.photographs.unseen(count), self.photographs.anomalous)

    def test_all_photographs(self):
        model, scores = self.judged(28)
        self.check(model, scores, rate=0.01, alarms=1 / 6, missed=0)

    def test_few_photographs(self):
        for count in (14, 8):
            with self.subTest(count):
                model, scores = self.judged(count)
                self.check(model, scores, rate=0.01, alarms=0.1, missed=0)

    def test_showing_all_twice_promises_no_more_than_once(self):
        """The threshold keeps its distance from new normal photographs."""
        distances = []
        for name, times in (("once", 1), ("twice", 2)):
            model = self.fit(name, looped(self.photographs.fitted, times), "images")
            scores = self.scores(model, self.photographs.normal, self.photographs.anomalous)
            self.check(model, scores, rate=0.01, alarms=1 / 6, missed=0)
            distances.append(self.threshold(model, 0.05) / (sum(scores.normal) / len(scores.normal)))
        self.assertAlmostEqual(distances[1] / distances[0], 1, delta=0.1)

    def test_two_photographs_suffice_for_a_model(self):
        model = self.fit("two-photographs", self.photographs.fitted[:2], "images")
        self.assertEqual(self.info(model)["frames"], 2)
        scores = self.scores(model, self.photographs.normal, self.photographs.anomalous)
        self.assertGreaterEqual(scores.auroc(), 0.9)
        self.check(model, scores, rate=0.05, alarms=1 / 6, missed=0.8)

    def test_a_fit_is_merged_once(self):
        model = self.fit("fit", self.photographs.fitted[:4], "images")
        command = [os.environ["PADIM_TOOL"], "merge", model, model, "--output", self.folder / "merged.padim"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(str(model), result.stderr)
        self.assertIn(self.info(model)["id"], result.stderr)
        self.assertFalse((self.folder / "merged.padim").exists())


class Aliens(VerdictCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.photographs = aliens(cls.need_shared("data", "aliens"))

    def judged(self, count):
        model = self.fit(f"aliens-{count}", self.photographs.fitted[:count], "images")
        return model, self.scores(model, self.photographs.unseen(count), self.photographs.anomalous)

    def test_all_photographs(self):
        model, scores = self.judged(40)
        self.check(model, scores, rate=0.05, alarms=1 / 18, missed=0.1)
        self.check(model, scores, rate=0.01, alarms=1 / 18, missed=0.45)

    def test_few_photographs(self):
        for count, missed in ((30, 0.25), (16, 0.35)):
            with self.subTest(count):
                model, scores = self.judged(count)
                self.check(model, scores, rate=0.05, alarms=0.1, missed=missed)


class Bottles(VerdictCase):
    """Of the anomalous frames, which come 30 a second, every eighth is judged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        frames = recording(cls.need_shared("data", "video", "bottles.mp4"), cls.folder / "frames")
        cls.fitted, cls.normal, cls.hands = frames.fitted, frames.normal, frames.anomalous
        cls.black = cls.folder / "black.png"
        Image.new("RGB", Image.open(cls.normal[0]).size).save(cls.black)

    def check_fit(self, name, pictures):
        model = self.fit(name, pictures)
        self.check_all_told_apart(model, self.scores(model, self.normal, self.hands[::8]))
        return model

    def test_seconds_of_normal_frames(self):
        for count in (120, 55, 30, 8):
            with self.subTest(count):
                self.check_fit(f"bottles-{count}", self.fitted[:count])

    def test_two_frames_suffice_for_a_model(self):
        model = self.fit("two-frames", self.fitted[:2])
        self.assertEqual(self.info(model)["frames"], 2)
        self.check(model, self.scores(model, self.normal, self.hands[::8]), rate=0.05, alarms=0.05, missed=0.05)

    def test_black_frames_at_the_start_are_left_out(self):
        for count in (1, 3, 10):
            with self.subTest(count):
                model = self.check_fit(f"black-{count}", [self.black] * count + self.fitted[:60])
                names, repeats = self.dropped(model), self.info(model)["examination"]["repeats"]
                self.assertTrue(names)
                self.assertLessEqual(set(names), {f"{i:05}.png" for i in range(count)})
                self.assertEqual(len(names) + repeats, count)

    def test_a_passing_hand_is_left_out(self):
        for start in (0, 100):
            with self.subTest(start):
                pictures = with_passage(self.fitted[:60], self.hands[start:start + 6])
                model = self.check_fit(f"hand-{start}", pictures)
                self.assertEqual(self.dropped(model), [f"{i:05}.png" for i in range(30, 36)])


class Cars(VerdictCase):
    def test_light_that_moves(self):
        frames = recording(self.need_shared("data", "video", "cars.mp4"), self.folder / "frames")
        model = self.fit("cars", frames.fitted)
        scores = self.scores(model, frames.normal, frames.anomalous)
        self.check(model, scores, rate=0.05, alarms=0.25, missed=0.02)
        self.check(model, scores, rate=0.01, alarms=0.02, missed=0.02)


class Road(VerdictCase):
    def test_empty_road(self):
        frames = recording(self.need_shared("data", "video", "road.avi"), self.folder / "frames")
        model = self.fit("road", frames.fitted)
        self.check_all_told_apart(model, self.scores(model, frames.normal, frames.anomalous[::4]))


if __name__ == "__main__":
    main()
