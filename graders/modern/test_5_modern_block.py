"""`ModernBlock(in_channels, out_channels, stride=1, se_ratio=0.25)`: bottleneck, pre-activation, weighted channels."""

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
    layers,
    learned,
    left_alone,
    more_parameters,
    noise,
    passed_on,
    repeated,
    slopes,
    three,
    trained,
    two,
    used_for_others,
)

from autograder.grading import exercise, points
from autograder.probes import parameter_count

pytestmark = exercise("ModernBlock")

# Shapes of weights in blocks with eight output channels. Where the squeeze's are 0, all channels have weight 1/2.
LAST, SQUEEZE = (8, 2), [(2, 8)]


def branch(result, m, x, stride=1, silent=()):
    """What the branch adds: the difference between the results of a block and of one whose last convolution gives 0."""

    def build():
        return m.ModernBlock(8, 8, stride)

    return result(build, x, *silent) - result(build, x, LAST, *silent)


@points(0.75)
@given(channels=st.sampled_from([8, 12, 16]))
@few
def test_parameters(same_outcome, channels):
    """There are three convolutions, three batch norms, and two 1×1 convolutions with bias."""
    shape = (2, channels, 7, 7)
    same_outcome(lambda m: {"number of parameters": parameter_count(lambda: m.ModernBlock(channels, channels), shape)})


@points(0.5)
@given(channels=st.sampled_from([8, 12, 16]), stride=st.integers(2, 3))
@few
def test_parameters_of_the_shortcut(same_outcome, channels, stride):
    """With a stride the shortcut has a 1×1 convolution without bias or batch norm; with stride 1 it has nothing."""

    def probe(m):
        one, other = (lambda s=s: m.ModernBlock(channels, channels, s) for s in (stride, 1))
        return {
            f"parameters more with stride {stride} than with stride 1": more_parameters((2, channels, 7, 7), one, other)
        }

    same_outcome(probe)


@points(0.5)
def test_width_of_the_middle(same_outcome):
    """The middle has out_channels // 4 channels."""
    for wide_in, out in ((6, 13), (16, 11), (5, 30)):
        width = out // 4
        wanted = (width, wide_in), (width, 9 * width)
        same_outcome(lambda m, a=(wide_in, out), w=wanted: layers(lambda: m.ModernBlock(*a), (2, a[0], 7, 7), *w))


@points(0.5)
def test_width_of_the_squeeze(same_outcome):
    """The squeeze has max(1, int(out_channels · se_ratio)) channels."""
    for wide_in, out, ratio in ((8, 4, 0.1), (4, 16, 0.5), (5, 7, 0.5), (16, 6, 0.25)):

        def probe(m, wide_in=wide_in, out=out, ratio=ratio):
            one, other = (lambda r=r: m.ModernBlock(wide_in, out, 1, r) for r in (1.0, ratio))
            more = more_parameters((2, wide_in, 7, 7), one, other)
            return {f"channels that the squeeze has more with se_ratio=1 than with {ratio}": more // (2 * out)}

        same_outcome(probe)


@points(1.75)
@given(x=images(8))
@few
def test_branch(same_outcome, x):
    """What is added to the shortcut is right: batch norm, ReLU, convolution, three times (biases 0, weights 1/2)."""
    same_outcome(lambda m: branch(evaluated, m, x, silent=SQUEEZE), tolerance=VALUES)


@points(1)
@given(x=images(8))
@few
def test_squeeze_and_excitation(same_outcome, x):
    """The channels of the branch are weighted at its end (all biases 0)."""
    same_outcome(lambda m: branch(evaluated, m, x), tolerance=VALUES)


@points(0.75)
@given(x=images(8), stride=st.integers(2, 3))
@three
def test_stride_of_the_branch(same_outcome, x, stride):
    """The 3×3 convolution takes the stride: what is added to the shortcut is right (biases 0, weights 1/2)."""
    same_outcome(lambda m: branch(evaluated, m, x, stride, SQUEEZE), tolerance=VALUES)


@points(0.5)
@given(x=images(8))
@three
def test_identity(same_outcome, x):
    """With equal numbers of channels and stride 1 the input itself is added: a block of zeros returns it."""
    same_outcome(lambda m: passed_on(lambda: m.ModernBlock(8, 8), x.abs(), 8), tolerance=VALUES)


@points(0.75)
@given(x=images(9), out=st.sampled_from([8, 12]))
@three
def test_other_channels(same_outcome, x, out):
    """If the numbers of channels differ, a 1×1 convolution of the raw input is added (all other layers 0)."""
    same_outcome(lambda m: passed_on(lambda: m.ModernBlock(9, out), x.abs(), out), tolerance=VALUES)


@points(0.75)
@given(x=images(8), out=st.sampled_from([8, 12]), stride=st.integers(2, 3))
@three
def test_stride_of_the_shortcut(same_outcome, x, out, stride):
    """With a stride, a 1×1 convolution of the raw input with the same stride is added (all other layers 0)."""
    same_outcome(lambda m: passed_on(lambda: m.ModernBlock(8, out, stride), x.abs(), out), tolerance=VALUES)


@points(0.5)
@given(x=images(8))
@three
def test_nothing_after_the_sum(same_outcome, x):
    """The sum is the result: a block of zeros returns negative numbers as they are."""
    same_outcome(lambda m: passed_on(lambda: m.ModernBlock(8, 8), -x.abs(), 8), tolerance=VALUES)


@points(0.75)
@given(x=images(8, sides=(4, 7), dtype=float64))
@three
def test_training(same_outcome, x):
    """In training mode the statistics of the batch are used: what is added is right (biases 0, weights 1/2)."""
    same_outcome(lambda m: branch(trained, m, x, silent=SQUEEZE), tolerance=PRECISE)


@points(0.5)
@given(x=images(8))
@few
def test_nothing_is_random(same_outcome, x):
    """The same block gives the same result for the same input, in training mode and in evaluation mode."""
    same_outcome(lambda m: repeated(lambda: m.ModernBlock(8, 8), x), tolerance=VALUES)


@points(0.25)
@given(x=images(9, sides=(4, 7), dtype=float64), stride=st.integers(1, 2))
@few
def test_running_statistics(same_outcome, x, stride):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""
    same_outcome(lambda m: after_training(lambda: m.ModernBlock(9, 8, stride), x, x * 2 + 1), tolerance=PRECISE)


@points(1)
@given(x=images(8, sides=(4, 7), dtype=float64))
@two
def test_gradient(same_outcome, x):
    """The gradients are those of the result, for the input and the parameters, in both modes."""
    for out in (8, 12):
        same_outcome(lambda m, out=out: slopes(lambda: m.ModernBlock(8, out), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(8))
@three
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: in_other_layouts(lambda: m.ModernBlock(8, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(8))
@three
def test_dtype(same_outcome, x):
    """The result has the dtype of input and module, float32 or float64, and in float64 all its digits."""
    for out in (4, 8):
        same_outcome(lambda m, out=out: dtypes(lambda: m.ModernBlock(8, out), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(8, batch=(1, 1)))
@three
def test_single_image(same_outcome, x):
    """The result for a batch of one image still has four dimensions."""
    for out in (8, 12):

        def probe(m, out=out):
            return {"shape of the result": list(evaluated(lambda: m.ModernBlock(8, out), x).shape)}

        same_outcome(probe)


@points(0.25)
@given(x=images(8))
@three
def test_input_and_earlier_results(same_outcome, x):
    """The input is not modified, and a result stays as it is when the block is called again."""
    same_outcome(lambda m: left_alone(lambda: m.ModernBlock(8, 8), x), tolerance=VALUES)


@points(0.5)
@given(x=images(8))
@two
def test_block_used_again(same_outcome, x):
    """One block takes maps of any size, one after another, and remembers none; copies do what it does."""
    same_outcome(lambda m: used_for_others(lambda: m.ModernBlock(8, 12), x), tolerance=VALUES)


@points(0.25)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name and by position."""
    x = noise((2, 4, 7, 6))
    names = {"in_channels": 4, "out_channels": 8, "stride": 1, "se_ratio": 0.25}
    for build in (lambda m: m.ModernBlock(**names), lambda m: m.ModernBlock(4, 8, 1, 0.25)):

        def probe(m, build=build):
            return {"shape of the result": list(evaluated(lambda: build(m), x).shape)}

        same_outcome(probe)


@points(1.25)
@given(x=images(8, sides=(4, 7), dtype=float64, square=False))
@two
def test_everything_together(same_outcome, x):
    """Blocks of all kinds, biases included, maps that are not square: results, statistics and gradients are right."""
    for args in ((8, 1, 0.5), (12, 1, 0.25), (8, 2, 0.1), (20, 3, 0.3)):
        same_outcome(lambda m, args=args: complete(lambda: m.ModernBlock(8, *args), x / 3))
    for args in ((8, 1, 0.5), (20, 2, 0.3)):
        same_outcome(lambda m, args=args: learned(lambda: m.ModernBlock(8, *args), x), tolerance=VALUES)
