"""Who may include what: the architecture, as a table.

The public headers need the standard library alone; each third-party library is known in few files; no stage of the
data flow knows a later one; plugin and tools use the public headers; the metadata library needs GStreamer alone.
"""

import re
import unittest

from source_tree import ROOT, files, name

LIBRARY = ROOT / "libpadim"
PUBLIC = LIBRARY / "include"
PRIVATE = LIBRARY / "src"
METADATA = ROOT / "gst-libs"  # for programs that read what the element attaches

# The data flow. A stage is its .h and .cpp; files that are not listed serve stages without being one.
STAGES = [
    ["resample", "preprocess"],
    ["backbone_description", "backbone_search", "network", "backbone_onednn", "backbone_torch", "backbone"],
    ["channel_selection", "semi_orthogonal", "embedding"],
    ["gaussian"],
    ["mahalanobis"],
    ["score_mapping"],
    ["calibration", "regions"],
    ["colormap", "overlay_canvas", "overlay_heat", "overlay_layer", "overlay_strokes", "overlay_text", "overlay"],
]
# What puts stages together; no stage before the overlay, which draws a Detection, may know of it.
ORCHESTRATION = {"image_pipeline", "basis_pass", "completion", "fitter", "detector"}

# What is not the standard library, the files of libpadim that may know it, and why those.
THIRD_PARTY = {
    r"(torch|ATen|c10)/": (r"src/backbone_torch\.cpp", "its headers cost ten seconds per file"),
    r"(dnnl\.hpp|omp\.h)": (r"src/backbone_onednn\.cpp", "the processor's kernels and their threads"),
    r"opencv2/": (r"src/(preprocess|score_map|regions|overlay\w*|metrics)\.cpp", "stages that handle pictures"),
    r"Eigen/": (r"src/pca\.cpp", "eigenvectors"),
    r"hwy/": (r"src/kernels/\w+\.cpp", "SIMD"),
    r"nlohmann/": (r"src/(\w+_json\.(h|cpp)|safetensors\.cpp|model_io\.cpp|backbone_description\.cpp)", "files in JSON"),
    r"openssl/": (r"src/sha256\.cpp", "checksums"),
    r"(fcntl|unistd|sys/\w+)\.h": (r"src/file\.cpp", "files that appear whole or not at all"),
}

# Quoted includes of plugin and tools that are neither their own nor public, and why.
EXCEPTIONS = {
    ("tools/padim/video_source.cpp", "gst-plugin/videoframe.h"): "tool and element map video frames by the same code",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def includes(path):
    """[(quoted, header)] of a file."""
    return [(mark == '"', header) for mark, header in INCLUDE.findall(path.read_text())]


def is_standard(header):
    return re.fullmatch(r"[a-z_]+", header) is not None


def resolve(path, header):
    """The file of libpadim that a quoted include means, or None."""
    for candidate in (path.parent / header, PRIVATE / header, PUBLIC / header):
        if candidate.exists() and LIBRARY in candidate.parents:
            return candidate.resolve()
    return None


def library_graph():
    """File -> files of libpadim that it includes."""
    return {path: [target for quoted, header in includes(path) if quoted for target in [resolve(path, header)] if target]
            for path in files(".h", ".cpp", folders=["libpadim"])}


def closure(graph, path):
    """Everything that `path` includes, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        for target in graph[waiting.pop()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


class Dependencies(unittest.TestCase):
    def test_public_headers_need_the_standard_library_alone(self):
        for path in files(".h", folders=["libpadim/include"]):
            for quoted, header in includes(path):
                allowed = header.startswith("padim/") if quoted else is_standard(header)
                self.assertTrue(allowed, f"{name(path)} includes {header}")

    def test_third_party_libraries_are_known_where_they_belong(self):
        for path in files(".h", ".cpp", folders=["libpadim"]):
            relative = str(path.relative_to(LIBRARY))
            for quoted, header in includes(path):
                if quoted or is_standard(header):
                    continue
                places = [place for pattern, (place, _) in THIRD_PARTY.items() if re.match(pattern, header)]
                self.assertTrue(any(re.fullmatch(place, relative) for place in places),
                                f"{name(path)} includes <{header}>")

    def test_quoted_includes_of_the_library_lie_inside_it(self):
        for path in files(".h", ".cpp", folders=["libpadim"]):
            for quoted, header in includes(path):
                self.assertTrue(not quoted or resolve(path, header), f"{name(path)} includes {header}")

    def test_no_stage_knows_a_later_one(self):
        graph = library_graph()
        stages = {path.stem for path in graph}
        for position, group in enumerate(STAGES):
            later = {stage for following in STAGES[position + 1:] for stage in following}
            forbidden = later | (ORCHESTRATION if position < len(STAGES) - 1 else ORCHESTRATION - {"detector"})
            for stage in group:
                self.assertIn(stage, stages, "the table names a stage that does not exist")
                for path in (path for path in graph if path.stem == stage):
                    known = {target.stem for target in closure(graph, path)}
                    self.assertFalse(known & forbidden, f"{name(path)} depends on a later stage")

    def test_headers_do_not_include_each_other_in_circles(self):
        graph = library_graph()
        for path in graph:
            self.assertNotIn(path, closure(graph, path), f"{name(path)} includes itself")

    def test_plugin_and_tools_use_public_headers(self):
        used = set()
        for folder in ("gst-plugin", "tools/padim"):
            for path in files(".h", ".cpp", folders=[folder]):
                for quoted, header in includes(path):
                    if not quoted or (path.parent / header).exists():
                        continue
                    if (name(path), header) in EXCEPTIONS:
                        used.add((name(path), header))
                        continue
                    public = (header.startswith("padim/") and (PUBLIC / header).exists()) or (METADATA / header).exists()
                    self.assertTrue(public, f"{name(path)} includes {header}")
        self.assertEqual(used, set(EXCEPTIONS), "an exception that nothing needs any more")

    def test_metadata_library_needs_gstreamer_alone(self):
        for path in files(".h", ".cpp", folders=["gst-libs"]):
            for _, header in includes(path):
                allowed = is_standard(header) or header.startswith("gst/")
                self.assertTrue(allowed, f"{name(path)} includes {header}")

    def test_heavy_libraries_stay_inside_libpadim(self):
        for folder in ("gst-plugin", "tools/padim"):
            for path in files(".h", ".cpp", folders=[folder]):
                for _, header in includes(path):
                    self.assertIsNone(re.match(r"((torch|ATen|c10|hwy|Eigen|openssl)/|dnnl)", header),
                                      f"{name(path)} includes {header}")


if __name__ == "__main__":
    unittest.main()
