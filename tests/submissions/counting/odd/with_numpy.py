"""Right: NumPy does the sums, and what comes out is turned into plain numbers at the end."""
import math
from fractions import Fraction

import numpy as np


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if np.any(np.mod([in_channels, out_channels], groups)):
        raise ValueError("channels must be divisible by groups")
    kernel = np.broadcast_to(np.asarray(kernel_size, dtype=np.int64), 2)
    shape = np.array([out_channels, in_channels // groups, *kernel])
    return shape.prod().item() + bias * out_channels


def linear_parameters(in_features, out_features, bias=True):
    return int(np.ones((out_features, in_features + bool(bias))).sum())


def batchnorm_parameters(num_features, affine=True):
    return {True: 2, False: 0}[affine] * num_features


def mlp_parameters(sizes, bias=True):
    s = np.array(sizes, dtype=np.int64)
    if s.size < 2:
        raise ValueError("an MLP has at least two sizes, this has %d" % s.size)
    return int(np.dot(s[:-1] + int(bias), s[1:]))


def count_parameters(model, trainable_only=False):
    params = model.parameters()
    if trainable_only:
        params = filter(lambda p: p.requires_grad, params)
    return int(sum(np.prod(p.size()) for p in params))


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1 or kernel_size > input_size + 2 * padding:
        raise ValueError("invalid")
    return math.floor((input_size + 2 * padding - kernel_size) / stride) + 1


def network_sizes(input_size, layers):
    if not layers:
        return [input_size]
    first, *rest = layers
    return [input_size] + network_sizes(output_size(input_size, *first), rest)


def same_padding(kernel_size):
    padding = Fraction(kernel_size - 1, 2)
    if padding.denominator != 1:
        raise ValueError("not a whole number: %s" % padding)
    return padding.numerator


def receptive_field(layers, input_size=224):
    ks, ss, ps = np.array(layers, dtype=np.float64).reshape(-1, 3).T
    jumps = np.concatenate([[1.0], np.cumprod(ss)])
    size = 1 + np.dot(ks - 1, jumps[:-1])
    first = np.dot((ks - 1) / 2 - ps, jumps[:-1])
    n = network_sizes(input_size, layers)[-1]
    return size, list(first + np.arange(n) * jumps[-1])


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    side = len(np.arange(0, input_size + 2 * padding - kernel_size + 1, stride))
    return int(np.prod([side, side, out_channels, in_channels // groups, kernel_size, kernel_size]))


ANSWERS = dict(
    stem_conv_weights=np.int64(9408),
    stem_conv_with_bias=np.float64(9472),
    linear_2048_1000=np.array([[2049000]]).item(),
    mlp_784_392_196_10=mlp_parameters([784, 392, 196, 10]),
    global_average_pooling=0,
    one_5x5_64=conv2d_parameters(64, 64, 5),
    two_3x3_64=conv2d_parameters(64, 64, 3) * 2,
    basic_block_256=2 * (conv2d_parameters(256, 256, 3, False) + batchnorm_parameters(256)),
    bottleneck_block_256_64=70400,
    resnet34=int(2.1797672e7),
    vgg16=138357544,
)
