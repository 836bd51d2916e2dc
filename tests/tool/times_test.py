"""Videos whose times begin anew, and videos without any: every frame is scored, and what is written plays."""
import io
import re
import unittest

import gi
import numpy as np
from PIL import Image

from tool_case import SIZE, ToolCase, parse_lines, picture

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

FRAME = Gst.SECOND // 30
BLACK = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def write_video(file, frames):
    """(time, picture) of each frame as a Matroska file; times may go back by some seconds."""
    pipeline = Gst.parse_launch(f"appsrc name=source format=time caps=video/x-raw,format=RGB,width={SIZE[0]},"
                                f"height={SIZE[1]},framerate=30/1 ! jpegenc quality=95 ! matroskamux"
                                f" ! filesink location={file}")
    source = pipeline.get_by_name("source")
    pipeline.set_state(Gst.State.PLAYING)
    for time, pixels in frames:
        buffer = Gst.Buffer.new_wrapped(pixels.tobytes())
        buffer.pts, buffer.duration = time, FRAME
        source.emit("push-buffer", buffer)
    source.emit("end-of-stream")
    end = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    assert end is not None and end.type == Gst.MessageType.EOS, "the video was not written"


class Times(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Gst.init(None)

    def test_times_that_begin_anew(self):
        """A black scene across the jump is two; the annotated video goes on at its rate."""
        video, annotated = self.folder / "joined.mkv", self.folder / "annotated.mkv"
        pictures = [BLACK if 16 <= number < 24 else picture(number) for number in range(40)]
        write_video(video, [((20 if number < 20 else 10) * Gst.SECOND + number * FRAME, pixels)
                            for number, pixels in enumerate(pictures)])
        result = self.detect(video, "--json", "-", "--output", annotated)
        self.assertEqual(result.returncode, 0, result.stderr)
        times = [record["pts_ns"] for record in parse_lines(result.stdout)]
        self.assertEqual(len(times), 40)
        self.assertLess(times[20], times[19])
        stretches = re.findall(r"frames (\d+)-(\d+): the whole picture has changed \(black\)", result.stderr)
        self.assertEqual(stretches, [("16", "19"), ("20", "23")])

        played = [record["pts_ns"] for record in parse_lines(self.detect(annotated, "--json", "-").stdout)]
        self.assertEqual(len(played), 40)
        steps = np.diff(played)
        self.assertGreater(steps.min(), FRAME / 2)
        self.assertLess(steps.max(), FRAME * 2)

    def test_a_video_without_times(self):
        """JPEGs in a row have neither times nor a rate: they are frames all the same."""
        stream = io.BytesIO()
        for number in range(12):
            Image.fromarray(picture(number, defect=number == 7)).save(stream, "JPEG", quality=95)
        video = self.folder / "camera.mjpeg"
        video.write_bytes(stream.getvalue())
        result = self.detect(video, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("cut off", result.stderr)
        records = parse_lines(result.stdout)
        self.assertEqual([record["frame"] for record in records], list(range(12)))
        self.assertEqual(max(records, key=lambda record: record["raw_score"])["frame"], 7)
        self.assertLessEqual(sum("pts_ns" in record for record in records), 1)  # the start may have one
        self.assertFalse(any("wall_clock" in record for record in records))


if __name__ == "__main__":
    unittest.main()
