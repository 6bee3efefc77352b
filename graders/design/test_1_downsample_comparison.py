"""`DownsampleComparison(in_channels, out_channels)`: three branches that halve height and width."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    BRANCHES,
    NETWORK,
    branch_of,
    close,
    even_images,
    float64,
    has_digits_of,
    images,
    keeps_its_numbers,
    noise,
    only_biases,
    runs_more_than_one_convolution,
    same_in_any_layout,
    without_biases,
)

from autograder.grading import exercise, points
from autograder.probes import after_another_call, filled, on_meta_device, parameter_count

pytestmark = exercise("DownsampleComparison")

few = settings(max_examples=6)
widths = st.integers(1, 5)  # of what comes out
positive = even_images(values="non-negative")


def comparison(m, x, outputs):
    """A function that builds the module for images like x."""
    return lambda: m.DownsampleComparison(x.shape[1], outputs)


def results(model, x):
    """The result of each method."""
    return {f"result for {method!r}": model(x, method) for method in BRANCHES}


@points(0.75)
@few
@given(inputs=st.integers(1, 4), outputs=widths)
def test_parameters(same_outcome, inputs, outputs):
    """Each of the three branches has a 3×3 convolution with bias, and nothing else has parameters."""

    def probe(m):
        return {"number of parameters": parameter_count(lambda: m.DownsampleComparison(inputs, outputs))}

    same_outcome(probe)


@points(1)
@few
@given(x=even_images(channels=(1, 3)))
def test_branches(same_outcome, x):
    """`conv_pool`, `strided_conv` and `conv_avgpool` are modules, each of which gives what its method gives."""

    def probe(m):
        model = filled(comparison(m, x, 3), x)
        return {
            f'answer to "does {name}(x) give the same as the method {method!r}?"': close(
                branch_of(model, name)(x), model(x, method)
            )
            for method, name in BRANCHES.items()
        }

    same_outcome(probe)


@points(1.5)
@few
@given(x=images(sides=(3, 9)), outputs=widths)
def test_shape_of_pooling(same_outcome, x, outputs):
    """Pooling halves the size and rounds it down, so 7 becomes 3; there are out_channels channels."""

    def probe(m):
        model = filled(comparison(m, x, outputs), x)
        return {f"shape of the result for {how!r}": list(model(x, how).shape) for how in ("maxpool", "avgpool")}

    same_outcome(probe)


@points(1)
@few
@given(x=images(sides=(3, 9)), outputs=widths)
def test_shape_of_the_strided_convolution(same_outcome, x, outputs):
    """The strided convolution halves the size and rounds it up, so 7 becomes 4; there are out_channels channels."""
    same_outcome(lambda m: {"shape of the result": list(filled(comparison(m, x, outputs), x)(x, "strided").shape)})


@points(1.25)
@given(x=positive, outputs=widths)
def test_maxpool(same_outcome, x, outputs):
    """With "maxpool", each result is the largest number of a 2×2 window of what the convolution returns."""
    same_outcome(lambda m: without_biases(comparison(m, x, outputs), x)(x, "maxpool"), tolerance=NETWORK)


@points(1.25)
@given(x=positive, outputs=widths)
def test_avgpool(same_outcome, x, outputs):
    """With "avgpool", each result is the mean of a 2×2 window of what the convolution returns."""
    same_outcome(lambda m: without_biases(comparison(m, x, outputs), x)(x, "avgpool"), tolerance=NETWORK)


@points(1.25)
@given(x=positive, outputs=widths)
def test_strided(same_outcome, x, outputs):
    """With "strided", the convolution itself has stride 2 and padding 1."""
    same_outcome(lambda m: without_biases(comparison(m, x, outputs), x)(x, "strided"), tolerance=NETWORK)


@points(1)
@few
@given(x=even_images(channels=(1, 3)))
def test_relu(same_outcome, x):
    """Every branch has a ReLU: no result is negative."""

    def probe(m):
        found = results(without_biases(comparison(m, x + 0.25, 4), x, negative=True), x + 0.25)
        return {
            f"smallest number of the {name}, if negative": float(y.amin().clamp(max=0)) for name, y in found.items()
        }

    same_outcome(probe)


@points(0.5)
@few
@given(x=even_images(channels=(1, 3)))
def test_relu_before_the_mean(same_outcome, x):
    """The ReLU follows the convolution directly: the mean of -1, 1, -1 and 1 is 0, but after the ReLU it is 0.5."""
    same_outcome(
        lambda m: without_biases(comparison(m, x, 4), x, negative=True)(x, "avgpool").clamp(min=0), tolerance=NETWORK
    )


@points(0.5)
@few
@given(x=even_images(channels=(1, 2)), outputs=widths)
def test_bias(same_outcome, x, outputs):
    """The convolutions add a bias to each output channel."""

    def probe(m):
        found = results(only_biases(comparison(m, x, outputs), x), x)
        return {f"first pixel of the {name}": y[:, :, 0, 0] for name, y in found.items()}

    same_outcome(probe, tolerance=NETWORK)


@points(0.75)
@few
@given(x=even_images(channels=(1, 3)))
def test_default(same_outcome, x):
    """The method is "strided" unless another one is given; all arguments can be given by name."""

    def probe(m):
        model = filled(lambda: m.DownsampleComparison(in_channels=x.shape[1], out_channels=3), x)
        same = {
            "answer to \"does model(x) give the same as the method 'strided'?\"": (model(x), model(x, "strided")),
            'answer to "can the method be given by name?"': (model(x=x, method="maxpool"), model(x, "maxpool")),
        }
        return {question: close(*pair) for question, pair in same.items()}

    same_outcome(probe)


@points(1.25)
def test_unknown_method(same_outcome):
    """Any other method raises a ValueError with a message when the module is called."""
    x = noise(1, 2, 4, 4)
    for method in ("max", "conv_pool", "", "Strided", "stride", "avg", None):
        same_outcome(lambda m, method=method: m.DownsampleComparison(2, 3)(x, method), raises=ValueError)


@points(1)
@few
@given(x=even_images(channels=(1, 2)))
def test_only_one_branch_runs(same_outcome, x):
    """Only the branch that was asked for is run."""

    def probe(m):
        return {
            f'answer to "does more than one convolution run for {method!r}?"': runs_more_than_one_convolution(
                m.DownsampleComparison(x.shape[1], 2), x, method
            )
            for method in BRANCHES
        }

    same_outcome(probe)


@points(0.5)
@few
@given(x=even_images(channels=(1, 3), dtype=float64, values="distinct"), training=st.booleans())
def test_gradient(same_outcome, x, training):
    """The gradient reaches the input and the parameters of the branch, in training and in evaluation mode."""
    x = x / x.abs().max()

    def probe(m):
        found = {}
        for method in BRANCHES:
            model = filled(comparison(m, x, 2), x).train(training)
            leaf = x.clone().requires_grad_()
            model(leaf, method).square().sum().backward()
            squares = [float(p.grad.square().sum()) for p in model.parameters() if p.grad is not None]
            found[f"gradient of the input for {method!r}"] = leaf.grad
            found[f"sum of squares of the parameters' gradients for {method!r}"] = sum(squares)
        return found

    same_outcome(probe, tolerance=NETWORK)


@points(0.25)
@few
@given(x=even_images(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The image may be transposed, sliced from a larger tensor, or have its channels last."""

    def probe(m):
        model = filled(comparison(m, x, 2), x)
        return {
            f"for {method!r}": same_in_any_layout(lambda y, method=method: model(y, method), x) for method in BRANCHES
        }

    same_outcome(probe)


@points(0.5)
@few
@given(x=even_images(channels=(1, 3)))
def test_dtype(same_outcome, x):
    """A module in float64 gives float64 with that precision, one in float32 gives float32; the device is kept, too."""

    def probe(m):
        found, model = {}, m.DownsampleComparison(x.shape[1], 2)
        elsewhere = [on_meta_device(lambda how=how: model.to("meta")(x.to("meta"), how)) for how in BRANCHES]
        found['list of answers to "is the result on the device of the image?"'] = elsewhere
        for dtype in (torch.float32, float64):
            typed = x.to(dtype) / 3
            model = filled(lambda: m.DownsampleComparison(x.shape[1], 2), typed)
            right = {how: has_digits_of(model(typed, how), dtype) for how in BRANCHES}
            found[f'answer to "is the result in {dtype}, with its precision?"'] = right
        return found

    same_outcome(probe)


@points(0.25)
@few
@given(x=even_images(channels=(1, 2)))
def test_tensors_of_others(same_outcome, x):
    """Neither the image nor the result of an earlier call is modified."""

    def probe(m):
        model = filled(comparison(m, x, 2), x)
        with torch.no_grad():
            kept = [after_another_call(lambda y, how=how: model(y, how), x, x + 1) for how in BRANCHES]
        return {"image after the call": x, "earlier results": kept}

    same_outcome(probe)


@points(0.25)
@few
@given(x=even_images(channels=(1, 2)))
def test_state(same_outcome, x):
    """A state_dict carries all weights from one module to another, and a deep copy has its own."""
    same_outcome(lambda m: keeps_its_numbers(comparison(m, x + 0.25, 2), x + 0.25))


@points(1.25)
@given(x=images(layouts=True), outputs=widths)
def test_everything_together(same_outcome, x, outputs):
    """Any number of images and channels, any size, sign and memory layout: the results of all methods."""
    same_outcome(lambda m: results(filled(comparison(m, x, outputs), x), x), tolerance=NETWORK, exact="shape")
