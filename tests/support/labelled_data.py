"""Photographs and recordings of which every picture is known as normal or anomalous, as files in the order of their
recording, and figures of the scores that a model gives them."""

import dataclasses
import pathlib
import shutil
import subprocess

# Stretches of frames (first, last) as the recordings' descriptions list them: what a fit may take, normal ones that no
# fit takes, and anomalous ones. The rest are transitions, or normal looks that the beginning does not show.
TIME_LINES = {
    "bottles.mp4": ([(0, 119)], [(120, 162)], [(174, 402), (480, 864), (924, 1094)]),
    "cars.mp4": ([(125, 178)], [(247, 308), (358, 376)], [(57, 103), (186, 231), (320, 349)]),
    # Frame 188 counts for nothing: the rear of a car is still in view, at the right edge.
    "road.avi": ([(0, 54)], [(55, 56), (189, 194), (264, 287), (366, 373)], [(60, 172), (199, 240), (292, 340)]),
}


@dataclasses.dataclass
class Labelled:
    """Pictures whose kind is known; a fit takes the first ones of `fitted`."""

    source: str  # what the pictures of a fit are to each other: "stream" or "images"
    fitted: list
    normal: list
    anomalous: list

    def unseen(self, count):
        """The normal pictures that a fit on the first `count` has not seen."""
        return self.fitted[count:] + self.normal


@dataclasses.dataclass
class Scores:
    """Raw scores of normal and of anomalous pictures."""

    normal: list
    anomalous: list

    def false_alarms(self, threshold):
        return sum(score >= threshold for score in self.normal) / len(self.normal)

    def missed(self, threshold):
        return sum(score < threshold for score in self.anomalous) / len(self.anomalous)

    def auroc(self):
        """Share of pairs in the right order; a tie counts half."""
        wins = sum((a > n) + (a == n) / 2 for a in self.anomalous for n in self.normal)
        return wins / (len(self.anomalous) * len(self.normal))

    def margin(self):
        """The lowest anomalous score over the highest normal one: above 1 a threshold tells all of them apart."""
        return min(self.anomalous) / max(self.normal)


def frames_of(stretches):
    return [frame for first, last in stretches for frame in range(first, last + 1)]


def extract_frames(video, folder):
    """All frames of a video as numbered pictures without loss, in a folder that is made; returns them in order."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!", "videoconvert", "!",
                    "pngenc", "compression-level=1", "!", "multifilesink", f"location={folder}/%05d.png"], check=True)
    return sorted(folder.iterdir())


def recording(video, folder):
    """A recording of TIME_LINES, its frames extracted into `folder`."""
    frames = extract_frames(video, folder)
    return Labelled("stream", *([frames[i] for i in frames_of(part)] for part in TIME_LINES[pathlib.Path(video).name]))


def hazelnut(folder):
    return Labelled("images", sorted(folder.glob("train/good/*.jpg")), sorted(folder.glob("test/good/*.jpg")),
                    sorted(folder.glob("test/colour/*.jpg")))


def aliens(folder):
    return Labelled("images", sorted(folder.glob("train/good/*.png")), sorted(folder.glob("test/good/*.png")),
                    sorted(folder.glob("test/anomaly/*.png")))


def looped(pictures, times):
    return pictures * times


def with_passage(pictures, passage):
    """`passage` amidst the pictures."""
    middle = len(pictures) // 2
    return pictures[:middle] + passage + pictures[middle:]


def copy_in_order(pictures, folder):
    """A folder that shows the pictures, some perhaps twice, in this order. Links to a picture would count once."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    for number, picture in enumerate(pictures):
        shutil.copyfile(picture, folder / f"{number:05}{picture.suffix}")
    return folder
