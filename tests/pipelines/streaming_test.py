"""The examples that hand video on: RTSP, HLS, a clean recording beside the annotated view."""
import contextlib
import subprocess

import numpy as np

from example_case import EXAMPLES, ExampleCase, decode, main, parse_lines


class StreamingTest(ExampleCase):
    @contextlib.contextmanager
    def server(self, *options):
        """Address of the RTSP stream that the example serves while the context lasts."""
        command = [str(EXAMPLES / "05-rtsp-server.sh"), "--port", "0", *map(str, options)]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            try:
                address = process.stdout.readline().strip()
                self.assertRegex(address, r"^rtsp://127\.0\.0\.1:\d+/padim$")
                yield address
            finally:
                process.terminate()
                _, errors = process.communicate(timeout=30)
        self.assertNotIn("error", errors.lower())
        self.assertEqual(process.returncode, 0, errors)

    def assert_annotated(self, frames):
        """The box behind the text darkens the corner of each frame. How many there are depends on the machine: decoders
        skip frames that come too late to be shown."""
        self.assertGreater(len(frames), 8)
        edge = np.s_[:, 1, 1:9]  # above the letters
        clean = decode(self.folder / "sample" / "inspection.mp4")[edge]
        self.assertLess(frames[edge].max(), clean.min() - 20)

    def test_rtsp_in_rtsp_out(self):
        """A stream goes through two servers: a camera that is not annotated, and the one that detects in it."""
        recording = self.folder / "rtsp.mkv"
        with self.server("--overlay", 0) as camera, self.server("--input", camera) as annotated:
            self.play("gst-launch-1.0", "-e", "rtspsrc", f"location={annotated}", "protocols=tcp", "!", "rtph264depay",
                      "!", "h264parse", "!", "matroskamux", "!", "filesink", f"location={recording}")
        self.assert_annotated(decode(recording))

    def test_the_tool_reads_a_camera(self):
        """It ends after the frames that are wanted. A camera that goes away is said, and what it gave is kept."""
        lines, model = self.folder / "camera.jsonl", self.folder / "camera.padim"
        detect = ["padim", "detect", "--model", self.folder / "model.padim", "--json", lines, "--timeout", 5]
        with self.server("--overlay", 0) as camera:
            self.execute(*detect, "--input", camera, "--frames", 10)
            self.assertEqual(len(parse_lines(lines.read_text())), 10)
            self.execute("padim", "fit", "--input", camera, "--seconds", 1, "--output", model)
            self.assertTrue(model.is_file())
            ended = subprocess.run([*map(str, detect), "--input", camera], env=self.environment, capture_output=True,
                                   text=True, timeout=60, check=False)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("what follows was not seen", ended.stderr)
        self.assertGreater(len(parse_lines(lines.read_text())), 1)

    def test_an_example_fits_on_a_camera(self):
        model = self.folder / "by-example.padim"
        with self.server("--overlay", 0) as camera:
            self.example("01-fit-recording.sh", "--input", camera, "--model", model, "--frames", 20)
        self.assertTrue(model.is_file())

    def test_rtsp_in_hls_out(self):
        """The segments that the playlist names play, and hold the annotated stream."""
        folder = self.folder / "hls"
        with self.server("--overlay", 0) as camera:
            self.play(EXAMPLES / "06-hls.sh", "--input", camera, "--folder", folder)
        playlist = (folder / "playlist.m3u8").read_text().splitlines()
        self.assertIn("#EXT-X-ENDLIST", playlist)
        segments = [folder / line for line in playlist if line and not line.startswith("#")]
        self.assert_annotated(np.concatenate([decode(segment) for segment in segments]))

    def test_clean_recording(self):
        """Every frame is annotated and judged; the recording has every frame, with nothing drawn on it."""
        recording = self.folder / "recording.mkv"
        self.example("07-record-and-view.sh", "--recording", recording)
        self.assert_scene_judged(parse_lines((self.folder / "recording.jsonl").read_text()))
        difference = np.abs(decode(recording) - decode(self.folder / "sample" / "inspection.mp4"))
        self.assertLess(difference.max(), 20)
        self.example("02-annotate-recording.sh")
        drawn = np.abs(decode(self.folder / "annotated.mp4") - decode(self.folder / "sample" / "inspection.mp4"))
        self.assertGreater(drawn.max(), 40, "what is drawn would have been noticed")


if __name__ == "__main__":
    main()
