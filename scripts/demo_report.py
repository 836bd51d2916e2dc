#!/usr/bin/python3
"""Sums up the demo: speed, AUROC, defects found and false alarms, from what its steps left behind."""

import argparse
import json
import os
import re

LEAST_AUROC = 0.99


def read_text(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def launch_seconds(log):
    """How long the pipeline ran, by gst-launch-1.0's own words, start-up included."""
    hours, minutes, seconds = re.search(r"Execution ended after (\d+):(\d+):([\d.]+)", log).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def auroc(kind, quality):
    return float(re.search(rf"^{kind} AUROC\s+([\d.]+)", quality, re.MULTILINE).group(1))


def count_alarms(stretches, scores):
    """(anomalous frames, frames) of each kind of stretch."""
    counts = {}
    for stretch in stretches:
        frames = scores[stretch["begin"]:stretch["end"]]
        alarms, total = counts.get(stretch["kind"], (0, 0))
        counts[stretch["kind"]] = (alarms + sum(frame["anomalous"] for frame in frames), total + len(frames))
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", help="the demo's folder")
    parser.add_argument("--check", action="store_true",
                        help=f"fail unless every defect is found without a false alarm and AUROC is at least {LEAST_AUROC}")
    arguments = parser.parse_args()

    sample = json.loads(read_text(arguments.demo, "sample", "sample.json"))
    scores = [json.loads(line) for line in read_text(arguments.demo, "scores.jsonl").splitlines()]
    quality = read_text(arguments.demo, "quality.txt")
    counts = count_alarms(sample["stretches"], scores)
    false_alarms, normal = counts.pop("normal")
    found = [kind for kind, (alarms, _) in counts.items() if alarms > 0]
    areas = {kind: auroc(kind, quality) for kind in ("image", "pixel")}

    def speed(log, frames):
        seconds = launch_seconds(read_text(arguments.demo, log))
        return f"{frames / seconds:.0f} frames per second ({frames} frames in {seconds:.1f} s, start included)"

    print(f"fit            {speed('fit.log', sample['normal']['frames'])}")
    print(f"detect         {speed('detect.log', len(scores))}, with decoding, drawing and encoding")
    print(f"image AUROC    {areas['image']:.4f}")
    print(f"pixel AUROC    {areas['pixel']:.4f}")
    print(f"anomalies      {len(found)} of {len(counts)} defects found")
    for kind, (alarms, total) in counts.items():
        print(f"  {kind.replace('-', ' '):<16} in {alarms} of {total} frames")
    print(f"false alarms   {false_alarms} of {normal} normal frames")
    if arguments.check and (len(found) < len(counts) or false_alarms > 0 or min(areas.values()) < LEAST_AUROC):
        raise SystemExit("demo: the result is worse than it should be")


if __name__ == "__main__":
    main()
