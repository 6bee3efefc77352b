"""`AnyNet(arch, stem_channels, in_channels=3, num_classes=10)`: stem, stages of ResNeXt blocks, head."""

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
    of_other_sizes,
    result,
    seeds,
    shape_of,
    trainable,
    training_step,
    used_again,
)

from autograder.grading import exercise, expect, points

pytestmark = exercise("AnyNet")

# depth, num_channels, group_width, bot_mul of each stage; channels after the stem
designs = st.sampled_from(
    [
        (((1, 8, 4, 1),), 4),
        (((2, 6, 3, 1), (1, 10, 5, 0.5)), 4),
        (((1, 4, 2, 1), (3, 6, 2, 1)), 5),
        (((2, 8, 4, 0.5), (2, 12, 3, 0.5), (1, 8, 2, 1)), 8),
        (((2, 6, 6, 1), (2, 6, 2, 2)), 6),
    ]
)
sides = st.integers(16, 24)


@points(0.5)
def test_net(student):
    """The network is kept in the attribute `net`."""
    kept = student(lambda m: getattr(m.AnyNet([(1, 4, 2, 1)], 4), "net", None) is not None)
    expect(kept is True, "There is no attribute net.")


@points(0.25)
def test_argument_is_not_modified(same_outcome):
    """The list of stages is the same afterwards."""

    def probe(m):
        arch = [(2, 6, 3, 1), (1, 10, 5, 0.5)]
        m.AnyNet(arch, 4)
        return {"list `arch` after the call": arch}

    same_outcome(probe)


@points(1)
@given(design=designs)
def test_number_of_parameters(same_outcome, design):
    """The number of parameters is right for every design, for 3 channels and 10 classes (the defaults) and others."""
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.AnyNet(*design), (2, 3, 32, 32))})
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.AnyNet(*design, 1, 4), (2, 1, 32, 32))})


@points(1.5)
@settings(max_examples=8)
@given(design=designs, seed=seeds, batch=st.integers(1, 2), height=sides, width=sides)
def test_values(same_outcome, design, seed, batch, height, width):
    """With the same parameters and statistics the scores in evaluation mode are right."""
    x = images(batch, 3, height, width, seed=seed)
    same_outcome(lambda m: result(lambda: m.AnyNet(*design), x), tolerance=VALUES)


@points(0.25)
@settings(max_examples=5)
@given(design=designs, channels=st.sampled_from([1, 2, 4]), classes=st.sampled_from([1, 2, 12]))
def test_channels_and_classes(same_outcome, design, channels, classes):
    """Images may have any number of channels; there is one score per class; the arguments have these names."""
    x = images(2, channels, 16, 16)
    build = {"arch": design[0], "stem_channels": design[1], "in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: shape_of(lambda: m.AnyNet(**build), x), exact="shape")


@points(0.75)
@settings(max_examples=5)
@given(design=designs, seed=seeds)
def test_training(same_outcome, design, seed):
    """In training mode the batch norms use the statistics of the batch and update their running statistics."""
    x = images(4, 3, 24, 24, seed=seed, dtype=float64)
    same_outcome(lambda m: result(lambda: m.AnyNet(*design), x, training=True), tolerance=EXACT)
    same_outcome(lambda m: training_step(lambda: m.AnyNet(*design), x), tolerance=EXACT)


@points(0.75)
@settings(max_examples=3)
@given(design=designs, seed=seeds)
def test_gradients(same_outcome, design, seed):
    """The gradients of the input and of all parameters are right, in both modes."""
    x = images(3, 3, 24, 16, seed=seed, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.AnyNet(*design), x), tolerance=EXACT)


@points(0.5)
@settings(max_examples=2)
@given(design=designs, seed=seeds)
def test_dtype_and_memory_layout(same_outcome, design, seed):
    """The input may be float32 or float64, and transposed, cut out of a larger one, or with its channels last."""
    x = images(2, 3, 16, 20, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.AnyNet(*design), x))
    same_outcome(lambda m: any_layout(lambda: m.AnyNet(*design), x))


@points(0.5)
@settings(max_examples=2)
@given(design=designs, seed=seeds)
def test_network_used_again(same_outcome, design, seed):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x = images(1, 3, 16, 16, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.AnyNet(*design), x, *of_other_sizes(x)))
