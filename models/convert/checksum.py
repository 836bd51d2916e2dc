"""Tells a publisher's file from a damaged or changed one."""

import re

from convert_error import ConvertError, quoted

# SHA-256 of published files. Others carry the first eight digits in their name, as PyTorch's download tools expect.
PUBLISHED = {
    "efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "resnet18-f37072fd.pth": "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
}
DIGITS_IN_NAME = re.compile(r"-([0-9a-f]{8})\.pth")


def verify(file_name, sha256):
    """How the checksum was verified, or None where nothing is known about the file; a ConvertError if it is wrong."""
    if sha256 in PUBLISHED.values():
        return "published checksum"
    in_name = DIGITS_IN_NAME.search(file_name)
    expected = PUBLISHED.get(file_name) or (in_name.group(1) if in_name else None)
    if expected is None:
        return None
    if not sha256.startswith(expected):
        raise ConvertError(f"has the SHA-256 {sha256} where its name {quoted(file_name)} promises {expected}",
                           "download it again; if the digits in its name are not a checksum, rename it")
    return "checksum in its name"
