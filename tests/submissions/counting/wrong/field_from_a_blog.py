# wrong: receptive_field, ANSWERS
import torch
import torch.nn as nn


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    k_h, k_w = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return k_h * k_w * (in_channels // groups) * out_channels + (out_channels if bias else 0)


def linear_parameters(in_features, out_features, bias=True):
    return (in_features + 1) * out_features if bias else in_features * out_features


def batchnorm_parameters(num_features, affine=True):
    return num_features * 2 if affine else 0


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("sizes is too short")
    params = 0
    for i, o in zip(sizes, sizes[1:]):
        params += linear_parameters(i, o, bias)
    return params


def count_parameters(model, trainable_only=False):
    return sum(p.numel() for p in model.parameters() if not trainable_only or p.requires_grad)


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride must be at least one")
    if input_size + 2 * padding < kernel_size:
        raise ValueError("kernel does not fit")
    return (input_size + 2 * padding - kernel_size) // stride + 1


def network_sizes(input_size, layers):
    out = [input_size]
    for k, s, p in layers:
        out.append(output_size(out[-1], k, s, p))
    return out


def same_padding(kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("only odd kernels")
    return (kernel_size - 1) // 2


def receptive_field(layers, input_size=224):
    # n, j, r, start as in the guide to receptive field arithmetic
    n, j, r, start = input_size, 1, 1, 0.5
    for k, s, p in layers:
        n_out = output_size(n, k, s, p)
        actual_p = (n_out - 1) * s - n + k
        p_left = actual_p // 2
        start = start + ((k - 1) / 2 - p_left) * j
        r = r + (k - 1) * j
        j = j * s
        n = n_out
    return r, [start + i * j for i in range(n)]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    side = output_size(input_size, kernel_size, stride, padding)
    return conv2d_parameters(in_channels, out_channels, kernel_size, False, groups) * side * side


ANSWERS = {
    "stem_conv_weights": 9408,
    "stem_conv_with_bias": 9472,
    "linear_2048_1000": 2049000,
    "mlp_784_392_196_10": 386718,
    "global_average_pooling": None,
    "one_5x5_64": 102464,
    "two_3x3_64": 73856,
    "basic_block_256": 1180672,
    "bottleneck_block_256_64": 70784,
    "resnet34": "21.8M",
    "vgg16": None,
}
