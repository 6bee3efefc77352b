# wrong: conv2d_parameters, output_size, network_sizes, same_padding, conv_macs
import math


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if in_channels % groups or out_channels % groups:
        raise ValueError("groups must divide the channels")
    if type(kernel_size) is int:
        kh = kw = kernel_size
    else:
        kh, kw = kernel_size
    params = kh * kw * in_channels / groups * out_channels
    if bias:
        params += out_channels
    return params


def linear_parameters(in_features, out_features, bias=True):
    return in_features * out_features + bias * out_features


def batchnorm_parameters(num_features, affine=True):
    return 2 * num_features * affine


def mlp_parameters(sizes, bias=True):
    if len(sizes) < 2:
        raise ValueError("An MLP needs at least 2 sizes")
    total = 0
    for i in range(1, len(sizes)):
        total += linear_parameters(sizes[i - 1], sizes[i], bias)
    return total


def count_parameters(model, trainable_only=False):
    if trainable_only:
        return sum(p.numel() for p in model.parameters() if p.requires_grad)
    return sum(p.numel() for p in model.parameters())


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride < 1")
    if kernel_size > input_size + 2 * padding:
        raise ValueError("the window does not fit")
    return (input_size - kernel_size + 2 * padding) / stride + 1


def network_sizes(input_size, layers):
    sizes = [input_size]
    for layer in layers:
        sizes.append(output_size(sizes[-1], layer[0], layer[1], layer[2]))
    return sizes


def same_padding(kernel_size):
    if kernel_size % 2 == 0:
        raise ValueError("kernel size must be odd")
    return (kernel_size - 1) / 2


def receptive_field(layers, input_size=224):
    size = 1
    jump = 1
    first = 0
    n = input_size
    for k, s, p in layers:
        size += (k - 1) * jump
        first += jump * ((k - 1) / 2 - p)
        jump *= s
        n = math.floor((n + 2 * p - k) / s) + 1
    return size, [first + jump * i for i in range(n)]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    out = output_size(input_size, kernel_size, stride, padding)
    return out ** 2 * kernel_size ** 2 * in_channels * out_channels / groups


ANSWERS = {
    "stem_conv_weights": 9408,
    "stem_conv_with_bias": 9472,
    "linear_2048_1000": 2049000,
    "mlp_784_392_196_10": 386718,
    "global_average_pooling": 0,
    "one_5x5_64": 102464,
    "two_3x3_64": 73856,
    "basic_block_256": 1180672,
    "bottleneck_block_256_64": 70400,
    "resnet34": 21797672,
    "vgg16": 138357544,
}
