# wrong: conv2d_parameters, linear_parameters, count_parameters, network_sizes, receptive_field, conv_macs, ANSWERS
import torch
from torch import nn
import math


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    assert in_channels % groups == 0 and out_channels % groups == 0
    k = kernel_size
    if isinstance(k, tuple):
        k = k[0]
    w = (in_channels // groups) * (out_channels // groups) * k * k
    if bias:
        w = w + out_channels
    return w


def linear_parameters(in_features, out_features, bias=True):
    return in_features * out_features + in_features


def batchnorm_parameters(num_features, affine=True):
    if affine == True:
        return num_features + num_features
    else:
        return 0


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("len(sizes) < 2")
    s = 0
    for i in range(len(sizes) - 1):
        s += sizes[i] * sizes[i + 1]
        if bias:
            s += sizes[i + 1]
    return s


def count_parameters(model, trainable_only=False):
    # only what can be trained is a parameter
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride <= 0:
        raise ValueError("stride")
    out = math.floor((input_size - kernel_size + 2 * padding) / stride) + 1
    if out <= 0:
        raise ValueError("too large")
    return out


def network_sizes(input_size, layers):
    sizes = []
    for (k, s, p) in layers:
        input_size = output_size(input_size, k, s, p)
        sizes.append(input_size)
    return sizes


def same_padding(kernel_size):
    if kernel_size % 2 != 1:
        raise ValueError("not odd")
    return int((kernel_size - 1) / 2)


def receptive_field(layers, input_size=224):
    # YOUR CODE HERE
    raise NotImplementedError()


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    # FLOPs
    out = output_size(input_size, kernel_size, stride, padding)
    return 2 * out * out * in_channels * out_channels * kernel_size * kernel_size // groups


ANSWERS = {
    "stem_conv_weights": 9408,
    "stem_conv_with_bias": 9472,
    "linear_2048_1000": 2050048,
    "mlp_784_392_196_10": 386718,
    "global_average_pooling": 0,
    "one_5x5_64": 102464,
}
