"""`SqueezeExcitation(channels, squeezed)`: x · sigmoid(W2 relu(W1 gap(x)))."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    VALUES,
    apart,
    complete,
    dtypes,
    evaluated,
    float64,
    images,
    in_other_layouts,
    layers,
    learned,
    left_alone,
    noise,
    result_of,
    slopes,
    some,
    three,
    two,
    used_for_others,
    vectors,
)

from autograder.grading import exercise, points
from autograder.probes import ON_ITS_DEVICE, filled, on_meta_device

pytestmark = exercise("SqueezeExcitation")

# Four channels and two squeezed ones, where nothing else is asked for: two is also half of four.
square = images(4, sides=(4, 4), batch=(1, 1))


@points(0.75)
def test_biases(same_outcome):
    """Both 1×1 convolutions have a bias."""
    for channels, squeezed in ((4, 2), (5, 2), (10, 3)):
        shape = (2, channels, 3, 3)

        def probe(m, channels=channels, squeezed=squeezed, shape=shape):
            return vectors(lambda: m.SqueezeExcitation(channels, squeezed), shape, channels, squeezed)

        same_outcome(probe)


@points(0.75)
@given(channels=st.sampled_from([3, 6, 8, 9]), squeezed=st.sampled_from([1, 2, 5, 10]))
@some
def test_width(same_outcome, channels, squeezed):
    """There are `squeezed` channels between the convolutions, which may also be one, or more than the input has."""
    wanted = (squeezed, channels), (channels, squeezed)
    same_outcome(lambda m: layers(lambda: m.SqueezeExcitation(channels, squeezed), (2, channels, 3, 3), *wanted))


@points(3)
@given(x=square)
@some
def test_values(same_outcome, x):
    """Every channel of a square image is multiplied by a number of its own (all biases 0)."""
    same_outcome(lambda m: evaluated(lambda: m.SqueezeExcitation(4, 2), x), tolerance=VALUES)


@points(1)
@given(x=images(4, sides=(4, 4), batch=(2, 4)))
@three
def test_batch(same_outcome, x):
    """Every image of a batch has weights of its own: the results are those for the images one by one."""

    def probe(m):
        gate = filled(lambda: m.SqueezeExcitation(4, 2), x).eval()
        alone = torch.cat([result_of(gate, image) for image in x.split(1)])
        return {"difference between the results for a batch and for single images": apart(result_of(gate, x), alone)}

    same_outcome(probe, tolerance=VALUES)


@points(0.75)
@given(x=images(4, sides=(6, 6), batch=(1, 1)))
@three
def test_images_that_are_not_square(same_outcome, x):
    """The same pixels in an image of another form get the same result."""

    def probe(m):
        gate = filled(lambda: m.SqueezeExcitation(4, 2), x).eval()
        with torch.no_grad():
            result = result_of(gate, x)
            others = [result_of(gate, x.reshape(1, 4, height, 36 // height)) for height in (1, 2, 9, 36)]
        return {
            "differences from the result for a square image": [
                apart(one.flatten(2), result.flatten(2)) for one in others
            ]
        }

    same_outcome(probe, tolerance=VALUES)


@points(0.5)
@given(seed=st.integers(0, 2**16))
@two
def test_extents_of_one(same_outcome, seed):
    """One image, one channel, one pixel or one squeezed channel is enough, and the shape is kept."""
    for shape, squeezed in (((1, 3, 4, 4), 2), ((2, 1, 3, 3), 2), ((2, 4, 1, 1), 2), ((2, 4, 2, 2), 1), ((1,) * 4, 1)):
        x = noise(shape, seed)

        def probe(m, x=x, squeezed=squeezed):
            return {"shape of the result": list(evaluated(lambda: m.SqueezeExcitation(x.shape[1], squeezed), x).shape)}

        same_outcome(probe)


@points(0.5)
@given(x=images(4, sides=(4, 4), batch=(1, 1)))
@three
def test_training(same_outcome, x):
    """In training mode the result is the same as in evaluation mode, and nothing is random."""

    def probe(m):
        gate = filled(lambda: m.SqueezeExcitation(4, 2), x)
        with torch.no_grad():
            in_training = gate(x.clone()).clone()
            return {"difference between the results in the two modes": apart(in_training, gate.eval()(x.clone()))}

    same_outcome(probe, tolerance=VALUES)


@points(0.5)
@given(x=square)
@three
def test_large_numbers(same_outcome, x):
    """Large inputs open or close a channel completely; no result is NaN."""

    def probe(m):
        result = evaluated(lambda: m.SqueezeExcitation(4, 2), x * 10000)
        return {"number of results that are NaN": int(result.isnan().sum())}

    same_outcome(probe)


@points(1)
@given(x=images(4, sides=(4, 4), batch=(3, 3), dtype=float64))
@two
def test_gradient(same_outcome, x):
    """The gradient reaches the input directly and through the weights of the channels, in both modes."""
    same_outcome(lambda m: slopes(lambda: m.SqueezeExcitation(4, 2), x, of=("input",)), tolerance=SLOPES)


@points(0.5)
@given(x=images(4, sides=(4, 4), batch=(3, 3), dtype=float64))
@two
def test_gradients_of_the_parameters(same_outcome, x):
    """Both convolutions learn: the gradients of their weights and biases are those of the result, in both modes."""
    same_outcome(lambda m: slopes(lambda: m.SqueezeExcitation(4, 2), x, of=("parameters",)), tolerance=SLOPES)


@points(0.25)
@given(x=square)
@three
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: in_other_layouts(lambda: m.SqueezeExcitation(4, 2), x), tolerance=VALUES)


@points(0.5)
@given(x=square)
@three
def test_dtype(same_outcome, x):
    """The result has the dtype of input and module, float32 or float64, and in float64 all its digits."""
    same_outcome(lambda m: dtypes(lambda: m.SqueezeExcitation(4, 2), x), tolerance=SLOPES)


@points(0.25)
@given(x=square)
@three
def test_input_and_earlier_results(same_outcome, x):
    """The input is not modified, and a result stays as it is when the module is called again."""
    same_outcome(lambda m: left_alone(lambda: m.SqueezeExcitation(4, 2), x), tolerance=VALUES)


@points(0.25)
@given(x=images(4, sides=(4, 4)))
@two
def test_module_used_again(same_outcome, x):
    """One module takes images of any size, one after another, and remembers none; copies do what it does."""
    same_outcome(lambda m: used_for_others(lambda: m.SqueezeExcitation(4, 2), x), tolerance=VALUES)


@points(0.25)
def test_device(same_outcome):
    """The result is on the input's device. (Here: "meta", which has no numbers and stands in for a GPU.)"""
    x = noise((2, 4, 3, 3))

    def probe(m):
        gate = filled(lambda: m.SqueezeExcitation(4, 2), x).eval().to("meta")
        return {ON_ITS_DEVICE: on_meta_device(lambda: gate(x.to("meta")))}

    same_outcome(probe)


@points(0.25)
def test_names_of_the_arguments(same_outcome):
    """Both arguments can be given by name."""
    x = noise((2, 4, 4, 4))

    def probe(m):
        return {"shape of the result": list(evaluated(lambda: m.SqueezeExcitation(channels=4, squeezed=2), x).shape)}

    same_outcome(probe)


@points(1)
@given(seed=st.integers(0, 2**16))
@two
def test_everything_together(same_outcome, seed):
    """Batches of any form with any number of squeezed channels: results and gradients are right, biases included."""
    for shape, squeezed in (((3, 5, 4, 7), 3), ((2, 3, 6, 2), 4), ((1, 4, 1, 5), 1)):
        x = noise(shape, seed, float64)
        same_outcome(lambda m, x=x, wide=squeezed: complete(lambda: m.SqueezeExcitation(x.shape[1], wide), x / 3))
    x = noise((3, 5, 4, 7), seed, float64)
    same_outcome(lambda m: learned(lambda: m.SqueezeExcitation(5, 3), x), tolerance=VALUES)
