"""`Inception(in_channels, c1, c2, c3, c4)`: four branches side by side."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    counts_of,
    float64,
    images,
    in_double,
    of_other_sizes,
    seeds,
    shape_of,
    silent_if_rectified,
    slopes,
    together,
    trainable,
    transposed,
    used_again,
    without_negative_numbers,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import ON_ITS_DEVICE, on_meta_device, outline

pytestmark = exercise("Inception")

sides = st.integers(3, 7)
few = st.integers(2, 5)
# in_channels, c1, c2, c3, c4: in plain blocks all convolutions have as many channels
plain = st.tuples(few, few).map(lambda c: (c[0], c[1], (c[1], c[1]), (c[1], c[1]), c[1]))
# All numbers differ and none is 1, so a layer is known by the number of its outputs.
BLOCK = (9, 2, (3, 4), (5, 6), 7)
BRANCHES = {1: (2,), 2: (3, 4), 3: (5, 6), 4: (7,)}  # outputs of the convolutions in each branch of that block


def only(m, branch, x):
    """What the block returns for positive numbers, where no ReLU matters, if the other branches are silent."""
    model = without_negative_numbers(lambda: m.Inception(*BLOCK), x)
    with torch.no_grad():
        for parameter in model.parameters():
            outputs = next(extent for extent in parameter.shape if extent > 1)
            if outputs not in BRANCHES[branch]:
                parameter.zero_()
        return model(x)


def alone(m, branch, x):
    """What one branch of the block returns, in any place of the result."""
    y = only(m, branch, x)
    return {"sum over the channels": y.sum(1), "sum of their squares": (y**2).sum(1)}


class InAnyOrder(nn.Module):
    """A block whose result does not show the order of its branches."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        y = self.block(x)
        return torch.stack([y.sum(1), (y**2).sum(1)], 1)


@points(1.5)
@given(block=plain)
def test_number_of_parameters(same_outcome, block):
    """There are six convolutions of the right sizes, each with a bias."""
    shape = (1, block[0], 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.Inception(*block), shape)})


@points(0.5)
@given(block=plain, batch=st.integers(1, 3), height=sides, width=sides)
def test_shape(same_outcome, block, batch, height, width):
    """There are c1 + c2[1] + c3[1] + c4 channels, and height and width stay the same."""
    x = torch.zeros(batch, block[0], height, width)
    same_outcome(lambda m: shape_of(lambda: m.Inception(*block), x))


@points(1)
@settings(max_examples=4)
@given(seed=seeds, height=sides, width=sides)
def test_first_branch(same_outcome, seed, height, width):
    """One branch is a 1×1 convolution."""
    x = images(2, BLOCK[0], height, width, seed=seed).abs()
    same_outcome(lambda m: alone(m, 1, x), tolerance=VALUES)


@points(1)
@settings(max_examples=4)
@given(seed=seeds, height=sides, width=sides)
def test_second_branch(same_outcome, seed, height, width):
    """One branch is a 1×1 convolution and a 3×3 convolution."""
    x = images(2, BLOCK[0], height, width, seed=seed).abs()
    same_outcome(lambda m: alone(m, 2, x), tolerance=VALUES)


@points(1)
@settings(max_examples=4)
@given(seed=seeds, height=sides, width=sides)
def test_third_branch(same_outcome, seed, height, width):
    """One branch is a 1×1 convolution and a 5×5 convolution."""
    x = images(2, BLOCK[0], height, width, seed=seed).abs()
    same_outcome(lambda m: alone(m, 3, x), tolerance=VALUES)


@points(1)
@settings(max_examples=4)
@given(seed=seeds, height=sides, width=sides)
def test_fourth_branch(same_outcome, seed, height, width):
    """One branch is max pooling and a 1×1 convolution."""
    x = images(2, BLOCK[0], height, width, seed=seed).abs()
    same_outcome(lambda m: alone(m, 4, x), tolerance=VALUES)


@points(0.5)
@settings(max_examples=4)
@given(height=sides, width=sides)
def test_pooling_of_negative_numbers(same_outcome, height, width):
    """The border of a map does not count for the maximum: a map of equal negative numbers stays the same."""
    x = torch.full((2, BLOCK[0], height, width), -2.0)

    def probe(m):
        model = without_negative_numbers(lambda: m.Inception(*BLOCK), x)
        with torch.no_grad():
            for parameter in model.parameters():  # weights of -1 in the fourth branch; the others return constants
                extents = [extent for extent in parameter.shape if extent > 1]
                if len(extents) > 1:
                    parameter.fill_(-1.0 if extents == [BRANCHES[4][0], BLOCK[0]] else 0.0)
            y = model(x).sum(1)
        return {"largest difference between pixels": y.amax() - y.amin()}

    same_outcome(probe, tolerance=VALUES)


@points(1)
@given(block=plain)
def test_relu_after_every_convolution(same_outcome, block):
    """A ReLU follows every convolution, including the first one of a branch that has two."""
    x = images(1, block[0], 4, 4)
    same_outcome(lambda m: silent_if_rectified(lambda: m.Inception(*block), x))


@points(1.5)
@settings(max_examples=2)
@given(seed=seeds)
def test_order_of_the_branches(same_outcome, seed):
    """The channels of the branches follow each other in the order of the arguments: c1, c2, c3, c4."""
    x = images(2, BLOCK[0], 4, 4, seed=seed).abs()

    def probe(m):
        order = {}
        for branch in BRANCHES:
            channels = (only(m, branch, x).amax((0, 2, 3)) > 0).nonzero()
            order[f"branch {branch}"] = [int(channels.min()), int(channels.max())]
        return {"first and last channel of each branch": order}

    same_outcome(probe)


@points(0.75)
@given(numbers=st.permutations(range(1, 8)))
def test_numbers_of_channels(same_outcome, numbers):
    """All numbers of channels may differ: `c2[0]` and `c3[0]` are those of the 1×1 convolutions."""
    a, b, c, d, e, f, g = numbers
    x = images(2, a, 4, 4)
    build = {"in_channels": a, "c1": b, "c2": (c, d), "c3": (e, f), "c4": g}
    same_outcome(lambda m: counts_of(lambda: m.Inception(**build), x))


@points(0.75)
@settings(max_examples=2)
@given(block=plain, seed=seeds)
def test_gradients(same_outcome, block, seed):
    """Gradients reach the input through all branches, and all parameters, in both modes."""
    x = images(2, block[0], 4, 5, seed=seed)
    same_outcome(lambda m: slopes(lambda: InAnyOrder(m.Inception(*block)), x), tolerance=SLOPES)


@points(0.5)
@settings(max_examples=3)
@given(block=plain, seed=seeds)
def test_dtype(same_outcome, block, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(2, block[0], 4, 4, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.Inception(*block), x))


@points(0.5)
def test_device(same_outcome):
    """The result is on the input's device. (Here: "meta", which has no numbers and stands in for a GPU.)"""
    x = torch.ones(2, 3, 5, 4)

    def probe(m):
        block = outline(lambda: m.Inception(3, 2, (2, 2), (2, 2), 2), x.shape).to("meta")
        return {ON_ITS_DEVICE: on_meta_device(lambda: block(x.to("meta")))}

    same_outcome(probe)


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 5, 4)
    same_outcome(lambda m: any_layout(lambda: m.Inception(3, 2, (2, 2), (2, 2), 2), x))


@points(0.5)
@settings(max_examples=3)
@given(block=plain, seed=seeds)
def test_block_used_again(same_outcome, block, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, block[0], 4, 4, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.Inception(*block), x, *of_other_sizes(x)))


@points(1.5)
@settings(max_examples=3)
@given(numbers=st.permutations(range(1, 8)), seed=seeds, height=st.integers(1, 5))
def test_everything_together(same_outcome, numbers, seed, height):
    """All at once: numbers of both signs, small maps, any channels, results in evaluation, gradients in training."""
    a, b, c, d, e, f, g = numbers
    x = transposed(images(2, a, height, 3, seed=seed, dtype=float64))
    block = (a, b, (c, d), (e, f), g)
    same_outcome(lambda m: together(lambda: m.Inception(*block), x), tolerance=TOGETHER)
