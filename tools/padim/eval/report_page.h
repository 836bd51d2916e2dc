#pragma once

namespace padim::tool {

/// What the report's page needs beside its content. The policy forbids every request: images are embedded.
inline constexpr char kReportHead[] = R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>padim: evaluation</title>
<style>
:root { color-scheme: light; --line: #d8dce2; --soft: #f5f6f8; --ink: #1d2430; --miss: #b3261e; --alarm: #a15c00; }
body { margin: 0 auto; padding: 1.5rem; max-width: 86rem; color: var(--ink); background: #fff;
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: #5b6472; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th.text, td.text { text-align: left; }
td.file { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
thead th { background: var(--soft); position: sticky; top: 0; z-index: 1; }
tfoot td { font-weight: 600; border-top: 2px solid var(--ink); border-bottom: 0; }
tbody tr:hover { background: var(--soft); }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid #2563eb; outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " \25B2"; }
th[aria-sort=descending] button::after { content: " \25BC"; }
summary { font-size: 1.15rem; font-weight: 600; margin: 2rem 0 .6rem; cursor: pointer; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
.plots img { max-width: 100%; height: auto; border: 1px solid var(--line); }
td img { display: block; height: 84px; width: auto; }
.missed { color: var(--miss); font-weight: 600; }
.false-alarm { color: var(--alarm); font-weight: 600; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem; margin: .6rem 0; align-items: center; }
.controls button, .controls select { font: inherit; padding: .25rem .7rem; border: 1px solid var(--line);
  border-radius: 6px; background: #fff; cursor: pointer; }
.controls button[aria-pressed=true] { background: var(--ink); color: #fff; border-color: var(--ink); }
.note { color: #5b6472; margin: .3rem 0; max-width: 60rem; }
</style>
)";

inline constexpr char kReportScript[] = R"(<script>
"use strict";
function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(text);
  return text === "" || text === "-" ? null : Number.isNaN(number) ? text : number;
}
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
function sortBy(header) {
  const table = header.closest("table");
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const column = header.cellIndex;
  const rows = [...table.tBodies[0].rows].map(row => [valueOf(row, column), row]);
  // What has no value stays at the end, whichever way the others go.
  rows.sort(([a], [b]) => compare(a, b) * (down && a !== null && b !== null ? -1 : 1));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const button of document.querySelectorAll("table.sortable th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}
const images = document.getElementById("images");
const chosen = { verdict: "", name: "" };
function filter() {
  for (const row of images.tBodies[0].rows) {
    row.hidden = (chosen.verdict !== "" && row.dataset.verdict !== chosen.verdict) ||
      (chosen.name !== "" && row.dataset.name !== chosen.name);
  }
}
for (const button of document.querySelectorAll("button[data-verdict]")) {
  button.addEventListener("click", () => {
    chosen.verdict = button.dataset.verdict;
    for (const other of document.querySelectorAll("button[data-verdict]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    filter();
  });
}
document.getElementById("class-filter")?.addEventListener("change", event => {
  chosen.name = event.target.value;
  filter();
});
</script>
</html>
)";

}  // namespace padim::tool
