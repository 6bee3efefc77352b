"""`PreActBlock(in_channels, out_channels, stride=1)`: batch norm and ReLU before each convolution."""

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

pytestmark = exercise("PreActBlock")

# (in_channels, out_channels, stride): the four kinds of shortcut
kinds = st.sampled_from([(3, 3, 1), (3, 5, 1), (3, 3, 2), (3, 4, 2)])


def count_of(m, *args):
    return {"number of parameters": parameter_count(lambda: m.PreActBlock(*args), (2, args[0], 7, 7))}


@points(1)
@given(channels=st.integers(1, 6))
@few
def test_parameters(same_outcome, channels):
    """With equal numbers of channels and stride 1 there are two convolutions without bias and two batch norms."""
    same_outcome(lambda m: count_of(m, channels, channels))


@points(1)
@given(wide_in=st.integers(1, 4))
@few
def test_parameters_of_the_shortcut(same_outcome, wide_in):
    """The shortcut has a 1×1 convolution where it needs one, without bias and without batch norm."""
    for out, stride in ((wide_in + 2, 1), (wide_in, 2), (wide_in, 3), (wide_in + 1, 2)):
        same_outcome(lambda m, out=out, stride=stride: count_of(m, wide_in, out, stride))


@points(2)
@given(x=images(3))
@some
def test_identity(same_outcome, x):
    """With equal numbers of channels and stride 1 the input itself is added, and nothing comes after the sum."""
    same_outcome(lambda m: evaluated(lambda: m.PreActBlock(3, 3), x), tolerance=VALUES)


@points(2)
@given(x=images(3), out=st.sampled_from([1, 2, 4, 5]))
@some
def test_other_channels(same_outcome, x, out):
    """If the numbers of channels differ, a 1×1 convolution of the input is added."""
    same_outcome(lambda m: evaluated(lambda: m.PreActBlock(3, out), x), tolerance=VALUES)


@points(2)
@given(x=images(3), out=st.sampled_from([3, 4]), stride=st.integers(2, 3))
@some
def test_stride(same_outcome, x, out, stride):
    """The first 3×3 convolution takes the stride, and so does the shortcut."""
    same_outcome(lambda m: evaluated(lambda: m.PreActBlock(3, out, stride), x), tolerance=VALUES)


@points(1.5)
@given(x=images(3, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@some
def test_training(same_outcome, x, kind):
    """In training mode the statistics of the batch are used."""
    same_outcome(lambda m: trained(lambda: m.PreActBlock(*kind), x), tolerance=PRECISE)


@points(1)
@given(x=images(3, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@few
def test_running_statistics(same_outcome, x, kind):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""
    same_outcome(lambda m: after_training(lambda: m.PreActBlock(*kind), x, x * 2 + 1), tolerance=PRECISE)


@points(1)
@given(x=images(3, sides=((4, 7), (4, 7)), dtype=float64), kind=kinds)
@few
def test_gradient(same_outcome, x, kind):
    """The gradients of the input and of the parameters are right, in both modes."""
    same_outcome(lambda m: learned(lambda: m.PreActBlock(*kind), x), tolerance=PRECISE)


@points(0.5)
@given(x=images(3))
@few
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    for same in laid_out(x):
        same_outcome(lambda m, x=same: evaluated(lambda: m.PreActBlock(3, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3, dtype=float64))
@few
def test_dtype(same_outcome, x):
    """The result has four dimensions and the dtype of input and module, float32 or float64, at full precision."""
    for out in (3, 4):
        same_outcome(lambda m, out=out: evaluated(lambda: m.PreActBlock(3, out), x / 3), exact="dtype shape")
        same_outcome(lambda m, out=out: single(lambda: m.PreActBlock(3, out), x))


@points(0.5)
@given(x=images(3), kind=kinds)
@few
def test_input_is_not_modified(same_outcome, x, kind):
    """One module takes images of any size, one after another; the input and earlier results stay as they are."""
    same_outcome(lambda m: untouched(lambda: m.PreActBlock(*kind), x), tolerance=VALUES, exact="shape")


@points(0.5)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    names = {"in_channels": 4, "out_channels": 6, "stride": 2}
    same_outcome(lambda m: evaluated(lambda: m.PreActBlock(**names), noise((2, 4, 7, 6))), tolerance=VALUES)


@points(0.5)
@given(x=images(3), kind=kinds)
@few
def test_copies(same_outcome, x, kind):
    """Copies of the module behave as it does: a deep copy, and a new module that loads its state."""
    same_outcome(lambda m: copied(lambda: m.PreActBlock(*kind), x), tolerance=VALUES)
