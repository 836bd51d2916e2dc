#!/usr/bin/env python3
"""Leaves padimfilter running on a live source: counts late frames, memory and processor time."""
import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

# The sink drops what comes more than 20 ms late, as windows do.
PIPELINE = ("videotestsrc is-live=true pattern=ball ! video/x-raw,format=NV12,width={width},height={height},"
            "framerate=30/1 ! queue max-size-buffers=4 ! padimfilter name=filter {properties} "
            "! queue max-size-buffers=4 ! fakesink name=sink sync=true qos=true max-lateness=20000000")
FIT = ("videotestsrc num-buffers=60 pattern=ball motion=sweep ! video/x-raw,format=NV12,width={width},height={height} "
       "! padimfilter mode=fit model-file={model} ! fakesink")


def resident_mib():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def fit(description):
    """In a process of its own, so that its memory does not count."""
    subprocess.run(["gst-launch-1.0", "-q", *description.split()], check=True)


class Soak:
    """A pipeline that runs for some time, sampled every `every` seconds; the first second does not count."""

    def __init__(self, description, seconds, every):
        self.seconds = seconds
        self.every = every
        self.samples = []
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(description)
        self.reused = self.scored = 0
        filter_pad = self.pipeline.get_by_name("filter").get_static_pad("src")
        filter_pad.add_probe(Gst.PadProbeType.BUFFER, self.count)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.fail)
        bus.connect("message::latency", lambda *_: self.pipeline.recalculate_latency())

    def count(self, _pad, info):
        meta = info.get_buffer().get_custom_meta("GstPadimMeta")
        if meta.get_structure().get_boolean("reused").value:
            self.reused += 1
        else:
            self.scored += 1
        return Gst.PadProbeReturn.OK

    def fail(self, _bus, message):
        sys.exit(f"soak: {message.parse_error()[0].message}")

    def sample(self):
        stats = self.pipeline.get_by_name("sink").get_property("stats")
        self.samples.append((time.monotonic(), stats.get_uint64("rendered").value, stats.get_uint64("dropped").value,
                             self.scored, self.reused, resident_mib(), processor_seconds()))
        if len(self.samples) > 1:
            self.print_row()
        if time.monotonic() - self.samples[0][0] >= self.seconds:
            self.loop.quit()
        return GLib.SOURCE_CONTINUE

    def first_sample(self):
        self.sample()
        GLib.timeout_add_seconds(self.every, self.sample)
        return GLib.SOURCE_REMOVE

    def print_row(self):
        before, now = self.samples[-2:]
        frames = [after - earlier for earlier, after in zip(before[1:5], now[1:5])]
        share = (now[6] - before[6]) / (now[0] - before[0])
        cells = [f"{now[0] - self.samples[0][0]:.0f}", *map(str, frames), f"{now[5]:.1f}", f"{share:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)

    def run(self):
        print("| s | shown | late | scored | reused | resident MiB | processors busy |\n|---|---|---|---|---|---|---|")
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(1, self.first_sample)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def summarise(self):
        first, last = self.samples[0], self.samples[-1]
        settled = self.samples[1]
        growth = (last[5] / settled[5] - 1) * 100
        share = (last[6] - first[6]) / (last[0] - first[0])
        print(f"\n{last[0] - first[0]:.0f} s after the first one: {last[1] - first[1]} frames shown, "
              f"{last[2] - first[2]} late, {last[3] - first[3]} scored, {last[4] - first[4]} with an earlier result; "
              f"memory {growth:+.1f} % after the first {self.every} s; {share:.2f} processors busy, of {os.cpu_count()}; load "
              f"{os.getloadavg()[0]:.1f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog="Needs GStreamer to find the element and the weights: "
                                     "run it in `meson devenv -C build`.")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--every", type=int, default=10, help="seconds per row")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--properties", default="overlay=heatmap+contour+boxes+text", help="of the element")
    options = parser.parse_args()
    width, height = options.size.split("x")
    Gst.init(None)
    with tempfile.TemporaryDirectory(prefix="padim-soak-") as folder:
        model = f"{folder}/soak.padim"
        fit(FIT.format(width=width, height=height, model=model))
        properties = f"model-file={model} {options.properties}"
        soak = Soak(PIPELINE.format(width=width, height=height, properties=properties), options.seconds, options.every)
        soak.run()
    soak.summarise()


if __name__ == "__main__":
    main()
