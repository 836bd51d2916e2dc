"""A tensor inside a file: element type, shape and strides over a storage that is read only when it is needed.

Strides and offset count elements, as in PyTorch. They come from an untrusted file, so to_float32() proves that every
element lies inside the storage before numpy sees them.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np

from convert_error import ConvertError, shape_text

# bfloat16 has no numpy type: it is read as the upper half of a float32.
NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}
DAMAGED = "download or save it again"


@dataclass(frozen=True)
class TensorView:
    dtype: str  # safetensors' name of the element type; types that are not in NUMPY_TYPES can be listed, not read
    shape: tuple
    stride: tuple
    offset: int
    read_storage: Callable[[], bytes]

    def to_float32(self):
        """The elements as a contiguous little-endian float32 array; a ConvertError if they are not all there."""
        if self.dtype not in NUMPY_TYPES:
            raise ConvertError(f"has element type {self.dtype}", "save it as float32")
        storage = self.read_storage()
        item_type = np.dtype(NUMPY_TYPES[self.dtype])
        elements = np.frombuffer(storage, item_type, len(storage) // item_type.itemsize)
        self._check_bounds(len(elements))
        strides = [step * item_type.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(elements[self.offset:], self.shape, strides, writeable=False)
        return _as_float32(view, self.dtype)

    def _check_bounds(self, elements_there):
        numbers = (self.offset, *self.shape, *self.stride)
        if len(self.shape) != len(self.stride) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ConvertError("has an impossible shape, stride or offset", DAMAGED)
        if 0 in self.shape:
            raise ConvertError(f"is empty ({shape_text(self.shape)})", DAMAGED)
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.stride))
        if last >= elements_there:
            raise ConvertError(f"reaches element {last} of a storage of {elements_there}", DAMAGED)


def contiguous_stride(shape):
    stride, step = [], 1
    for size in reversed(shape):
        stride.append(step)
        step *= size
    return tuple(reversed(stride))


def _as_float32(view, dtype):
    if dtype == "BF16":
        return (view.astype("<u4") << 16).view("<f4")
    with np.errstate(all="ignore"):  # what overflows becomes infinite, and the caller refuses that by name
        return np.ascontiguousarray(view, dtype="<f4")
