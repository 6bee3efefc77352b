# wrong: count_parameters, mlp_parameters, conv_macs
from torch import nn


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{groups} groups do not work with {in_channels} and {out_channels} channels")
    if isinstance(kernel_size, int):
        area = kernel_size ** 2
    else:
        area = kernel_size[0] * kernel_size[1]
    weights = in_channels * out_channels * area // groups
    biases = out_channels if bias else 0
    return weights + biases


def linear_parameters(in_features, out_features, bias=True):
    weights = in_features * out_features
    biases = out_features if bias else 0
    return weights + biases


def batchnorm_parameters(num_features, affine=True):
    gamma = num_features if affine else 0
    beta = num_features if affine else 0
    return gamma + beta


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("not a network")
    total = 0
    current = sizes.pop(0)
    while sizes:
        following = sizes.pop(0)
        total += linear_parameters(current, following, bias)
        current = following
    return total


def count_parameters(model, trainable_only=False):
    total = 0
    for module in model.modules():
        if len(list(module.children())) > 0:
            continue
        for p in module.parameters():
            if trainable_only and not p.requires_grad:
                continue
            total += p.numel()
    return total


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("the stride must be positive")
    free = input_size + 2 * padding - kernel_size
    if free < 0:
        raise ValueError("there is no room for the kernel")
    return free // stride + 1


def network_sizes(input_size, layers):
    sizes = [input_size]
    for kernel, stride, padding in layers:
        sizes.append(output_size(sizes[-1], kernel, stride, padding))
    return sizes


def same_padding(kernel_size):
    half, rest = divmod(kernel_size, 2)
    if rest == 0:
        raise ValueError("impossible for even kernels")
    return half


def receptive_field(layers, input_size=224):
    distance, size, start = 1, 1, 0
    for kernel, stride, padding in layers:
        start -= padding * distance
        size += (kernel - 1) * distance
        distance *= stride
    outputs = network_sizes(input_size, layers)[-1]
    middle = (size - 1) / 2
    return size, [start + middle + distance * i for i in range(outputs)]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    # bias counted as well
    out = output_size(input_size, kernel_size, stride, padding)
    return out * out * conv2d_parameters(in_channels, out_channels, kernel_size, groups=groups)


ANSWERS = {
    "stem_conv_weights": 7 * 7 * 3 * 64,
    "stem_conv_with_bias": 7 * 7 * 3 * 64 + 64,
    "linear_2048_1000": 2048 * 1000 + 1000,
    "mlp_784_392_196_10": mlp_parameters([784, 392, 196, 10]),
    "global_average_pooling": 0,
    "one_5x5_64": conv2d_parameters(64, 64, 5),
    "two_3x3_64": 2 * conv2d_parameters(64, 64, 3),
    "basic_block_256": 2 * (conv2d_parameters(256, 256, 3, bias=False) + batchnorm_parameters(256)),
    "bottleneck_block_256_64": 70400,
    "resnet34": 21797672,
    "vgg16": 138357544,
}
