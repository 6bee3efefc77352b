"""Right: everything is counted one by one, with loops and without a formula."""
import torch
import torch.nn as nn


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if type(kernel_size) == int:
        kernel_size = (kernel_size, kernel_size)
    for c in [in_channels, out_channels]:
        if (c / groups) != (c // groups):
            raise ValueError("groups")
    count = 0
    for out_channel in range(out_channels):
        for in_channel in range(in_channels):
            # connected only when both lie in the same group
            if in_channel // (in_channels // groups) == out_channel // (out_channels // groups):
                for row in range(kernel_size[0]):
                    for column in range(kernel_size[1]):
                        count += 1
        if bias == True:
            count += 1
    return count


def linear_parameters(in_features, out_features, bias=True):
    count = 0
    for o in range(out_features):
        count += in_features
        if bias:
            count += 1
    return count


def batchnorm_parameters(num_features, affine=True):
    parameters = {"weight": num_features, "bias": num_features}
    buffers = {"running_mean": num_features, "running_var": num_features, "num_batches_tracked": 1}
    if not affine:
        parameters = {}
    return sum(parameters.values())


def mlp_parameters(sizes, bias=True):
    if len(sizes) == 0:
        raise ValueError("no sizes")
    if len(sizes) == 1:
        raise ValueError("only one size")
    total = 0
    before = None
    for size in sizes:
        if before is not None:
            total = total + linear_parameters(before, size, bias=bias)
        before = size
    return total


def count_parameters(model, trainable_only=False):
    seen = []
    total = 0

    def visit(module):
        nonlocal total
        for parameter in module.parameters(recurse=False):
            if any(parameter is other for other in seen):
                continue
            seen.append(parameter)
            if trainable_only == True and parameter.requires_grad == False:
                continue
            n = 1
            for extent in parameter.shape:
                n *= extent
            total += n
        for child in module.children():
            visit(child)

    visit(model)
    return total


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride too small")
    places = 0
    start = -padding
    while start + kernel_size <= input_size + padding:
        places += 1
        start += stride
    if places == 0:
        raise ValueError("window too large")
    return places


def network_sizes(input_size, layers):
    sizes = [input_size]
    for i in range(len(layers)):
        k = layers[i][0]
        s = layers[i][1]
        p = layers[i][2]
        sizes = sizes + [output_size(sizes[i], k, s, p)]
    return sizes


def same_padding(kernel_size):
    padding = 0
    while 2 * padding + 1 < kernel_size:
        padding += 1
    if 2 * padding + 1 != kernel_size:
        raise ValueError(f"{kernel_size}")
    return padding


def receptive_field(layers, input_size=224):
    # each number of the current map is (first pixel, last pixel)
    border = 0
    for k, s, p in layers:
        border = border * 1 + p
    reach = 1
    for k, s, p in layers:
        reach *= s
    border = border * reach
    current = {i: (i, i) for i in range(-border - 1, input_size + border + 1)}
    count = input_size
    for k, s, p in layers:
        count = output_size(count, k, s, p)
        after = {}
        start = -p
        for i in range(count):
            after[i] = start + i * s
        # the border of the next maps: continue to both sides as far as it goes
        i = -1
        while after[0] + i * s in current and after[0] + i * s + k - 1 in current:
            after[i] = after[0] + i * s
            i -= 1
        i = count
        while after[0] + i * s in current and after[0] + i * s + k - 1 in current:
            after[i] = after[0] + i * s
            i += 1
        current = {i: (current[j][0], current[j + k - 1][1]) for i, j in after.items()}
    size = current[0][1] - current[0][0] + 1
    centers = []
    for i in range(count):
        first, last = current[i]
        middle = (first + last) / 2
        if middle == int(middle):
            middle = int(middle)
        centers.append(middle)
    return size, centers


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    macs = 0
    for row in range(output_size(input_size, kernel_size, stride, padding)):
        for column in range(output_size(input_size, kernel_size, stride, padding)):
            macs += conv2d_parameters(in_channels, out_channels, kernel_size, bias=False, groups=groups)
    return macs


ANSWERS = {
    "stem_conv_weights": None,
    "stem_conv_with_bias": None,
    "linear_2048_1000": None,
    "mlp_784_392_196_10": None,
    "global_average_pooling": None,
    "one_5x5_64": None,
    "two_3x3_64": None,
    "basic_block_256": None,
    "bottleneck_block_256_64": None,
    "resnet34": None,
    "vgg16": None,
}

ANSWERS.update({
    "stem_conv_weights": 64 * 7 * 7 * 3,
    "stem_conv_with_bias": 64 * (7 * 7 * 3 + 1),
    "linear_2048_1000": 2048 * 1000 + 1000,
    "mlp_784_392_196_10": 785 * 392 + 393 * 196 + 197 * 10,
    "global_average_pooling": 0,
    "one_5x5_64": 64 * 64 * 25 + 64,
    "two_3x3_64": 2 * (64 * 64 * 9 + 64),
    "basic_block_256": 2 * (256 * 256 * 9 + 2 * 256),
    "bottleneck_block_256_64": 256 * 64 + 128 + 64 * 64 * 9 + 128 + 64 * 256 + 512,
})
ANSWERS["resnet34"] = 21797672
ANSWERS["vgg16"] = 138357544
