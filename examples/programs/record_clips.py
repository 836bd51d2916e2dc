#!/usr/bin/python3
"""Writes a clip around each anomaly that padimfilter reports: from some seconds before it begins to some after it ends.

    record_clips.py --folder clips "v4l2src ! decodebin ! videoconvert ! padimfilter model-file=part.padim
                                    ! videoconvert ! x264enc tune=zerolatency key-int-max=30 ! h264parse ! appsink name=sink"

The pipeline ends in encoded H.264 and an appsink named "sink". Encoded frames of the last seconds are kept in memory; the
messages padim-anomaly-begin and padim-anomaly-end decide what becomes of them. Clips are Matroska files, which play even
if the power fails while they are written, and are named by date and time. Each file's name is printed when it is complete.

Debian packages: python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0
"""
import argparse
import collections
import pathlib
import signal
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import GLib, Gst, GstApp  # noqa: E402, F401


def new_clip(folder):
    """A file of its own for a clip that begins now, whatever other clips there are."""
    name = time.strftime("clip-%Y%m%d-%H%M%S")
    for suffix in ["", *(f"-{number}" for number in range(2, 10000))]:
        path = folder / f"{name}{suffix}.mkv"
        try:
            path.touch(exist_ok=False)
            return path
        except FileExistsError:
            pass
    raise SystemExit(f"{folder}: too many clips of one second")


class ClipWriter:
    """One clip; its first frame is a key frame."""

    def __init__(self, path, sample):
        self.path = path
        self.pipeline = Gst.parse_launch("appsrc name=source format=time ! h264parse ! matroskamux offset-to-zero=true"
                                         " ! filesink name=file")
        self.pipeline.get_by_name("file").set_property("location", str(path))
        self.source = self.pipeline.get_by_name("source")
        self.source.set_property("caps", sample.get_caps())
        self.pipeline.set_state(Gst.State.PLAYING)

    def write(self, sample):
        self.source.push_buffer(sample.get_buffer())

    def close(self):
        self.source.end_of_stream()
        message = self.pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        self.pipeline.set_state(Gst.State.NULL)
        if message is None or message.type == Gst.MessageType.ERROR:
            print(f"cannot complete {self.path}", file=sys.stderr, flush=True)
        else:
            print(self.path, flush=True)


class ClipRecorder:
    """Keeps the last seconds of the stream and writes those around anomalies. All times are running times in ns."""

    def __init__(self, folder, before, after):
        self.folder = folder
        self.before = before
        self.after = after
        self.recent = collections.deque()  # (running time, sample), from a key frame on
        self.events = collections.deque()  # [begin, end or None] of anomalies that are not recorded completely
        self.writer = None

    def on_message(self, _bus, message):
        """Called by padimfilter's thread when it posts the message: its frame comes to on_sample() afterwards."""
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.has_name("padim-anomaly-begin"):
            self.events.append([structure["begin-running-time"], None])
        elif message.type == Gst.MessageType.ELEMENT and structure.has_name("padim-anomaly-end"):
            self.events[-1][1] = structure["running-time"]
        return Gst.BusSyncReply.PASS

    def on_sample(self, sink):
        sample = sink.emit("pull-sample")
        time = sample.get_segment().to_running_time(Gst.Format.TIME, sample.get_buffer().pts)
        if self.recent and time < self.recent[-1][0]:
            self.restart()
        self.recent.append((time, sample))
        if self.writer is not None:
            self.writer.write(sample)
            self.close_clip_at(time)
        elif self.events and time >= self.events[0][0] - self.before:
            self.open_clip()
        self.forget(time - self.before)
        return Gst.FlowReturn.OK

    def restart(self):
        """The time went back. padimfilter has ended what was open before; what has no end yet is of now."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None
        self.recent.clear()
        while self.events and self.events[0][1] is not None:
            self.events.popleft()

    def open_clip(self):
        self.forget(self.events[0][0] - self.before)
        self.writer = ClipWriter(new_clip(self.folder), self.recent[0][1])
        for _, sample in self.recent:
            self.writer.write(sample)

    def close_clip_at(self, time):
        """Closes the clip if the anomaly is over by then and no other one follows so soon that both share it."""
        end = self.events[0][1]
        if end is None or time < end + self.after:
            return
        if len(self.events) > 1 and self.events[1][0] - self.before <= time:
            self.events.popleft()
        else:
            self.close_clip()

    def close_clip(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None
            self.events.popleft()

    def forget(self, until):
        """Drops what is older than the last key frame at or before `until`."""
        keep = 0
        for index, (time, sample) in enumerate(self.recent):
            if time > until:
                break
            if not sample.get_buffer().has_flags(Gst.BufferFlags.DELTA_UNIT):
                keep = index
        for _ in range(keep):
            self.recent.popleft()


def run(pipeline):
    """Plays until the stream ends or the user interrupts; returns what went wrong, or None."""
    loop = GLib.MainLoop()
    errors = []

    def stop(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            errors.append(message.parse_error()[0].message)
        loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message::error", stop)
    bus.connect("message::eos", stop)
    for number in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, pipeline.send_event, Gst.Event.new_eos())
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    return errors[0] if errors else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("clips"), help="(%(default)s)")
    parser.add_argument("--before", type=float, default=3, help="seconds (%(default)s)")
    parser.add_argument("--after", type=float, default=3, help="seconds (%(default)s)")
    arguments = parser.parse_args()

    Gst.init(None)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    recorder = ClipRecorder(arguments.folder, int(arguments.before * Gst.SECOND), int(arguments.after * Gst.SECOND))
    pipeline = Gst.parse_launch(arguments.pipeline)
    pipeline.get_bus().set_sync_handler(recorder.on_message)
    sink = pipeline.get_by_name("sink")
    sink.set_property("emit-signals", True)
    sink.connect("new-sample", recorder.on_sample)
    error = run(pipeline)
    recorder.close_clip()
    return error


if __name__ == "__main__":
    sys.exit(main())
