"""docs/design.md: what the code cites of it exists, and what it says of rooms and states is what the code has."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DESIGN = (ROOT / "docs" / "design.md").read_text()
FOLDERS = ("libpadim", "gst-common", "gst-libs", "gst-plugin", "tools", "tests", "benchmarks")
SOURCES = [path for folder in FOLDERS for suffix in ("*.h", "*.cpp") for path in sorted((ROOT / folder).rglob(suffix))]
DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md",
             ROOT / "models" / "README.md"]


def comments(path):
    """The text of a source's comments, one line each where they stand below each other."""
    return re.sub(r"\n\s*///?<?\s*", " ", "\n".join(re.findall(r"//.*|\n", path.read_text())))


def table(heading):
    """The cells of the table whose first column is called `heading`, row by row."""
    body = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", DESIGN, re.MULTILINE).group(1)
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in body.splitlines()]


def states():
    """The names of padim::FrameState."""
    header = (ROOT / "libpadim" / "include" / "padim" / "frame_record.h").read_text()
    return re.findall(r"^  (\w+),", re.search(r"enum class FrameState \{(.*?)\};", header, re.DOTALL).group(1), re.MULTILINE)


class DesignTest(unittest.TestCase):
    def test_equations(self):
        """An equation that a comment cites is in the document, and every one there is cited."""
        defined = set(re.findall(r"^\*\*Equation (\d+)\.\*\*", DESIGN, re.MULTILINE))
        cited = {number for path in SOURCES for number in re.findall(r"\b[Ee]quation (\d+)", comments(path))}
        self.assertEqual(cited, defined)
        self.assertGreaterEqual(len(defined), 2)

    def test_documents(self):
        """A document that a comment names exists."""
        for path in SOURCES:
            for document in re.findall(r"\bdocs/[\w/-]+(?:\.md)?", comments(path)):
                self.assertTrue([*ROOT.glob(document), *ROOT.glob(document + "*")], f"{path}: {document}")
            self.assertNotRegex(comments(path), r"\bdesign \d|\bdesign section", path)

    def test_rooms(self):
        """The rooms are the folders."""
        for heading, folder in (("room of libpadim", "libpadim/src"), ("room of the tool", "tools/padim")):
            found = {path.parent.name for path in (ROOT / folder).glob("*/*.cpp")}
            self.assertEqual({row[0] for row in table(heading)}, found)

    def test_states(self):
        """Each state of a frame is explained once, and the table by mode uses no other."""
        self.assertEqual(sorted(row[0] for row in table("state")), sorted(states()))
        used = {word for row in table("goes on") for cell in row[1:] for word in re.findall(r"\b\w+\b", cell)}
        self.assertLessEqual(used - {"without", "a", "model"}, set(states()))


class FilesTest(unittest.TestCase):
    def test_sources_that_documents_name(self):
        """A source file that a document names in code type exists, in the folder that it gives."""
        known = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.suffix in (".h", ".cpp", ".py", ".sh")]
        for document in DOCUMENTS:
            for file in re.findall(r"`([\w./-]+\.(?:h|cpp|py|sh))`", document.read_text()):
                if not re.search(r"\b[A-Z]+\b", file):  # ROOM and NAME stand for any
                    self.assertTrue([path for path in known if f"/{path}".endswith(f"/{file}")], f"{document}: {file}")


if __name__ == "__main__":
    unittest.main()
