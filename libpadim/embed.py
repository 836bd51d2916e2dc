"""Writes the C++ source that holds the descriptions of backbones: embed.py OUTPUT FILE.json...

Each becomes an entry {stem, content}, byte for byte, sorted by name; nothing of where the files lay gets into it.
"""

import pathlib
import sys

DELIMITER = "description"  # of the raw strings: none may contain it behind a parenthesis
SOURCE = """#include "backbone/built_in.h"

namespace padim {{
namespace {{

constexpr BuiltInDescription kDescriptions[] = {{
{entries}}};

}}  // namespace

std::span<const BuiltInDescription> built_in_descriptions() {{ return kDescriptions; }}

}}  // namespace padim
"""


def entry(file):
    text = file.read_bytes().decode("utf-8")
    assert f"){DELIMITER}" not in text and "\r" not in text, file
    return f'    {{"{file.stem}", R"{DELIMITER}({text}){DELIMITER}"}},\n'


if __name__ == "__main__":
    output, *inputs = map(pathlib.Path, sys.argv[1:])
    entries = "".join(entry(file) for file in sorted(inputs, key=lambda file: file.stem))
    output.write_bytes(SOURCE.format(entries=entries).encode("utf-8"))
