#!/usr/bin/python3
"""Writes the tables of docs/element.md that padimfilter itself knows: properties, their values, and signals.

Needs GStreamer to find the element: run it in `meson devenv -C build`.
"""

import argparse
import ctypes
import difflib
import pathlib
import re

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst  # noqa: E402

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent / "docs" / "element.md"
MARKED = re.compile(r"(<!-- begin generated: (\w+) -->\n).*?(<!-- end generated -->\n)", re.DOTALL)

# GstParamFlags: which state the element may be in, at most, for a change to take effect.
CONTROLLABLE, MUTABLE_READY, MUTABLE_PAUSED, MUTABLE_PLAYING = (1 << GObject.PARAM_USER_SHIFT + n for n in (1, 2, 3, 4))
HUGE = 1 << 30  # limits beyond it are those of the type
TYPES = {"gboolean": "yes or no", "gchararray": "string", "gdouble": "number", "gint": "integer", "guint": "integer",
         "guint64": "integer", "GstStructure": "structure", "void": "nothing"}


def element_type():
    Gst.init(None)
    factory = Gst.ElementFactory.find("padimfilter")
    if factory is None:
        raise SystemExit("GStreamer does not know padimfilter: run this in 'meson devenv -C build'")
    return factory.create(None).__gtype__


def properties(gtype):
    """The element's own properties, in the order of their definition."""
    return [spec for spec in GObject.list_properties(gtype) if spec.owner_type == gtype]


class Value(ctypes.Structure):
    """GEnumValue and GFlagsValue."""
    _fields_ = [("value", ctypes.c_uint), ("name", ctypes.c_char_p), ("nick", ctypes.c_char_p)]


class EnumClass(ctypes.Structure):
    """GEnumClass (numbers: minimum, maximum)."""
    _fields_ = [("type", ctypes.c_size_t), ("numbers", ctypes.c_int * 2), ("count", ctypes.c_uint),
                ("values", ctypes.POINTER(Value))]


class FlagsClass(ctypes.Structure):
    """GFlagsClass (numbers: mask)."""
    _fields_ = [("type", ctypes.c_size_t), ("numbers", ctypes.c_uint), ("count", ctypes.c_uint),
                ("values", ctypes.POINTER(Value))]


def values(spec):
    """{number: (nick, description)} of what an enumeration or a set of flags knows. Read from the C structures: what
    PyGObject makes of them differs from version to version."""
    layout = EnumClass if is_enum(spec) else FlagsClass if is_flags(spec) else None
    if layout is None:
        return {}
    gobject = ctypes.CDLL("libgobject-2.0.so.0")
    gobject.g_type_from_name.restype = ctypes.c_size_t
    gobject.g_type_class_ref.argtypes = [ctypes.c_size_t]
    gobject.g_type_class_ref.restype = ctypes.POINTER(layout)
    known = gobject.g_type_class_ref(gobject.g_type_from_name(spec.value_type.name.encode())).contents
    return {value.value: (value.nick.decode(), value.name.decode()) for value in known.values[:known.count]}


def is_enum(spec):
    return spec.value_type.is_a(GObject.TYPE_ENUM)


def is_flags(spec):
    return spec.value_type.is_a(GObject.TYPE_FLAGS)


def number(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def kind(spec):
    """What a user may set it to."""
    nicks = [f"`{nick}`" for nick, _ in values(spec).values()]
    if nicks:
        return (", " if is_enum(spec) else " + ").join(nicks)
    if spec.value_type == GObject.TYPE_BOOLEAN:
        return "`true`, `false`"
    name = TYPES[spec.value_type.name]
    if not hasattr(spec, "minimum"):
        return name
    if spec.maximum >= HUGE:
        return f"{name} from {number(spec.minimum)}"
    return f"{name}, {number(spec.minimum)} to {number(spec.maximum)}"


def default(spec):
    value = getattr(spec, "default_value", None)  # PyGObject 3.50 gives boxed ones none
    if is_enum(spec):
        return f"`{values(spec)[int(value)][0]}`"
    if is_flags(spec):
        nicks = [nick for flag, (nick, _) in values(spec).items() if int(value) & flag]
        return f"`{'+'.join(nicks)}`" if nicks else "0"
    if isinstance(value, bool):
        return f"`{value}`".lower()
    return "" if value is None else number(value)


def change(spec):
    """When a new value takes effect."""
    if not spec.flags & GObject.ParamFlags.WRITABLE:
        return "read only"
    if spec.flags & MUTABLE_PLAYING:
        return "any time, controllable" if spec.flags & CONTROLLABLE else "any time"
    if spec.flags & MUTABLE_PAUSED:
        return "PAUSED"
    return "READY" if spec.flags & MUTABLE_READY else "NULL"


def property_tables(gtype):
    lines = ["| property | values | default | change | meaning |", "|---|---|---|---|---|"]
    lines += [f"| `{spec.name}` | {kind(spec)} | {default(spec)} | {change(spec)} | {spec.blurb} |"
              for spec in properties(gtype)]
    lines += ["", "| value of | | meaning |", "|---|---|---|"]
    for spec in properties(gtype):
        lines += [f"| `{spec.name}` | `{nick}` | {description} |" for nick, description in values(spec).values()]
    return lines


def signal_table(gtype):
    lines = ["| signal | arguments | returns |", "|---|---|---|"]
    for name in GObject.signal_list_names(gtype):
        query = GObject.signal_query(name, gtype)
        arguments = ", ".join(TYPES.get(argument.name, argument.name) for argument in query.param_types)
        lines.append(f"| `{name}` | {arguments} | {TYPES.get(query.return_type.name, query.return_type.name)} |")
    return lines


def rewritten(text):
    gtype = element_type()
    tables = {"properties": property_tables(gtype), "signals": signal_table(gtype)}
    return MARKED.sub(lambda mark: mark.group(1) + "\n".join(tables[mark.group(2)]) + "\n" + mark.group(3), text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where the tables are out of date")
    arguments = parser.parse_args()

    old = DOCUMENT.read_text(encoding="utf-8")
    new = rewritten(old)
    if arguments.check and old != new:
        print("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "docs/element.md", "the element",
                                             lineterm="")))
        raise SystemExit("docs/element.md is out of date: run scripts/element_reference.py")
    if not arguments.check:
        DOCUMENT.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
