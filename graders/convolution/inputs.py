"""Strategies for convolution: an input X together with a kernel K, and the few things that several graders share.

Tensors are stored row by row unless `layouts` is set. One check of each exercise sets it, so that a `.view` in the
wrong place costs one check and not all.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from autograder.grading import expect
from autograder.grading.strategies import tensors
from autograder.probes import weights

float32, float64 = torch.float32, torch.float64
Range = tuple[int, int]

# However a matrix product is written, PyTorch dispatches one of these.
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "matmul", "linear", "einsum", "tensordot")


@st.composite
def cases(
    draw,
    *,
    batch: Range | None = None,
    c_in: Range | None = None,
    c_out: Range | None = None,
    kernels: Range = (1, 3),
    sides: Range = (1, 6),
    values="signed",
    dtype=float32,
    layouts=False,
):
    """(X, K) where K fits; X is ([N,] [c_i,] H, W) and K is ([c_o,] [c_i,] h, w), for whichever ranges are given."""
    size = tuple(draw(st.integers(*kernels)) for _ in "hw")
    spatial = tuple(draw(st.integers(max(sides[0], k), max(sides[1], k))) for k in size)
    channels = (draw(st.integers(*c_in)),) if c_in else ()
    x_shape = (*((draw(st.integers(*batch)),) if batch else ()), *channels, *spatial)
    k_shape = (*((draw(st.integers(*c_out)),) if c_out else ()), *channels, *size)
    return tuple(draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)) for shape in (x_shape, k_shape))


def images(**options):
    """X (c_i, H, W) and K (c_i, h, w)."""
    return cases(**{"c_in": (1, 3), "sides": (1, 5)} | options)


def layers(**options):
    """X (c_i, H, W) and K (c_o, c_i, h, w)."""
    return cases(**{"c_in": (1, 3), "c_out": (1, 3), "sides": (1, 4)} | options)


def batches(**options):
    """X (N, c_i, H, W) and K (c_o, c_i, h, w)."""
    return cases(**{"batch": (1, 3), "c_in": (1, 3), "c_out": (1, 4), "sides": (1, 6)} | options)


@st.composite
def with_steps(draw, paddings, strides, *, batched=False, values="signed", dtype=float32, layouts=False):
    """(X, K, padding, stride) where K fits into X with its border; ints or pairs, as the strategies draw them."""
    padding, stride = draw(paddings), draw(strides)
    borders = padding if isinstance(padding, tuple) else (padding, padding)
    size = tuple(draw(st.integers(1, 3)) for _ in "hw")
    spatial = tuple(draw(st.integers(max(1, k - 2 * p), 6)) for k, p in zip(size, borders, strict=True))
    batch, c_in, c_out = (draw(st.integers(1, 3)) for _ in range(3)) if batched else (0, 0, 0)
    x_shape, k_shape = ((batch, c_in, *spatial), (c_out, c_in, *size)) if batched else (spatial, size)
    x, k = (draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)) for shape in (x_shape, k_shape))
    return x, k, padding, stride


@st.composite
def too_large_kernels(draw, x_leading: tuple[int, ...] = (), k_leading: tuple[int, ...] = (), padding=0):
    """(X, K) where the kernel is larger than the map (with a border of `padding`) in at least one direction.

    Often by a single row or column, because an empty result looks harmless there.
    """
    small = draw(st.integers(1, 4))
    exceeding = small + 2 * padding + draw(st.sampled_from([1, 1, 2]))
    other = draw(st.integers(1, 4))
    fitting = draw(st.integers(1, other + 2 * padding + draw(st.integers(0, 1))))
    sides = [(small, other), (exceeding, fitting)]
    spatial, size = (pair[::-1] for pair in sides) if draw(st.booleans()) else sides
    x, k = (draw(tensors(shape, layouts=False)) for shape in ((*x_leading, *spatial), (*k_leading, *size)))
    return x, k


@st.composite
def other_channels(draw, *, batch: Range | None = None, c_out: Range | None = None):
    """(X, K) with different numbers of input channels: one of them may be 1, and either may be the larger one."""
    have, want = draw(st.sampled_from([(3, 2), (2, 3), (1, 2), (2, 1), (1, 3), (3, 1), (4, 2), (2, 4)]))
    spatial, size = (draw(st.tuples(st.integers(2, 4), st.integers(2, 4))), draw(st.sampled_from([(1, 1), (2, 1)])))
    x_shape = (*((draw(st.integers(*batch)),) if batch else ()), have, *spatial)
    k_shape = (*((draw(st.integers(*c_out)),) if c_out else ()), want, *size)
    return draw(tensors(x_shape, layouts=False)), draw(tensors(k_shape, layouts=False))


def made(m, weight, bias=0.0):
    """A `Conv2D` with the dtype of `weight`, and with this weight and bias."""
    layer = m.Conv2D(tuple(weight.shape)).to(weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.fill_(bias)
    return layer


def gradients_of(layer, x):
    """The gradients of a weighted sum of the layer's results, None where no gradient arrives."""
    leaves = {"the input": x.clone().requires_grad_(), "the weight": layer.weight, "the bias": layer.bias}
    y = layer(leaves["the input"])
    reached = [name for name, leaf in leaves.items() if leaf.requires_grad and y.requires_grad]
    found = torch.autograd.grad((y * weights(y)).sum(), [leaves[name] for name in reached], allow_unused=True)
    gradients = dict(zip(reached, found, strict=True))
    return {f"gradient of {name}": gradients.get(name) for name in leaves}


def expect_one_product(counts: dict[str, int]) -> None:
    """Exactly one matrix multiplication among the operators that were dispatched."""
    seen = {name: count for name, count in counts.items() if name in PRODUCTS}
    if not seen:
        used = ", ".join(name for name, _ in sorted(counts.items(), key=lambda item: -item[1])[:6]) or "none"
        message = f"No matrix multiplication was seen. (PyTorch's operators were: {used}.)"
        expect(False, message, hint="Which dimension is summed over? A matrix product sums over it by itself.")
    listed = " and ".join(f"{count} × {name}" for name, count in seen.items())
    hint = "Do you multiply inside a loop? Arrange the numbers in two matrices first."
    expect(sum(seen.values()) == 1, f"One matrix multiplication should do it all, but there were: {listed}.", hint=hint)


# --- used in probes --------------------------------------------------------------------------------------------------

OTHER_MAP = torch.arange(8.0 * 9).remainder(11).reshape(8, 9)  # for a layer that has seen a smaller one before
