"""`GlobalAveragePooling(keepdim=False)`: one mean per channel."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, energy, float32, float64, images, thirds

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("GlobalAveragePooling")


def plain_images(dtype=float32, layouts=False):
    """Some images of several channels, with maps of 7×7 as at the end of most networks for 224×224 pixels."""
    shape = shapes((2, 3), (2, 3), (7, 7), (7, 7))
    return tensors(shape, values="non-negative", dtype=dtype, layouts=layouts)


@points(1)
@given(x=plain_images(), training=st.booleans())
def test_one_mean_per_channel(same_outcome, x, training):
    """(N, C, H, W) becomes (N, C), in training and in evaluation mode."""
    same_outcome(lambda m: m.GlobalAveragePooling().train(training)(x))


@points(1)
@given(x=tensors(shapes((2, 3), (2, 3), (2, 6), (2, 6)), values="non-negative", layouts=False))
def test_other_sizes(same_outcome, x):
    """The maps may have any size, and H ≠ W."""
    same_outcome(lambda m: m.GlobalAveragePooling()(x))


@points(1)
@settings(max_examples=15)
@given(x=plain_images())
def test_keepdim(same_outcome, x):
    """With keepdim=True the result is (N, C, 1, 1), without it is (N, C)."""
    same_outcome(lambda m: m.GlobalAveragePooling(keepdim=True)(x).shape)
    same_outcome(lambda m: m.GlobalAveragePooling(False)(x).shape)


@points(1)
@settings(max_examples=10)
@given(x=tensors(st.sampled_from([(1, 1, 7, 7), (1, 3, 7, 7), (2, 1, 7, 7)]), values="non-negative", layouts=False))
def test_extents_of_one(same_outcome, x):
    """Batches of one sample and images of one channel keep their rank."""
    same_outcome(lambda m: [m.GlobalAveragePooling()(x).shape, m.GlobalAveragePooling(True)(x).shape])


@points(1)
@settings(max_examples=10)
@given(x=plain_images())
def test_nothing_to_learn(same_outcome, x):
    """The layer is a module without parameters or buffers."""

    def probe(m):
        layer = m.GlobalAveragePooling()
        layer(x)
        return {"number of parameters": len(list(layer.parameters())), "number of buffers": len(list(layer.buffers()))}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=12)
@given(x=plain_images(dtype=float64), number=thirds)
def test_dtype(same_outcome, x, number):
    """The result has the input's dtype and device; with float64 it has that precision."""
    single, constant = x.float(), torch.full_like(x, number)
    same_outcome(
        lambda m: {f"dtype with keepdim={keep}": m.GlobalAveragePooling(keep)(x).dtype for keep in (False, True)}
    )
    same_outcome(
        lambda m: {f"dtype with keepdim={keep}": m.GlobalAveragePooling(keep)(single).dtype for keep in (False, True)}
    )
    same_outcome(lambda m: {"first number": m.GlobalAveragePooling()(constant).flatten()[0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(m.GlobalAveragePooling(), x))


@points(0.5)
@settings(max_examples=15)
@given(x=plain_images(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: m.GlobalAveragePooling()(x))


@points(0.5)
@settings(max_examples=16)
@given(x=plain_images(), keepdim=st.booleans(), training=st.booleans())
def test_gradient(same_outcome, x, keepdim, training):
    """The gradient reaches every pixel, in training and in evaluation mode."""
    same_outcome(lambda m: {"gradient": gradients(energy(m.GlobalAveragePooling(keepdim).train(training)), x + 1)[0]})


@points(0.5)
@settings(max_examples=15)
@given(x=plain_images())
def test_argument_is_not_modified(same_outcome, x):
    """The call modifies neither its argument nor an earlier result, and a used layer takes images of any size."""

    def probe(m):
        again = used_again(m.GlobalAveragePooling, x, OTHER_IMAGES)
        return {"input after the call": x, **again}

    same_outcome(probe)


@points(1)
@given(x=images(layouts=True, sides=(1, 10)), keepdim=st.booleans())
def test_everything_together(same_outcome, x, keepdim):
    """Images of any number, size, sign and memory layout, one pixel included."""
    same_outcome(lambda m: m.GlobalAveragePooling(keepdim)(x), exact="shape")
