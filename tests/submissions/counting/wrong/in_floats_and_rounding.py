# wrong: linear_parameters, output_size, receptive_field, conv_macs
import math
import torch


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups > 0 or out_channels % groups > 0:
        raise ValueError("bad groups")
    if not isinstance(kernel_size, tuple):
        kernel_size = (kernel_size,) * 2
    return int(torch.Size((out_channels, in_channels // groups) + kernel_size).numel()) + (out_channels if bias else 0)


def linear_parameters(in_features, out_features, bias=True):
    w = torch.Tensor([in_features]) * torch.Tensor([out_features])
    if bias:
        w = w + out_features
    return w.item()


def batchnorm_parameters(num_features, affine=True):
    if not affine:
        return 0
    return 2 * num_features


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("bad sizes")
    return sum(a * b + (b if bias else 0) for a, b in zip(sizes[:-1], sizes[1:]))


def count_parameters(model, trainable_only=False):
    n = 0
    for p in model.parameters():
        if p.requires_grad or not trainable_only:
            n += torch.numel(p)
    return n


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1 or kernel_size > input_size + 2 * padding:
        raise ValueError("bad window")
    return round((input_size - kernel_size + 2 * padding) / stride + 1)


def network_sizes(input_size, layers):
    result = [input_size]
    for k, s, p in layers:
        if s < 1 or k > result[-1] + 2 * p:
            raise ValueError("bad layer")
        result.append((result[-1] - k + 2 * p) // s + 1)
    return result


def same_padding(kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("bad kernel")
    return kernel_size // 2


def receptive_field(layers, input_size=224):
    size, jump, first = 1, 1, 0
    for k, s, p in layers:
        jump *= s
        size += (k - 1) * jump
        first += ((k - 1) / 2 - p) * jump
    outputs = network_sizes(input_size, layers)[-1]
    return size, [first + i * jump for i in range(outputs)]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    return input_size ** 2 * kernel_size ** 2 * in_channels * out_channels // groups


ANSWERS = {}
ANSWERS["stem_conv_weights"] = 9408
ANSWERS["stem_conv_with_bias"] = 9472
ANSWERS["linear_2048_1000"] = 2049000
ANSWERS["mlp_784_392_196_10"] = 386718
ANSWERS["global_average_pooling"] = 0
ANSWERS["one_5x5_64"] = 102464
ANSWERS["two_3x3_64"] = 73856
ANSWERS["basic_block_256"] = 1180672
ANSWERS["bottleneck_block_256_64"] = 70400
ANSWERS["resnet34"] = 21797672
ANSWERS["vgg16"] = 138357544
