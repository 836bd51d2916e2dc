#!/usr/bin/env python3
"""Compares libpadim's ABI with its stored description, or stores a new one: docs/decisions/0014-public-boundary.md says
when that is right.

    scripts/abi.py BUILD             prints what has changed, and fails where something has
    scripts/abi.py BUILD --update    rewrites libpadim/abi/MACHINE-COMPILER.abi

The shared library is built without debug information. So the sources that define something public are compiled once
more, with it and without optimisation, together with a function that takes every public type. Of what abidw says about
them, all that is libpadim's own stays; of other libraries' types name and size, so that the description is short and
does not change with the standard library. Debian package: abigail-tools.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "libpadim"
OBJECTS = "libpadim/libpadim_static.a.p/"
DEBUG = ["-O0", "-g", "-femit-class-debug-always", "-w"]
TYPE = re.compile(r"^(template <.*>\n)?(?:class|struct|enum class) (?:PADIM_API )?(\w+)[^;]*?\{", re.MULTILINE)


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    if result.returncode:
        raise SystemExit(f"{shlex.join(map(str, command))}\n{result.stderr}")
    return result.stdout


def compile_commands(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    return [entry for entry in commands if entry["output"].startswith(OBJECTS)]


def compiler(entry):
    """The words that call it, ccache's among them."""
    words = shlex.split(entry["command"])
    return words[:1 + words[0].endswith("ccache")]


def stored(build):
    """Where the description for this machine and compiler lies, if there is one."""
    command = compiler(compile_commands(build)[0])
    kind = "clang" if "clang" in run(*command, "--version") else "gcc"
    major = run(*command, "-dumpversion").partition(".")[0].strip()
    return LIBRARY / "abi" / f"{platform.machine()}-{kind}{major}.abi"


def functions(binary, *options):
    """Names of the functions that it defines, mangled."""
    lines = map(str.split, run("nm", "--defined-only", *options, binary).splitlines())
    return {fields[-1] for fields in lines if fields[1:2] == ["T"]}


def public_commands(build):
    """How the sources were compiled that define what libpadim.so exports."""
    exported = functions(build / "libpadim" / "libpadim.so", "--dynamic")
    return [entry for entry in compile_commands(build) if exported & functions(build / entry["output"])]


def public_types():
    """Names of the types in the public headers, and whether they are templates."""
    headers = (LIBRARY / "include" / "padim").glob("*.h")
    return {name: bool(template) for header in headers for template, name in TYPE.findall(header.read_text())}


def witness():
    """A source that shows all public types; instances of templates are seen where functions take them."""
    types = sorted(name for name, template in public_types().items() if not template)
    return ('#include "padim/padim.h"\nnamespace padim {\n'
            f"PADIM_API void public_types({', '.join(f'{name}*' for name in types)}) {{}}\n}}\n")


def compile_with_debug(entry, source, target):
    """Compiles a source as entry's, into the object `target`."""
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = str(target)
    command[command.index("-MF") + 1] = str(target.with_suffix(".d"))
    command[command.index("-c") + 1] = str(source)
    run(*command, *DEBUG, cwd=entry["directory"])
    return target


def build_with_debug(build, folder):
    """A shared library with the exports of libpadim.so and their debug information."""
    entries = public_commands(build)
    (folder / "public_types.cpp").write_text(witness())
    sources = [(entry, entry["file"]) for entry in entries] + [(entries[0], folder / "public_types.cpp")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda job: compile_with_debug(*job[1], folder / f"{job[0]}.o"), enumerate(sources)))
    soname = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "--dynamic", build / "libpadim" / "libpadim.so"))[1]
    run(*compiler(entries[0]), "-shared", f"-Wl,-soname,{soname}",
        f"-Wl,--version-script={LIBRARY / 'libpadim.map'}", "-o", folder / "libpadim.so", *objects)
    return folder / "libpadim.so"


def references(node):
    return {value for inner in node.iter() for name, value in inner.attrib.items() if name.endswith("type-id")}


def hide(node, keep_size):
    """Leaves of a class that it exists, and how large it is."""
    node[:], node.text = [], None
    if not keep_size:
        node.attrib.pop("size-in-bits", None)
        node.set("is-declaration-only", "yes")


def is_inline(node):
    """True for a function that programs have themselves; virtual ones count by their place in the table."""
    function = node.find("function-decl") if node.tag == "member-function" else node
    return node.get("vtable-offset") is None and function.get("elf-symbol-id") is None


def strip(node, public, scope=()):
    """Takes out what programs are not compiled against: members of other libraries' types and of internal ones, sizes of
    internal ones, inline functions."""
    for child in list(node):
        name = child.get("name", "")
        if child.tag in ("class-decl", "union-decl") and (scope != ("padim",) or name.partition("<")[0] not in public):
            hide(child, keep_size=scope[:1] != ("padim",))
        if child.tag in ("function-decl", "member-function") and is_inline(child):
            node.remove(child)
        elif child.tag in ("namespace-decl", "class-decl", "member-type", "abi-instr"):
            strip(child, public, (*scope, name) if child.tag.endswith("-decl") else scope)


def reachable(corpus):
    """Ids of the types that what is exported leads to."""
    types = {node.get("id"): node for node in corpus.iter() if node.get("id")}
    found = set()
    new = {name for node in corpus.iter("function-decl") for name in references(node)}
    while new:
        found |= new
        new = {name for known in new if known in types for name in references(types[known])} - found
    return found


def sweep(node, wanted):
    """Removes the types that nothing leads to, and scopes that this leaves empty."""
    for child in list(node):
        sweep(child, wanted)
        is_type = child.get("id") is not None and child.tag != "function-decl"
        unwanted = is_type and wanted.isdisjoint(inner.get("id") for inner in child.iter())
        if unwanted or len(child) == 0 and child.tag in ("namespace-decl", "member-type", "abi-instr"):
            node.remove(child)


def describe(build):
    """The ABI of what was built, as the text of an XML file."""
    with tempfile.TemporaryDirectory(prefix="padim-abi-") as name:
        library = build_with_debug(build, pathlib.Path(name))
        text = run("abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed",
                   "--no-parameter-names", "--type-id-style", "hash", "--exported-interfaces-only", library)
    corpus = ElementTree.fromstring(text)
    strip(corpus, public_types())
    sweep(corpus, reachable(corpus))
    for unit in corpus.iter("abi-instr"):
        unit.set("path", pathlib.PurePath(unit.get("path")).name)
    ElementTree.indent(corpus)
    return ElementTree.tostring(corpus, encoding="unicode") + "\n"


def difference(old, new):
    """What abidiff says about two descriptions' texts: nothing where they are the same ABI."""
    with tempfile.TemporaryDirectory(prefix="padim-abi-") as name:
        files = [pathlib.Path(name) / f"{which}.abi" for which in ("old", "new")]
        for file, text in zip(files, (old, new)):
            file.write_text(text)
        result = subprocess.run(["abidiff", "--harmless", *map(str, files)],
                                capture_output=True, text=True, check=False)
    return result.stdout + result.stderr if result.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    now = describe(arguments.build.resolve())
    file = stored(arguments.build.resolve())
    if arguments.update:
        file.parent.mkdir(exist_ok=True)
        file.write_text(now)
        return None
    return difference(file.read_text(), now) or None


if __name__ == "__main__":
    sys.exit(main())
