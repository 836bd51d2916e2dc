"""Cameras, addresses and GStreamer lines as inputs: what ends them, and what is said where they fail or fall silent."""
import contextlib
import functools
import http.server
import io
import json
import os
import pathlib
import socket
import threading
import time
import unittest

from PIL import Image

from tool_case import SIZE, ToolCase, parse_lines, picture, run, save_picture

CAPS = f"video/x-raw,width={SIZE[0]},height={SIZE[1]},framerate=30/1"
LIVE = f"videotestsrc is-live=true pattern=snow ! {CAPS}"


def jpeg(number):
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, "JPEG", quality=95)
    return file.getvalue()


class Server(http.server.SimpleHTTPRequestHandler):
    """Files; /camera is a stream of pictures that stops after some, /half the first half of a file: both stay open."""
    PICTURES = 20
    over = threading.Event()

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            if self.path == "/camera":
                self.send_pictures()
            elif self.path.startswith("/half/"):
                self.send_half(self.path.removeprefix("/half/"))
            else:
                super().do_GET()
        except OSError:  # the tool has gone away
            pass

    def send_pictures(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(self.PICTURES):
            data = jpeg(number)
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data))
            self.wfile.write(data + b"\r\n")
            time.sleep(0.02)
        self.over.wait(60)

    def send_half(self, name):
        data = pathlib.Path(self.directory, name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        self.over.wait(60)


class SourceCase(ToolCase):
    @contextlib.contextmanager
    def serve(self):
        Server.over.clear()
        handler = functools.partial(Server, directory=self.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                Server.over.set()
                server.shutdown()

    def video(self, name="video.mkv", frames=24):
        """Of four pictures a second."""
        for number in range(frames):
            save_picture(self.folder / "frames" / f"{number:03}.png", picture(number))
        result = self.detect(self.folder / "frames", "--output", self.folder / name)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.folder / name

    def detected(self, source, *options, status=0):
        result = self.detect(source, "--json", "-", *options)
        self.assertEqual(result.returncode, status, result.stderr)
        return parse_lines(result.stdout), result.stderr


class Ends(SourceCase):
    def test_a_line_is_fitted_as_a_stream(self):
        model = self.folder / "m.padim"
        result = self.fit(f"videotestsrc num-buffers=40 pattern=snow ! {CAPS}", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        info = json.loads(run("info", model, "--json").stdout)
        self.assertEqual((info["frames"], info["calibration"]["source"]), (40, "stream"))

    def test_frames_end_every_kind(self):
        self.shared_model()
        for source in (LIVE, f"videotestsrc pattern=snow ! {CAPS}", self.video(), self.shared / "good"):
            with self.subTest(source):
                self.assertEqual(len(self.detected(source, "--frames", 7)[0]), 7)

    def test_seconds_are_those_of_the_video_or_of_the_clock(self):
        self.assertEqual(len(self.detected(self.video(), "--seconds", 2)[0]), 8)
        records, _ = self.detected(LIVE, "--seconds", 1)
        self.assertTrue(1 < len(records) < 60, len(records))

    def test_ctrl_c_ends_a_live_fit_with_a_model(self):
        model, copy = self.folder / "m.padim", self.folder / "copy"
        line = f"{LIVE} ! tee name=both both. ! queue ! filesink location={copy} buffer-mode=2 both. ! queue"
        result = self.interrupt("fit", "--input", line, "--output", model, *self.backbone(),
                                works=lambda _: copy.exists() and copy.stat().st_size > 30 * SIZE[0] * SIZE[1] * 2)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(json.loads(run("info", model, "--json").stdout)["frames"], 1)

    def test_ctrl_c_ends_a_live_detection_with_whole_files(self):
        lines, video = self.folder / "s.jsonl", self.folder / "out.mp4"
        result = self.interrupt("detect", "--model", self.shared_model(), "--input", LIVE, *self.backbone(),
                                "--json", lines, "--output", video,
                                works=lambda _: lines.exists() and lines.read_text().count("\n") > 5)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.detected(video)[0]), len(lines.read_text().splitlines()))


class Addresses(SourceCase):
    def test_a_file_behind_http_is_the_same_video(self):
        video = self.video()
        with self.serve() as address:
            records, _ = self.detected(f"{address}/{video.name}")
        self.assertEqual([r["raw_score"] for r in records], [r["raw_score"] for r in self.detected(video)[0]])

    def test_wrong_addresses_say_what_is_wrong_without_the_password(self):
        self.shared_model()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            for scheme in ("rtsp", "http"):
                result = self.detect(f"{scheme}://user:secret@127.0.0.1:{port}/x")
                self.assert_fails(result, 1, f"user:***@127.0.0.1:{port}", "check the address")
                self.assertNotIn("secret", result.stderr)

    def test_what_does_not_answer_is_given_up(self):
        self.shared_model()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            result = self.detect(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x")
        self.assert_fails(result, 1, "nothing answers within 5")

    def test_a_download_that_stands_still_is_an_error(self):
        video = self.video()
        with self.serve() as address:
            result = self.detect(f"{address}/half/{video.name}", "--timeout", 1)
        self.assert_fails(result, 1, "gave no frame", "--timeout")


class Silent(SourceCase):
    def test_a_camera_that_stops_is_lost_and_what_it_gave_is_kept(self):
        model = self.folder / "m.padim"
        with self.serve() as address:
            records, said = self.detected(f"{address}/camera", "--timeout", 1, status=1)
            self.assertIn("gave no frame", said)
            self.assertGreater(len(records), 1)
            result = self.fit(f"{address}/camera", model, "--timeout", 1)
        self.assert_fails(result, 1, "what follows was not seen")
        self.assertGreater(json.loads(run("info", model, "--json").stdout)["frames"], 1)

    def test_reconnect_opens_it_again_and_time_goes_on(self):
        with self.serve() as address:
            records, said = self.detected(f"{address}/camera", "--timeout", 1, "--reconnect", "--frames", 30)
        self.assertIn("is back after", said)
        self.assertEqual([r["frame"] for r in records], list(range(30)))
        times = [r["pts_ns"] for r in records if r["pts_ns"] is not None]
        self.assertEqual(times, sorted(times))

    def test_a_frozen_picture_is_a_warning_at_once(self):
        line = f"videotestsrc is-live=true pattern=checkers-8 ! {CAPS}"
        records, said = self.detected(line, "--frames", 60)
        self.assertIn("warning: frame", said)
        self.assertEqual(records[-1]["scene"], "frozen")

    def test_a_decoder_that_hangs_is_an_error(self):
        file = self.folder / "hangs.mp4"
        os.mkfifo(file)
        writer = os.open(file, os.O_RDWR)  # nobody writes, and nobody closes it
        self.addCleanup(os.close, writer)
        self.shared_model()
        self.assert_fails(self.detect(file, "--timeout", 1), 1, "hangs.mp4", "gave no frame")


class Wrong(SourceCase):
    def test_each_has_its_sentence(self):
        self.shared_model()
        gif = self.folder / "a.gif"
        Image.fromarray(picture(1)).save(gif)
        for source, options, status, part in (
                ("/dev/null", [], 1, "'/dev/null'"), (gif, [], 1, "ffmpeg -i"),
                ("nosuchelement ! identity", [], 1, "nosuchelement"), ("missing.mp4", [], 1, "does not exist"),
                (self.shared / "good", ["--seconds", 1], 2, "need a video"),
                (self.shared / "good", ["--reconnect"], 2, "need a video")):
            with self.subTest(source):
                self.assert_fails(self.detect(source, *options), status, part)
        self.assert_fails(self.detect(self.video(), "--reconnect"), 2, "not a file")

    def test_a_live_source_is_not_read_twice(self):
        result = self.fit(LIVE, self.folder / "m.padim", "--reduction", "pca", "--dimensions", 4)
        self.assert_fails(result, 2, "reads its input twice")


if __name__ == "__main__":
    unittest.main()
