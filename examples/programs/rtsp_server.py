#!/usr/bin/python3
"""Serves a pipeline as an RTSP stream. Its payloader is named "pay0". The pipeline runs while somebody watches, once for
all who do.

    rtsp_server.py --port 8554 "filesrc location=line.mp4 ! decodebin ! videoconvert ! padimfilter model-file=part.padim
                                ! videoconvert ! x264enc tune=zerolatency ! rtph264pay name=pay0"

Debian packages: python3-gi gir1.2-gst-rtsp-server-1.0
"""
import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def report_errors(_factory, media):
    """Says what goes wrong in the pipeline; who watches only sees the stream end."""
    bus = media.get_element().get_parent().get_bus()
    bus.enable_sync_message_emission()
    bus.connect("sync-message::error",
                lambda _bus, message: print("error:", message.parse_error()[0].message, file=sys.stderr, flush=True))


def serve(pipeline, port, path):
    """Starts a server in the default main loop; returns it and its address."""
    server = GstRtspServer.RTSPServer(address="0.0.0.0", service=str(port))
    factory = GstRtspServer.RTSPMediaFactory(shared=True, launch=f"( {pipeline} )")
    factory.connect("media-configure", report_errors)
    server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {port}: another program may do so; choose another with --port")
    return server, f"rtsp://127.0.0.1:{server.get_bound_port()}{path}"


def close(server):
    """Sends everybody away, stops the pipeline and waits for the server's threads: none may be inside it when the process
    ends."""
    server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
    server.get_session_pool().filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
    GstRtspServer.RTSPThreadPool.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline")
    parser.add_argument("--port", type=int, default=8554, help="0: any that is free (%(default)s)")
    parser.add_argument("--path", default="/padim", help="(%(default)s)")
    arguments = parser.parse_args()

    Gst.init(None)
    server, address = serve(arguments.pipeline, arguments.port, arguments.path)
    print(address, flush=True)
    loop = GLib.MainLoop()
    for number in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    loop.run()
    close(server)


if __name__ == "__main__":
    main()
