"""What is written where: an output never touches an input, and replaces regular files alone."""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
import unittest

from tool_case import TOOL, ToolCase, mask, parse_lines, picture, reads_from, run, save_picture


def contents(folder):
    """Name -> bytes of every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class OutputCase(ToolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_model()
        result = run("sample", "--output", cls.shared / "sample", "--fit-frames", "10", "--inspect-frames", "40")
        assert result.returncode == 0, result.stderr

    def copies(self):
        """Inputs of every kind, to be destroyed."""
        for number in range(6):
            save_picture(self.folder / "in" / f"{number}.png", picture(number))
        save_picture(self.folder / "bad" / "0.png", picture(7, defect=True))
        save_picture(self.folder / "mask.png", 255 - mask())
        for name, source in (("m.padim", self.shared_model()), ("v.mp4", self.shared / "sample" / "normal.mp4"),
                             ("tiny.safetensors", self.weights), ("tiny.json", self.weights.with_suffix(".json"))):
            (self.folder / name).write_bytes(source.read_bytes())

    def assert_refused(self, *arguments, says="would overwrite", status=2):
        """The command fails with that sentence, and not a byte has changed."""
        before = contents(self.folder)
        result = run(*arguments, cwd=self.folder)
        self.assertEqual(result.returncode, status, (arguments, result.stderr))
        self.assertIn(says, result.stderr)
        self.assertEqual(contents(self.folder), before, arguments)


class Inputs(OutputCase):
    def test_no_output_of_any_command_is_an_input(self):
        self.copies()
        os.symlink("m.padim", self.folder / "link.padim")
        weights = ("--backbone", "tiny", "--backbone-file", "tiny.safetensors")
        detect = ("detect", "--model", "m.padim", *weights, "--mask", "mask.png")
        fit = ("fit", "--input", "in", *weights, "--mask", "mask.png", "--defects", "bad")
        inputs = ["m.padim", "./in/../m.padim", "link.padim", "mask.png", "tiny.safetensors", "tiny.json", "in/3.png"]
        commands = [(*detect, "--input", "in", "--json", file) for file in inputs]
        commands += [(*fit, "--output", file) for file in ("in/0.png", "bad/0.png", "mask.png", "tiny.safetensors")]
        commands += [
            (*detect, "--input", "v.mp4", "--json", "v.mp4"),
            (*detect, "--input", "v.mp4", "--output", "v.mp4"),
            (*detect, "--input", "in/0.png", "--output", "in/0.png"),
            (*detect, "--input", "in/0.png", "--output", "mask.png"),
            (*detect, "--input", "in/0.png", "--output", "in"),
            (*detect, "--input", "in", "--output", "in"),
            (*detect, "--input", "in", "--output", "."),
            ("fit", "--input", "v.mp4", *weights, "--output", "v.mp4"),
            (*fit, "--output", "new.padim", "--curve", "bad/0.png"),
            (*fit, "--output", "c.png", "--curve", "c.png"),
            (*fit, "--resume", "m.padim", "--output", "m.padim", "--curve", "in/0.png"),
            ("threshold", "m.padim", *weights, "--defects", "bad", "--raw", "3", "--output", "bad/0.png"),
            ("threshold", "m.padim", *weights, "--defects", "bad", "--curve", "bad/0.png"),
            ("merge", "m.padim", "other.padim", "--output", "m.padim"),
            (*detect, "--input", "in", "--json", "new", "--output", "new.mp4", "--maps", "in/../in"),
        ]
        (self.folder / "other.padim").write_bytes(b"")
        for command in commands[:-1]:
            with self.subTest(command):
                if command[0] == "fit" and "--resume" in command:
                    command = tuple(part for part in command if part not in ("--mask", "mask.png"))
                self.assert_refused(*command)
        result = run(*commands[-1], cwd=self.folder)  # other names in the input's folder are free
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_two_outputs_are_two_files(self):
        self.copies()
        detect = ("detect", "--model", "m.padim", *self.backbone(), "--input", "in")
        self.assert_refused(*detect, "--json", "x.mp4", "--output", "./x.mp4")

    def test_numbered_frames_leave_masks_and_models_alone(self):
        video, model, truth = self.shared / "sample" / "normal.mp4", self.folder / "m.padim", self.folder / "truth"
        self.assertEqual(self.fit(video, model).returncode, 0)
        save_picture(truth / "frame_000003.png", mask())
        before = (truth / "frame_000003.png").read_bytes()
        result = self.detect(video, "--ground-truth", truth, "--output", truth, model=model)
        self.assert_fails(result, 2, "frame_000003.png", "would overwrite the ground truth")
        self.assertEqual((truth / "frame_000003.png").read_bytes(), before)

    def test_a_data_set_is_no_place_for_results(self):
        data = self.folder / "data" / "part"
        for folder in ("train/good", "test/good"):
            save_picture(data / folder / "0.png", picture(1))
            save_picture(data / folder / "1.png", picture(2))
        self.assert_refused("eval", "--data", "data", *self.backbone(), "--save", "data")
        self.assert_refused("eval", "--data", "data", *self.backbone(), "--save", "data/part/test")

    def test_a_model_may_be_gone_on_with_in_its_place(self):
        self.copies()
        model = self.folder / "m.padim"
        result = self.fit(self.folder / "in", model, "--resume", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("30 frames", run("info", model).stdout)
        result = run("threshold", model, "--raw", "7.25", "--output", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("raw score 7.25", run("info", model).stdout)


class Kinds(OutputCase):
    """Devices, pipes, sockets, folders and links under the name of an output."""

    def odd_files(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "folder.padim").mkdir()
        os.symlink("pipe", self.folder / "link")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "socket"))
        return ["pipe", "link", "socket", "/dev/null", "/dev/full", "-"]

    def test_a_whole_file_replaces_nothing_but_a_file(self):
        names = self.odd_files()
        good = self.shared / "good"
        for name in [*names, "folder.padim", "new/"]:
            with self.subTest(name):
                self.assert_refused("fit", "--input", good, "--output", name, *self.backbone(), says="cannot write",
                                    status=1)
        self.assertTrue(stat.S_ISFIFO((self.folder / "pipe").stat().st_mode))
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        for option, extension in (("--output", "mp4"), ("--output", "png")):
            os.mkfifo(self.folder / f"p.{extension}")
            source = good / "00.png" if extension == "png" else self.shared / "sample" / "normal.mp4"
            result = self.detect(source, option, self.folder / f"p.{extension}")
            self.assert_fails(result, 1, "p." + extension, "pipe or a device")

    def test_pictures_and_maps_replace_nothing_but_files(self):
        for option, name in (("--output", "00.png"), ("--maps", "00.npy")):
            folder = self.folder / option
            folder.mkdir()
            os.mkfifo(folder / name)
            self.assert_fails(self.detect(self.shared / "good", option, folder), 1, name, "pipe or a device")
            self.assertEqual(os.listdir(folder), [name])

    def test_links_stay_and_what_they_lead_to_is_replaced(self):
        real = self.folder / "real"
        real.mkdir()
        good = self.shared / "good"
        for name in ("m.padim", "s.jsonl", "00.png", "v.mp4", "maps/00.npy"):
            link = self.folder / name
            link.parent.mkdir(exist_ok=True)
            os.symlink(real / link.name, link)
        self.assertEqual(self.fit(good, self.folder / "m.padim").returncode, 0)
        for arguments in (("--json", "s.jsonl", "--output", "00.png", "--maps", "maps"), ("--output", "v.mp4")):
            result = run("detect", "--model", self.folder / "m.padim", "--input", good / "00.png", *self.backbone(),
                         *arguments, cwd=self.folder)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(os.listdir(real)), ["00.npy", "00.png", "m.padim", "s.jsonl", "v.mp4"])
        for path in real.iterdir():
            self.assertGreater(path.stat().st_size, 0, path)
        for name in ("m.padim", "s.jsonl", "00.png", "v.mp4", "maps/00.npy"):
            self.assertTrue((self.folder / name).is_symlink(), name)


class JsonLines(OutputCase):
    def read_pipe(self, count):
        """Starts to read from a new pipe; returns its path and the list that gets its text, with the thread."""
        pipe, texts = self.folder / "pipe", []
        os.mkfifo(pipe)

        def read():
            with open(pipe, "rb") as reader:
                texts.append(reader.read(count))
        thread = threading.Thread(target=read)
        thread.start()
        return pipe, texts, thread

    def test_go_through_a_pipe(self):
        descriptor = None
        pipe, texts, thread = self.read_pipe(-1)
        while descriptor is None:  # the reader is there when the pipe can be opened
            try:
                descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                pass
        result = self.detect(self.shared / "good", "--json", pipe)
        os.close(descriptor)
        thread.join()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(parse_lines(texts[0].decode())), 24)
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

    def test_do_not_wait_for_a_reader(self):
        os.mkfifo(self.folder / "pipe")
        result = self.detect(self.shared / "good", "--json", self.folder / "pipe")
        self.assert_fails(result, 1, "pipe", "nobody reads", "start its reader first")

    def test_go_where_standard_output_goes(self):
        command = [TOOL, "detect", "--model", self.shared_model(), "--input", self.shared / "good", *self.backbone()]
        for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(name):
                lines = self.folder / "lines"
                lines.write_text('{"before":0}\n')
                with open(lines, "a", encoding="utf-8") as output:
                    result = subprocess.run([*map(str, command), "--json", name], stdout=output, stderr=subprocess.PIPE,
                                            check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(len(parse_lines(lines.read_text())), 25)
                result = subprocess.run([*map(str, command), "--json", name], capture_output=True, text=True, check=True)
                self.assertEqual(len(parse_lines(result.stdout)), 24)
        self.assertEqual(run(*command[1:], "--json", "/dev/null").returncode, 0)

    def test_of_yesterday_stay_until_there_are_new_ones(self):
        lines = self.folder / "s.jsonl"
        yesterday = '{"yesterday":true}\n'
        for arguments in (("--mask", self.folder / "no"), ("--output", self.folder / "no" / "x.mp4"),
                          ("--ground-truth", self.folder / "no")):
            lines.write_text(yesterday)
            result = self.detect(self.shared / "good", "--json", lines, *arguments)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(lines.read_text(), yesterday)
        reader = lines.open(encoding="utf-8")  # who reads them reads on
        self.assertEqual(self.detect(self.shared / "good", "--json", lines).returncode, 0)
        self.assertEqual(reader.read(), yesterday)
        reader.close()
        self.assertEqual(len(parse_lines(lines.read_text())), 24)
        self.assertEqual(os.listdir(self.folder), ["s.jsonl"])


class Ends(OutputCase):
    """What a run leaves that does not end well."""

    def start(self, *arguments, hangup=signal.SIG_DFL):
        source = self.folder / "many"
        save_picture(source / "000000.png", picture(1))
        for number in range(1, 8000):
            shutil.copyfile(source / "000000.png", source / f"{number:06}.png")
        command = [TOOL, "detect", "--model", self.shared_model(), "--input", source, *self.backbone(), *arguments]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup))

    def wait_for_lines(self, process, lines, count):
        while process.poll() is None and not (lines.exists() and lines.read_text().count("\n") > count):
            pass

    def test_a_killed_run_leaves_the_old_video_and_whole_lines(self):
        video, lines = self.folder / "v.mp4", self.folder / "s.jsonl"
        video.write_bytes(b"yesterday's")
        with self.start("--json", lines, "--output", video) as process:
            self.wait_for_lines(process, lines, 20)
            process.kill()
        self.assertEqual(video.read_bytes(), b"yesterday's")
        self.assertGreater(len(parse_lines(lines.read_text())), 20)

    def test_a_terminal_that_closes_ends_a_run_properly(self):
        video, lines = self.folder / "v.mp4", self.folder / "s.jsonl"
        with self.start("--json", lines, "--output", video) as process:
            self.wait_for_lines(process, lines, 20)
            process.send_signal(signal.SIGHUP)
            _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 129, errors)
        replayed = self.detect(video, "--json", "-")
        self.assertEqual(len(parse_lines(replayed.stdout)), len(parse_lines(lines.read_text())))

    def test_nohup_is_obeyed(self):
        lines = self.folder / "s.jsonl"
        with self.start("--json", lines, hangup=signal.SIG_IGN) as process:
            self.wait_for_lines(process, lines, 20)
            process.send_signal(signal.SIGHUP)
            self.wait_for_lines(process, lines, lines.read_text().count("\n") + 20)
            self.assertIsNone(process.poll())
            process.kill()


class Samples(OutputCase):
    FRAMES = ("--fit-frames", "10", "--inspect-frames", "40")

    def test_what_is_no_sample_is_kept(self):
        for name in ("normal.mp4", "inspection.mp4", "truth/frame_000001.png"):
            with self.subTest(name):
                file = self.folder / name.replace("/", "-") / name
                file.parent.mkdir(parents=True)
                file.write_bytes(b"mine")
                self.assert_refused("sample", "--output", self.folder / name.replace("/", "-"), *self.FRAMES)

    def test_a_sample_appears_whole_or_not_at_all(self):
        output = self.folder / "s"
        arguments = ("sample", "--output", output, "--fit-frames", "2000", "--inspect-frames", "40")
        result = self.interrupt(*arguments, works=reads_from(output))
        self.assert_fails(result, 130, "interrupted")
        self.assertEqual(os.listdir(output), [])
        self.assertEqual(run("sample", "--output", output, *self.FRAMES).returncode, 0)
        before = contents(output)
        result = self.interrupt(*arguments, works=reads_from(output))
        self.assert_fails(result, 130, "is as it was")
        self.assertEqual(contents(output), before)
        self.assertEqual(json.loads(before["sample.json"])["normal"]["frames"], 10)
        self.assertEqual(sorted(path.name for path in output.iterdir()),
                         ["inspection.mp4", "normal.mp4", "sample.json", "truth"])


if __name__ == "__main__":
    unittest.main()
