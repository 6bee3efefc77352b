# wrong: conv2d_parameters, mlp_parameters, output_size, network_sizes, same_padding
import torch.nn as nn


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if isinstance(kernel_size, tuple):
        h, w = kernel_size
    else:
        h = w = kernel_size
    return out_channels * (in_channels // groups * h * w + int(bias))


def linear_parameters(in_features, out_features, bias=True):
    return out_features * (in_features + int(bias))


def batchnorm_parameters(num_features, affine=True):
    return 2 * num_features if affine else 0


def mlp_parameters(sizes, bias=True):
    return sum(linear_parameters(i, o, bias) for i, o in zip(sizes, sizes[1:]))


def count_parameters(model, trainable_only=False):
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def output_size(input_size, kernel_size, stride=1, padding=0):
    return (input_size + 2 * padding - kernel_size) // stride + 1


def network_sizes(input_size, layers):
    sizes = [input_size]
    for kernel, stride, padding in layers:
        input_size = output_size(input_size, kernel, stride, padding)
        sizes.append(input_size)
    return sizes


def same_padding(kernel_size):
    return kernel_size // 2


def receptive_field(layers, input_size=224):
    field, step, left = 1, 1, 0.0
    for kernel, stride, padding in layers:
        left += step * ((kernel - 1) * 0.5 - padding)
        field += step * (kernel - 1)
        step *= stride
    count = network_sizes(input_size, layers)[-1]
    return (field, [left + step * i for i in range(count)])


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    return output_size(input_size, kernel_size, stride, padding) ** 2 * conv2d_parameters(
        in_channels, out_channels, kernel_size, bias=False, groups=groups
    )


ANSWERS = {
    "stem_conv_weights": conv2d_parameters(3, 64, 7, bias=False),
    "stem_conv_with_bias": conv2d_parameters(3, 64, 7),
    "linear_2048_1000": linear_parameters(2048, 1000),
    "mlp_784_392_196_10": mlp_parameters([784, 392, 196, 10]),
    "global_average_pooling": count_parameters(nn.AdaptiveAvgPool2d(1)),
    "one_5x5_64": conv2d_parameters(64, 64, 5),
    "two_3x3_64": 2 * conv2d_parameters(64, 64, 3),
    "basic_block_256": 1180672,
    "bottleneck_block_256_64": 70400,
    "resnet34": 21797672,
    "vgg16": 138357544,
}
