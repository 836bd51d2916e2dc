"""Builds the files of torch.save() by hand, so that the tests can put anything into them."""

import collections
import io
import json
import pickle
import struct
import zipfile

import torch

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Storage:
    """Stands for a storage of float32 in a hand-made pickle."""

    def __init__(self, key="0", elements=4, view=None):
        self.key, self.elements, self.view = key, elements, view


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self._arguments = (storage, offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self._arguments


class Call:
    """Unpickled by pickle.load(), this calls function(*arguments)."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def dumps(value, legacy=False):
    class WithStorages(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Storage):
                return None
            fixed = ("storage", torch.FloatStorage, item.key, "cpu", item.elements)
            return (*fixed, item.view) if legacy else fixed

    stream = io.BytesIO()
    WithStorages(stream, protocol=2).dump(value)
    return stream.getvalue()


def zip_file(data_pickle, storages=None, extra=None, compression=zipfile.ZIP_STORED):
    """A zip archive as torch.save() makes it: storages maps key -> bytes, extra maps entry -> bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data_pickle)
        for key, content in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", content)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return stream.getvalue()


def legacy_file(data_pickle, storages=None, little_endian=True):
    """A stream of pickles as torch.save() made it before 1.6: storages maps key -> (declared elements, bytes)."""
    system = {"protocol_version": PROTOCOL, "little_endian": little_endian, "type_sizes": {}}
    storages = storages or {}
    head = pickle.dumps(MAGIC, 2) + pickle.dumps(PROTOCOL, 2) + pickle.dumps(system, 2)
    content = head + data_pickle + pickle.dumps(list(storages), 2)
    for elements, data in storages.values():
        content += struct.pack("<q", elements) + data
    return content


def safetensors_file(entries, data, length=None, metadata=None):
    """entries: name -> (dtype, shape, first, end)."""
    header = {name: {"dtype": dtype, "shape": shape, "data_offsets": [first, end]}
              for name, (dtype, shape, first, end) in entries.items()}
    text = json.dumps(header | ({"__metadata__": metadata} if metadata else {})).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data
