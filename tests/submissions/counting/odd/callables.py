"""Right: callable objects, partials, reductions, named tuples, exceptions of one's own."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections import OrderedDict, namedtuple
from typing import Any, NamedTuple, Sequence

import torch


class CountingError(ValueError):
    def __str__(self) -> str:
        return f"cannot count: {self.args!r}"


class _Conv2d:
    def __call__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 bias: bool = True, groups: int = 1, *, dilation: int = 1) -> int:
        per_group, rest = divmod(in_channels, groups)
        if rest or math.gcd(out_channels, groups) != groups:
            raise CountingError(in_channels, out_channels, groups)
        area = math.prod(kernel_size) if isinstance(kernel_size, Sequence) else kernel_size ** 2
        return out_channels * (per_group * area + int(bias))


conv2d_parameters = _Conv2d()


def _affine_map(*features, bias=True):
    fan_in, fan_out = features
    return (fan_in + (1 if bias else 0)) * fan_out


linear_parameters = lambda in_features, out_features, bias=True, **_: _affine_map(in_features, out_features, bias=bias)

batchnorm_parameters = lambda num_features, affine=True, eps=1e-5: len(("gamma", "beta")) * num_features * int(affine)


def mlp_parameters(sizes: Sequence[int], bias: bool = True) -> int:
    match list(sizes):
        case [] | [_]:
            raise CountingError("at least two sizes")
        case [a, b]:
            return _affine_map(a, b, bias=bias)
        case [a, b, *rest]:
            return _affine_map(a, b, bias=bias) + mlp_parameters([b, *rest], bias)


class _Counter:
    def __init__(self, key=id):
        self.key = key

    def __call__(self, model: torch.nn.Module, trainable_only: bool = False) -> int:
        unique = {self.key(p): p for m in model.modules() for p in m._parameters.values() if p is not None}
        chosen = filter(operator.attrgetter("requires_grad"), unique.values()) if trainable_only else unique.values()
        return sum(map(torch.Tensor.numel, chosen))


count_parameters = _Counter()


def _places(input_size, kernel_size, stride=1, padding=0, dilation=1):
    if stride <= 0:
        raise CountingError("stride", stride)
    starts = range(-padding, input_size + padding - dilation * (kernel_size - 1), stride)
    if not starts:
        raise CountingError("window", kernel_size)
    return len(starts)


output_size = functools.partial(_places, dilation=1)


def network_sizes(input_size, layers):
    return list(itertools.accumulate(layers, lambda size, layer: output_size(size, *layer), initial=input_size))


def same_padding(kernel_size: int) -> int:
    half, odd = divmod(kernel_size, 2)
    if not odd:
        raise CountingError(kernel_size)
    return half


class Field(NamedTuple):
    size: float
    centers: tuple


class _State(namedtuple("_State", "low high jump")):
    def through(self, layer):
        k, s, p = layer
        return _State(self.low - p * self.jump, self.high + (k - 1 - p) * self.jump, self.jump * s)


def receptive_field(layers, input_size=224, *, verbose=False):
    end = functools.reduce(_State.through, layers, _State(0, 0, 1))
    count = network_sizes(input_size, layers).pop()
    middle = end.low / 2 + end.high / 2
    return Field(float(end.high - end.low + 1), tuple(middle + end.jump * i for i in range(count)))


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1, **unused: Any):
    pixels = output_size(input_size, kernel_size, stride, padding) ** 2
    return pixels * conv2d_parameters(in_channels, out_channels, kernel_size, False, groups)


class _Answers(OrderedDict):
    def __missing__(self, key):
        raise KeyError(f"no such question: {key}")


ANSWERS = _Answers(
    stem_conv_weights=9408.0,
    stem_conv_with_bias=torch.tensor(9472),
    linear_2048_1000=torch.tensor(2049000.0, dtype=torch.float64),
    mlp_784_392_196_10=functools.reduce(operator.add, (784 * 392, 392, 392 * 196, 196, 196 * 10, 10)),
    global_average_pooling=0.0,
    one_5x5_64=102_464,
    two_3x3_64=2 * conv2d_parameters(64, 64, [3, 3]),
    basic_block_256=1_180_672,
    bottleneck_block_256_64=70_400,
    resnet34=21_797_672,
    vgg16=138_357_544,
)
