"""Independent forwards that padim's backbones must reproduce; written from the papers, without models/*.json.

ResNets: torchvision's own modules. EfficientNet-Lite0: the table of the paper (arXiv 1905.11946, table 1) without
squeeze-and-excitation, with relu6, a fixed stem of 32 channels and TensorFlow's SAME padding, on the tensors and names
of EfficientNet-PyTorch. Batch norm stays a step of its own here, while padim folds it into the convolutions. All in
double precision, so that a difference is padim's alone.
"""

import copy

import torch
import torch.nn.functional as F

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)

# (expansion, kernel, stride, output channels) of the MBConv blocks 0 to 10
MBCONV = [(1, 3, 1, 16), (6, 3, 2, 24), (6, 3, 1, 24), (6, 5, 2, 40), (6, 5, 1, 40),
          (6, 3, 2, 80), (6, 3, 1, 80), (6, 3, 1, 80), (6, 5, 1, 112), (6, 5, 1, 112), (6, 5, 1, 112)]
EFFICIENTNET_TAPS = {2: "block2", 4: "block4", 7: "block7", 10: "block10"}
EFFICIENTNET_EPSILON = 1e-3


def randomise_norms(module, generator):
    """Batch-norm statistics and scales that no identity can imitate."""
    for norm in module.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            for tensor, low, high in ((norm.weight, 0.5, 1.5), (norm.bias, -0.5, 0.5), (norm.running_mean, -0.5, 0.5),
                                      (norm.running_var, 0.5, 1.5)):
                tensor.data.uniform_(low, high, generator=generator)


def resnet(name, seed=3):
    """torchvision's network with seeded random weights, for inference."""
    import torchvision
    torch.manual_seed(seed)
    network = getattr(torchvision.models, name)(weights=None).eval()
    randomise_norms(network, torch.Generator().manual_seed(seed))
    return network


def resnet_taps(network, images):
    """images: uint8 [B,H,W,3]; tap name -> double [B,C,h,w]."""
    network = copy.deepcopy(network).double()
    x = ((images.double() / 255.0 - IMAGENET_MEAN) / IMAGENET_STD).permute(0, 3, 1, 2)
    taps = {}
    with torch.no_grad():
        x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
        for name in ("layer1", "layer2", "layer3"):
            x = taps[name] = getattr(network, name)(x)
    return taps


def resnet_parameters(network):
    """Convolution weights and, as batch norm folded leaves them, one bias per output, up to layer3."""
    parts = torch.nn.ModuleList([network.conv1, network.bn1, network.layer1, network.layer2, network.layer3])
    weights = sum(m.weight.numel() for m in parts.modules() if isinstance(m, torch.nn.Conv2d))
    return weights + sum(m.bias.numel() for m in parts.modules() if isinstance(m, torch.nn.BatchNorm2d))


def efficientnet_units():
    """(convolution, norm, weight shape) of the stem and the blocks 0 to 10, in EfficientNet-PyTorch's names."""
    yield "_conv_stem", "_bn0", (32, 3, 3, 3)
    inputs = 32
    for index, (expansion, kernel, _, outputs) in enumerate(MBCONV):
        wide, block = expansion * inputs, f"_blocks.{index}"
        if expansion > 1:
            yield f"{block}._expand_conv", f"{block}._bn0", (wide, inputs, 1, 1)
        yield f"{block}._depthwise_conv", f"{block}._bn1", (wide, 1, kernel, kernel)
        yield f"{block}._project_conv", f"{block}._bn2", (outputs, wide, 1, 1)
        inputs = outputs


def efficientnet_parameters():
    return sum(torch.Size(shape).numel() + shape[0] for _, _, shape in efficientnet_units())


def random_efficientnet(seed=4):
    """A state_dict with seeded random tensors, one variance in eight zero: there only the epsilon counts."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for conv, norm, shape in efficientnet_units():
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{conv}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        for part, low, high in (("weight", 0.5, 1.5), ("bias", -0.5, 0.5), ("running_mean", -0.5, 0.5),
                                ("running_var", 0.5, 1.5)):
            state[f"{norm}.{part}"] = torch.empty(shape[0]).uniform_(low, high, generator=generator)
        state[f"{norm}.weight"][::8] = 0.01
        state[f"{norm}.running_var"][::8] = 0
    return state


def _same_conv(x, weight, stride, groups):
    """TensorFlow's SAME: ceil(size/stride) outputs, the odd pixel of padding at the end."""
    kernel, padding = weight.shape[-1], []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        padding += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, padding), weight, None, stride, 0, 1, groups)


def _unit(state, x, conv, norm, stride=1, groups=1):
    y = _same_conv(x, state[f"{conv}.weight"], stride, groups)
    parts = (state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(y, *parts, training=False, eps=EFFICIENTNET_EPSILON)


def _mbconv(state, x, index):
    expansion, _, stride, outputs = MBCONV[index]
    block, y = f"_blocks.{index}", x
    if expansion > 1:
        y = F.relu6(_unit(state, y, f"{block}._expand_conv", f"{block}._bn0"))
    y = F.relu6(_unit(state, y, f"{block}._depthwise_conv", f"{block}._bn1", stride, y.shape[1]))
    y = _unit(state, y, f"{block}._project_conv", f"{block}._bn2")
    return x + y if stride == 1 and x.shape[1] == outputs else y


def efficientnet_taps(state, images):
    """images: uint8 [B,H,W,3]; tap name -> double [B,C,h,w]."""
    state = {name: tensor.double() for name, tensor in state.items()}
    x = ((images.double() - 127.0) / 128.0).permute(0, 3, 1, 2)
    taps = {}
    with torch.no_grad():
        x = F.relu6(_unit(state, x, "_conv_stem", "_bn0", stride=2))
        for index in range(len(MBCONV)):
            x = _mbconv(state, x, index)
            if index in EFFICIENTNET_TAPS:
                taps[EFFICIENTNET_TAPS[index]] = x
    return taps
