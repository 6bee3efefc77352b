# wrong: count_parameters, batchnorm_parameters, ANSWERS
import torch
from torch import nn


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError("channels must be divisible by groups")
    if isinstance(kernel_size, int):
        kernel_size = (kernel_size, kernel_size)
    n = out_channels * (in_channels // groups) * kernel_size[0] * kernel_size[1]
    if bias:
        n += out_channels
    return n


def linear_parameters(in_features, out_features, bias=True):
    n = in_features * out_features
    if bias:
        n += out_features
    return n


def batchnorm_parameters(num_features, affine=True):
    # weight, bias, running_mean, running_var
    if affine:
        return 4 * num_features
    return 2 * num_features


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("need at least two sizes")
    return sum(linear_parameters(a, b, bias) for a, b in zip(sizes[:-1], sizes[1:]))


def count_parameters(model, trainable_only=False):
    total = 0
    for name, tensor in model.state_dict(keep_vars=True).items():
        if trainable_only and not tensor.requires_grad:
            continue
        total += tensor.numel()
    return total


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride must be positive")
    if kernel_size > input_size + 2 * padding:
        raise ValueError("kernel too large")
    return (input_size - kernel_size + 2 * padding) // stride + 1


def network_sizes(input_size, layers):
    sizes = [input_size]
    for k, s, p in layers:
        sizes.append(output_size(sizes[-1], k, s, p))
    return sizes


def same_padding(kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("even kernel")
    return kernel_size // 2


def receptive_field(layers, input_size=224):
    r, j, start = 1, 1, 0
    for k, s, p in layers:
        start = start + ((k - 1) / 2 - p) * j
        r = r + (k - 1) * j
        j = j * s
    n = network_sizes(input_size, layers)[-1]
    return r, [start + i * j for i in range(n)]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    o = output_size(input_size, kernel_size, stride, padding)
    return o * o * conv2d_parameters(in_channels, out_channels, kernel_size, bias=False, groups=groups)


ANSWERS = {}
ANSWERS["stem_conv_weights"] = conv2d_parameters(3, 64, 7, bias=False)
ANSWERS["stem_conv_with_bias"] = conv2d_parameters(3, 64, 7)
ANSWERS["linear_2048_1000"] = linear_parameters(2048, 1000)
ANSWERS["mlp_784_392_196_10"] = mlp_parameters([784, 392, 196, 10])
ANSWERS["global_average_pooling"] = 0
ANSWERS["one_5x5_64"] = conv2d_parameters(64, 64, 5)
ANSWERS["two_3x3_64"] = 2 * conv2d_parameters(64, 64, 3)
ANSWERS["basic_block_256"] = 2 * (conv2d_parameters(256, 256, 3, bias=False) + batchnorm_parameters(256))
ANSWERS["bottleneck_block_256_64"] = (
    conv2d_parameters(256, 64, 1, bias=False) + batchnorm_parameters(64)
    + conv2d_parameters(64, 64, 3, bias=False) + batchnorm_parameters(64)
    + conv2d_parameters(64, 256, 1, bias=False) + batchnorm_parameters(256)
)
ANSWERS["resnet34"] = 21797672
ANSWERS["vgg16"] = 138357544
