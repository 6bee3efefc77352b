"""`ResidualBlock(in_channels, out_channels, stride=1)`: two convolutions and a shortcut of its own."""

from aspects import constant, dtypes, in_training, positive, slopes, without_constants
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    NETWORK,
    batches,
    images,
    inputs_afterwards,
    keeps_its_state,
    other_channels,
    same_in_any_layout,
    serves_every_call,
)

from autograder.grading import exercise, points
from autograder.probes import filled, parameter_count, statistics

pytestmark = exercise("ResidualBlock")

maps = images(values="non-negative")
negative = images(values="negative").map(lambda x: x / 32)  # from -0.5 to -1/64
several = images(channels=(3, 5), values="non-negative")
steps = st.integers(2, 3)


def alike(m, x):
    """A function that builds a block whose shortcut is the identity."""
    return lambda: m.ResidualBlock(x.shape[1], x.shape[1])


@points(1)
@settings(max_examples=8)
@given(x=images(channels=(3, 5)), more=other_channels, stride=steps)
def test_shape(same_outcome, x, more, stride):
    """The result has out_channels channels and 1/stride of the size, rounded up, even if H ≠ W."""
    channels = {"in_channels": x.shape[1], "out_channels": x.shape[1] + more, "stride": stride}

    def probe(m):
        return {"shape of the result": list(filled(lambda: m.ResidualBlock(**channels), x).eval()(x).shape)}

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(channels=st.integers(1, 6))
def test_parameters(same_outcome, channels):
    """Where x fits into the sum, there are two convolutions without bias and two batch norms, and nothing else."""

    def probe(m):
        count = parameter_count(lambda: m.ResidualBlock(channels, channels), [2, channels, 4, 4])
        return {f"number of parameters of ResidualBlock({channels}, {channels})": count}

    same_outcome(probe)


@points(0.75)
@settings(max_examples=6)
@given(inputs=st.integers(3, 6), more=other_channels, stride=steps)
def test_parameters_of_the_shortcut(same_outcome, inputs, more, stride):
    """Where x does not fit into the sum, a 1×1 convolution without bias and a batch norm are added."""
    outputs = inputs + more

    def probe(m):
        wider = parameter_count(lambda: m.ResidualBlock(inputs, outputs, stride), [2, inputs, 4, 4])
        plain = parameter_count(lambda: m.ResidualBlock(outputs, outputs), [2, outputs, 4, 4])
        blocks = f"ResidualBlock({inputs}, {outputs}, {stride}) than ResidualBlock({outputs}, {outputs})"
        return {f"number of parameters that there are more in {blocks}": wider - plain}

    same_outcome(probe)


@points(1.25)
@settings(max_examples=8)
@given(x=maps)
def test_adds_x(same_outcome, x):
    """With stride 1 and equal channels, x itself is added: convolutions that give zeros leave x as it is."""
    same_outcome(lambda m: constant(alike(m, x), x)(x))


@points(0.75)
@settings(max_examples=6)
@given(x=negative)
def test_adds_negative_numbers(same_outcome, x):
    """The shortcut sees x with its negative numbers."""

    def probe(m):
        block = constant(alike(m, x), x, bias=1.0)
        return {"result where 1 is added to negative numbers, minus that for zeros": block(x.clone()) - block(x * 0)}

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(x=negative)
def test_relu_after_the_sum(same_outcome, x):
    """After the sum comes a ReLU: where the sum is negative, the result is 0."""
    same_outcome(lambda m: constant(alike(m, x), x)(x))


@points(1)
@settings(max_examples=6)
@given(x=maps)
def test_no_relu_before_the_sum(same_outcome, x):
    """What the convolutions return may be negative: there is no ReLU between the second batch norm and the sum."""

    def probe(m):
        less = constant(alike(m, x), x, bias=-0.5)
        return {"result where -0.5 is added": less(x + 1)}

    same_outcome(probe)


@points(1.25)
@settings(max_examples=8)
@given(x=several, more=other_channels)
def test_relu_between(same_outcome, x, more):
    """Between the convolutions come first batch norm, then ReLU."""
    inputs, outputs = x.shape[1], x.shape[1] + more

    def probe(m):
        first, shortcut = (outputs, 9 * inputs), (outputs, inputs)
        block = positive(lambda: m.ResidualBlock(inputs, outputs), x, signed=[first], zero=[shortcut])
        return {"what the convolutions return, minus that for zeros": without_constants(block, x)}

    same_outcome(probe, tolerance=NETWORK)


@points(1)
@settings(max_examples=8)
@given(x=several, more=other_channels, stride=steps)
def test_stride(same_outcome, x, more, stride):
    """The first convolution has the stride, the second does not."""
    inputs, outputs = x.shape[1], x.shape[1] + more

    def probe(m):
        block = positive(lambda: m.ResidualBlock(inputs, outputs, stride), x, zero=[(outputs, inputs)])
        return {"what the convolutions return, minus that for zeros": without_constants(block, x)}

    same_outcome(probe, tolerance=NETWORK)


@points(1)
@settings(max_examples=8)
@given(x=images(channels=(3, 5)), more=other_channels, stride=steps)
def test_shortcut(same_outcome, x, more, stride):
    """`block.shortcut(x)` is x, or a 1×1 convolution with batch norm where stride and channels require it."""
    inputs, outputs = x.shape[1], x.shape[1] + more

    def probe(m):
        shortcut = filled(lambda: m.ResidualBlock(inputs, outputs, stride), x).eval().shortcut
        identity = filled(alike(m, x), x).eval().shortcut
        return {
            f"result of ResidualBlock({inputs}, {outputs}, {stride}).eval().shortcut(x)": shortcut(x),
            f"result of ResidualBlock({inputs}, {inputs}).eval().shortcut(x)": x if identity is None else identity(x),
        }

    same_outcome(probe, tolerance=NETWORK)


@points(0.75)
@settings(max_examples=6)
@given(x=several, stride=steps)
def test_only_the_size_changes(same_outcome, x, stride):
    """The shortcut is a convolution if only the stride requires it: with weights of zero, it adds nothing."""
    same_outcome(lambda m: constant(lambda: m.ResidualBlock(x.shape[1], x.shape[1], stride), x)(x + 1))


@points(0.75)
@settings(max_examples=6)
@given(x=several, more=other_channels)
def test_only_the_channels_change(same_outcome, x, more):
    """The shortcut is a convolution if only the channels require it: with weights of zero, it adds nothing."""
    same_outcome(lambda m: constant(lambda: m.ResidualBlock(x.shape[1], x.shape[1] + more), x)(x + 1))


@points(0.5)
@settings(max_examples=8)
@given(x=batches(channels=(3, 5)))
def test_training(same_outcome, x):
    """Batch norms use the statistics of the batch in training mode, and the running ones in evaluation mode."""
    same_outcome(lambda m: in_training(alike(m, x), x), tolerance=EXACT)


@points(0.5)
@settings(max_examples=6)
@given(x=batches(channels=(3, 5)))
def test_statistics(same_outcome, x):
    """Each of the two batch norms updates its running statistics in training mode, and only then."""

    def probe(m):
        block = constant(alike(m, x), x).train()
        block(x.clone())
        after_training = statistics(block)
        block.eval()(x + 1)
        return {"statistics after training": after_training, "statistics after evaluation": statistics(block)}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@settings(max_examples=10)
@given(x=batches(channels=(3, 5)), training=st.booleans())
def test_gradient(same_outcome, x, training):
    """Gradients reach the input and all parameters, through the convolutions and through the shortcut."""
    x = x + 0.001  # not 0, where a ReLU has a corner
    same_outcome(lambda m: slopes(filled(alike(m, x), x).train(training), x), tolerance=NETWORK)


@points(0.5)
@settings(max_examples=5)
@given(x=images(channels=(2, 5), batch=(2, 3), sides=(2, 5)))
def test_argument_is_not_modified(same_outcome, x):
    """The tensor that was passed in is unchanged afterwards, in both modes, with or without a graph."""
    same_outcome(lambda m: inputs_afterwards(filled(alike(m, x), x), x))


@points(0.25)
@settings(max_examples=4)
@given(x=images(sides=(2, 5)))
def test_one_block_for_all(same_outcome, x):
    """The same block takes maps of any size, one after another, and later calls do not change earlier results."""
    same_outcome(lambda m: serves_every_call(alike(m, x), x + 0.25))


@points(0.25)
@settings(max_examples=4)
@given(x=images(channels=(2, 3), sides=(2, 5)))
def test_state(same_outcome, x):
    """A state_dict carries everything from one block to another, and a deep copy is independent."""
    same_outcome(lambda m: keeps_its_state(alike(m, x), x + 0.25))


@points(0.25)
@settings(max_examples=8)
@given(x=images(sides=(2, 6), layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: same_in_any_layout(filled(alike(m, x), x), x))


@points(0.25)
@settings(max_examples=4)
@given(x=maps)
def test_dtype(same_outcome, x):
    """A float32 block takes and returns float32, and a float64 block float64, with that precision."""
    same_outcome(lambda m: dtypes(alike(m, x), x), exact="dtype")


@points(2)
@settings(max_examples=8)
@given(x=batches(channels=(1, 5), layouts=True), more=st.sampled_from([0, 1, -1]), stride=st.integers(1, 2))
def test_everything_together(same_outcome, x, more, stride):
    """Any channels, stride, size and memory layout, in both modes, in float64: all of it together."""
    channels = x.shape[1], max(1, x.shape[1] + more)

    def probe(m):
        block = filled(lambda: m.ResidualBlock(*channels, stride), x)
        row = x[:1, :, :1].clone()
        found = {"result for one row in evaluation mode": block.eval()(row)}
        return {**found, "result in training mode": block.train()(x.clone()), **statistics(block)}

    same_outcome(probe, tolerance=EXACT)
