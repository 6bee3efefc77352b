"""`GoogLeNet(in_channels=1, num_classes=10)`: nine Inception blocks in three stages."""

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
    seeds,
    shape_of,
    stages_of,
    trainable,
    used_again,
)

from autograder.grading import exercise, points
from autograder.grading.strategies import normal
from autograder.probes import filled, outline, shapes_through

pytestmark = exercise("GoogLeNet")

SHAPE = (1, 1, 96, 96)
sides = st.integers(20, 40)


@points(1.5)
def test_number_of_parameters(same_outcome):
    """The number of parameters is right, for one channel and ten classes (the defaults) and for others."""
    same_outcome(lambda m: {"number of parameters": trainable(m.GoogLeNet, SHAPE)})
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.GoogLeNet(3, 4), (1, 3, 96, 96))})


@points(1)
def test_six_stages(same_outcome):
    """The attribute `net` has six stages."""
    same_outcome(lambda m: {"number of stages in net": len(stages_of(outline(m.GoogLeNet, SHAPE).net))})


@points(2)
def test_shapes_of_the_stages(same_outcome):
    """For 1×96×96 the stages return 64×24×24, 192×12×12, 480×6×6, 832×3×3, 1024 and 10 numbers."""
    same_outcome(lambda m: shapes_through(stages_of(outline(m.GoogLeNet, SHAPE).net), SHAPE))


@points(2)
@settings(max_examples=2)
@given(seed=seeds, batch=st.integers(1, 2))
def test_values(same_outcome, seed, batch):
    """With the same parameters the scores are those of GoogLeNet, in training and in evaluation mode."""
    x = images(batch, 1, 33, 40, seed=seed)  # the smallest whose last maps have several pixels

    def probe(m):
        net = filled(m.GoogLeNet, x)
        return {"scores in evaluation mode": net.eval()(x), "scores in training mode": net.train()(x)}

    same_outcome(probe, tolerance=VALUES)


@points(1)
@settings(max_examples=2)
@given(height=sides, width=sides)
def test_other_sizes(same_outcome, height, width):
    """Images may have other sizes, and need not be square."""
    x = images(1, 1, height, width)
    same_outcome(lambda m: shape_of(m.GoogLeNet, x))


@points(1)
@settings(max_examples=2)
@given(channels=st.integers(2, 4), classes=st.sampled_from([1, 2, 12]))
def test_channels_and_classes(same_outcome, channels, classes):
    """Images may have any number of channels; there is one score per class, even for a single class."""
    x = images(1, channels, 32, 32)
    build = {"in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: shape_of(lambda: m.GoogLeNet(**build), x))


@points(1)
def test_gradients(same_outcome):
    """The gradients of the input and of all parameters are those of GoogLeNet, in both modes."""
    x = images(1, 1, 33, 40, dtype=float64)
    same_outcome(lambda m: learned(m.GoogLeNet, x), tolerance=EXACT)


@points(0.5)
def test_dtype(same_outcome):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(1, 1, 32, 32)
    same_outcome(lambda m: in_double(m.GoogLeNet, x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(1, 3, 32, 32)
    same_outcome(lambda m: any_layout(lambda: m.GoogLeNet(3), x))


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x, larger = images(1, 1, 32, 32), images(2, 1, 33, 40)
    same_outcome(lambda m: used_again(m.GoogLeNet, x, larger))


@points(1)
def test_speed(forward_time):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    forward_time(
        lambda m: filled(m.GoogLeNet, torch.zeros(SHAPE)).eval(),
        normal(SHAPE),
        cpu=(4, 16),
        cuda=(4, 16),
        tolerance=VALUES,
    )
