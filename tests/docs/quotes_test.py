"""What the documents quote is what the code says: error sentences, and the program in the README."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = [path for folder in ("libpadim", "gst-common", "gst-plugin", "tools") for path in sorted((ROOT / folder).rglob("*.cpp"))]
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"(?:\s*"((?:[^"\\\n]|\\.)*)")*')
LONG_ENOUGH = 3  # characters between two variable parts


def literals():
    """Every string literal of the sources, adjacent ones joined, one per line."""
    found = []
    for path in SOURCES:
        for match in LITERAL.finditer(path.read_text()):
            found.append("".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', match.group(0))).replace("\\\\", "\\"))
    return "\n".join(found)


def quoted_sentences(document):
    """The code spans with an ellipsis in the first column of the document's tables: sentences with variable parts."""
    for line in document.read_text().splitlines():
        if line.startswith("| ") and "`" in line:
            yield from (span for span in re.findall(r"`([^`]*)`", line.split(" | ")[0]) if "…" in span)


class QuotesTest(unittest.TestCase):
    def test_error_sentences(self):
        """Every fixed part of a quoted sentence is in a string of the sources."""
        said = literals()
        for document in (ROOT / "README.md", ROOT / "docs" / "element.md"):
            sentences = list(quoted_sentences(document))
            self.assertGreater(len(sentences), 3, document)
            for sentence in sentences:
                sentence = sentence.replace("efficientnet_lite0", "…").replace("'cuda'", "'…'")
                for part in re.split("['…]+", sentence):
                    part = part.strip(" :;,.()")
                    self.assertTrue(len(part) < LONG_ENOUGH or part in said, f"nothing says '{part}' of: {sentence}")

    def test_program(self):
        """The README's program is the one that is compiled and tested."""
        program = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
        self.assertTrue((ROOT / "examples" / "programs" / "inspect.cpp").read_text().endswith(program))

    def test_decisions(self):
        """Decisions are numbered without gaps or repeats, and each title has its file's number."""
        files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
        for number, file in enumerate(files, 1):
            self.assertTrue(file.name.startswith(f"{number:04}-"), file)
            self.assertTrue(file.read_text().startswith(f"# {number}. "), file)
        for source in SOURCES:
            for number in re.findall(r"docs/decisions/(\d{4})", source.read_text()):
                self.assertLessEqual(int(number), len(files), source)

    def test_links(self):
        """Every relative link leads to a file or folder."""
        for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"),
                         ROOT / "models" / "README.md"]:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
                if "://" not in target:
                    self.assertTrue((document.parent / target).exists(), f"{document}: {target}")


if __name__ == "__main__":
    unittest.main()
