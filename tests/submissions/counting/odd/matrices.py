"""Every layer is an affine map j -> s*j - p of output places to input places. Maps are composed as 2x2 matrices."""

import math
from fractions import Fraction


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    if math.gcd(in_channels, groups) != groups or math.gcd(out_channels, groups) != groups:
        raise ValueError(f"{groups} is no common divisor of {in_channels} and {out_channels}")
    h, w = kernel_size if hasattr(kernel_size, "__len__") else (kernel_size,) * 2
    # a block matrix with `groups` blocks on the diagonal
    block = (out_channels // groups, in_channels // groups * h * w + bool(bias))
    return groups * block[0] * block[1]


def linear_parameters(in_features, out_features, bias=True):
    return math.prod((in_features + bool(bias), out_features))


def batchnorm_parameters(num_features, affine=True):
    return num_features * (0, 2)[bool(affine)]


def mlp_parameters(sizes, bias=True):
    n = len(sizes)
    if n < 2:
        raise ValueError("a path of at least one edge")
    return sum(sizes[i] * sizes[i + 1] for i in range(n - 1)) + (sum(sizes[i] for i in range(1, n)) if bias else 0)


def count_parameters(model, trainable_only=False):
    # the union of sets: an element is in it once
    union = frozenset().union(*(frozenset(m.parameters(recurse=False)) for m in model.modules()))
    return sum(math.prod(p.shape) for p in union if not (trainable_only and not p.requires_grad))


def output_size(input_size, kernel_size, stride=1, padding=0):
    if stride < 1:
        raise ValueError("stride < 1")
    free = input_size - kernel_size + 2 * padding
    if free < 0:
        raise ValueError("the window is larger than the padded input")
    return -(-(free + 1) // stride)  # the ceiling of (free + 1) / stride


def network_sizes(input_size, layers):
    if not layers:
        return [input_size]
    *before, (k, s, p) = layers
    sizes = network_sizes(input_size, before)
    return sizes + [output_size(sizes[-1], k, s, p)]


def same_padding(kernel_size):
    p = Fraction(kernel_size - 1, 2)
    if p.denominator != 1:
        raise ValueError(f"the padding would be {p}")
    return p.numerator


def _compose(A, B):
    (a, b), (c, d) = A, B
    return a * c, a * d + b


def receptive_field(layers, input_size=224):
    low, high = (1, 0), (1, 0)  # first and last pixel of the field of output j: a*j + b
    for k, s, p in layers:
        low, high = _compose(low, (s, -p)), _compose(high, (s, k - 1 - p))
    size = high[1] - low[1] + 1
    n = network_sizes(input_size, layers)[-1]
    return (size, [float(Fraction(low[0] * j + low[1] + high[0] * j + high[1], 2)) for j in range(n)])


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    n = output_size(input_size, kernel_size, stride, padding)
    return (n * n) * (kernel_size * kernel_size) * (in_channels // groups) * out_channels


ANSWERS = {}
ANSWERS["stem_conv_weights"] = 9_408
ANSWERS["stem_conv_with_bias"] = 9_472
ANSWERS["linear_2048_1000"] = 2_049_000
ANSWERS["mlp_784_392_196_10"] = 386_718
ANSWERS["global_average_pooling"] = 0
ANSWERS["one_5x5_64"] = 102_464
ANSWERS["two_3x3_64"] = 73_856
ANSWERS["basic_block_256"] = 1_180_672
ANSWERS["bottleneck_block_256_64"] = 70_400
ANSWERS["resnet34"] = 21_797_672
ANSWERS["vgg16"] = 138_357_544
