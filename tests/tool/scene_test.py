"""A video whose whole picture changes: what the summary, JSON lines and the end of a fit say of it."""
import json
import re
import unittest

import numpy as np

from tool_case import SIZE, ToolCase, parse_lines, picture, run, save_picture

FITTED, BEFORE, CHANGED, AFTER = 48, 18, 90, 18


def dimmed(number):
    return (picture(number) * 0.5).astype(np.uint8)


def black(_):
    return np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


class Scene(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_model()

    def video(self, name, pictures):
        """The pictures as a video, as the tool itself writes them."""
        for number, pixels in enumerate(pictures):
            save_picture(self.folder / name / f"{number:03}.png", pixels)
        file = self.folder / f"{name}.mkv"
        result = self.detect(self.folder / name, "--overlay", "none", "--output", file)
        self.assertEqual(result.returncode, 0, result.stderr)
        return file

    def changing(self, name, change):
        changed = range(BEFORE, BEFORE + CHANGED)
        return self.video(name, [change(n + 100) if n in changed else picture(n + 100)
                                 for n in range(BEFORE + CHANGED + AFTER)])

    def fitted(self):
        model = self.folder / "video.padim"
        result = self.fit(self.video("normal", map(picture, range(FITTED))), model)
        self.assertEqual(result.returncode, 0, result.stderr)
        return model

    def stretches(self, result):
        """(first, last, cause) of the lines that the summary has."""
        lines = re.findall(r"frames (\d+)-(\d+): the whole picture has changed \((\w+)\); [a-z]", result.stderr)
        return [(int(first), int(last), cause) for first, last, cause in lines]

    def test_light(self):
        """Frames of another light are one stretch, to the block; JSON lines have it from where it is certain on."""
        model, video = self.fitted(), self.changing("light", dimmed)
        result = self.detect(video, "--json", "-", model=model)
        (first, last, cause), = self.stretches(result)
        block = FITTED // 8
        self.assertEqual(cause, "light")
        self.assertLess(abs(first - BEFORE), block)
        self.assertLess(abs(last - (BEFORE + CHANGED - 1)), block)
        marked = [n for n, record in enumerate(parse_lines(result.stdout)) if record.get("scene") == "light"]
        self.assertEqual(marked, list(range(marked[0], marked[-1] + 1)))
        self.assertGreater(marked[0], first + 4 * block)
        self.assertLess(abs(marked[-1] - last), 2 * block)

    def test_black(self):
        """A black picture is said from its first frame to its last, blocks or not."""
        result = self.detect(self.changing("black", black), model=self.fitted())
        self.assertEqual(self.stretches(result), [(BEFORE, BEFORE + CHANGED - 1, "black")])

    def test_a_change_that_lasts(self):
        """What has not ended by the end of the video ends there."""
        video = self.video("end", [picture(n) if n < BEFORE else black(n) for n in range(30)])
        self.assertEqual(self.stretches(self.detect(video, model=self.fitted())), [(BEFORE, 29, "black")])

    def test_normal(self):
        """Normal frames are no news."""
        model = self.fitted()
        result = self.detect(self.video("later", map(picture, range(200, 320))), model=model)
        self.assertEqual(self.stretches(result), [])

    def test_images(self):
        """Separate images are no stream: what is said is which of them are blank, also of a model that calls them normal."""
        shown = [picture(0), black(1), picture(2), dimmed(3), dimmed(4), black(5), black(6), black(7) + 128]
        for number, pixels in enumerate(shown):
            save_picture(self.folder / "mixed" / f"{number}.png", pixels)
        result = self.detect(self.folder / "mixed", "--json", "-")
        self.assertEqual(re.findall(r"(frames? [\d-]+): the whole picture has changed \((\w+)\)", result.stderr),
                         [("frame 1", "black"), ("frames 5-6", "black"), ("frame 7", "covered")])
        self.assertEqual([record.get("scene") for record in parse_lines(result.stdout)],
                         [None, "black", None, None, None, "black", "black", "covered"])

    def test_blank_frames_are_spoken_of_where_their_score_says_nothing(self):
        """A fit that saw darkness and glare reports neither by score, and says so, as does padim info."""
        for number in range(40):
            pixels = np.clip(picture(number) * (0.04 + number % 5 * 0.5), 0, 255).astype(np.uint8)
            save_picture(self.folder / "flashing" / f"{number:02}.png", pixels)
        model = self.folder / "flashing.padim"
        result = self.fit(self.folder / "flashing", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        info = json.loads(run("info", model, "--json").stdout)["scene"]
        for colour in ("black", "white"):
            said = f"A {colour} frame would not be reported by its score" in result.stdout
            self.assertEqual(said, not info[f"{colour}_found"])
        self.assertFalse(info["black_found"])


if __name__ == "__main__":
    unittest.main()
