#!/usr/bin/python3
"""Runs a pipeline with padimfilter and prints the score of every frame that reaches the appsink named "sink".

    print_scores.py "filesrc location=line.mp4 ! decodebin ! videoconvert
                     ! padimfilter model-file=part.padim overlay=0 ! appsink name=sink"

Debian packages: python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0. Where padim is installed into /usr/local,
GI_TYPELIB_PATH names the folder of its GstPadim-1.0.typelib.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstPadim", "1.0")
from gi.repository import Gst, GstApp, GstPadim  # noqa: E402, F401


def print_score(buffer):
    """Prints time and score of a frame that padimfilter scored."""
    meta = GstPadim.buffer_get_padim_meta(buffer)
    if meta is None:
        return
    state = "anomaly" if meta.is_anomalous() else "normal"
    print(f"{buffer.pts / Gst.SECOND:.3f} s  {meta.get_score():.3f} {state}", flush=True)


def failure(pipeline):
    """The error on the bus, or None."""
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    return message.parse_error()[0].message if message else None


def print_scores(pipeline):
    """Plays until the stream ends; returns what went wrong, or None."""
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    error = None
    while not error and not sink.is_eos():
        if sample := sink.try_pull_sample(Gst.SECOND // 10):
            print_score(sample.get_buffer())
        else:
            error = failure(pipeline)
    pipeline.set_state(Gst.State.NULL)
    return error


def main():
    Gst.init(None)
    if len(sys.argv) != 2:
        return __doc__
    return print_scores(Gst.parse_launch(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
