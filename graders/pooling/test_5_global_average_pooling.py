"""`GlobalAveragePooling(keepdim=False)`: one mean per channel."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, float64, images

from autograder.grading import exercise, points
from autograder.grading.strategies import tensors
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("GlobalAveragePooling")


@points(1.5)
@given(x=images(), training=st.booleans())
def test_one_mean_per_channel(same_outcome, x, training):
    """(N, C, H, W) becomes (N, C), even when H ≠ W, in training and in evaluation mode."""
    same_outcome(lambda m: m.GlobalAveragePooling().train(training)(x), exact="shape")


@points(1)
@given(x=images(sides=(1, 10)))
def test_keepdim(same_outcome, x):
    """With keepdim=True the result is (N, C, 1, 1)."""
    same_outcome(lambda m: m.GlobalAveragePooling(keepdim=True)(x), exact="shape")
    same_outcome(lambda m: m.GlobalAveragePooling(False)(x), exact="shape")


@points(1)
@given(
    x=tensors(st.sampled_from([(1, 1, 1, 1), (1, 3, 2, 2), (2, 1, 3, 2), (2, 3, 1, 4), (2, 2, 5, 1)]), layouts=False)
)
def test_extents_of_one(same_outcome, x):
    """Batches of one sample, images of one channel, one row or one column keep their rank."""
    same_outcome(lambda m: [m.GlobalAveragePooling()(x), m.GlobalAveragePooling(True)(x)], exact="shape")


@points(1)
@given(x=images())
def test_nothing_to_learn(same_outcome, x):
    """The layer is a module without parameters or buffers."""

    def probe(m):
        layer = m.GlobalAveragePooling()
        layer(x)
        return {"number of parameters": len(list(layer.parameters())), "number of buffers": len(list(layer.buffers()))}

    same_outcome(probe)


@points(1)
@given(x=images(dtype=float64))
def test_dtype(same_outcome, x):
    """The result has the input's dtype and device; with float64 it has that precision."""
    same_outcome(lambda m: [m.GlobalAveragePooling()(x / 3), m.GlobalAveragePooling(True)(x / 3)], exact="dtype")
    same_outcome(
        lambda m: [m.GlobalAveragePooling()(x.float()), m.GlobalAveragePooling(True)(x.float())], exact="dtype"
    )
    same_outcome(lambda m: stays_on_device(m.GlobalAveragePooling(), x))


@points(0.5)
@given(x=images(layouts=True, sides=(2, 6)))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: m.GlobalAveragePooling()(x))


@points(1)
@given(x=images(), keepdim=st.booleans(), training=st.booleans())
def test_gradient(same_outcome, x, keepdim, training):
    """The gradient reaches every pixel, in training and in evaluation mode."""
    same_outcome(lambda m: {"gradient": gradients(m.GlobalAveragePooling(keepdim).train(training), x)[0]})


@points(1)
@given(x=images())
def test_argument_is_not_modified(same_outcome, x):
    """The call modifies neither its argument nor an earlier result, and a used layer takes images of any size."""

    def probe(m):
        again = used_again(m.GlobalAveragePooling, x, OTHER_IMAGES)
        return {"input after the call": x, **again}

    same_outcome(probe)
