"""Backbone descriptions (models/*.json): which tensors a backbone needs, and picking them out of a source."""

import json
import os
from dataclasses import dataclass
from typing import Optional

import numpy as np

from convert_error import ConvertError, quoted, shape_text

NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
INPUT_CHANNELS = 3
OTHER_WEIGHTS = "give the weights of this backbone, or another --backbone"
MAX_NAMED = 4


@dataclass(frozen=True)
class Convolution:
    key: str
    norm: Optional[str]
    shape: tuple  # of the weight: outputs, inputs per group, kernel, kernel


def available(models_dir):
    """The names of the backbones that are described in a folder."""
    try:
        files = os.listdir(models_dir)
    except OSError:
        files = []
    return sorted(name[:-len(".json")] for name in files if name.endswith(".json"))


def load_description(models_dir, name):
    if name not in available(models_dir):
        known = ", ".join(available(models_dir)) or "none"
        raise ConvertError(f"the backbone {quoted(name)} is not described in {quoted(models_dir)} (described: {known})",
                           "check --backbone, or name the descriptions' folder with --models")
    path = os.path.join(models_dir, f"{name}.json")
    try:
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        if description["name"] != name or not convolutions(description):
            raise ValueError(f"it describes {description['name']}")
        return description
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
        detail = quoted(f"{type(error).__name__}: {error}")
        raise ConvertError(f"the description {quoted(path)} cannot be used ({detail})",
                           "correct it as models/README.md explains") from error


def convolutions(description):
    """Every convolution of a description, in the order of computation, the shortcuts' included."""
    found, channels = [], INPUT_CHANNELS
    for block in description["blocks"]:
        block_inputs = channels
        for layer in block["layers"]:
            if "conv" in layer:
                found.append(_convolution(layer, channels))
                channels = layer["channels"]
        if isinstance(block.get("shortcut"), dict):
            found.append(_convolution(block["shortcut"], block_inputs))
    return found


def _convolution(layer, inputs):
    shape = (layer["channels"], inputs // layer.get("groups", 1), layer["kernel"], layer["kernel"])
    return Convolution(layer["conv"], layer.get("norm"), shape)


def efficientnet_pytorch_names(description):
    """EfficientNet-PyTorch's name (the one on PyPI) -> timm's, for each convolution and norm of an EfficientNet.

    There the MBConv blocks are numbered through, here they are in the same order: block i has the layers
    [expansion,] depthwise, projection.
    """
    stem, *blocks = description["blocks"]
    names = {"_conv_stem": stem["layers"][0]["conv"], "_bn0": stem["layers"][0]["norm"]}
    from_the_end = (("_project_conv", "_bn2"), ("_depthwise_conv", "_bn1"), ("_expand_conv", "_bn0"))
    for index, block in enumerate(blocks):
        for (conv, norm), layer in zip(from_the_end, reversed(block["layers"])):
            names[f"_blocks.{index}.{conv}"] = layer["conv"]
            names[f"_blocks.{index}.{norm}"] = layer["norm"]
    return names


def with_hub_names(tensors, description):
    """`tensors` under the names of the description: those of torchvision or timm."""
    if "_conv_stem.weight" in tensors:
        names = efficientnet_pytorch_names(description)
        split = {name: name.rpartition(".") for name in tensors}
        return {f"{names[module]}.{part}": tensors[name]
                for name, (module, _, part) in split.items() if module in names}
    if tensors and all(name.startswith("module.") for name in tensors):  # torch.nn.DataParallel's prefix
        return {name[len("module."):]: view for name, view in tensors.items()}
    return tensors


def select(tensors, description):
    """The float32 arrays that the description needs, by name; a ConvertError that names what is missing or wrong."""
    tensors = with_hub_names(tensors, description)
    needed, missing = {}, []
    for conv in convolutions(description):
        shapes = _needed_of(conv, tensors)
        needed.update(shapes)
        missing += [name for name in shapes if name not in tensors]
    if missing:
        _refuse_missing(missing, tensors, description["name"])
    return {name: _read(name, tensors[name], shape, description["name"]) for name, shape in needed.items()}


def _needed_of(conv, tensors):
    """Name -> shape of a convolution's tensors: with its batch norm, or folded into weight and bias."""
    channels = (conv.shape[0],)
    weight, bias = {f"{conv.key}.weight": conv.shape}, {f"{conv.key}.bias": channels}
    if conv.norm is None:
        return weight | bias
    norm = {f"{conv.norm}.{part}": channels for part in NORM_PARTS}
    if f"{conv.key}.bias" not in tensors:
        return weight | norm
    if any(name in tensors for name in norm):
        raise ConvertError(f"has both {quoted(conv.key + '.bias')} (batch norm folded in) and {quoted(conv.norm)}",
                           "keep one of the two")
    return weight | bias


def _refuse_missing(missing, tensors, backbone):
    more = len(missing) - MAX_NAMED
    named = ", ".join(missing[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    there = ", ".join(quoted(name) for name in list(tensors)[:MAX_NAMED]) or "no tensors"
    raise ConvertError(f"lacks {named}, which {backbone} needs (it begins with {there})",
                       OTHER_WEIGHTS)


def _read(name, view, shape, backbone):
    if view.shape != shape:
        shapes = f"{shape_text(view.shape)} where {backbone} needs {shape_text(shape)}"
        raise ConvertError(f"has {quoted(name)} of shape {shapes}", OTHER_WEIGHTS)
    array = _to_float32(name, view)
    if not np.isfinite(array).all() or (name.endswith(".running_var") and (array < 0).any()):
        raise ConvertError(f"has infinities, NaNs or a negative variance in {quoted(name)}",
                           "download the file again; if it is your own, train again")
    return array


def _to_float32(name, view):
    try:
        return view.to_float32()
    except ConvertError as error:
        raise ConvertError(f"has a tensor {quoted(name)} that {error.cause}", error.remedy) from error
    except Exception as error:  # the storage is read only now, and zipfile raises many things on a damaged one
        detail = f"{quoted(name)} that cannot be read ({quoted(f'{type(error).__name__}: {error}')})"
        raise ConvertError(f"has a tensor {detail}", "download it again") from error
