"""Asks PyTorch. Layers are built on the device "meta", where they cost no memory."""

import torch
from torch import nn

META = {"device": "meta"}


def _numbers(module):
    return sum(p.numel() for p in module.parameters())


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return _numbers(nn.Conv2d(in_channels, out_channels, kernel_size, bias=bool(bias), groups=groups, **META))


def linear_parameters(in_features, out_features, bias=True):
    return _numbers(nn.Linear(in_features, out_features, bias=bool(bias), **META))


def batchnorm_parameters(num_features, affine=True):
    return _numbers(nn.BatchNorm2d(num_features, affine=affine, **META))


def mlp_parameters(sizes, bias=True):
    layers = nn.ModuleList(nn.Linear(a, b, bias=bool(bias), **META) for a, b in zip(sizes, sizes[1:]))
    if len(layers) == 0:
        raise ValueError("an MLP needs at least an input size and an output size")
    return _numbers(layers)


def count_parameters(model, trainable_only=False):
    state = model.state_dict(keep_vars=True)
    parameters = {t for t in state.values() if isinstance(t, nn.Parameter)}
    parameters.update(model.parameters())
    return sum(p.numel() for p in parameters if not trainable_only or p.requires_grad)


def _windows(line, kernel_size, stride):
    try:
        return line.unfold(0, kernel_size, stride)
    except RuntimeError as error:
        raise ValueError(f"the window does not fit: {error}") from error


def output_size(input_size, kernel_size, stride=1, padding=0):
    return _windows(torch.empty(input_size + 2 * padding, **META), kernel_size, stride).shape[0]


def network_sizes(input_size, layers):
    sizes = [input_size]
    for kernel, stride, padding in layers:
        line = torch.empty(sizes[-1] + padding + padding, **META)
        sizes.append(_windows(line, kernel, stride).size(0))
    return sizes


def same_padding(kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("no symmetric padding keeps the size with an even kernel")
    conv = nn.Conv1d(1, 1, kernel_size, padding="same", **META)
    left, right = conv._reversed_padding_repeated_twice
    assert left == right
    return left


def receptive_field(layers, input_size=224):
    # first and last pixel of every field; padded places continue the line on both sides
    first = torch.arange(input_size)
    width, jump = 1, 1
    for kernel, stride, padding in layers:
        n = first.numel()
        places = torch.arange(-padding, n + padding)
        windows = _windows(first[0] + jump * places, kernel, stride)
        width = int(windows[0, -1] - windows[0, 0]) + width
        first = windows[:, 0]
        jump = jump * stride
    centers = first.double() + (width - 1) / 2
    return width, centers.tolist()


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False, **META)
    y = conv(torch.empty(1, in_channels, input_size, input_size, **META))
    return y.numel() * conv.weight[0].numel()


def _conv_bn(a, b, k):
    return nn.Sequential(nn.Conv2d(a, b, k, bias=False, **META), nn.BatchNorm2d(b, **META))


def _resnet34():
    net, a = [_conv_bn(3, 64, 7)], 64
    for b, n in zip((64, 128, 256, 512), (3, 4, 6, 3)):
        if a != b:
            net.append(_conv_bn(a, b, 1))
        net += [_conv_bn(a if i == 0 else b, b, 3) for i in range(2 * n)]
        a = b
    return nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Linear(512, 1000, **META))


def _vgg16():
    net, a = [], 3
    for b in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        net.append(nn.Conv2d(a, b, 3, padding=1, **META) if b else nn.MaxPool2d(2))
        a = b or a
    features = nn.Sequential(*net)(torch.empty(1, 3, 224, 224, **META)).numel()
    sizes = (features, 4096, 4096, 1000)
    return nn.Sequential(*net, nn.Flatten(), *(nn.Linear(i, o, **META) for i, o in zip(sizes, sizes[1:])))


with torch.no_grad():
    ANSWERS = {
        name: _numbers(module)
        for name, module in {
            "stem_conv_weights": nn.Conv2d(3, 64, 7, bias=False, **META),
            "stem_conv_with_bias": nn.Conv2d(3, 64, 7, **META),
            "linear_2048_1000": nn.Linear(2048, 1000, **META),
            "mlp_784_392_196_10": nn.ModuleList(
                [nn.Linear(784, 392, **META), nn.Linear(392, 196, **META), nn.Linear(196, 10, **META)]
            ),
            "global_average_pooling": nn.AdaptiveAvgPool2d(1),
            "one_5x5_64": nn.Conv2d(64, 64, 5, **META),
            "two_3x3_64": nn.ModuleList(nn.Conv2d(64, 64, 3, **META) for _ in range(2)),
            "basic_block_256": nn.ModuleList(_conv_bn(256, 256, 3) for _ in range(2)),
            "bottleneck_block_256_64": nn.Sequential(_conv_bn(256, 64, 1), _conv_bn(64, 64, 3), _conv_bn(64, 256, 1)),
            "resnet34": _resnet34(),
            "vgg16": _vgg16(),
        }.items()
    }
