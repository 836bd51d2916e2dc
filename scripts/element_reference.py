#!/usr/bin/python3
"""Writes the tables of docs/element.md that padimfilter itself knows: properties, their values, and signals.

Needs GStreamer to find the element: run it in `meson devenv -C build`.
"""

import argparse
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
         "guint64": "integer", "void": "nothing"}


def element_type():
    Gst.init(None)
    factory = Gst.ElementFactory.find("padimfilter")
    if factory is None:
        raise SystemExit("GStreamer does not know padimfilter: run this in 'meson devenv -C build'")
    gtype = factory.load().get_element_type()
    GObject.type_class_ref(gtype)  # properties and signals exist from then on
    return gtype


def properties(gtype):
    """The element's own properties, in the order of their definition."""
    return [spec for spec in GObject.list_properties(gtype) if spec.owner_type == gtype]


def values(spec):
    """(nick, description) of the values that an enumeration or a set of flags knows."""
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        known = spec.enum_class.__enum_values__
    elif spec.value_type.is_a(GObject.TYPE_FLAGS):
        known = spec.flags_class.__flags_values__
    else:
        return []
    return [(value.value_nicks[0] if hasattr(value, "value_nicks") else value.value_nick,
             value.value_names[0] if hasattr(value, "value_names") else value.value_name) for value in known.values()]


def number(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def kind(spec):
    """What a user may set it to."""
    nicks = [f"`{nick}`" for nick, _ in values(spec)]
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        return ", ".join(nicks)
    if spec.value_type.is_a(GObject.TYPE_FLAGS):
        return " + ".join(nicks)
    name = TYPES[spec.value_type.name]
    if not hasattr(spec, "minimum"):
        return name
    if spec.maximum >= HUGE:
        return f"{name} from {number(spec.minimum)}"
    return f"{name}, {number(spec.minimum)} to {number(spec.maximum)}"


def default(spec):
    value = spec.default_value
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        return f"`{value.value_nick}`"
    if spec.value_type.is_a(GObject.TYPE_FLAGS):
        return f"`{'+'.join(value.value_nicks)}`" if value else "0"
    if value is None:
        return ""
    return number(value)


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
        lines += [f"| `{spec.name}` | `{nick}` | {description} |" for nick, description in values(spec)]
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
