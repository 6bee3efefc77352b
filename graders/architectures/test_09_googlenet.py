"""`GoogLeNet(in_channels=1, num_classes=10)`: nine Inception blocks in three stages."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    seeds,
    shape_of,
    slopes,
    stages_of,
    together,
    trainable,
    transposed,
    used_again,
)

from autograder.grading import exercise, points
from autograder.grading.strategies import normal
from autograder.probes import filled, outline, shapes_through

pytestmark = exercise("GoogLeNet")

SHAPE = (1, 1, 96, 96)
SIDE = 65  # the smallest for which the last maps have 3×3 pixels, as for 96
sides = st.integers(20, 40)


@points(1.25)
def test_number_of_parameters(same_outcome):
    """The number of parameters is right for one channel and ten classes, which are the defaults."""
    same_outcome(lambda m: {"number of parameters": trainable(m.GoogLeNet, SHAPE)})


@points(1)
def test_six_stages(same_outcome):
    """The attribute `net` has six stages."""
    same_outcome(lambda m: {"number of stages in net": len(stages_of(outline(m.GoogLeNet, SHAPE).net))})


@points(1.5)
def test_shapes_of_the_stages(same_outcome):
    """For 1×96×96 the stages return 64×24×24, 192×12×12, 480×6×6, 832×3×3, 1024 and 10 numbers."""
    shape = (2, *SHAPE[1:])
    same_outcome(lambda m: shapes_through(stages_of(outline(m.GoogLeNet, shape).net), shape))


@points(1.25)
@settings(max_examples=2)
@given(seed=seeds)
def test_values(same_outcome, seed):
    """With the same parameters the scores are those of GoogLeNet, in training and in evaluation mode."""
    x = images(2, 1, SIDE, SIDE, seed=seed)

    def probe(m):
        net = filled(m.GoogLeNet, x)
        return {"scores in evaluation mode": net.eval()(x), "scores in training mode": net.train()(x)}

    same_outcome(probe, tolerance=VALUES)


@points(1)
@settings(max_examples=2)
@given(height=sides, width=sides)
def test_other_sizes(same_outcome, height, width):
    """Images may have other sizes, and need not be square."""
    x = images(2, 1, height, width)
    same_outcome(lambda m: shape_of(m.GoogLeNet, x))


@points(1.25)
@settings(max_examples=2)
@given(channels=st.integers(2, 4), classes=st.sampled_from([1, 2, 12]))
def test_channels_and_classes(same_outcome, channels, classes):
    """Images may have any number of channels; there is one score per class, even for a single class."""
    x = images(2, channels, SIDE, SIDE)
    build = {"in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: shape_of(lambda: m.GoogLeNet(**build), x))


@points(0.5)
def test_batch_of_one_image(same_outcome):
    """A batch of one image gives scores of shape (1, 10)."""
    x = images(1, 1, SIDE, SIDE)
    same_outcome(lambda m: shape_of(m.GoogLeNet, x))


@points(1)
def test_gradients(same_outcome):
    """Gradients reach the images and all parameters, in both modes, and predict how the scores change."""
    x = images(2, 1, SIDE, SIDE)
    same_outcome(lambda m: slopes(m.GoogLeNet, x), tolerance=SLOPES)


@points(0.5)
def test_dtype(same_outcome):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(2, 1, SIDE, SIDE)
    same_outcome(lambda m: in_double(m.GoogLeNet, x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 1, SIDE, SIDE)
    same_outcome(lambda m: any_layout(m.GoogLeNet, x))


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x, larger = images(2, 1, SIDE, SIDE), images(3, 1, SIDE, 100)
    same_outcome(lambda m: used_again(m.GoogLeNet, x, larger))


@points(1)
def test_everything_together(same_outcome):
    """All at once: a transposed colour image that is not square, four classes, scores and exact gradients."""
    x = transposed(images(1, 3, 33, 40, dtype=float64))  # the smallest whose last maps have several pixels
    same_outcome(lambda m: together(lambda: m.GoogLeNet(3, 4), x), tolerance=TOGETHER)


@points(0.75)
def test_speed(forward_time):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    forward_time(
        lambda m: filled(m.GoogLeNet, torch.zeros(SHAPE)).eval(),
        normal(SHAPE),
        cpu=(4, 16),
        cuda=(4, 16),
        tolerance=VALUES,
    )
