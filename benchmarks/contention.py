#!/usr/bin/env python3
"""What other programs cost a detector: milliseconds of the network per frame with one thread and with more, beside 0, 1, ...
programs that each keep one of the cores busy all the time. The fair share: so many times as much as with all cores idle."""
import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def measure(model, video, threads, tool):
    """(mean, slowest) milliseconds of the network per frame."""
    result = subprocess.run([tool, "detect", "--model", model, "--input", video, "--threads", str(threads), "--profile"],
                            capture_output=True, text=True, check=True)
    # stage, mean, median, 99th percentile
    figures = re.search(r"^ +network +([\d.]+) +([\d.]+) +([\d.]+)", result.stderr, re.MULTILINE)
    return float(figures[1]), float(figures[3])


@contextlib.contextmanager
def busy(cores):
    """Keeps each of these cores busy."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                 preexec_fn=lambda core=core: os.sched_setaffinity(0, {core})) for core in cores]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Run it in `meson devenv -C build`, on an otherwise idle machine.")
    parser.add_argument("--padim", default="padim", help="tool to measure (%(default)s)")
    parser.add_argument("--other", help="another tool, to measure beside it")
    parser.add_argument("--backbone", default="efficientnet_lite0", help="(%(default)s)")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    tools = {"this": options.padim, **({"other": options.other} if options.other else {})}
    print("| tool | busy cores | threads | network, mean ms | 99th percentile | to one thread | fair share |\n|" + "---|" * 7)
    with tempfile.TemporaryDirectory(prefix="padim-contention-") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([options.padim, "sample", "--output", folder], check=True, capture_output=True)
        model, video = folder / "model.padim", folder / "inspection.mp4"
        subprocess.run([options.padim, "fit", "--input", folder / "normal.mp4", "--output", model,
                        "--backbone", options.backbone], check=True, capture_output=True)
        for taken in range(len(cores) + 1):
            with busy(cores[:taken]):
                for name, tool in tools.items():
                    alone = None
                    for threads in sorted({1, 2, len(cores)}):
                        mean, late = measure(model, video, threads, tool)
                        alone = alone or mean
                        share = len(cores) / (len(cores) - taken / 2)
                        print(f"| {name} | {taken} of {len(cores)} | {threads} | {mean:.2f} | {late:.2f} | "
                              f"{mean / alone:.2f} | {share:.2f} |", flush=True)


if __name__ == "__main__":
    main()
