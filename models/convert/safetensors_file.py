"""Reads and writes .safetensors: an 8-byte header length, a JSON header, then the tensors' bytes."""

import json
import os
import stat
import struct
import tempfile

from convert_error import ConvertError, quoted
from tensor_view import NUMPY_TYPES, TensorView, contiguous_stride

MAX_HEADER_BYTES = 16 << 20
MAX_RANK = 8
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4}
DAMAGED = "download or convert it again"


def looks_like_safetensors(content):
    return len(content) > 8 and content[8:9] == b"{" and struct.unpack("<Q", content[:8])[0] <= MAX_HEADER_BYTES


def read(content):
    """Tensor name -> TensorView."""
    (header_bytes,) = struct.unpack("<Q", content[:8])
    data = memoryview(content)[8 + header_bytes:]
    if 8 + header_bytes > len(content):
        raise ConvertError(f"ends inside its header of {header_bytes} bytes", DAMAGED)
    header = json.loads(content[8:8 + header_bytes].decode("utf-8"))
    return {name: _view(name, entry, data) for name, entry in header.items() if name != "__metadata__"}


def _view(name, entry, data):
    dtype, shape, (first, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    numbers = (first, end, *shape)
    if not isinstance(dtype, str) or len(shape) > MAX_RANK or not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError("a tensor of impossible type, shape or place")
    if first > end or end > len(data):
        raise ConvertError(f"ends inside tensor {quoted(name)}", DAMAGED)
    elements = 1
    for size in shape:
        elements *= size
    if dtype in NUMPY_TYPES and end - first != elements * ITEM_BYTES[dtype]:
        raise ConvertError(f"gives tensor {quoted(name)} {end - first} bytes, which does not fit its shape", DAMAGED)
    return TensorView(dtype, tuple(shape), contiguous_stride(shape), 0, lambda: data[first:end])


def encode(tensors, metadata):
    """The file's bytes, in pieces. Tensors are sorted by name and little-endian, the data begins at a multiple of 8."""
    header, position = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        end = position + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for name in sorted(tensors):
        yield tensors[name].astype("<f4", copy=False).tobytes()


def write(path, tensors, metadata):
    """Puts the file at `path` whole or not at all, and leaves what was there until then."""
    path = os.path.realpath(path)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise ConvertError(f"cannot be written to {quoted(path)}, which is not a plain file", "choose another --output")
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(prefix=".padim-", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in encode(tensors, metadata):
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _umask():
    mask = os.umask(0)  # the only way to read it is to set it
    os.umask(mask)
    return mask


def _sync_folder(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
