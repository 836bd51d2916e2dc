"""Reads the part of the pickle format that torch.save() writes, and executes nothing from the file.

pickle.Unpickler is not enough, even with an allow list in find_class(): it still calls what the list returns with the
file's arguments, sets attributes, and its memo of declared size can exhaust the memory. This is a stack machine over
pickletools' table of operations that only builds tuples, lists, dictionaries with plain keys, numbers and strings. A
global is never imported: it becomes an inert Symbol, refused unless it is on the caller's list, and "calling" a symbol
looks up a function of ours by its name.
"""

import pickletools
from dataclasses import dataclass

from convert_error import ConvertError, quoted

MAX_OPERATIONS = 1_000_000  # torchvision's largest classifier needs about 20,000
SAVE_STATE_DICT = ("nothing was executed; get the file from its publisher, "
                   "or save only model.state_dict() with torch.save()")


@dataclass(frozen=True)
class Symbol:
    name: str  # "module.attribute"


class RestrictedPickle:
    """One pickle after another from a stream. `reducers` maps the name of a callable to what stands in for it;
    `constants` is the set of names that may appear but not be called; `persistent` resolves a persistent id."""

    def __init__(self, stream, reducers, constants=frozenset(), persistent=None):
        self._stream, self._reducers, self._constants, self._persistent = stream, reducers, constants, persistent
        self._operations = 0

    def load(self):
        self._stack, self._marks, self._memo = [], [], {}
        while True:
            operation, argument = self._next()
            if operation == "STOP":
                return self._stack.pop()
            _HANDLERS[operation](self, argument)

    def _next(self):
        """The next operation's name and argument; one that is not ours is refused before its argument is decoded."""
        self._operations += 1
        if self._operations > MAX_OPERATIONS:
            raise ConvertError(f"holds more than {MAX_OPERATIONS} pickle operations", SAVE_STATE_DICT)
        code = self._stream.read(1).decode("latin-1")
        if code not in pickletools.code2op:
            raise ValueError("the pickle breaks off" if not code else f"no pickle operation has the code {ord(code)}")
        operation = pickletools.code2op[code]
        if operation.name not in _HANDLERS and operation.name != "STOP":
            raise ConvertError(f"asks for the pickle operation {operation.name}, which weights do not need",
                               SAVE_STATE_DICT)
        if operation.name == "GLOBAL":
            return operation.name, self._read_global()
        return operation.name, operation.arg.reader(self._stream) if operation.arg else None

    def _read_global(self):
        # Two lines as they are: pickletools would interpret backslashes in them.
        lines = [self._stream.readline() for _ in range(2)]
        if not all(line.endswith(b"\n") for line in lines):
            raise ValueError("the pickle breaks off in a name")
        return ".".join(line[:-1].decode("utf-8") for line in lines)

    def _push(self, value):
        self._stack.append(value)

    def _mark(self, _):
        self._marks.append(len(self._stack))

    def _pop_to_mark(self):
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _pop(self, count):
        if len(self._stack) < count:
            raise ValueError("the pickle's stack is empty")
        items = self._stack[len(self._stack) - count:]
        del self._stack[len(self._stack) - count:]
        return items

    def _top(self, expected):
        if not isinstance(self._stack[-1], expected):
            raise ValueError(f"a {expected.__name__} was expected")
        return self._stack[-1]

    def _stack_global(self, _):
        module, attribute = self._pop(2)
        self._symbol(f"{module}.{attribute}" if isinstance(module, str) and isinstance(attribute, str) else "?")

    def _symbol(self, name):
        if name not in self._reducers and name not in self._constants:
            raise ConvertError(f"refers to {quoted(name)}, which weights do not need", SAVE_STATE_DICT)
        self._push(Symbol(name))

    def _reduce(self, _):
        symbol, arguments = self._pop(2)
        if not isinstance(symbol, Symbol) or symbol.name not in self._reducers or not isinstance(arguments, tuple):
            name = quoted(symbol.name) if isinstance(symbol, Symbol) else "something that is not a function"
            raise ConvertError(f"asks to call {name}, which weights do not need", SAVE_STATE_DICT)
        self._push(self._reducers[symbol.name](*arguments))

    def _build(self, _):
        # The attributes of an OrderedDict (a state_dict's _metadata); they say nothing about the tensors.
        self._pop(1)
        self._top(dict)

    def _persistent_id(self, _):
        if self._persistent is None:
            raise ValueError("a persistent id where none belongs")
        self._push(self._persistent(self._pop(1)[0]))

    def _set_items(self, items):
        target = self._top(dict)
        if len(items) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(items[::2], items[1::2]):
            # Hashing a deeply nested tuple would overflow the C stack.
            if not isinstance(key, (str, int)):
                raise ValueError("a dictionary key that is not a name or a number")
            target[key] = value

    def _append_items(self, items):
        self._top(list).extend(items)

    def _memoize(self, index):
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]


def _constant(value):
    return lambda machine, _: machine._push(value)


def _tuple_of(count):
    return lambda machine, _: machine._push(tuple(machine._pop(count)))


_HANDLERS = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": RestrictedPickle._mark,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_LIST": lambda machine, _: machine._push([]),
    "EMPTY_DICT": lambda machine, _: machine._push({}),
    "TUPLE": lambda machine, _: machine._push(tuple(machine._pop_to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": lambda machine, _: machine._append_items(machine._pop(1)),
    "APPENDS": lambda machine, _: machine._append_items(machine._pop_to_mark()),
    "SETITEM": lambda machine, _: machine._set_items(machine._pop(2)),
    "SETITEMS": lambda machine, _: machine._set_items(machine._pop_to_mark()),
    "BINGET": lambda machine, index: machine._push(machine._memo[index]),
    "LONG_BINGET": lambda machine, index: machine._push(machine._memo[index]),
    "BINPUT": RestrictedPickle._memoize,
    "LONG_BINPUT": RestrictedPickle._memoize,
    "MEMOIZE": RestrictedPickle._memoize,
    "GLOBAL": RestrictedPickle._symbol,
    "STACK_GLOBAL": RestrictedPickle._stack_global,
    "REDUCE": RestrictedPickle._reduce,
    "BUILD": RestrictedPickle._build,
    "BINPERSID": RestrictedPickle._persistent_id,
}
# Python 2's strings (BINSTRING) are decoded by pickletools like the others.
for _name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
              "BINSTRING", "SHORT_BINSTRING"):
    _HANDLERS[_name] = RestrictedPickle._push
