"""`SqueezeExcitation(channels, squeezed)`: x · sigmoid(W2 relu(W1 gap(x)))."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    PRECISE,
    VALUES,
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
from autograder.probes import ON_ITS_DEVICE, filled, on_meta_device, parameter_count

pytestmark = exercise("SqueezeExcitation")


@points(1)
@given(channels=st.integers(1, 9), squeezed=st.integers(1, 5))
@few
def test_parameters(same_outcome, channels, squeezed):
    """Two 1×1 convolutions are all there is to learn, and both have a bias."""
    shape = (2, channels, 3, 3)
    same_outcome(
        lambda m: {"number of parameters": parameter_count(lambda: m.SqueezeExcitation(channels, squeezed), shape)}
    )


@points(2.5)
@given(x=images(4), squeezed=st.integers(1, 3))
@some
def test_values(same_outcome, x, squeezed):
    """Every channel of every image is multiplied by a number of its own, computed from the whole image."""
    same_outcome(lambda m: evaluated(lambda: m.SqueezeExcitation(4, squeezed), x), tolerance=VALUES)


@points(1)
@given(x=images(3), squeezed=st.integers(1, 4))
@few
def test_training(same_outcome, x, squeezed):
    """In training mode the result is the same as in evaluation mode."""
    same_outcome(lambda m: trained(lambda: m.SqueezeExcitation(3, squeezed), x), tolerance=VALUES)


@points(1.5)
@given(seed=st.integers(0, 2**16))
@few
def test_extents_of_one(same_outcome, seed):
    """One image, one channel, one row, one column or one squeezed channel is enough, and the shape is kept."""
    for shape, squeezed in (((1, 3, 4, 5), 2), ((2, 1, 3, 4), 2), ((2, 4, 1, 5), 1), ((1, 3, 4, 1), 1), ((1,) * 4, 1)):
        x = noise(shape, seed)
        same_outcome(
            lambda m, x=x, squeezed=squeezed: evaluated(lambda: m.SqueezeExcitation(x.shape[1], squeezed), x),
            tolerance=VALUES,
        )


@points(0.5)
@given(x=images(3), squeezed=st.integers(3, 8))
@few
def test_as_wide_inside(same_outcome, x, squeezed):
    """There may be as many squeezed channels as input channels, or more."""
    same_outcome(lambda m: evaluated(lambda: m.SqueezeExcitation(3, squeezed), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3))
@few
def test_large_numbers(same_outcome, x):
    """Large inputs open or close a channel completely; no result is NaN."""
    same_outcome(lambda m: evaluated(lambda: m.SqueezeExcitation(3, 2), x * 1000), tolerance=VALUES)


@points(1.5)
@given(x=images(4, dtype=float64), squeezed=st.integers(1, 3))
@few
def test_gradient(same_outcome, x, squeezed):
    """The gradient reaches the input directly and through the weights of the channels, in both modes."""

    def probe(m):
        found = learned(lambda: m.SqueezeExcitation(4, squeezed), x)
        return {
            f"gradient of the input {mode}": gradients["gradient of the input"] for mode, gradients in found.items()
        }

    same_outcome(probe, tolerance=PRECISE)


@points(1)
@given(x=images(4, dtype=float64), squeezed=st.integers(1, 3))
@few
def test_gradients_of_the_parameters(same_outcome, x, squeezed):
    """Both convolutions learn: the gradients of their weights and biases are right, in both modes."""

    def probe(m):
        found = learned(lambda: m.SqueezeExcitation(4, squeezed), x)
        for gradients in found.values():
            del gradients["gradient of the input"]
        return found

    same_outcome(probe, tolerance=PRECISE)


@points(0.5)
@given(x=images(3))
@few
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    for same in laid_out(x):
        same_outcome(lambda m, x=same: evaluated(lambda: m.SqueezeExcitation(3, 2), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3, dtype=float64))
@few
def test_dtype(same_outcome, x):
    """The result has four dimensions and the dtype of input and module, float32 or float64, at full precision."""
    same_outcome(lambda m: evaluated(lambda: m.SqueezeExcitation(3, 2), x / 3), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.SqueezeExcitation(3, 2), x))


@points(0.5)
@given(x=images(3))
@few
def test_input_is_not_modified(same_outcome, x):
    """One module takes images of any size, one after another; the input and earlier results stay as they are."""
    same_outcome(lambda m: untouched(lambda: m.SqueezeExcitation(3, 2), x), tolerance=VALUES)


@points(0.5)
def test_device(same_outcome):
    """The result is on the input's device. (Here: "meta", which has no numbers and stands in for a GPU.)"""
    x = noise((2, 4, 3, 5))

    def probe(m):
        gate = filled(lambda: m.SqueezeExcitation(4, 2), x).eval().to("meta")
        return {ON_ITS_DEVICE: on_meta_device(lambda: gate(x.to("meta")))}

    same_outcome(probe)


@points(0.5)
def test_copies_and_names(same_outcome):
    """The arguments can be given by name, and copies of the module behave as it does."""
    x = noise((2, 4, 6, 7))
    same_outcome(lambda m: copied(lambda: m.SqueezeExcitation(channels=4, squeezed=2), x), tolerance=VALUES)
