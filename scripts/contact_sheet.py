#!/usr/bin/python3
"""Tiles frames of the demo's annotated video: one normal frame, then the highest-scored frame of each kind of defect."""

import argparse
import json
import os
import subprocess

from PIL import Image, ImageDraw, ImageFont

BACKGROUND = (18, 20, 24)
FOREGROUND = (226, 229, 234)
COLUMNS = 3
GUTTER = 12
CAPTION = 34
FONT = "DejaVuSans.ttf"


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def choose(sample, scores):
    """(caption, frame number) of each tile."""
    first_normal = next(stretch for stretch in sample["stretches"] if stretch["kind"] == "normal")
    tiles = [("normal", (first_normal["begin"] + first_normal["end"]) // 2)]
    for stretch in sample["stretches"]:
        if stretch["kind"] != "normal":
            frames = range(stretch["begin"], stretch["end"])
            tiles.append((stretch["kind"].replace("-", " "), max(frames, key=lambda frame: scores[frame]["score"])))
    return tiles


def decode(video, size, wanted):
    """The wanted frames of a video as pictures, by number; the others are not kept."""
    width, height = size
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!", "videoconvert", "!",
               f"video/x-raw,format=RGB,width={width},height={height}", "!", "fdsink", "fd=1"]
    # GStreamer pads the rows of RGB to multiples of four bytes.
    stride = (width * 3 + 3) // 4 * 4
    pictures = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as decoder:
        for number in range(max(wanted) + 1):
            data = decoder.stdout.read(stride * height)
            if len(data) < stride * height:
                raise SystemExit(f"{video}: no frame {number}")
            if number in wanted:
                pictures[number] = Image.frombytes("RGB", size, data, "raw", "RGB", stride)
        decoder.terminate()
    return pictures


def font(height):
    try:
        return ImageFont.truetype(FONT, height)
    except OSError:
        return ImageFont.load_default()


def tile_up(tiles, pictures, size):
    """One picture of all tiles, each with its caption below."""
    width, height = size
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (width + GUTTER) + GUTTER, rows * (height + CAPTION) + GUTTER), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    lettering = font(18)
    for index, (caption, frame) in enumerate(tiles):
        x = GUTTER + index % COLUMNS * (width + GUTTER)
        y = GUTTER + index // COLUMNS * (height + CAPTION)
        sheet.paste(pictures[frame].resize(size, Image.LANCZOS), (x, y))
        draw.text((x + 2, y + height + 6), caption, fill=FOREGROUND, font=lettering)
    return sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", required=True, help="sample.json, which says what each frame shows")
    parser.add_argument("--scores", required=True, help="JSON lines of the detection")
    parser.add_argument("--video", required=True, help="annotated video")
    parser.add_argument("--tile-width", type=int, default=480, help="pixels (%(default)s)")
    parser.add_argument("--output", required=True, help="picture, .png or .jpg")
    arguments = parser.parse_args()
    for name in (arguments.sample, arguments.scores, arguments.video):
        if os.path.exists(arguments.output) and os.path.samefile(name, arguments.output):
            parser.error(f"--output {arguments.output} would overwrite {name}; name another file")

    with open(arguments.sample, encoding="utf-8") as file:
        sample = json.load(file)
    tiles = choose(sample, read_lines(arguments.scores))
    size = (sample["width"], sample["height"])
    pictures = decode(arguments.video, size, {frame for _, frame in tiles})
    tile_size = (arguments.tile_width, arguments.tile_width * size[1] // size[0])
    tile_up(tiles, pictures, tile_size).save(arguments.output, quality=86, optimize=True)


if __name__ == "__main__":
    main()
