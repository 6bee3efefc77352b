"""Right: states, gradients and autograd's graph are asked; a class stands where a function is expected."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


def _numbers(module, only=lambda p: True):
    vectors = {id(p): p.numel() for _, p in module.named_parameters(remove_duplicate=False) if only(p)}
    return sum(vectors.values())


class conv2d_parameters(int):
    """Not an int in the end: __new__ returns a plain one."""

    def __new__(cls, in_channels, out_channels, kernel_size, bias=True, groups=1):
        layer = nn.LazyConv2d(out_channels, kernel_size, bias=bias, groups=groups)
        with torch.no_grad():
            k = kernel_size if isinstance(kernel_size, int) else max(kernel_size)
            if in_channels % groups or out_channels % groups:
                raise ValueError(f"{in_channels}, {out_channels} % {groups}")
            layer(torch.zeros(1, in_channels, k, k))
        return _numbers(layer)


def linear_parameters(in_features, out_features, bias=True):
    return _numbers(nn.Bilinear(1, in_features, out_features, bias=bias))


def batchnorm_parameters(num_features, affine=True):
    layer = nn.BatchNorm1d(num_features, affine=affine)
    return sum(t.numel() for name, t in layer.state_dict().items() if name in ("weight", "bias"))


def mlp_parameters(sizes, bias=True):
    try:
        first, second, *others = sizes
    except ValueError:
        raise ValueError("not enough sizes") from None
    sizes = list(sizes)
    total = 0
    while len(sizes) > 1:
        total += linear_parameters(sizes.pop(0), sizes[0], bias)
    return total


def count_parameters(model, trainable_only=False):
    model = copy.deepcopy(model)  # keeps what is shared
    return _numbers(model, lambda p: p.requires_grad or not trainable_only)


def output_size(input_size, kernel_size, stride=1, padding=0):
    line = F.pad(torch.zeros(input_size), (padding, padding))
    if kernel_size > len(line):
        raise ValueError("The window is too large.")
    if stride < 1:
        raise ValueError("The window does not move.")
    return line.unfold(0, kernel_size, stride).size(0)


def network_sizes(input_size, layers):
    def sizes():
        size = input_size
        yield size
        for kernel, stride, padding in layers:
            size = output_size(size, kernel, stride=stride, padding=padding)
            yield size

    return [*sizes()]


def same_padding(kernel_size):
    if not kernel_size & 1:
        raise ValueError("even")
    return kernel_size >> 1


def receptive_field(layers, input_size=224):
    # Pixels carry their own coordinates; windows keep the smallest and the largest one.
    margin = 0
    jump = 1
    for kernel, stride, padding in layers:
        margin += padding * jump
        jump *= stride
    low = torch.arange(-margin, input_size + margin, dtype=torch.float64)
    high = low.clone()
    for kernel, stride, _ in layers:
        low = low.unfold(0, kernel, stride).amin(-1)
        high = high.unfold(0, kernel, stride).amax(-1)
    outputs = network_sizes(input_size, layers)[-1]
    low, high = low[:outputs], high[:outputs]
    return int(high[0] - low[0]) + 1, ((low + high) / 2).tolist()


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    columns = F.unfold(torch.ones(1, in_channels, input_size, input_size), kernel_size, padding=padding, stride=stride)
    return columns[0].numel() // groups * out_channels


ANSWERS: dict = {}
ANSWERS |= {"stem_conv_weights": 9408, "stem_conv_with_bias": 9472, "linear_2048_1000": 2049000}
ANSWERS |= {"mlp_784_392_196_10": 386718, "global_average_pooling": 0, "one_5x5_64": 102464, "two_3x3_64": 73856}
ANSWERS |= {"basic_block_256": 1180672, "bottleneck_block_256_64": 70400, "resnet34": 21797672, "vgg16": 138357544}
