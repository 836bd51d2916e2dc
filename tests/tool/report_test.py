"""The evaluation's report in a browser: it shows everything, sorts and filters, and asks the network for nothing."""
import html
import html.parser
import json
import re
import shutil
import subprocess
import sys
import unittest

import numpy as np

from eval_test import EvalCase, write_class
from tool_case import mask, picture, save_picture

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Runs after the page's own script; what it finds stands in the document that the browser prints.
PROBE = """<script>
const cells = (table, column) => [...document.querySelectorAll(`#${table} tbody tr`)].filter(row => !row.hidden)
  .map(row => row.cells[column].textContent.trim());
const click = (table, column) => document.querySelectorAll(`#${table} thead th`)[column].querySelector("button").click();
const seen = { worst: cells("images", 1), order: cells("images", 6) };
click("images", 5); seen.rising = cells("images", 5);
click("images", 5); seen.falling = cells("images", 5);
click("images", 4); seen.names = cells("images", 4);
click("figures", 0); click("figures", 0); seen.classes = cells("figures", 0);
document.querySelector("button[data-verdict=missed]").click(); seen.missed = cells("images", 1);
const select = document.getElementById("class-filter");
select.value = "cap"; select.dispatchEvent(new Event("change"));
document.querySelector("button[data-verdict='']").click(); seen.cap = cells("images", 2);
seen.requests = performance.getEntriesByType("resource").map(entry => entry.name.slice(0, 5));
seen.images = [...document.images].map(image => image.complete && image.naturalWidth > 0);
document.body.replaceChildren(Object.assign(document.createElement("pre"), { id: "seen", textContent:
  JSON.stringify(seen) }));
</script>
"""


class Links(html.parser.HTMLParser):
    """Every address that a page names."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [(tag, value) for name, value in attributes if name in ("src", "href", "srcset", "data")]


class Report(EvalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        data = cls.shared / "reported <&\"'> data"
        write_class(data / "board")
        write_class(data / "cap", training=9, normal=3, defective=2)
        # A picture labelled as normal that is not: a false alarm.
        save_picture(data / "board" / "test" / "good" / "odd #1.png", picture(300, defect=True))
        # A defect that does not show: a miss.
        save_picture(data / "board" / "test" / "stain" / "faint.png", picture(301))
        save_picture(data / "board" / "ground_truth" / "stain" / "faint_mask.png", mask())
        case = cls("setUp")
        case.folder = cls.shared
        cls.json, _ = case.results(data=data)
        cls.report = cls.shared / "results" / "report.html"
        cls.text = cls.report.read_text()

    def browse(self, page):
        if BROWSER is None:
            self.skipTest("chromium is not installed")
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
                   page.as_uri()]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_page_sorts_filters_and_requests_nothing(self):
        page = self.folder / "probed.html"
        # Images that are not in sight load late; here all must.
        page.write_text(self.text.replace("</html>", PROBE + "</html>").replace(' loading="lazy"', ""))
        printed = re.search(r'<pre id="seen">(.*?)</pre>', self.browse(page), re.DOTALL)
        self.assertIsNotNone(printed, "the page's script failed")
        seen = json.loads(html.unescape(printed.group(1)))
        images = [image for one in self.json["classes"] for image in one["images"]]
        self.assertEqual(len(seen["worst"]), len(images))
        kinds = [kind for i, kind in enumerate(seen["worst"]) if i == 0 or kind != seen["worst"][i - 1]]
        self.assertEqual(kinds[:2], ["missed", "false alarm"])
        self.assertNotIn("missed", kinds[2:])
        missed = [float(ratio) for ratio, kind in zip(seen["order"], seen["worst"]) if kind == "missed"]
        self.assertEqual(missed, sorted(missed))
        self.assertTrue(all(ratio < 1 for ratio in missed))
        scores = sorted(image["raw_score"] for image in images)
        np.testing.assert_allclose(list(map(float, seen["rising"])), scores, atol=0.006)
        np.testing.assert_allclose(list(map(float, seen["falling"])), scores[::-1], atol=0.006)
        self.assertEqual(seen["names"][-2:], ["faint.png", "odd #1.png"])
        self.assertEqual(seen["classes"], ["cap", "board"])
        self.assertEqual(seen["missed"], ["missed"] * len(missed))
        self.assertEqual(seen["cap"], ["cap"] * len(self.json["classes"][1]["images"]))
        self.assertEqual(set(seen["requests"]) - {"data:"}, set())
        self.assertGreaterEqual(len(seen["images"]), len(images))
        self.assertTrue(all(seen["images"]))

    def test_page_holds_what_it_shows_and_links_to_what_is_there(self):
        links = Links(self.text).found
        for tag, address in links:
            if tag == "img":
                self.assertTrue(address.startswith("data:image/"), address[:40])
            else:
                self.assertEqual(tag, "a")
                file = self.report.parent / re.sub("%(..)", lambda code: chr(int(code.group(1), 16)), address)
                self.assertTrue(file.is_file(), address)
        self.assertEqual(sum(tag == "a" for tag, _ in links),
                         sum(len(one["images"]) for one in self.json["classes"]))

    def test_names_are_text(self):
        self.assertRegex(self.text, "reported &lt;&amp;&quot;&(apos|#39);&gt; data")

    def test_figures_are_those_of_the_files(self):
        figures = re.search(r'id="figures">(.*?)</table>', self.text.replace("\n", "")).group(1)
        rows = re.findall(r"<tr><td class=\"text\">(\w+)</td>(.*?)</tr>", figures)
        cells = {name: re.findall(r">([^<>]*)</td>", row) for name, row in rows}
        for one in self.json["classes"] + [{"class": "mean", **self.json["mean"]}]:
            self.assertEqual(cells[one["class"]][-1], f"{one['missed_rate']:.3f}")
            self.assertEqual(cells[one["class"]][5], f"{one['pixel_auroc']:.3f}")

    def test_thresholds_cost_what_the_files_say(self):
        table = re.search(r'id="operating">(.*?)</table>', self.text.replace("\n", "")).group(1)
        rows = [re.findall(r">([^<>]*)</td>", row) for row in re.findall(r"<tr><td.*?</tr>", table)]
        points = [(one["class"], point) for one in self.json["classes"] for point in one["operating_points"]]
        self.assertEqual(len(rows), len(points))
        for row, (name, point) in zip(rows, points):
            self.assertEqual((row[0], row[1] == "yes"), (name, point["in_force"]))
            self.assertEqual(row[3:], [f"{point['threshold']:.2f}", f"{point['held_out_rate']:.3f}",
                                       str(point["false_alarms"]), f"{point['false_alarm_rate']:.3f}",
                                       str(point["missed"]), f"{point['missed_rate']:.3f}"])


if __name__ == "__main__":
    # The base class is imported for its helpers, not for its tests.
    unittest.main(argv=sys.argv + ["Report"])
