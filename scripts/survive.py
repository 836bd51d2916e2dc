#!/usr/bin/env python3
"""Puts padim and padimfilter through what happens to programs that run for months, and prints what they survived.

Kills at random moments, disks that are full or read-only, memory that ends, sources that break off, clocks that jump, busy
processors, objects that leak. Needs a build; what it works on it makes itself. Full and read-only disks need root, as they
are mounted; a row that cannot run says why. The exit status is 0 where nothing failed.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from survive_bench import (MIB, MOST_SECONDS, ROOT, TEST_SOURCE, Bench, Disk, Row, Skipped, dataset, folder_for, is_json,
                           kill_after, sweep, words)


EARLIER = '{"earlier":true}\n'


# Kills

def kill_writer(bench, rounds, name, target, command, late):
    """Kills what replaces the file `target`: afterwards it is what it was, or a whole model."""
    row, folder = Row(), folder_for(bench, name)
    file = folder / target.name
    shutil.copy(target, file)
    whole = bench.seconds(*command(file))
    for _ in range(rounds):
        shutil.copy(target, file)
        _, running = kill_after(bench, command(file), whole * random.uniform(late, 1.05))
        row.faults += running
        replaced = file.read_bytes() != target.read_bytes()
        row.count("new ones", replaced)
        row.check(not replaced or bench.is_model(file), f"{file.name} is neither the old nor a new model")
        sweep(row, folder, file)
    return row


def kill_tool_fit(bench, rounds):
    return kill_writer(bench, rounds, "kill-fit", bench.other, bench.fit, 0.1)


def kill_merge(bench, rounds):
    return kill_writer(bench, rounds, "kill-merge", bench.other,
                       lambda file: ["padim", "merge", bench.model, bench.other, "--output", file], 0.3)


def kill_element_fit(bench, rounds):
    return kill_writer(bench, rounds, "kill-finishing", bench.other, bench.element_fit, 0.5)


def learn_and_save(model, saved, begun):
    """The child of kill_learning: saves what it learns again and again."""
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
    source = TEST_SOURCE.format(options="")
    pipeline = Gst.parse_launch(f"{source} ! padimfilter name=filter model-file={model} adapt-half-life=20 ! fakesink")
    element = pipeline.get_by_name("filter")
    pipeline.set_state(Gst.State.PLAYING)
    while True:
        element.emit("learn", 2)
        element.emit("save-model", saved)
        if os.path.exists(saved):
            begun.set()


def kill_learning(bench, rounds):
    row, folder = Row(), folder_for(bench, "kill-learning")
    file = folder / "saved.padim"
    for _ in range(rounds):
        file.unlink(missing_ok=True)
        begun = multiprocessing.Event()
        child = multiprocessing.Process(target=learn_and_save, args=(str(bench.ball), str(file), begun))
        child.start()
        row.check(begun.wait(MOST_SECONDS), "nothing was saved")
        time.sleep(random.uniform(0, 0.1))
        child.kill()
        child.join()
        row.faults += 1
        row.check(bench.is_model(file), "what was saved is no model")
        sweep(row, folder, file)
    return row


def kill_element_lines(bench, rounds):
    row, folder = Row(), folder_for(bench, "kill-lines")
    file, torn = folder / "lines.jsonl", []
    for _ in range(rounds):
        size = file.stat().st_size if file.exists() else 0
        command = bench.element_detect(f"json-location={file}", "!", "queue")
        with subprocess.Popen(command, env=bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + MOST_SECONDS
            while (not file.exists() or file.stat().st_size <= size) and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.05))
            process.kill()
        row.faults += 1
        row.check(file.stat().st_size > size, "a following run wrote nothing")
        torn += [file.read_text().rpartition("\n")[2]]
    lines = file.read_text().splitlines()
    broken = [line for line in lines if not is_json(line)]
    row.count("lines", len(lines))
    row.count("torn at a kill", len(broken))
    row.check(broken == [line for line in torn if line], "lines are broken that no kill has torn")
    sweep(row, folder, file)
    return row


def kill_tool_lines(bench, rounds):
    row, folder = Row(), folder_for(bench, "kill-tool-lines")
    file = folder / "lines.jsonl"
    whole = bench.seconds(*bench.detect("--json", file))
    for _ in range(rounds):
        file.write_text(EARLIER)
        _, running = kill_after(bench, bench.detect("--json", file), whole * random.uniform(0.1, 1))
        row.faults += running
        lines = file.read_text().splitlines()
        row.check(all(map(is_json, lines[:-1])), "a line before the last one is broken")
        row.check(lines, "what was there before is gone, and nothing new is there")
        row.count("torn at a kill", not is_json(lines[-1]))
        sweep(row, folder, file)
    return row


def kill_video(bench, rounds):
    row, folder = Row(), folder_for(bench, "kill-video")
    file = folder / "annotated.mp4"
    command = bench.detect("--output", file)
    whole = bench.seconds(*command)
    before = file.read_bytes()
    for _ in range(rounds):
        _, running = kill_after(bench, command, whole * random.uniform(0.1, 1.02))
        row.faults += running
        if file.read_bytes() != before:
            row.check(bench.plays(file).returncode == 0, "a video that replaced another one does not play")
        file.write_bytes(before)
        sweep(row, folder, file)
    return row


def clip_command(bench, folder):
    pipeline = (f"multifilesrc location={bench.line}/%04d.png loop=true caps=image/png,framerate=60/1 ! pngdec "
                f"! videoconvert ! padimfilter model-file={bench.model} event-gap=0 ! videoconvert "
                "! x264enc tune=zerolatency key-int-max=5 ! h264parse ! appsink name=sink sync=true")
    return [sys.executable, ROOT / "examples/programs/record_clips.py", "--folder", folder, "--before", 0.1, "--after", 0.1,
            pipeline]


def kill_clips(bench, rounds):
    row = Row()
    for _ in range(rounds):
        folder = folder_for(bench, "kill-clips")
        printed, running = kill_after(bench, clip_command(bench, folder), random.uniform(1, 4), stdout=subprocess.PIPE)
        row.faults += running
        finished = printed.split()
        row.count("finished clips", len(finished))
        row.count("clips broken off", len(list(folder.iterdir())) - len(finished))
        for clip in finished:
            row.check(bench.plays(clip).returncode == 0, "a finished clip does not play")
    row.check(row.notes.get("finished clips", 0) > 0, "no clip was finished")
    return row


# Disks

def writers(bench, disk):
    """Every kind of output: its file on the disk, and the command that writes it."""
    model, lines, npy = disk / "m.padim", disk / "l.jsonl", disk / "maps" / "0000.npy"
    first = bench.line / "0000.png"
    rising = disk / "curve.png"
    return [
        (model, bench.fit(model)),
        (model, ["padim", "merge", bench.model, bench.other, "--output", model]),
        (model, ["padim", "threshold", bench.model, "--raw", 9, "--output", model]),
        (rising, ["padim", "threshold", bench.model, "--defects", bench.folder / "bad", "--curve", rising]),
        (lines, bench.detect("--json", lines)),
        (npy, bench.detect("--maps", npy.parent, source=first)),
        (disk / "pictures" / "0000.png", bench.detect("--output", disk / "pictures", source=bench.line)),
        (disk / "one.png", bench.detect("--output", disk / "one.png", source=first)),
        (disk / "v.mp4", bench.detect("--output", disk / "v.mp4")),
        (disk / "v.mkv", bench.detect("--output", disk / "v.mkv")),
        (disk / "report.html", ["padim", "eval", "--data", dataset(bench), "--save", disk, "--backbone", "tiny"]),
        (disk / "sample" / "sample.json", ["padim", "sample", "--output", disk / "sample", "--fit-frames", 40,
                                           "--inspect-frames", 40]),
        (model, bench.element_fit(model)),
        (lines, bench.element_detect(f"json-location={lines}", frames=30)),
    ]


def spoil(bench, strike, reason):
    row = Row()
    for number in range(len(writers(bench, bench.folder))):
        with Disk(bench.folder / "disk") as disk:
            file, command = writers(bench, disk.folder)[number]
            file.parent.mkdir(exist_ok=True)
            file.write_text(EARLIER)
            strike(disk)
            row.faults += 1
            result = bench.run(*command)
            name = f"{' '.join(map(str, command[:2]))} {file.name}"
            said = (result.stderr + result.stdout).strip()
            row.check(result.returncode > 0, f"{name}: status {result.returncode}: {said[-200:]}")
            row.check(str(file) in said or str(file.parent) in said, f"{name}: the file is not named: {said[-300:]}")
            row.check(any(word in said for word in reason), f"{name}: no reason is given: {said[-300:]}")
            row.check(is_kept(file), f"{name}: what was there before has changed")
            sweep_disk(row, disk.folder, {file, disk.folder / "ballast"}, name)
    return row


def is_kept(file):
    """What was there before is; lines that had room may follow."""
    lines = file.read_text(errors="replace").splitlines()
    return lines[:1] == [EARLIER.strip()] and all(map(is_json, lines))


def sweep_disk(row, folder, kept, name):
    left = {file for file in folder.rglob("*") if file.is_file() and file.stat().st_size > 0} - kept
    row.check(not any(len(file.suffix) == 7 for file in left), f"{name}: leaves {left}")


def full_disk(bench, _):
    return spoil(bench, Disk.fill, ("No space left", "no space left", "full"))


def read_only_disk(bench, _):
    return spoil(bench, Disk.protect, ("Read-only", "read-only"))


def full_disk_clips(bench, _):
    """The stream goes on without the clips that cannot be written."""
    row = Row(1)
    with Disk(bench.folder / "disk") as disk:
        disk.fill()
        command = clip_command(bench, disk.folder)
        command[-1] = command[-1].replace("loop=true", "").replace("sync=true", "sync=false")
        result = bench.run(*command)
        row.check(result.returncode >= 0, f"ended by signal {-result.returncode}")
        row.check("cannot complete" in result.stderr, f"nothing was said: {result.stderr[-200:]}")
    return row


# Memory

def memory_ends(bench, command):
    """Runs the command with more and more address space, until it succeeds."""
    row, limit = Row(), 48 * MIB
    while row.faults < 80:
        result = bench.run(*command, seconds=30, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        if result.returncode == 0:
            row.count(f"MiB suffice: {limit // MIB}", 1)
            return row
        row.faults += 1
        if result.returncode > 0:
            row.count("with an error")
            row.check(result.stderr.strip(), f"{limit // MIB} MiB: status {result.returncode} without a word")
        elif "GLib" in result.stderr or "failed to allocate" in result.stderr:
            row.count("ended by GLib, which aborts where memory ends")
        else:
            row.check(False, f"{limit // MIB} MiB: signal {-result.returncode}: {result.stderr.strip()[-300:]}")
        limit = int(limit * 1.07)
    row.check(False, "no limit suffices")
    return row


def memory_tool_fit(bench, _):
    return memory_ends(bench, bench.fit(bench.folder / "memory.padim", "--threads", 4))


def memory_tool_detect(bench, _):
    return memory_ends(bench, bench.detect("--json", bench.folder / "memory.jsonl", "--threads", 4))


def memory_element_fit(bench, _):
    return memory_ends(bench, bench.element_fit(bench.folder / "memory.padim"))


def memory_element_detect(bench, _):
    return memory_ends(bench, bench.element_detect("threads=4", frames=40))


# Sources

def source_breaks_off(bench, _):
    row, folder = Row(2), folder_for(bench, "sources")
    lines, model = folder / "lines.jsonl", folder / "m.padim"
    broken = words(TEST_SOURCE.format(options="num-buffers=100")) + words("! identity error-after=30 ! padimfilter")
    result = bench.run("gst-launch-1.0", *broken, f"model-file={bench.ball}", f"json-location={lines}", "!", "fakesink")
    row.check(result.returncode == 1 and "identity" in result.stderr, f"detect: {result.stderr[-200:]}")
    row.check(len(lines.read_text().splitlines()) >= 28, "detect: frames before the error have no line")
    result = bench.run("gst-launch-1.0", *broken, "mode=fit", "backbone=tiny", f"model-file={model}", "!", "fakesink")
    row.check(result.returncode == 1, f"fit: {result.stderr[-200:]}")
    # The source ends the stream behind its error, which completes the fit unless gst-launch-1.0 stops it before.
    unfinished = model.with_name(model.name + ".unfinished")
    row.check(bench.is_model(model) or bench.is_model(unfinished), "fit: what was collected is not kept")
    return row


def truncated_video(bench, rounds):
    row, folder = Row(), folder_for(bench, "truncated")
    video, whole = folder / "cut.mkv", bench.video.read_bytes()
    for _ in range(rounds):
        video.write_bytes(whole[:random.randrange(1, len(whole))])
        row.faults += 1
        result = bench.run(*bench.detect("--json", folder / "l.jsonl", source=video, ), cwd=folder)
        row.check(result.returncode in (0, 1), f"tool: status {result.returncode}")
        row.check(result.returncode == 0 or str(video) in result.stderr, f"tool: {result.stderr[-200:]}")
        result = bench.run("gst-launch-1.0", "filesrc", f"location={video}", "!", "decodebin", "!", "videoconvert", "!",
                           "padimfilter", f"model-file={bench.ball}", "!", "fakesink")
        row.check(result.returncode in (0, 1), f"element: status {result.returncode}")
    return row


def live_run(model, disturb, seconds, lines, results):
    """The child of the rows below: a live pipeline, disturbed once a second; reports the element's statistics."""
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
    pipeline = Gst.parse_launch(f"{TEST_SOURCE.format(options='is-live=true')} ! queue ! padimfilter name=filter "
                                f"model-file={model} json-location={lines} ! fakesink sync=true qos=true")
    pipeline.set_state(Gst.State.PLAYING)
    for _ in range(seconds):
        time.sleep(1)
        disturb(pipeline, Gst.SECOND)
    pipeline.send_event(Gst.Event.new_eos())
    message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    stats = pipeline.get_by_name("filter").get_property("stats")
    pipeline.set_state(Gst.State.NULL)
    names = ("frames", "reused", "dropped", "late")
    results.put({name: stats.get_uint64(name).value for name in names} |
                {"ended": message is not None and message.type == Gst.MessageType.EOS})


def jump(pipeline, second):
    pipeline.set_base_time(max(pipeline.get_base_time() + random.choice((-3600, -2, 2, 3)) * second, 0))


def live(bench, name, disturb, seconds):
    row, lines, results = Row(1), bench.folder / f"{name}.jsonl", multiprocessing.Queue()
    child = multiprocessing.Process(target=live_run, args=(str(bench.ball), disturb, seconds, str(lines), results))
    child.start()
    stats = results.get(timeout=MOST_SECONDS)
    child.join()
    states = [json.loads(line)["state"] for line in lines.read_text().splitlines()]
    row.check(child.exitcode == 0, f"ended with {child.exitcode}")
    row.check(stats["ended"], "the stream did not end")
    row.check(stats["frames"] == len(states), f"{stats['frames']} frames, {len(states)} lines")
    for state, field in (("reuse", "reused"), ("drop", "dropped")):
        row.check(states.count(state) == stats[field], f"{field}: {stats[field]}, {states.count(state)} lines")
    row.check(states.count("detect") > 0, "no frame was scored")
    for what in ("frames", "late", "reused", "dropped"):
        row.count(what, stats[what])
    return row


def clock_jumps(bench, _):
    return live(bench, "clock", jump, 8)


def spin():
    while True:
        pass


def busy_processors(bench, _):
    loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(2 * os.cpu_count())]
    for loop in loops:
        loop.start()
    try:
        return live(bench, "busy", lambda *_: None, 8)
    finally:
        for loop in loops:
            loop.kill()


# Leaks

def leaks(bench, _):
    """The examples that are run by gst-launch-1.0, which ends GStreamer properly; Python leaves its objects alone."""
    row, folder = Row(), folder_for(bench, "demo")
    bench.expect(*bench.fit(folder / "model.padim"))
    shutil.copy(bench.video, folder / "input.mkv")
    tracing = bench.environment | {"GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1",
                                   "DEMO_DIR": str(folder)}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        tracing.pop(name, None)
    video, model = ["--input", folder / "input.mkv"], ["--model", bench.ball]
    examples = {"01-fit-recording.sh": [*video, "--model", folder / "fit.padim"],
                "02-annotate-recording.sh": [*video, *model],
                "03-fit-then-detect-live.sh": [*video, "--fit-frames", 40, "--model", folder / "live.padim"],
                "04-metadata-only.sh": [*video, *model], "06-hls.sh": [*video, *model],
                "07-record-and-view.sh": [*video, *model], "12-side-by-side.sh": [*video, *model]}
    for example, options in examples.items():
        result = subprocess.run([ROOT / "examples/pipelines" / example, *map(str, options)], env=tracing, text=True,
                                capture_output=True, errors="replace", timeout=MOST_SECONDS, check=False)
        alive = [line for line in result.stderr.splitlines() if "object-alive, type-name" in line and "(string)%s" not in line]
        row.faults += 1
        row.check(result.returncode == 0, f"{example}: {result.stderr[-300:]}")
        row.check("object-alive" in result.stderr, f"{example}: the leak tracer did not run")
        row.check(not alive, f"{example}: {alive[:2]}")
    return row


ROWS = {
    "kill tool fit": kill_tool_fit,
    "kill tool merge": kill_merge,
    "kill element fit": kill_element_fit,
    "kill learning": kill_learning,
    "kill element lines": kill_element_lines,
    "kill tool lines": kill_tool_lines,
    "kill video": kill_video,
    "kill clips": kill_clips,
    "full disk": full_disk,
    "full disk clips": full_disk_clips,
    "read-only disk": read_only_disk,
    "memory tool fit": memory_tool_fit,
    "memory tool detect": memory_tool_detect,
    "memory element fit": memory_element_fit,
    "memory element detect": memory_element_detect,
    "source breaks off": source_breaks_off,
    "truncated video": truncated_video,
    "clock jumps": clock_jumps,
    "busy processors": busy_processors,
    "leaks": leaks,
}


def print_row(name, row):
    notes = ", ".join(f"{number} {what}" for what, number in row.notes.items() if number)
    print(f"| {name} | {row.faults} | {len(row.failures)} | {notes} |", flush=True)
    for failure in sorted(set(row.failures)):
        print(f"survive: {name}: {failure} ({row.failures.count(failure)} times)", file=sys.stderr, flush=True)


def survive(bench, names, rounds):
    print("| fault | struck | failures | |\n|---|---|---|---|")
    failures = 0
    for name in names:
        try:
            row = ROWS[name](bench, rounds)
            print_row(name, row)
            failures += len(row.failures)
        except Skipped as reason:
            print(f"| {name} | 0 | | skipped: {reason} |", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog=f"rows: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=200, help="kills per row (%(default)s)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build folder (%(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments")
    parser.add_argument("rows", nargs="*", default=list(ROWS), help="all of them, where none is named")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are: {', '.join(ROWS)}")
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="padim-survive-") as folder:
        bench = Bench(pathlib.Path(folder), options.build.resolve())
        sys.exit(1 if survive(bench, options.rows, options.rounds) else 0)


if __name__ == "__main__":
    main()
