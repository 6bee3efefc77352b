"""`Inception(in_channels, c1, c2, c3, c4)`: four branches side by side."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    learned,
    modes,
    of_other_sizes,
    result,
    seeds,
    trainable,
    used_again,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import ON_ITS_DEVICE, filled, on_meta_device, outline

pytestmark = exercise("Inception")

few, sides = st.integers(1, 5), st.integers(1, 7)
pairs = st.tuples(few, few)
# in_channels, c1, c2, c3, c4; in the first one all numbers differ, so that no layer can be mistaken for another
blocks = st.one_of(
    st.permutations(range(1, 8)).map(lambda c: (c[0], c[1], (c[2], c[3]), (c[4], c[5]), c[6])),
    st.tuples(few, few, pairs, pairs, few),
)


class InAnyOrder(nn.Module):
    """A block whose result does not show the order of its branches."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        y = self.block(x)
        return y.sum(1) + (y**2).sum(1)


@points(1.5)
@given(block=blocks)
def test_number_of_parameters(same_outcome, block):
    """There are six convolutions of the right sizes, each with a bias."""
    shape = (1, block[0], 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.Inception(*block), shape)})


@points(1.5)
@given(block=blocks, batch=st.integers(1, 3), height=sides, width=sides)
def test_shape(same_outcome, block, batch, height, width):
    """There are c1 + c2[1] + c3[1] + c4 channels, and height and width stay the same."""
    x = torch.zeros(batch, block[0], height, width)
    same_outcome(lambda m: {"shape": list(result(lambda: m.Inception(*block), x).shape)})


@points(3)
@given(block=blocks, seed=seeds, height=sides, width=sides, training=modes)
def test_values_in_any_order(same_outcome, block, seed, height, width, training):
    """With the same parameters the four branches compute the right channels, in any order, in both modes."""
    x = images(2, block[0], height, width, seed=seed)

    def probe(m):
        y = result(lambda: m.Inception(*block), x, training)
        return {"sum of the channels": y.sum(1), "sum of the squares": (y**2).sum(1), "maximum": y.amax(1)}

    same_outcome(probe, tolerance=VALUES)


@points(1.5)
@given(block=blocks, seed=seeds, height=sides, width=sides)
def test_relu_after_every_convolution(same_outcome, block, seed, height, width):
    """A ReLU follows every convolution, including the first one of a branch that has two."""
    x = -1 - images(1, block[0], height, width, seed=seed).abs()  # negative, and all weights and biases are positive

    def probe(m):
        model = filled(lambda: m.Inception(*block), x)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.abs_()
        return model(x).sum(1)

    same_outcome(probe, tolerance=VALUES)


@points(2)
@given(block=blocks, seed=seeds)
def test_order_of_the_branches(same_outcome, block, seed):
    """The channels of the branches follow each other in the order of the arguments: c1, c2, c3, c4."""
    x = images(2, block[0], 4, 5, seed=seed)
    same_outcome(lambda m: result(lambda: m.Inception(*block), x), tolerance=VALUES)
    named = dict(zip(("c1", "c2", "c3", "c4"), block[1:], strict=True))
    same_outcome(lambda m: result(lambda: m.Inception(in_channels=block[0], **named), x), tolerance=VALUES)


@points(2.5)
@settings(max_examples=4)
@given(block=blocks, seed=seeds)
def test_gradients(same_outcome, block, seed):
    """In both modes the gradients of all parameters are right, and that of the input: the sum over the branches."""
    x = images(2, block[0], 4, 5, seed=seed, dtype=float64)
    same_outcome(lambda m: learned(lambda: InAnyOrder(m.Inception(*block)), x), tolerance=EXACT)


@points(0.5)
@settings(max_examples=3)
@given(block=blocks, seed=seeds)
def test_dtype(same_outcome, block, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(1, block[0], 4, 4, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.Inception(*block), x))


@points(0.5)
def test_device(same_outcome):
    """The result is on the input's device. (Here: "meta", which has no numbers and stands in for a GPU.)"""
    x = torch.ones(2, 3, 5, 4)

    def probe(m):
        block = outline(lambda: m.Inception(3, 1, (2, 4), (5, 6), 7), x.shape).to("meta")
        return {ON_ITS_DEVICE: on_meta_device(lambda: block(x.to("meta")))}

    same_outcome(probe)


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 5, 4)
    same_outcome(lambda m: any_layout(lambda: m.Inception(3, 1, (2, 4), (5, 6), 7), x))


@points(0.5)
@settings(max_examples=3)
@given(block=blocks, seed=seeds)
def test_block_used_again(same_outcome, block, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, block[0], 4, 4, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.Inception(*block), x, *of_other_sizes(x)))
