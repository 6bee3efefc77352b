"""`AnyNet(arch, stem_channels, in_channels=3, num_classes=10)`: stem, stages of ResNeXt blocks, head."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    of_other_sizes,
    result,
    seeds,
    shape_of,
    slopes,
    together,
    trainable,
    transposed,
    used_again,
)

from autograder.grading import exercise, expect, points
from autograder.probes import filled, statistics

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
plain = st.sampled_from(  # every stage is a single block
    [(((1, 8, 4, 1),), 4), (((1, 6, 3, 1), (1, 10, 5, 1)), 4), (((1, 4, 2, 1), (1, 6, 3, 1), (1, 8, 2, 0.5)), 5)]
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


@points(0.5)
@given(design=plain)
def test_number_of_parameters(same_outcome, design):
    """With one block per stage, the number of parameters is right for 3 channels and 10 classes, the defaults."""
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.AnyNet(*design), (2, 3, 32, 32))})


@points(0.75)
@given(depth=st.integers(1, 3), setting=st.sampled_from([(6, 3, 1), (10, 5, 0.5), (8, 2, 1)]))
def test_deeper_stages(same_outcome, depth, setting):
    """Every further block of a stage is another one, and has no convolution on its shortcut."""

    def probe(m):
        numbers = [
            trainable(lambda blocks=blocks: m.AnyNet([(blocks, *setting)], 4), (2, 3, 32, 32))
            for blocks in (depth, depth + 1)
        ]
        return {"number of parameters added by one more block": numbers[1] - numbers[0]}

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(design=plain, seed=seeds, height=sides, width=sides)
def test_values(same_outcome, design, seed, height, width):
    """With one block per stage and the same parameters and statistics the scores in evaluation mode are right."""
    x = images(2, 3, height, width, seed=seed)
    same_outcome(lambda m: result(lambda: m.AnyNet(*design), x), tolerance=VALUES)


@points(0.5)
@settings(max_examples=4)
@given(design=plain, channels=st.sampled_from([1, 2, 4]), classes=st.sampled_from([1, 2, 12]))
def test_channels_and_classes(same_outcome, design, channels, classes):
    """Images may have any number of channels; there is one score per class; the arguments have these names."""
    x = images(2, channels, 16, 16)
    build = {"arch": design[0], "stem_channels": design[1], "in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: shape_of(lambda: m.AnyNet(**build), x), exact="shape")


@points(0.25)
@settings(max_examples=2)
@given(design=plain)
def test_batch_of_one_image(same_outcome, design):
    """A batch of one image gives scores of shape (1, 10)."""
    x = images(1, 3, 16, 16)
    same_outcome(lambda m: shape_of(lambda: m.AnyNet(*design), x), exact="shape")


@points(0.25)
@settings(max_examples=3)
@given(design=plain, seed=seeds)
def test_statistics(same_outcome, design, seed):
    """A pass in training mode updates the running statistics of every batch norm."""
    x = images(4, 3, 24, 24, seed=seed, dtype=float64)

    def probe(m):
        model = filled(lambda: m.AnyNet(*design), x)
        model(x)
        return statistics(model)

    same_outcome(probe, tolerance=EXACT)


@points(0.5)
@settings(max_examples=1)
@given(design=plain, seed=seeds)
def test_gradients(same_outcome, design, seed):
    """Gradients reach the images and all parameters, in both modes, and predict how the scores change."""
    x = images(3, 3, 24, 16, seed=seed)
    same_outcome(lambda m: slopes(lambda: m.AnyNet(*design), x), tolerance=SLOPES)


@points(0.25)
@settings(max_examples=2)
@given(design=plain, seed=seeds)
def test_dtype(same_outcome, design, seed):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(2, 3, 16, 20, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.AnyNet(*design), x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 16, 20)
    same_outcome(lambda m: any_layout(lambda: m.AnyNet([(1, 4, 2, 1)], 4), x))


@points(0.25)
@settings(max_examples=2)
@given(design=plain, seed=seeds)
def test_network_used_again(same_outcome, design, seed):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x = images(2, 3, 16, 16, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.AnyNet(*design), x, *of_other_sizes(x)))


@points(0.75)
@settings(max_examples=3)
@given(design=designs, seed=seeds)
def test_everything_together(same_outcome, design, seed):
    """All at once: any design, other channels and classes, scores in evaluation mode, gradients in training mode."""
    x = transposed(images(3, 2, 24, 18, seed=seed, dtype=float64))
    same_outcome(lambda m: together(lambda: m.AnyNet(*design, 2, 4), x), tolerance=TOGETHER)
