"""`ResidualBlock(in_channels, out_channels, stride=1)`: two convolutions and a shortcut of its own."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    NETWORK,
    batches,
    dtypes,
    images,
    inputs_afterwards,
    keeps_its_state,
    other_channels,
    same_in_any_layout,
    serves_every_call,
)

from autograder.grading import exercise, points
from autograder.probes import filled, gradients, parameter_count, parameter_gradients, statistics

pytestmark = exercise("ResidualBlock")

strides = st.integers(1, 3)


def channels_of(x, more):
    """(in_channels, out_channels) for an input; out_channels is larger by `more`, but at least 1."""
    return x.shape[1], max(1, x.shape[1] + more)


@points(1.5)
@given(x=images(), more=st.integers(-2, 3), stride=strides)
def test_shape(same_outcome, x, more, stride):
    """The result has out_channels channels and 1/stride of the size, rounded up, even if H ≠ W."""
    inputs, outputs = channels_of(x, more)

    def probe(m):
        block = filled(lambda: m.ResidualBlock(inputs, outputs, stride), x).eval()
        named = filled(lambda: m.ResidualBlock(in_channels=inputs, out_channels=outputs), x).eval()
        return {"shape of the result": list(block(x).shape), "shape of the result at stride 1": list(named(x).shape)}

    same_outcome(probe)


@points(1.5)
@given(inputs=st.integers(1, 6), outputs=st.integers(1, 6), stride=strides)
def test_parameters(same_outcome, inputs, outputs, stride):
    """Two convolutions without bias, two batch norms, and layers on the shortcut only where they are needed."""
    shape = [2, inputs, 4, 4]
    same_outcome(
        lambda m: {
            f"number of parameters of ResidualBlock({inputs}, {outputs}, {stride})": parameter_count(
                lambda: m.ResidualBlock(inputs, outputs, stride), shape
            ),
            f"number of parameters of ResidualBlock({inputs}, {inputs})": parameter_count(
                lambda: m.ResidualBlock(inputs, inputs), shape
            ),
        }
    )


@points(2)
@given(x=images())
def test_identity_shortcut(same_outcome, x):
    """With stride 1 and equal channels, x itself is added to the result of the convolutions, before the last ReLU."""
    same_outcome(lambda m: filled(lambda: m.ResidualBlock(x.shape[1], x.shape[1]), x).eval()(x), tolerance=NETWORK)


@points(1.5)
@given(x=images(), stride=st.integers(2, 3))
def test_stride(same_outcome, x, stride):
    """The first convolution and the shortcut both have the stride, even if the number of channels stays the same."""
    same_outcome(
        lambda m: filled(lambda: m.ResidualBlock(x.shape[1], x.shape[1], stride), x).eval()(x), tolerance=NETWORK
    )


@points(1.5)
@given(x=images(channels=(3, 5)), more=other_channels, stride=st.integers(1, 2))
def test_other_channels(same_outcome, x, more, stride):
    """With more or fewer channels, the shortcut changes their number, with stride 1 or another stride."""
    channels = channels_of(x, more)
    same_outcome(lambda m: filled(lambda: m.ResidualBlock(*channels, stride), x).eval()(x), tolerance=NETWORK)


@points(1.5)
@given(x=images(), more=st.integers(-2, 3), stride=strides)
def test_shortcut(same_outcome, x, more, stride):
    """`block.shortcut(x)` is x, or a 1×1 convolution with batch norm if stride or channels require it."""
    inputs, outputs = channels_of(x, more)

    def probe(m):
        shortcut = filled(lambda: m.ResidualBlock(inputs, outputs, stride), x).eval().shortcut
        result = x if shortcut is None else shortcut(x)
        return {f"result of ResidualBlock({inputs}, {outputs}, {stride}).eval().shortcut(x)": result}

    same_outcome(probe, tolerance=NETWORK)


@points(1.5)
@given(x=batches(channels=(3, 5)), more=st.sampled_from([0, 1, -1]), stride=st.integers(1, 2))
def test_training(same_outcome, x, more, stride):
    """In training mode all batch norms use the statistics of the batch; two calls in a row give the same result."""
    channels = channels_of(x, more)

    def probe(m):
        block = filled(lambda: m.ResidualBlock(*channels, stride), x).train()
        return {"result": block(x), "result of a second call": block(x)}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@given(x=batches(channels=(3, 5)), more=st.sampled_from([0, 1, -1]), stride=st.integers(1, 2))
def test_statistics(same_outcome, x, more, stride):
    """A call in training mode updates the running statistics; a call in evaluation mode does not."""
    channels = channels_of(x, more)

    def probe(m):
        block = filled(lambda: m.ResidualBlock(*channels, stride), x).train()
        block(x)
        after_training = statistics(block)
        block.eval()(x + 1)
        return {"statistics after training": after_training, "statistics after evaluation": statistics(block)}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@given(x=batches(channels=(3, 5)), more=st.sampled_from([0, 1]), stride=st.integers(1, 2), training=st.booleans())
def test_gradient(same_outcome, x, more, stride, training):
    """The gradient reaches the input, through the convolutions and through the shortcut."""
    channels = channels_of(x, more)

    def probe(m):
        block = filled(lambda: m.ResidualBlock(*channels, stride), x).train(training)
        return {"gradient": gradients(block, x)[0]}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@given(x=batches(channels=(3, 5)), more=st.sampled_from([0, 1]), stride=st.integers(1, 2), training=st.booleans())
def test_parameter_gradients(same_outcome, x, more, stride, training):
    """Gradients reach the parameters of all convolutions and batch norms."""
    channels = channels_of(x, more)

    def probe(m):
        return parameter_gradients(filled(lambda: m.ResidualBlock(*channels, stride), x).train(training), x)

    same_outcome(probe, tolerance=EXACT)


@points(1)
@settings(max_examples=5)
@given(x=images(channels=(2, 5), batch=(2, 3), sides=(2, 5)), more=st.sampled_from([0, 1]))
def test_argument_is_not_modified(same_outcome, x, more):
    """The tensor that was passed in is unchanged afterwards, in both modes, with or without a graph."""
    channels = channels_of(x, more)
    same_outcome(lambda m: inputs_afterwards(filled(lambda: m.ResidualBlock(*channels), x), x))


@points(0.5)
@settings(max_examples=4)
@given(x=images(sides=(2, 5)), more=st.sampled_from([0, 1]), stride=st.integers(1, 2))
def test_one_block_for_all(same_outcome, x, more, stride):
    """The same block takes maps of any size, one after another, and later calls do not change earlier results."""
    channels = channels_of(x, more)
    same_outcome(lambda m: serves_every_call(lambda: m.ResidualBlock(*channels, stride), x + 0.25))


@points(0.5)
@settings(max_examples=4)
@given(x=images(channels=(2, 3), sides=(2, 5)), more=st.sampled_from([0, 1]))
def test_state(same_outcome, x, more):
    """A state_dict carries everything from one block to another, and a deep copy is independent."""
    channels = channels_of(x, more)
    same_outcome(lambda m: keeps_its_state(lambda: m.ResidualBlock(*channels), x + 0.25))


@points(0.5)
@settings(max_examples=8)
@given(x=images(sides=(2, 6), layouts=True), more=st.sampled_from([0, 1]), stride=st.integers(1, 2))
def test_any_memory_layout(same_outcome, x, more, stride):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    channels = channels_of(x, more)
    same_outcome(lambda m: same_in_any_layout(filled(lambda: m.ResidualBlock(*channels, stride), x), x))


@points(0.5)
@settings(max_examples=4)
@given(x=images(), more=st.sampled_from([0, 1]))
def test_dtype(same_outcome, x, more):
    """A float32 block takes and returns float32, and a float64 block float64, with that precision."""
    channels, same = channels_of(x, more), (x.shape[1], x.shape[1])
    same_outcome(
        lambda m: [dtypes(functools.partial(m.ResidualBlock, *sizes), x) for sizes in (channels, same)], exact="dtype"
    )
