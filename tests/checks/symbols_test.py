"""What the built libraries show to a program that loads them: libpadim what its headers mark with PADIM_API, the plugin
its entry points."""

import collections
import os
import re
import subprocess
import unittest

from source_tree import files

LIBRARY = os.environ["PADIM_LIBRARY"]
PLUGIN = os.environ["PADIM_PLUGIN"]
ENGINE = os.environ.get("PADIM_ENGINE")

CLASS = re.compile(r"^class PADIM_API (\w+)( : public [\w:]+)? \{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"(operator\W+|~?\w+)\(")


def symbols(library):
    """The exported ones, demangled."""
    lines = subprocess.run(["nm", "--dynamic", "--defined-only", "--demangle", library], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return [line.split(maxsplit=2)[2] for line in lines]


def needed(library):
    text = subprocess.run(["readelf", "--dynamic", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def without_templates(text):
    """The text without <...>, whose parentheses and commas belong to types."""
    shorter = re.sub(r"<[^<>]*>", "", text)
    return text if shorter == text else without_templates(shorter)


def function_names(text):
    """Of the functions that the text declares and leaves to the library: no inline, pure or defaulted ones."""
    text = re.sub(r"= \{\}", "", without_templates(text))
    for statement in re.sub(r"\{[^{}]*\}", "inline;", text).split(";"):
        name = FUNCTION.search(statement)
        if name and not re.search(r"inline$|= (0|default|delete)$|^\s*(friend|using)\b", statement):
            yield name[1]


def documented(header):
    """What a public header says that the library exports: name -> how many of it."""
    text = re.sub(r"//.*", "", header)
    counts = collections.Counter()
    for name, base, body in CLASS.findall(text):
        if base or "virtual" in body:
            counts[f"type {name}"] = 1
        public = "".join(re.findall(r"^ public:\n(.*?)(?=^ (?:private|protected):|\Z)", body, re.MULTILINE | re.DOTALL))
        counts.update(f"{name}::{function}" for function in function_names(public))
    marked = re.findall(r"PADIM_API ([^;]*;)", CLASS.sub("", text))
    counts.update(name for declaration in marked for name in function_names(declaration))
    return counts


def exported(demangled):
    """The same of a library's symbols; what is not in the namespace itself is named as it stands."""
    counts = collections.Counter()
    for symbol in sorted(set(demangled)):
        if match := re.fullmatch(r"typeinfo for padim::(\w+)", symbol):
            counts[f"type {match[1]}"] += 1
        elif re.fullmatch(r"(typeinfo name|vtable) for padim::\w+", symbol):
            continue
        elif match := re.match(r"padim::((\w+::)*(operator\W+|~?\w+))(\[abi:\w+\])?\(", without_templates(symbol)):
            counts[match[1]] += 1
        else:
            counts[symbol] += 1
    return counts


def closure(library):
    """Names of all libraries that the loader adds."""
    text = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s*(\S+) => /", text, re.MULTILINE)


class Symbols(unittest.TestCase):
    def test_library_shows_what_its_headers_document(self):
        wanted = sum((documented(header.read_text()) for header in files(".h", folders=["libpadim/include"])),
                     collections.Counter())
        self.assertGreater(wanted["to_string"], 1)
        found = exported(symbols(LIBRARY))
        self.assertEqual((found - wanted, wanted - found), ({}, {}), "exported but not documented; the reverse")

    def test_plugin_shows_its_entry_points_alone(self):
        self.assertEqual(sorted(symbols(PLUGIN)), ["gst_plugin_padim_get_desc", "gst_plugin_padim_register"])

    def test_library_needs_no_glib(self):
        self.assertEqual([library for library in needed(LIBRARY) if re.match(r"lib(glib|gobject|gio|gst)", library)], [])

    def test_neither_libtorch_nor_opencv_comes_with_them(self):
        for binary in (LIBRARY, PLUGIN):
            libraries = closure(binary)
            self.assertTrue(any(library.startswith("libstdc++") for library in libraries), libraries)
            self.assertEqual([library for library in libraries if re.match(r"lib(torch|c10|opencv)", library)], [])

    @unittest.skipIf(ENGINE is None, "this build has no LibTorch engine")
    def test_engine_shows_its_entry_point_alone_and_brings_no_second_libpadim(self):
        self.assertEqual(symbols(ENGINE), ["padim_engine"])
        libraries = needed(ENGINE)
        self.assertTrue(any(library.startswith("libtorch.so") for library in libraries), libraries)
        self.assertEqual([library for library in libraries if library.startswith("libpadim")], [])


class Planted(unittest.TestCase):
    """Violations that the check must see."""

    HEADER = """
class PADIM_API Part : public std::runtime_error {
 public:
  explicit Part(const Options& options = {});  ///< not this one()
  ~Part();
  [[nodiscard]] int size() const { return size_; }
  virtual void run() const = 0;
  void add(const std::function<bool(double)>& progress);
  void add(int number);
  Part& operator=(Part&&) noexcept;

 private:
  void hidden();
  struct PADIM_LOCAL Impl;
};
[[nodiscard]] PADIM_API std::string to_string(int number);
double internal(double value);
"""
    SYMBOLS = ["typeinfo for padim::Part", "typeinfo name for padim::Part", "padim::Part::Part(padim::Options const&)",
               "padim::Part::~Part()", "padim::Part::add(std::function<bool (double)> const&)", "padim::Part::add(int)",
               "padim::Part::operator=(padim::Part&&)", "padim::to_string[abi:cxx11](int)"]

    def test_nothing_is_found_in_what_fits(self):
        self.assertEqual(exported(self.SYMBOLS), documented(self.HEADER))

    def test_internal_symbols(self):
        for symbol in ("padim::Part::hidden()", "padim::Part::Impl::size() const", "padim::internal(double)",
                       "padim::Worker::run()", "padim::N_AVX2::fold(float*)", "typeinfo for padim::Worker",
                       "padim::(anonymous namespace)::twin()", "std::vector<int>::size() const", "padim::Part::add(char)"):
            self.assertNotEqual(exported([*self.SYMBOLS, symbol]), documented(self.HEADER), symbol)

    def test_documented_but_absent(self):
        for symbol in self.SYMBOLS:
            if not symbol.startswith("typeinfo name"):
                left = [other for other in self.SYMBOLS if other != symbol]
                self.assertNotEqual(exported(left), documented(self.HEADER), symbol)


if __name__ == "__main__":
    unittest.main()
