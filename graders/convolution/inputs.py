"""Strategies for convolution: an input X together with a kernel K, and the few things that several graders share.

Each check has one subject, and its inputs avoid those of the others: maps are square, kernels smaller than the map,
and tensors stored row by row, unless the check is about the opposite. What is not about values (gradients, precision,
memory) is judged by the submission's own results, which are linear in X and in K whether or not they are right.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from autograder.grading import expect, expect_tensor
from autograder.grading.strategies import tensors
from autograder.probes import gradients, stays_on_device, weights

float32 = torch.float32
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
):
    """(X, K) where K fits; X is ([N,] [c_i,] H, W) and K is ([c_o,] [c_i,] h, w), for whichever ranges are given."""
    size = tuple(draw(st.integers(*kernels)) for _ in "hw")
    spatial = tuple(draw(st.integers(max(sides[0], k), max(sides[1], k))) for k in size)
    leading = [draw(st.integers(*extent)) if extent else None for extent in (batch, c_in, c_out)]
    return draw(_filled(leading, spatial, size, values))


@st.composite
def squares(
    draw,
    *,
    batch: Range | None = None,
    c_in: Range | None = None,
    c_out: Range | None = None,
    kernels: Range = (2, 3),
    more: Range = (1, 2),
):
    """(X, K), both square, where X has `more` rows and columns than K."""
    size = draw(st.integers(*kernels))
    side = size + draw(st.integers(*more))
    leading = [draw(st.integers(*extent)) if extent else None for extent in (batch, c_in, c_out)]
    return draw(_filled(leading, (side, side), (size, size)))


@st.composite
def as_large(draw, *, batch: Range | None = None, c_in: Range | None = None, c_out: Range | None = None, border=0):
    """(X, K) where K is as tall or as wide as X with its border, or both."""
    size = draw(st.tuples(*[st.integers(1 + 2 * border, 3 + border)] * 2))
    more = draw(st.sampled_from([(0, 0), (0, 1), (2, 0), (0, 2), (1, 0)]))
    leading = [draw(st.integers(*extent)) if extent else None for extent in (batch, c_in, c_out)]
    return draw(_filled(leading, tuple(k + extra - 2 * border for k, extra in zip(size, more, strict=True)), size))


def _filled(leading, spatial, size, values="signed"):
    """(X, K) of these sizes; `leading` are N, c_i and c_o, None for those that there are not."""
    batch, c_in, c_out = ((extent,) if extent else () for extent in leading)
    shapes = (*batch, *c_in, *spatial), (*c_out, *c_in, *size)
    return st.tuples(*(tensors(shape, values=values, layouts=False) for shape in shapes))


@st.composite
def with_steps(draw, paddings, strides, *, batched=False, values="signed"):
    """(X, K, padding, stride) where K fits into X with its border; ints or pairs, as the strategies draw them."""
    padding, stride = draw(paddings), draw(strides)
    borders = padding if isinstance(padding, tuple) else (padding, padding)
    size = tuple(draw(st.integers(1, 3)) for _ in "hw")
    spatial = tuple(draw(st.integers(max(1, k - 2 * p), 6)) for k, p in zip(size, borders, strict=True))
    leading = [draw(st.integers(1, 3)) for _ in range(3)] if batched else [None] * 3
    return (*draw(_filled(leading, spatial, size, values)), padding, stride)


@st.composite
def with_plain_steps(draw, paddings, strides, *, batched=False, small_kernel=False, left_over=False):
    """As `with_steps`, with a square map and kernel where ints are drawn. The last window ends at the edge, unless rows
    are `left_over`. Unless it is a `small_kernel`, no step is longer than it and no border wider than half of it.
    """
    padding, stride = draw(paddings), draw(strides)
    borders, steps = (pair if isinstance(pair, tuple) else (pair, pair) for pair in (padding, stride))
    least = max(2, *(2 * border for border in borders), *steps)
    size = draw(st.integers(1, 2) if small_kernel else st.integers(least, least + 1))
    # Enough for the kernel to fit into the map without its border.
    places = draw(st.integers(1, 2)) + max(-(-2 * p // s) for p, s in zip(borders, steps, strict=True))
    spatial = []
    for border, step in zip(borders, steps, strict=True):
        rest = draw(st.integers(1, step - 1)) if left_over and step > 1 else 0
        spatial.append(size + places * step + rest - 2 * border)
    leading = [2, draw(st.integers(2, 3)), draw(st.integers(2, 3))] if batched else [None] * 3
    return (*draw(_filled(leading, tuple(spatial), (size, size))), padding, stride)


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


# --- aspects that are judged by the submission's own results, whatever their values ----------------------------------

# X and K of an aspect: nothing special about them, and as many channels out as in.
MAPS = (5, 5), (2, 2)
IMAGES = (2, 4, 4), (2, 2, 2)
LAYERS = (2, 4, 4), (2, 2, 2, 2)
MIXTURES = (2, 4, 4), (2, 2, 1, 1)
BATCHES = (2, 2, 5, 5), (2, 2, 2, 2)


def numbers(shape, seed=0):
    """Multiples of 0.5, none of them zero."""
    drawn = torch.randint(1, 8, shape, generator=torch.Generator().manual_seed(seed))
    return drawn * torch.tensor([0.5, -0.5])[drawn % 2]


def expect_gradient(student, call, shapes, name):
    """The gradient for X or K agrees with the change of the results of `call(m, X, K)` along one direction.

    The other one of the two is doubled for the results, so that no gradient agrees with a result that ignores it.
    """
    moved = ("X", "K").index(name)
    inputs = [numbers(shape, seed) for seed, shape in enumerate(shapes)]
    step = numbers(shapes[moved], seed=2)

    def at(m, point, others):
        arguments = [factor.clone() for factor in others]
        arguments[moved] = point
        return call(m, *arguments)

    def probe(m):
        doubled = [2 * factor for factor in inputs]
        results = [at(m, inputs[moved] + times * step, doubled) for times in (0, 1)]
        return [gradients(lambda point: at(m, point, inputs), inputs[moved])[0], *results]

    gradient, before, after = expect_answers(student(probe), 3)
    expect(gradient is not None, f"No gradient reaches {name}.")
    gradient, after = expect_tensor(gradient, inputs[moved]), expect_tensor(after, before)
    slope, rise = (gradient * step).sum(), ((after - before) * weights(before)).sum() / 2
    text = f"When {name} changes along one direction, your results change by {rise:.4g}; its gradient says {slope:.4g}."
    expect(rise.abs() > 1e-3 and (slope - rise).abs() <= 1e-3 * rise.abs(), text)


def expect_dtype(same_outcome, student, call, shapes):
    """The result of `call(m, X, K)` has the dtype and the device of X and K, and in float64 that precision."""
    x, k = (numbers(shape, seed) for seed, shape in enumerate(shapes))
    same_outcome(lambda m: {"dtype for float32": call(m, x, k).dtype})
    same_outcome(lambda m: {"dtype for float64": call(m, x.double(), k.double()).dtype})
    same_outcome(lambda m: stays_on_device(lambda x, k: call(m, x, k), x, k))
    short, long = expect_answers(student(lambda m: [call(m, x, k), call(m, x.double() / 3, k.double() / 7)]))
    long = expect_tensor(long, short.double(), exact="dtype")
    text = "The result does not have the precision of float64. Is there a float32 tensor along the way?"
    expect(((21 * long - short).abs() <= 1e-9 * short.abs().max()).all(), text)


def expect_any_layout(same_outcome, student, call, shapes):
    """`call(m, X, K)` gives the same for the same numbers in another memory layout.

    All of them are doubled there, since a result that ignores X or K is the same in any layout.
    """
    x, k = (numbers(shape, seed) for seed, shape in enumerate(shapes))
    views = [(layout(2 * x), layout(2 * k)) for layout in (_turned, _cut_out, _last_first)]
    for view in views:  # asked first, because a student then sees which call raises an exception
        same_outcome(lambda m, view=view: {"result is a tensor": isinstance(call(m, *view), torch.Tensor)})
    rows, *others = expect_answers(student(lambda m: [call(m, x, k), *(call(m, *view) for view in views)]), 4)
    for (of_x, of_k), other in zip(views, others, strict=True):
        text = f"With strides {of_x.stride()} of X and {of_k.stride()} of K the result is another one."
        hint = "A tensor may be transposed or cut out of a larger one. Where do you rely on its place in memory?"
        expect(_agree(expect_tensor(other, rows), 4 * rows), text, hint=hint)


def expect_another_call(student, call, shapes):
    """`call(m, X, K)` neither remembers an earlier call nor changes its result."""
    x, k = (numbers(shape, seed) for seed, shape in enumerate(shapes))

    def probe(m):
        first = call(m, x, k)
        kept = first.detach().clone() if isinstance(first, torch.Tensor) else first
        return [kept, first, call(m, 2 * x, 2 * k)]

    kept, first, later = expect_answers(student(probe), 3)
    text = "A second call with X and K twice as large {}."
    expect(_agree(expect_tensor(first, kept), kept), text.format("has changed the result of the first one"))
    text = text.format("does not give four times the result of the first one")
    expect(_agree(expect_tensor(later, kept), 4 * kept), text, hint="Does something outlast a call?")


def expect_answers(answers, count=2):
    """The answers of a probe. The second one must be a result from which something can be seen; what the others must be
    depends on it (see `expect_tensor`)."""
    expect(isinstance(answers, list) and len(answers) == count, "Your code did not return its results.")
    result = answers[1]
    expect(isinstance(result, torch.Tensor), "Your function did not return a tensor.")
    dense = result.layout is torch.strided and not result.is_meta
    expect(dense and result.is_floating_point(), "The result is not an ordinary tensor of floats.")
    expect(result.any(), "No number in the result is different from 0.")
    return answers


def _agree(one, other):
    return ((one - other).abs() <= 1e-4 * other.abs().max()).all()


def _turned(tensor):
    return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)


def _cut_out(tensor):
    wide = torch.zeros(*tensor.shape[:-1], 2 * tensor.shape[-1] + 1)
    return wide[..., 1::2].copy_(tensor)


def _last_first(tensor):
    """The first two dimensions lie innermost, like the channels of an image that was read from a file."""
    inner = tensor.movedim((0, 1), (-2, -1)).contiguous()
    return inner.movedim((-2, -1), (0, 1))


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
