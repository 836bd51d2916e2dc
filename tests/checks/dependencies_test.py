"""Who may include what: the architecture, as a table. Every file belongs to a room; what its room does not name, it may
not include."""

import pathlib
import re
import unittest

from source_tree import ROOT, files, name

SOURCES = ROOT / "libpadim" / "src"
PUBLIC = ROOT / "libpadim" / "include" / "padim"
TOOL = ROOT / "tools" / "padim"

# libpadim, from the ground up along the data flow: room -> rooms it may include, third-party headers it may include and
# the files that do. A public header belongs to the room whose files implement it.
LIBRARY = {
    "base": ("", {
        r"nlohmann/": "safetensors.cpp",
        r"openssl/": "sha256.cpp",
        r"(fcntl|unistd)\.h": "file.cpp line_stream.cpp output.cpp",
        r"poll\.h": "line_stream.cpp",
        r"sys/mman\.h": "pages.cpp",
        r"sys/stat\.h": "file.cpp output.cpp",
    }),
    "image": ("base", {r"hwy/": "color_kernel.cpp resample_kernel.cpp"}),
    "backbone": ("base", {
        r"(torch|ATen|c10)/": "torch.cpp",
        r"dlfcn\.h": "device.cpp engine_module.cpp",
        r"dnnl\.hpp": "onednn.cpp onednn_plan.h",
        r"omp\.h": "onednn.cpp",
        r"nlohmann/": "description.cpp",
    }),
    "statistics": ("base image", {
        r"Eigen/": "leave_out.cpp near_copies.h",
        r"hwy/": "gaussian_kernel.cpp mahalanobis_kernel.cpp products_kernel.cpp",
    }),
    "scene": ("base image", {}),
    "score": ("base image", {}),
    "model": ("base image backbone statistics scene", {r"nlohmann/": "info_json.h segments_json.h"}),
    "embedding": ("base image backbone statistics model", {
        r"Eigen/": "pca.cpp",
        r"hwy/": "projection_kernel.cpp",
    }),
    "detect": ("base image backbone statistics scene score model embedding", {}),
    "fit": ("base image backbone statistics scene score model embedding detect", {}),
    "overlay": ("base image scene score detect", {}),
    "metrics": ("base image", {}),
}
PUBLIC_HEADERS = {
    "base": "error export limits log",
    "image": "geometry image_view",
    "backbone": "backbone",
    "statistics": "calibration",
    "scene": "scene",
    "score": "score_map",
    "model": "model",
    "detect": "detector frame_record",
    "fit": "fitter learner",
    "overlay": "overlay",
    "metrics": "metrics",
}

# What of base others have, too, as the library padim_files: who writes what.
SHARED = {"base/file.h", "base/line_stream.h", "base/output.h"}

# What stands on all public headers of libpadim: gst-common, which plugin and tool share, and the tool's rooms; "" is
# the tool's main.cpp. "*": any file of the room.
USERS = {
    "gst-common": ("", {r"gst/": "*", r"(jpeglib|jerror)\.h": "jpegfile.cpp"}),
    "terminal": ("", {r"unistd\.h": "progress.cpp"}),
    "io": ("gst-common terminal", {
        r"gst/": "decoder.cpp decoder.h frame_copy.h gst_pipeline.h video_writer.cpp",
        r"opencv2/core": "frame_copy.h image_source.h image_source.cpp",
        r"opencv2/imgcodecs": "image_source.cpp result_sink.cpp",
        r"sys/stat\.h": "folder_listing.cpp",
        r"sys/wait\.h": "gnuplot.cpp",
        r"unistd\.h": "file_io.cpp video_source.cpp video_writer.cpp",
    }),
    "sample": ("", {r"opencv2/core": "*", r"opencv2/imgproc": "*"}),
    "threshold": ("io", {}),
    "eval": ("terminal io threshold", {
        r"nlohmann/": "results.cpp",
        r"glib\.h": "report.cpp",
        r"opencv2/core": "ground_truth.h mask_folder.h pixel_scores.h",
        r"opencv2/imgcodecs": "mask_folder.cpp pictures.cpp",
        r"opencv2/imgproc": "pictures.cpp",
    }),
    "commands": ("gst-common terminal io sample threshold eval", {
        r"CLI/": "*",
        r"nlohmann/": "sample.cpp",
        r"opencv2/imgcodecs": "sample.cpp",
    }),
    "": ("terminal commands", {r"CLI/": "main.cpp"}),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
SYSTEM = r"(csignal|fcntl|signal|unistd|sys/\w+)(\.h)?"


def includes(text):
    """[(quoted, header)] of a file's text."""
    return [(mark == '"', header) for mark, header in INCLUDE.findall(text)]


def is_standard(header):
    return re.fullmatch(r"[a-z_]+", header) is not None


def room_of_public_header(stem):
    return next((room for room, stems in PUBLIC_HEADERS.items() if stem in stems.split()), None)


def allows(third_party, file, header):
    return any(re.match(pattern, header) and (names == "*" or file in names.split())
               for pattern, names in third_party.items())


def library_violations(room, file, text):
    """What a file of one of libpadim's rooms includes and may not."""
    rooms, third_party = LIBRARY[room]
    for quoted, header in includes(text):
        folder, _, rest = header.partition("/")
        if not quoted:
            if not is_standard(header) and not allows(third_party, file, header):
                yield header
            continue
        target = room_of_public_header(rest.removesuffix(".h")) if folder == "padim" else folder
        exists = (PUBLIC / rest).exists() if folder == "padim" else (SOURCES / header).exists()
        if not exists or target not in {room, *rooms.split()}:
            yield header


def user_folder(room):
    return ROOT / room if room == "gst-common" else TOOL / room


def user_violations(room, file, text):
    """The same of gst-common and of the tool's rooms."""
    rooms, third_party = USERS[room]
    for quoted, header in includes(text):
        folder, _, rest = header.partition("/")
        if not quoted:
            if not is_standard(header) and not allows(third_party, file, header):
                yield header
        elif folder == "padim":
            if not (PUBLIC / rest).exists():
                yield header
        elif header in SHARED:
            continue
        elif folder not in {room, *rooms.split()} or not (user_folder(folder) / rest).exists():
            yield header


class Library(unittest.TestCase):
    def test_every_file_belongs_to_a_room(self):
        rooms = {path.parent.relative_to(SOURCES).as_posix() for path in files(".h", ".cpp", folders=["libpadim/src"])}
        self.assertEqual(rooms, set(LIBRARY))
        public = sorted(path.stem for path in PUBLIC.glob("*.h"))
        self.assertEqual(public, sorted(["padim", *" ".join(PUBLIC_HEADERS.values()).split()]))

    def test_rooms_stand_on_rooms_below(self):
        below = set()
        for room, (rooms, _) in LIBRARY.items():
            self.assertLessEqual(set(rooms.split()), below, f"{room} names a room that comes after it")
            below.add(room)

    def test_rooms_include_what_the_table_lets_them(self):
        for path in files(".h", ".cpp", folders=["libpadim/src"]):
            self.assertEqual(list(library_violations(path.parent.name, path.name, path.read_text())), [], name(path))

    def test_public_headers_need_the_standard_library_and_public_headers_of_rooms_below(self):
        for path in PUBLIC.glob("*.h"):
            found = includes(path.read_text())
            self.assertTrue(all(header.startswith("padim/") if quoted else is_standard(header)
                                for quoted, header in found), f"{name(path)} includes {found}")
            if path.stem != "padim":
                room = room_of_public_header(path.stem)
                self.assertEqual(list(library_violations(room, path.name, path.read_text())), [], name(path))

    def test_headers_do_not_include_each_other_in_circles(self):
        graph = {path: [target for quoted, header in includes(path.read_text()) if quoted
                        for target in (SOURCES / header, PUBLIC.parent / header) if target.exists()]
                 for path in files(".h", folders=["libpadim"])}

        def visit(path, above):
            self.assertNotIn(path, above, f"{name(path)} includes itself")
            for target in graph[path]:
                visit(target, above | {path})

        for path in graph:
            visit(path, frozenset())

    def test_the_table_has_no_entry_that_nothing_needs(self):
        for room, (rooms, third_party) in LIBRARY.items():
            found = [(path.name, quoted, header) for path in (SOURCES / room).glob("*.*")
                     for quoted, header in includes(path.read_text())]
            found += [(stem, quoted, header) for stem in PUBLIC_HEADERS.get(room, "").split()
                      for quoted, header in includes((PUBLIC / f"{stem}.h").read_text())]
            used = {room_of_public_header(header[6:-2]) if header.startswith("padim/") else header.split("/")[0]
                    for _, quoted, header in found if quoted}
            self.assertLessEqual(set(rooms.split()), used, f"{room} names a room that it does not include")
            for pattern, names in third_party.items():
                users = {file for file, quoted, header in found if not quoted and re.match(pattern, header)}
                self.assertEqual(users, set(names.split()), f"{room}: {pattern}")


class Others(unittest.TestCase):
    def test_tool(self):
        for path in files(".h", ".cpp", folders=["tools/padim"]):
            folder = path.parent.relative_to(TOOL).as_posix()
            room = "" if folder == "." else folder
            self.assertTrue(room in USERS and (room or path.name == "main.cpp"), f"{name(path)} is in no room")
            self.assertEqual(list(user_violations(room, path.name, path.read_text())), [], name(path))

    def test_gst_common(self):
        for path in files(".h", ".cpp", folders=["gst-common"]):
            self.assertEqual(path.parent, user_folder("gst-common"), f"{name(path)} is in no room")
            self.assertEqual(list(user_violations("gst-common", path.name, path.read_text())), [], name(path))

    def test_the_table_has_no_entry_that_nothing_needs(self):
        below = set()
        for room, (rooms, third_party) in USERS.items():
            self.assertLessEqual(set(rooms.split()), below, f"{room} names a room that comes after it")
            below.add(room)
            found = [(path.name, quoted, header) for path in user_folder(room).glob("*.*")
                     for quoted, header in includes(path.read_text())]
            used = {header.split("/")[0] for _, quoted, header in found if quoted}
            self.assertLessEqual(set(rooms.split()), used, f"{room} names a room that it does not include")
            for pattern, names in third_party.items():
                users = {file for file, quoted, header in found if not quoted and re.match(pattern, header)}
                self.assertTrue(users if names == "*" else users == set(names.split()), f"{room}: {pattern}: {users}")

    def test_plugin_uses_public_headers(self):
        for path in files(".h", ".cpp", folders=["gst-plugin"]):
            for quoted, header in includes(path.read_text()):
                if quoted:
                    allowed = (header in SHARED or (path.parent / header).exists() or (PUBLIC.parent / header).exists() or
                               header.startswith("gst-common/") and (ROOT / header).exists() or
                               (ROOT / "gst-libs" / header).exists())
                else:
                    allowed = is_standard(header) or re.match(r"(gst/|glib)", header) or re.fullmatch(SYSTEM, header)
                self.assertTrue(allowed, f"{name(path)} includes {header}")

    def test_metadata_library_needs_gstreamer_alone(self):
        for path in files(".h", ".cpp", folders=["gst-libs"]):
            for _, header in includes(path.read_text()):
                self.assertTrue(is_standard(header) or header.startswith("gst/"), f"{name(path)} includes {header}")


class Planted(unittest.TestCase):
    """Violations that the check must see."""

    def test_a_room_above(self):
        self.assertEqual(list(library_violations("statistics", "gaussian.cpp", '#include "model/io.h"\n')),
                         ["model/io.h"])

    def test_a_public_header_of_a_room_above(self):
        self.assertEqual(list(library_violations("model", "io.cpp", '#include "padim/fitter.h"\n')), ["padim/fitter.h"])

    def test_a_file_that_does_not_exist(self):
        self.assertEqual(list(library_violations("fit", "fitter.cpp", '#include "base/nothing.h"\n')),
                         ["base/nothing.h"])

    def test_a_third_party_library(self):
        self.assertEqual(list(library_violations("fit", "fitter.cpp", "#include <torch/torch.h>\n")), ["torch/torch.h"])
        self.assertEqual(list(library_violations("backbone", "network.cpp", "#include <dnnl.hpp>\n")), ["dnnl.hpp"])

    def test_an_internal_header_from_the_tool(self):
        self.assertEqual(list(user_violations("eval", "report.cpp", '#include "base/half.h"\n')), ["base/half.h"])

    def test_a_room_of_the_tool_from_gst_common(self):
        self.assertEqual(list(user_violations("gst-common", "maskfile.cpp", '#include "io/npy.h"\n')), ["io/npy.h"])

    def test_a_library_that_a_room_of_the_tool_does_not_have(self):
        for room, file, header in (("io", "npy.cpp", "gst/gst.h"), ("eval", "report.cpp", "nlohmann/json.hpp"),
                                   ("gst-common", "maskfile.cpp", "opencv2/core.hpp"), ("", "main.cpp", "gst/gst.h")):
            self.assertEqual(list(user_violations(room, file, f"#include <{header}>\n")), [header], room)


if __name__ == "__main__":
    unittest.main()
