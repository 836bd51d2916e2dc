"""docs/element.md: its tables are the element's, and it names every signal and every message with its fields."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import element_reference  # noqa: E402

DOCUMENT = (ROOT / "docs" / "element.md").read_text()
PLUGIN = ROOT / "gst-plugin"


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE).group(1)


def message_fields():
    """Names of the messages and fields that the source sets: in new_*structure(), gst_structure_new() and _set()."""
    source = (PLUGIN / "padimmessages.cpp").read_text()
    calls = re.findall(r"(?:new_[a-z_]*structure|gst_structure_new|gst_structure_set)\(([^;]*)\);", source)
    return {name for call in calls for name in re.findall(r'"([a-z-]+)"', call)}


class ElementTest(unittest.TestCase):
    def test_tables(self):
        """The generated tables are what the element says of itself."""
        result = subprocess.run([sys.executable, ROOT / "scripts" / "element_reference.py", "--check"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_signals(self):
        """Each signal is explained below its table."""
        names = element_reference.GObject.signal_list_names(element_reference.element_type())
        self.assertIn("finish-fit", names)
        for name in names:
            self.assertIn(f"- `{name}`: ", section("Signals"))

    def test_messages(self):
        """Each message and each of its fields is described."""
        fields = message_fields()
        self.assertIn("padim-anomaly-begin", fields)
        for name in fields:
            self.assertIn(f"`{name}`", section("Messages"))

    def test_metadata(self):
        """Each field of GstPadimMeta is described."""
        header = (ROOT / "gst-libs" / "gst" / "padim" / "gstpadimmeta.h").read_text()
        names = re.findall(r"gst_padim_meta_(?:get|is)_([a-z_]+)\(GstPadimMeta", header)
        self.assertIn("score", names)
        for name in names:
            self.assertIn(f"`{name.replace('_', '-')}`", section("Metadata"))

    def test_states(self):
        """Each state of a frame has its row."""
        header = (ROOT / "libpadim" / "include" / "padim" / "frame_record.h").read_text()
        states = re.findall(r"^  ([a-z]+),", re.search(r"enum class FrameState \{(.*?)\};", header, re.DOTALL).group(1),
                            re.MULTILINE)
        self.assertEqual(re.findall(r"^\| `([a-z]+)` \|", section("JSON lines"), re.MULTILINE), states)


if __name__ == "__main__":
    unittest.main()
