"""`ModernBlock(in_channels, out_channels, stride=1, se_ratio=0.25)`: bottleneck, pre-activation, weighted channels."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    PRECISE,
    VALUES,
    after_training,
    copied,
    evaluated,
    few,
    float64,
    images,
    laid_out,
    learned,
    noise,
    single,
    some,
    trained,
    untouched,
)

from autograder.grading import exercise, points
from autograder.probes import parameter_count

pytestmark = exercise("ModernBlock")

# (in_channels, out_channels, stride): the four kinds of shortcut
kinds = st.sampled_from([(8, 8, 1), (8, 12, 1), (8, 8, 2), (8, 16, 2)])


def count_of(m, *args, **names):
    return {"number of parameters": parameter_count(lambda: m.ModernBlock(*args, **names), (2, args[0], 7, 7))}


@points(1.5)
@given(wide_in=st.sampled_from([4, 8, 12, 16]))
@few
def test_parameters(same_outcome, wide_in):
    """There are three convolutions, three batch norms, two 1×1 convolutions with bias, and what the shortcut needs."""
    for out, stride in ((wide_in, 1), (16 + wide_in, 1), (wide_in, 2)):
        same_outcome(lambda m, out=out, stride=stride: count_of(m, wide_in, out, stride))


@points(1)
def test_widths(same_outcome):
    """The middle has out_channels // 4 channels, the squeeze has max(1, int(out_channels · se_ratio))."""
    for wide_in, out, ratio in ((6, 10, 0.25), (8, 4, 0.1), (4, 16, 0.5), (5, 7, 0.5), (16, 6, 0.25), (4, 8, 1.0)):
        same_outcome(lambda m, args=(wide_in, out), ratio=ratio: count_of(m, *args, se_ratio=ratio))


@points(2)
@given(x=images(8))
@some
def test_identity(same_outcome, x):
    """With equal numbers of channels and stride 1 the input itself is added, and nothing comes after the sum."""
    same_outcome(lambda m: evaluated(lambda: m.ModernBlock(8, 8), x), tolerance=VALUES)


@points(1.5)
@given(x=images(6), out=st.sampled_from([4, 8, 12]))
@some
def test_other_channels(same_outcome, x, out):
    """If the numbers of channels differ, a 1×1 convolution of the input is added."""
    same_outcome(lambda m: evaluated(lambda: m.ModernBlock(6, out), x), tolerance=VALUES)


@points(1.5)
@given(x=images(8), out=st.sampled_from([8, 12]), stride=st.integers(2, 3))
@some
def test_stride(same_outcome, x, out, stride):
    """The 3×3 convolution takes the stride, and so does the shortcut."""
    same_outcome(lambda m: evaluated(lambda: m.ModernBlock(8, out, stride), x), tolerance=VALUES)


@points(1.5)
@given(x=images(8, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@some
def test_training(same_outcome, x, kind):
    """In training mode the statistics of the batch are used, and nothing is random."""
    same_outcome(lambda m: trained(lambda: m.ModernBlock(*kind), x), tolerance=PRECISE)


@points(1)
@given(x=images(8, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@few
def test_running_statistics(same_outcome, x, kind):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""
    same_outcome(lambda m: after_training(lambda: m.ModernBlock(*kind), x, x * 2 + 1), tolerance=PRECISE)


@points(1.5)
@given(x=images(8, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@few
def test_gradient(same_outcome, x, kind):
    """The gradients of the input and of the parameters are right, in both modes."""
    same_outcome(lambda m: learned(lambda: m.ModernBlock(*kind), x), tolerance=PRECISE)


@points(0.5)
@given(x=images(8))
@few
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    for same in laid_out(x):
        same_outcome(lambda m, x=same: evaluated(lambda: m.ModernBlock(8, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(8, dtype=float64))
@few
def test_dtype(same_outcome, x):
    """The result has four dimensions and the dtype of input and module, float32 or float64, at full precision."""
    for out in (4, 8):
        same_outcome(lambda m, out=out: evaluated(lambda: m.ModernBlock(8, out), x / 3), exact="dtype shape")
        same_outcome(lambda m, out=out: single(lambda: m.ModernBlock(8, out), x))


@points(0.5)
@given(x=images(8), kind=kinds)
@few
def test_input_is_not_modified(same_outcome, x, kind):
    """One module takes images of any size, one after another; the input and earlier results stay as they are."""
    same_outcome(lambda m: untouched(lambda: m.ModernBlock(*kind), x), tolerance=VALUES)


@points(0.5)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name and by position."""
    x = noise((2, 4, 7, 6))
    names = {"in_channels": 4, "out_channels": 8, "stride": 2, "se_ratio": 0.5}
    same_outcome(lambda m: evaluated(lambda: m.ModernBlock(**names), x), tolerance=VALUES)
    same_outcome(lambda m: evaluated(lambda: m.ModernBlock(4, 8, 2, 0.5), x), tolerance=VALUES)


@points(0.5)
@given(x=images(8), kind=kinds)
@few
def test_copies(same_outcome, x, kind):
    """Copies of the module behave as it does: a deep copy, and a new module that loads its state."""
    same_outcome(lambda m: copied(lambda: m.ModernBlock(*kind), x), tolerance=VALUES)
