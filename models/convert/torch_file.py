"""Reads what torch.save() wrote: the zip archive of PyTorch 1.6 and later, and the pickle stream of before.

Zip: NAME/data.pkl holds the object, NAME/data/KEY the raw bytes of each storage, uncompressed.
Legacy: five pickles (magic number, protocol, system, object, list of storage keys), then for each key the number of
elements as int64 and the raw bytes. In both the object refers to a storage by a persistent id ("storage", type, key,
location, elements[, view]), and a tensor is a call of _rebuild_tensor_v2(storage, offset, size, stride, ...).
"""

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Callable

from convert_error import ConvertError, quoted
from restricted_pickle import RestrictedPickle, Symbol
from tensor_view import TensorView

STORAGE_TYPES = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}
STORAGE_SYMBOLS = {f"torch.{name}": kind for name, kind in STORAGE_TYPES.items()}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
SAVE_AGAIN = "load it in PyTorch and save its state_dict() again with torch.save()"


@dataclass(frozen=True)
class _Storage:
    dtype: str
    read: Callable[[], bytes]


def _rebuild_tensor(storage, offset, size, stride, *_):
    if not isinstance(storage, _Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise ValueError("a tensor without a storage, size or stride")
    if not all(type(n) is int for n in (offset, *size, *stride)):
        raise ValueError("a tensor whose size, stride or offset is not made of numbers")
    return TensorView(storage.dtype, size, stride, offset, storage.read)


def _rebuild_parameter(data, *_):
    return data


def _ordered_dict(pairs=()):
    # Python 2 passed the items as a list of pairs; Python 3 sets them afterwards.
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError("an OrderedDict of something else than named items")
    return {key: value for key, value in pairs}


REDUCERS = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
}


def _storage_reference(saved_id):
    """(element type, bytes per element, key, elements, view or None) of a persistent id."""
    if not isinstance(saved_id, tuple) or len(saved_id) not in (5, 6) or saved_id[0] != "storage":
        raise ValueError("a persistent id that is not a storage")
    _, kind, key, _, elements = saved_id[:5]
    if not isinstance(kind, Symbol) or kind.name not in STORAGE_SYMBOLS or not isinstance(key, str):
        raise ValueError("a storage without a type or key")
    if type(elements) is not int or elements < 0:
        raise ValueError("a storage of impossible size")
    return *STORAGE_SYMBOLS[kind.name], key, elements, saved_id[5] if len(saved_id) == 6 else None


class _ZipStorages:
    def __init__(self, archive, folder):
        self._archive, self._folder, self._read = archive, folder, {}

    def resolve(self, saved_id):
        dtype, item_bytes, key, elements, _ = _storage_reference(saved_id)
        return _Storage(dtype, lambda: self._bytes(key, elements * item_bytes))

    def _bytes(self, key, expected):
        if key not in self._read:
            self._read[key] = read_stored(self._archive, f"{self._folder}data/{key}")
        if len(self._read[key]) < expected:
            raise ConvertError(f"lies in a storage of {len(self._read[key])} bytes that should have {expected}",
                               SAVE_AGAIN)
        return self._read[key]


def read_stored(archive, name):
    """The bytes of an entry that is kept uncompressed, as torch.save() does: so none can be larger than the file."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise ConvertError(f"has the compressed entry {quoted(name)}, which torch.save() never writes", SAVE_AGAIN)
    return archive.read(entry)


def read_zip(archive):
    """The object that a zip archive of torch.save() holds, with TensorViews in place of tensors."""
    names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        raise ConvertError("is a TorchScript program, not weights", SAVE_AGAIN)
    pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1 or len(set(names)) != len(names):
        raise ConvertError("is a zip archive, but not one that torch.save() wrote", "give the .pth file of the weights")
    folder = pickles[0][:-len("data.pkl")]
    if f"{folder}byteorder" in names and read_stored(archive, f"{folder}byteorder").strip() != b"little":
        raise ConvertError("was saved on a big-endian machine", SAVE_AGAIN + " on a little-endian one")
    storages = _ZipStorages(archive, folder)
    stream = io.BytesIO(read_stored(archive, pickles[0]))
    return RestrictedPickle(stream, REDUCERS, STORAGE_SYMBOLS.keys(), storages.resolve).load()


class _LegacyStorages:
    def __init__(self, content):
        self._content, self._item_bytes, self._elements, self._spans = content, {}, {}, {}

    def resolve(self, saved_id):
        dtype, item_bytes, key, elements, view = _storage_reference(saved_id)
        self._item_bytes.setdefault(key, item_bytes)
        self._elements.setdefault(key, elements)
        first, count = (0, elements) if view is None else _view_span(view, elements)
        return _Storage(dtype, lambda: self._bytes(key)[first * item_bytes:(first + count) * item_bytes])

    def locate(self, keys, position):
        """Notes where each storage's bytes are; they follow one another from `position` in the order of `keys`."""
        for key in keys:
            if key not in self._item_bytes:
                raise ValueError("a storage that no tensor uses")
            (elements,) = struct.unpack_from("<q", self._content, position)
            end = position + 8 + elements * self._item_bytes[key]
            if elements != self._elements[key] or end > len(self._content):
                raise ConvertError(f"ends at byte {len(self._content)}, inside the storage that begins at {position}",
                                   "it was cut off or damaged: download it again")
            self._spans[key] = (position + 8, end)
            position = end

    def _bytes(self, key):
        if key not in self._spans:
            raise ConvertError(f"lies in the storage {quoted(key)}, which the file does not hold", SAVE_AGAIN)
        first, end = self._spans[key]
        return memoryview(self._content)[first:end]


def _view_span(view, elements):
    if not isinstance(view, tuple) or len(view) != 3:
        raise ValueError("a storage view of unknown form")
    _, first, count = view
    if not all(type(n) is int and n >= 0 for n in (first, count)) or first + count > elements:
        raise ValueError("a storage view outside its storage")
    return first, count


def read_legacy(content):
    """The object in a pickle stream of torch.save() before PyTorch 1.6, with TensorViews in place of tensors."""
    storages = _LegacyStorages(content)
    stream = io.BytesIO(content)
    pickles = RestrictedPickle(stream, REDUCERS, STORAGE_SYMBOLS.keys(), storages.resolve)
    if pickles.load() != LEGACY_MAGIC or pickles.load() != LEGACY_PROTOCOL:
        raise ConvertError("is a pickle, but not one that torch.save() wrote", "give the .pth file of the weights")
    system = pickles.load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ConvertError("was saved on a big-endian machine", SAVE_AGAIN + " on a little-endian one")
    result, keys = pickles.load(), pickles.load()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("no list of storages")
    storages.locate(keys, stream.tell())
    return result
