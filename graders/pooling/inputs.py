"""Strategies for pooling: feature maps, batches of images, and windows that fit them.

Tensors are stored row by row unless `layouts` is set. One check of each exercise sets it, so that a `.view` in the
wrong place costs one check and not all.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from autograder.grading.strategies import shapes, tensors

float32, float64 = torch.float32, torch.float64


def feature_maps(values="signed", dtype=float32, smallest=1, layouts=False):
    """(H, W), more often oblong than square."""
    return tensors(shapes((smallest, 7), (smallest, 7)), values=values, dtype=dtype, layouts=layouts)


@st.composite
def padded_cases(draw, values="signed", dtype=float32, paddings=(0, 2), layouts=False):
    """(map, kernel_size, strides, padding) where the window fits and padding ≤ kernel_size // 2."""
    padding = draw(st.integers(*paddings))
    kernel = draw(st.integers(max(1, 2 * padding), 4))
    smallest = max(1, kernel - 2 * padding)
    shape = draw(shapes((smallest, 7), (smallest, 7)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), kernel, draw(st.integers(1, 4)), padding


@st.composite
def oblong_cases(draw, values="signed", dtype=float32, layouts=False):
    """(map, (p_h, p_w)) where the window fits."""
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = draw(shapes((window[0], 6), (window[1], 6)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), window


@st.composite
def strided_cases(draw, leading=((1, 3),), values="signed", dtype=float32, kernels=(1, 4), layouts=False):
    """(input, kernel_size, stride) where the window fits; `leading` are the ranges of the extents before (H, W)."""
    kernel = draw(st.integers(*kernels))
    shape = draw(shapes(*leading, (kernel, 7), (kernel, 7)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), kernel, draw(st.integers(1, 4))


def image_cases(**options):
    """(batch, kernel_size, stride) where batch is (N, C, H, W)."""
    return strided_cases(leading=((1, 2), (1, 3)), **options)


def images(values="signed", dtype=float32, channels=(1, 4), sides=(1, 6), layouts=False):
    """(N, C, H, W), including extents of 1 and oblong maps."""
    return tensors(shapes((1, 3), channels, sides, sides), values=values, dtype=dtype, layouts=layouts)


@st.composite
def too_large_windows(draw, leading=((1, 2), (1, 3))):
    """(input, kernel_size) where the window is larger than the map in at least one direction."""
    kernel = draw(st.integers(2, 5))
    short, other = draw(st.integers(1, kernel - 1)), draw(st.integers(1, 6))
    sides = draw(st.sampled_from([(short, other), (other, short)]))
    shape = (*draw(shapes(*leading)), *sides) if leading else sides
    return draw(tensors(shape, values="non-negative", layouts=False)), kernel


# --- used in probes --------------------------------------------------------------------------------------------------

UNCHANGED = 'answer to "is the result of an earlier call still the same?"'
AS_NEW = 'answer to "does a used layer give the same result as a new one?"'
ON_ITS_DEVICE = 'answer to "is the result on the device of the input?"'

# Images unlike any that a strategy makes, for a layer that has seen another one before: more samples, other sides.
OTHER_IMAGES = torch.arange(3 * 4 * 8 * 9, dtype=float64).remainder(11).reshape(3, 4, 8, 9) / 3


def alike(one, other):
    """Whether two results are the same apart from rounding; what is not a tensor is judged by other checks."""
    if not (isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)):
        return True
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    precision = 1e-10 if one.dtype == torch.float64 else 1e-5
    return torch.allclose(one, other, rtol=precision, atol=precision, equal_nan=True)


def after_another_call(call, x, other):
    """Whether the result of `call(x)` is the same after `call(other)`, for an input of the same shape."""
    earlier = call(x)
    before = earlier.detach().clone() if isinstance(earlier, torch.Tensor) else earlier
    call(other)
    return {UNCHANGED: alike(earlier, before)}


def used_again(build, x, other):
    """Whether the result for `x` outlasts the next call, and whether the layer then treats `other` as a new one does.

    The shape and dtype of `other` may differ from those of `x`.
    """
    layer = build()
    outlasts = after_another_call(layer, x, x + 1)
    return {**outlasts, AS_NEW: alike(layer(other), build()(other))}


def stays_on_device(call, *inputs):
    """Whether the result would be on the device of the inputs if that were not the CPU.

    What the code makes without naming a device would be on the CPU. So the result must not be such a tensor, and none
    may be combined with one that comes from the inputs; an index and a number without dimensions may be anywhere.
    Code that asks for a device or moves tensors is not judged: what it would do elsewhere does not show here.
    """
    makers = {"zeros", "ones", "empty", "full", "rand", "randn", "randint", "eye", "arange", "linspace", "tensor"}
    arithmetic = {"add", "radd", "sub", "rsub", "mul", "rmul", "div", "rdiv", "maximum", "minimum", "where"}
    combining = arithmetic | {"cat", "stack", "matmul", "mm", "bmm", "einsum", "le", "lt", "ge", "gt"}
    elsewhere, findings = [], {"mixed": False, "minds devices": False}

    def tensors_of(values):
        for value in values:
            if isinstance(value, torch.Tensor):
                yield value
            elif isinstance(value, tuple | list):
                yield from tensors_of(value)

    def is_elsewhere(tensor):
        return any(tensor is made for made in elsewhere)

    def watch(_mode, function, _types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "").strip("_")
        attribute = getattr(getattr(function, "__self__", None), "__name__", "")
        moved = name == "to" and any(isinstance(value, torch.Tensor | torch.device | str) for value in args[1:])
        asked = name in ("type", "get_device") or attribute in ("device", "is_cuda", "is_cpu")
        if moved or asked or name in ("type_as", "cuda", "cpu"):
            findings["minds devices"] = True
        places = [is_elsewhere(tensor) for tensor in tensors_of(args) if tensor.dim()]
        if name in combining and len(set(places)) > 1:
            findings["mixed"] = True
        made = name in makers and (kwargs or {}).get("device") is None
        for tensor in tensors_of([result]):
            if tensor.dim() and (made or (places and all(places))) and not is_elsewhere(tensor):
                elsewhere.append(tensor)
        return result

    with type("Watch", (TorchFunctionMode,), {"__torch_function__": watch})():
        result = call(*inputs)
    wrong = findings["mixed"] or is_elsewhere(result)
    return {ON_ITS_DEVICE: findings["minds devices"] or not wrong}
