"""The project's own files, by folder and suffix: what the checks look at."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ["libpadim", "gst-common", "gst-libs", "gst-plugin", "tools", "tests", "benchmarks", "examples", "models", "scripts", ".ci"]


def files(*suffixes, folders=None):
    """Sorted; a name without a dot is a suffix of its own: files("") gives those without one."""
    found = [path for folder in folders or FOLDERS for path in (ROOT / folder).rglob("*")
             if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts]
    assert found, f"no {suffixes} in {folders}"
    return sorted(found)


def name(path):
    return str(path.relative_to(ROOT))
