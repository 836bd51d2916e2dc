#!/usr/bin/env python3
"""What thresholds obtain of the rate that they promise, and what they miss, by set and by pictures of the fit.

Every fit takes the first pictures of a set and judges normal ones that it has not seen, and anomalous ones. Sets that
are not in the data folder are left out; the scene of `padim sample` needs none."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from labelled_data import (Labelled, Scores, aliens, copy_in_order, extract_frames, hazelnut, looped,  # noqa: E402
                           recording, with_passage)

RATES = (0.05, 0.01, 0.001)
SETS = ("sample", "bottles", "cars", "road", "hazelnut", "aliens")
COUNTS = (2, 4, 8, 16, 30, 60, 120, 300)
MOST = 200  # judged pictures of a kind; more are thinned
COLUMNS = ("build", "set", "fitted", "left out", "thresholds at .05 .01 .001", "false alarms / missed at .05",
           ".01", ".001", "AUROC", "margin")


def table_row(cells):
    return f"| {' | '.join(map(str, cells))} |"


class Padim:
    """A build's tool, of this version or of an older one."""

    def __init__(self, name, tool):
        self.name, self.tool = name, tool
        # A library path would give an older tool the library of this one.
        self.environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        self.knows_source = "--source" in self.run("fit", "--help")
        self.chooses = "--false-alarm-rate" in self.run("threshold", "--help", check=False)

    def run(self, *words, check=True):
        result = subprocess.run([self.tool, *map(str, words)], env=self.environment, capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f"{self.tool} {' '.join(map(str, words))}\n{result.stderr}")
        return result.stdout

    def fit(self, pictures, source, rate, model):
        kind = ["--source", source] if self.knows_source else []
        self.run("fit", "--input", pictures, "--output", model, "--false-alarm-rate", rate, *kind)

    def info(self, model):
        return json.loads(self.run("info", model, "--json"))

    def thresholds(self, pictures, source, model):
        """One for each of RATES; the model that was fitted for the last of them stays in `model`."""
        found = []
        self.fit(pictures, source, RATES[-1], model)
        for rate in RATES[:-1]:
            other = model.with_name("other.padim")
            if self.chooses:
                self.run("threshold", model, "--false-alarm-rate", rate, "--output", other)
            else:
                self.fit(pictures, source, rate, other)
            found.append(self.info(other)["calibration"]["threshold"])
        return [*found, self.info(model)["calibration"]["threshold"]]

    def scores(self, model, pictures):
        lines = self.run("detect", "--model", model, "--input", pictures, "--json", "-").splitlines()
        scored = [json.loads(line) for line in lines]
        return Scores(*([record["raw_score"] for record in scored if f"/{kind}/" in record["source"]]
                        for kind in ("normal", "anomalous")))


def thinned(pictures):
    return pictures[::-(-len(pictures) // MOST) or 1]


def left_out(info):
    examination = info.get("examination", {})
    return examination.get("dropped", 0) + examination.get("repeats", 0)


def row(padim, name, pictures, labelled, unseen):
    """Fits on the pictures, judges the set, and returns a line of the table."""
    with tempfile.TemporaryDirectory(prefix="padim-verdict-") as folder:
        folder = pathlib.Path(folder)
        model, judged = folder / "model.padim", folder / "judged"
        judged.mkdir()
        copy_in_order(thinned(unseen), judged / "normal")
        copy_in_order(thinned(labelled.anomalous), judged / "anomalous")
        fitted = copy_in_order(pictures, folder / "fitted")
        thresholds = padim.thresholds(fitted, labelled.source, model)
        scores = padim.scores(model, judged)
        figures = [f"{scores.false_alarms(threshold):.3f} / {scores.missed(threshold):.3f}" for threshold in thresholds]
        cells = [padim.name, name, len(pictures), left_out(padim.info(model)),
                 " ".join(f"{threshold:.1f}" for threshold in thresholds), *figures, f"{scores.auroc():.3f}",
                 f"{scores.margin():.2f}"]
        return table_row(cells)


def sample(padim, folder):
    """The scene of `padim sample`: its fitted video, and its inspection with the kind of every frame."""
    padim.run("sample", "--output", folder)
    frames = extract_frames(folder / "inspection.mp4", folder / "inspection")
    labelled = Labelled("stream", extract_frames(folder / "normal.mp4", folder / "normal"), [], [])
    for stretch in json.loads((folder / "sample.json").read_text())["stretches"]:
        kind = labelled.normal if stretch["kind"] == "normal" else labelled.anomalous
        kind.extend(frames[stretch["begin"]:stretch["end"]])
    return labelled


def find_sets(data, wanted, folder, padim):
    """Those of the wanted sets that are there, by name."""
    readers = {"sample": (ROOT, lambda _: sample(padim, folder / "sample"))}
    for name in ("bottles.mp4", "cars.mp4", "road.avi"):
        stem = pathlib.Path(name).stem
        readers[stem] = (data / "video" / name, lambda video, stem=stem: recording(video, folder / stem))
    readers["hazelnut"] = (data / "hazelnut_toy", hazelnut)
    readers["aliens"] = (data / "aliens", aliens)
    return {name: read(path) for name, (path, read) in readers.items() if name in wanted and path.exists()}


def clean_fits(sets):
    """(name, pictures, set, unseen normal pictures) of fits as they should be."""
    for name, labelled in sets.items():
        most = min(len(labelled.fitted), COUNTS[-1])
        for count in sorted({min(count, most) for count in COUNTS}):
            yield name, labelled.fitted[:count], labelled, labelled.unseen(count)


def contaminated_fits(sets, folder):
    """The same of fits that show what does not belong into them."""
    for name in ("bottles", "cars", "road"):
        if name in sets:
            fitted, hand = sets[name].fitted[:60], sets[name].anomalous[10:16]
            yield f"{name}, six frames with an anomaly", with_passage(fitted, hand), sets[name], sets[name].unseen(60)
    if "bottles" in sets:
        bottles = sets["bottles"]
        black = folder / "black.png"
        Image.new("RGB", Image.open(bottles.fitted[0]).size).save(black)
        for count in (1, 3, 10):
            yield f"bottles, black first: {count}", [black] * count + bottles.fitted[:60], bottles, bottles.unseen(60)
        yield "bottles, 40 frames in a loop", looped(bottles.fitted[:40], 3), bottles, bottles.unseen(40)
    for name in ("hazelnut", "aliens"):
        if name in sets:
            yield f"{name}, every photograph twice", looped(sets[name].fitted, 2), sets[name], sets[name].normal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Needs GStreamer with gstreamer1.0-libav, and the weights of "
                                     "efficientnet_lite0 in $PADIM_BACKBONES: run it in `meson devenv -C build`.")
    parser.add_argument("data", nargs="?", type=pathlib.Path, default=ROOT.parent / "shared" / "data",
                        help="folder with video/, hazelnut_toy/ and aliens/ (%(default)s)")
    parser.add_argument("--padim", default="padim", help="tool to measure (%(default)s)")
    parser.add_argument("--other", help="an older tool, to measure beside it on the same pictures")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="those to measure (all)")
    options = parser.parse_args()
    builds = [Padim("this", options.padim), *([Padim("other", options.other)] if options.other else [])]
    with tempfile.TemporaryDirectory(prefix="padim-verdict-") as folder:
        folder = pathlib.Path(folder)
        sets = find_sets(options.data, options.sets, folder, builds[0])
        print(f"{table_row(COLUMNS)}\n|{'---|' * len(COLUMNS)}", flush=True)
        for fit in [*clean_fits(sets), *contaminated_fits(sets, folder)]:
            for padim in builds:
                try:
                    print(row(padim, *fit), flush=True)
                except RuntimeError as refusal:  # an older tool wants more pictures
                    print(table_row([padim.name, fit[0], len(fit[1]), *["-"] * (len(COLUMNS) - 3)]), flush=True)
                    print(refusal, file=sys.stderr)


if __name__ == "__main__":
    main()
