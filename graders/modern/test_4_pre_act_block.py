"""`PreActBlock(in_channels, out_channels, stride=1)`: batch norm and ReLU before each convolution."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    PRECISE,
    SLOPES,
    VALUES,
    after_training,
    complete,
    dtypes,
    evaluated,
    few,
    float64,
    images,
    in_other_layouts,
    learned,
    left_alone,
    more_parameters,
    noise,
    passed_on,
    slopes,
    some,
    three,
    trained,
    two,
    used_for_others,
)

from autograder.grading import exercise, points
from autograder.probes import parameter_count

pytestmark = exercise("PreActBlock")

# (in_channels, out_channels, stride): the four kinds of shortcut
kinds = st.sampled_from([(3, 3, 1), (3, 5, 1), (3, 3, 2), (3, 4, 2)])


def branch(result, m, x, stride=1):
    """What the branch adds: the difference between the results of a block, and of one whose 3×3 convolutions give 0."""
    whole, shortcut = (result(lambda: m.PreActBlock(3, 3, stride), x, *silent) for silent in ((), ((3, 27),)))
    return whole - shortcut


@points(0.75)
@given(channels=st.integers(2, 6))
@few
def test_parameters(same_outcome, channels):
    """With equal numbers of channels and stride 1 there are two convolutions without bias and two batch norms."""
    same_outcome(
        lambda m: {
            "number of parameters": parameter_count(lambda: m.PreActBlock(channels, channels), (2, channels, 7, 7))
        }
    )


@points(0.75)
@given(channels=st.integers(2, 4), stride=st.integers(2, 3))
@few
def test_parameters_of_the_shortcut(same_outcome, channels, stride):
    """With a stride the shortcut has a 1×1 convolution without bias or batch norm; with stride 1 it has nothing."""

    def probe(m):
        one, other = (lambda s=s: m.PreActBlock(channels, channels, s) for s in (stride, 1))
        return {
            f"parameters more with stride {stride} than with stride 1": more_parameters((2, channels, 7, 7), one, other)
        }

    same_outcome(probe)


@points(2.25)
@given(x=images(3))
@some
def test_branch(same_outcome, x):
    """Batch norm, ReLU and convolution, twice: what is added to the shortcut is right (all biases 0)."""
    same_outcome(lambda m: branch(evaluated, m, x), tolerance=VALUES)


@points(1)
@given(x=images(3), stride=st.integers(2, 3))
@three
def test_stride_of_the_branch(same_outcome, x, stride):
    """The first 3×3 convolution takes the stride: what is added to the shortcut is right (all biases 0)."""
    same_outcome(lambda m: branch(evaluated, m, x, stride), tolerance=VALUES)


@points(0.75)
@given(x=images(3))
@three
def test_identity(same_outcome, x):
    """With equal numbers of channels and stride 1 the input itself is added: a block of zeros returns it."""
    same_outcome(lambda m: passed_on(lambda: m.PreActBlock(3, 3), x.abs(), 3), tolerance=VALUES)


@points(1)
@given(x=images(3), out=st.sampled_from([1, 2, 4, 5]))
@three
def test_other_channels(same_outcome, x, out):
    """If the numbers of channels differ, a 1×1 convolution of the raw input is added (all other layers 0)."""
    same_outcome(lambda m: passed_on(lambda: m.PreActBlock(3, out), x.abs(), out), tolerance=VALUES)


@points(0.75)
@given(x=images(3), out=st.sampled_from([3, 4]), stride=st.integers(2, 3))
@three
def test_stride_of_the_shortcut(same_outcome, x, out, stride):
    """With a stride, a 1×1 convolution of the raw input with the same stride is added (all other layers 0)."""
    same_outcome(lambda m: passed_on(lambda: m.PreActBlock(3, out, stride), x.abs(), out), tolerance=VALUES)


@points(0.75)
@given(x=images(3))
@three
def test_nothing_after_the_sum(same_outcome, x):
    """The sum is the result: a block of zeros returns negative numbers as they are."""
    same_outcome(lambda m: passed_on(lambda: m.PreActBlock(3, 3), -x.abs(), 3), tolerance=VALUES)


@points(1)
@given(x=images(3, sides=(4, 7), dtype=float64))
@three
def test_training(same_outcome, x):
    """In training mode the statistics of the batch are used: what is added to the shortcut is right (all biases 0)."""
    same_outcome(lambda m: branch(trained, m, x), tolerance=PRECISE)


@points(0.5)
@given(x=images(3, sides=(4, 7), dtype=float64), kind=kinds)
@few
def test_running_statistics(same_outcome, x, kind):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""
    same_outcome(lambda m: after_training(lambda: m.PreActBlock(*kind), x, x * 2 + 1), tolerance=PRECISE)


@points(1)
@given(x=images(3, sides=(4, 7), dtype=float64))
@two
def test_gradient(same_outcome, x):
    """The gradients are those of the result, for the input and the parameters, in both modes."""
    for out in (3, 4):
        same_outcome(lambda m, out=out: slopes(lambda: m.PreActBlock(3, out), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(3))
@three
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: in_other_layouts(lambda: m.PreActBlock(3, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3))
@three
def test_dtype(same_outcome, x):
    """The result has the dtype of input and module, float32 or float64, and in float64 all its digits."""
    for out in (3, 4):
        same_outcome(lambda m, out=out: dtypes(lambda: m.PreActBlock(3, out), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(3, batch=(1, 1)))
@three
def test_single_image(same_outcome, x):
    """The result for a batch of one image, or with a single channel, still has four dimensions."""
    for out in (1, 3):

        def probe(m, out=out):
            return {"shape of the result": list(evaluated(lambda: m.PreActBlock(3, out), x).shape)}

        same_outcome(probe)


@points(0.5)
@given(x=images(3))
@three
def test_input_and_earlier_results(same_outcome, x):
    """The input is not modified, and a result stays as it is when the block is called again."""
    same_outcome(lambda m: left_alone(lambda: m.PreActBlock(3, 3), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3))
@two
def test_block_used_again(same_outcome, x):
    """One block takes maps of any size, one after another, and remembers none; copies do what it does."""
    same_outcome(lambda m: used_for_others(lambda: m.PreActBlock(3, 4), x), tolerance=VALUES)


@points(0.25)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    names = {"in_channels": 4, "out_channels": 6, "stride": 1}

    def probe(m):
        return {"shape of the result": list(evaluated(lambda: m.PreActBlock(**names), noise((2, 4, 7, 6))).shape)}

    same_outcome(probe)


@points(1.25)
@given(x=images(3, sides=(4, 7), dtype=float64, square=False))
@two
def test_everything_together(same_outcome, x):
    """Blocks of all kinds, biases included, maps that are not square: results, statistics and gradients are right."""
    for args in ((3, 1), (5, 1), (3, 2), (4, 3)):
        same_outcome(lambda m, args=args: complete(lambda: m.PreActBlock(3, *args), x / 3))
    for args in ((3, 1), (4, 2)):
        same_outcome(lambda m, args=args: learned(lambda: m.PreActBlock(3, *args), x), tolerance=VALUES)
