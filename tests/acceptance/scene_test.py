"""Real footage whose whole picture changes, and footage that stays as it is: what padim detect says of the scene."""

import re

from acceptance_case import AcceptanceCase, main

# Recording, stretch that the fit takes, and what is normal after it, as the recordings' description lists it.
BOTTLES = ("bottles.mp4", (0, 119), [(120, 162)])
CARS = ("cars.mp4", (125, 178), [(247, 308), (358, 376)])
CARS_BEFORE_THE_LIGHT_CHANGES = 54  # frames


class Scene(AcceptanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weights = cls.need_weights("efficientnet_lite0")

    def recording(self, name):
        return self.need_shared("data", "video", name)

    def changes(self, video, fitted):
        """The summary's stretches (first, last, cause) of a video that is fitted on its first frames."""
        model = self.folder / "scene.padim"
        self.launch(f"filesrc location={video}", "decodebin", "videoconvert",
                    f"padimfilter mode=fit fit-frames={fitted} strip-model=true model-file={model}",
                    "fakesink sync=false")
        result = self.padim("detect", "--model", model, "--input", video, "--backbone-file", self.weights)
        found = re.findall(r"frames (\d+)-(\d+): the whole picture has changed \((\w+)\)", result.stderr)
        return [(int(first), int(last), cause) for first, last, cause in found]

    def normal_frames(self, name, fitted, later):
        """A video of the frames that are fitted, and of those that are normal besides."""
        pictures = self.folder / f"{name}-frames"
        pictures.mkdir()
        self.launch(f"filesrc location={self.recording(name)}", "decodebin", "videoconvert",
                    "jpegenc quality=98", f"multifilesink location={pictures}/%05d.jpg")
        wanted = [frame for first, last in (fitted, *later) for frame in range(first, last + 1)]
        for number, picture in enumerate(sorted(pictures.iterdir())):
            if number not in wanted:
                picture.unlink()
        for number, picture in enumerate(sorted(pictures.iterdir())):
            picture.rename(pictures / f"{number:05}.jpg")
        video = self.folder / f"{name}-normal.avi"
        self.launch(f"multifilesrc location={pictures}/%05d.jpg caps=image/jpeg,framerate=25/1", "jpegparse",
                    "avimux", f"filesink location={video}")
        return video

    def test_light_that_changes(self):
        """The camera's gain falls to 0.45 times when the first car comes at 57, which the fit has not seen."""
        fitted = CARS_BEFORE_THE_LIGHT_CHANGES
        first, last, cause = self.changes(self.recording("cars.mp4"), fitted)[0]
        self.assertEqual(cause, "light")
        self.assertTrue(fitted <= first <= 72, first)
        self.assertGreater(last, 100)

    def test_scenes_that_stay(self):
        """Normal frames alone are no changed scene, however much later than the fit they are."""
        for name, fitted, later in (BOTTLES, CARS):
            with self.subTest(name):
                video = self.normal_frames(name, fitted, later)
                self.assertEqual(self.changes(video, fitted[1] - fitted[0] + 1), [])


if __name__ == "__main__":
    main()
