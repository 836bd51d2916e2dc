"""The element's metadata read by name in Python, against the structures in which any program finds them."""
import pathlib
import sys
import tempfile
import unittest

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstPadim", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstApp, GstPadim, GstVideo  # noqa: E402, F401

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tiny_backbone import write_tiny_backbone  # noqa: E402

VIDEO = "video/x-raw,width=96,height=64,framerate=30/1"


def buffers(description):
    """What reaches the appsink of a pipeline."""
    pipeline = Gst.parse_launch(f"{description} ! appsink name=sink sync=false")
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    found = []
    while not sink.is_eos():
        if sample := sink.try_pull_sample(Gst.SECOND // 10):
            found.append(sample.get_buffer())
        elif error := pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR):
            raise AssertionError(error.parse_error()[0].message)
    pipeline.set_state(Gst.State.NULL)
    return found


class Typelib(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        Gst.init(None)
        folder = tempfile.TemporaryDirectory(prefix="padim-typelib-")
        cls.addClassCleanup(folder.cleanup)
        model = pathlib.Path(folder.name) / "bars.padim"
        weights = write_tiny_backbone(pathlib.Path(folder.name) / "backbone")
        cls.filter = f"padimfilter backbone=tiny backbone-file={weights} precision=float32 model-file={model}"
        buffers(f"videotestsrc pattern=smpte num-buffers=12 ! {VIDEO} ! {cls.filter} mode=fit")

    def scored(self, settings="", after="identity"):
        return buffers(f"videotestsrc pattern=snow num-buffers=4 ! {VIDEO} ! {self.filter} {settings} ! {after}")

    def test_fields_are_those_of_the_structure(self):
        for number, buffer in enumerate(self.scored("threshold=0.25 inference-interval=2")):
            structure = buffer.get_custom_meta("GstPadimMeta").get_structure()
            meta = GstPadim.buffer_get_padim_meta(buffer)
            read = {"score": meta.get_score(), "raw-score": meta.get_raw_score(), "threshold": meta.get_threshold(),
                    "anomalous": meta.is_anomalous(), "inference-pts": meta.get_inference_pts(),
                    "reused": meta.is_reused(), "frame-id": meta.get_frame_id(), "model-id": meta.get_model_id()}
            self.assertEqual(read, {name: structure[name] for name in read})
            self.assertIsNone(meta.get_scene())
            self.assertEqual((read["frame-id"], read["threshold"], read["reused"]), (number, 0.25, number % 2 == 1))

    def test_regions_are_the_region_metas(self):
        """As the element attached them, and as videoscale has moved them, which drops score and area."""
        for after, scale in (("identity", 1), ("videoscale ! video/x-raw,width=192,height=128", 2)):
            for buffer in self.scored(after=after):
                regions = GstPadim.buffer_get_padim_regions(buffer)
                self.assertGreater(len(regions), 0)
                for number, region in enumerate(regions):
                    meta = GstVideo.buffer_get_video_region_of_interest_meta_id(buffer, number)
                    self.assertEqual((region.x, region.y, region.width, region.height), (meta.x, meta.y, meta.w, meta.h))
                    parameters = meta.get_param("padim")
                    self.assertEqual(parameters is not None, scale == 1)
                    wanted = (parameters["score"], parameters["area"]) if parameters else (0, 0)
                    self.assertEqual((region.score, region.area), wanted)

    def test_frames_without_a_result_have_none(self):
        for buffer in self.scored("mode=off"):
            self.assertIsNone(GstPadim.buffer_get_padim_meta(buffer))
            self.assertEqual(GstPadim.buffer_get_padim_regions(buffer), [])

    def test_other_regions_are_left_out(self):
        buffer = Gst.Buffer.new_allocate(None, 16, None)
        GstVideo.buffer_add_video_region_of_interest_meta(buffer, "face", 1, 2, 3, 4)
        self.assertEqual(GstPadim.buffer_get_padim_regions(buffer), [])
        GstVideo.buffer_add_video_region_of_interest_meta(buffer, "anomaly", 5, 6, 7, 8)
        region, = GstPadim.buffer_get_padim_regions(buffer)
        self.assertEqual((region.x, region.y, region.width, region.height), (5, 6, 7, 8))


if __name__ == "__main__":
    unittest.main()
