"""`StochasticPooling(kernel_size, stride=None)`: a random activation in training, the expected one in evaluation.

The random checks use fixed seeds, so a submission gets the same verdict every time; their bounds are at least six
standard deviations wide, so a correct submission does not fail by bad luck.
"""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    OTHER_IMAGES,
    float64,
    image_cases,
    one_window_cases,
    other_strides,
    plain_cases,
    thirds,
    too_large_windows,
)

from autograder.grading import exercise, expect, expect_tensor, points
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("StochasticPooling")

training_modes = st.booleans()
several = ((2, 2), (2, 3))  # images and channels of a plain batch


def positive(**options):
    """Plain images without a window of zeros, and the kernel size."""
    return plain_cases(several, **options).map(lambda case: (case[0] + 0.5, case[1]))


@points(1)
@given(case=positive())
def test_evaluation(same_outcome, case):
    """In evaluation every result is Σ pᵢ·aᵢ with pᵢ = aᵢ / Σa, whether gradients are on or off."""
    x, kernel = case

    def without_gradient(m):
        with torch.no_grad():
            return m.StochasticPooling(kernel).eval()(x)

    same_outcome(lambda m: m.StochasticPooling(kernel).eval()(x))
    same_outcome(without_gradient)


@points(0.5)
@given(case=other_strides(several), default=positive(), training=training_modes)
def test_stride(same_outcome, case, default, training):
    """The stride may differ from the kernel size, which is its default; it decides on the size of the result."""
    x, kernel, stride = case
    same_outcome(lambda m: m.StochasticPooling(kernel, stride=stride).train(training)(x + 0.5).shape)
    same_outcome(lambda m: m.StochasticPooling(kernel_size=default[1]).train(training)(default[0]).shape)


@points(1)
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_training_yields_activations_of_the_window(student, shape):
    """In training every result is one of the positive activations of its own window."""
    x = torch.arange(shape[0] * shape[1] * 4 * 6, dtype=torch.float32).remainder(4).reshape(*shape, 4, 6)
    x = x + (x > 0) * torch.arange(x.numel()).reshape(x.shape)  # all positive entries differ; a quarter are 0
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    drawn = expect_tensor(student(lambda m: m.StochasticPooling(2).train()(x)), windows[..., 0])
    own = ((windows == drawn.unsqueeze(-1)) & (windows > 0)).any(-1)
    expect(own.all(), "Some results are not among the positive activations of their window.")


@points(1.5)
def test_training_draws_in_proportion(student):
    """An activation is drawn with probability aᵢ / Σa."""
    x = torch.tensor([[4.0, 0.5], [1.0, 2.5]]).repeat(1, 1, 50, 100)
    drawn = expect_tensor(student(lambda m: m.StochasticPooling(2).train()(x), seed=11), x[..., ::2, ::2])
    count = drawn.numel()
    for value in (4.0, 0.5, 1.0, 2.5):
        share, wanted = float((drawn == value).sum()) / count, value / 8
        message = f"Of many windows [4 0.5; 1 2.5], {share:.1%} gave {value:g}; about {wanted:.0%} should."
        expect(abs(share - wanted) < 6 * math.sqrt(wanted * (1 - wanted) / count), message)


@points(1)
def test_training_draws_independently(student):
    """Every window, channel and sample has its own draw."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(3, 4, 4, 5)

    def probe(m):
        layer = m.StochasticPooling(2).train()
        return [layer(x) for _ in range(20)]

    results = student(probe, seed=12)
    expect(isinstance(results, list) and len(results) == 20, "The layer did not return a tensor.")
    drawn = torch.stack([expect_tensor(value, x[..., ::2, ::2]) for value in results])
    # How often each activation should be drawn is what another check asks. Here two independent draws agree as often
    # as the shares that were seen imply. They are those of many calls: within one, a shared draw yields only one value.
    _, counts = drawn.unique(return_counts=True)
    expect(len(counts) > 1, "In 20 calls every window gave the same activation: nothing was drawn.")
    chance = float(((counts / drawn.numel()) ** 2).sum())
    for dim, what in enumerate(("samples", "channels", "rows", "columns"), start=1):
        agree = drawn == drawn.roll(1, dim)
        share, bound = float(agree.float().mean()), 8 * math.sqrt(chance * (1 - chance) / agree.numel())
        message = f"Neighbouring {what} gave the same activation in {share:.0%} of cases; {chance:.0%} would be chance."
        expect(abs(share - chance) <= bound + 1e-6, message, hint="How many random numbers do you draw, and what for?")


@points(1)
def test_training_follows_torchs_seed(student):
    """The same torch.manual_seed gives the same draw; a different one does not."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(2, 3, 8, 8)

    def probe(m):
        layer = m.StochasticPooling(2).train()
        results = []
        for seed in (5, 6, 5):
            torch.manual_seed(seed)
            results.append(layer(x))
        return [*results, layer(x)]

    results = student(probe)
    expect(isinstance(results, list) and len(results) == 4, "The layer did not return a tensor.")
    first, other, again, later = (expect_tensor(value, x[..., ::2, ::2]) for value in results)
    hint = "Which generator do you draw from? torch.manual_seed affects PyTorch's, not those of Python and NumPy."
    expect(torch.equal(first, again), "The same torch.manual_seed gave two different draws.", hint=hint)
    hint = "Do you draw anew in every call? Does your code set a seed?"
    expect(not torch.equal(first, other), "Different seeds gave the same draw.", hint=hint)
    expect(not torch.equal(again, later), "Two calls in a row gave the same draw.", hint=hint)


@points(0.5)
@settings(max_examples=15)
@given(case=positive(), training=training_modes)
def test_window_of_zeros(same_outcome, case, training):
    """A window of zeros gives 0, in both modes."""
    x, kernel = case
    same_outcome(lambda m: m.StochasticPooling(kernel).train(training)(torch.zeros_like(x)))


@points(1)
@given(
    case=positive(),
    training=training_modes,
    place=st.sampled_from([0, -1]),
    value=st.sampled_from([-1, -0.01, -1e-6]),
)
def test_negative_input(same_outcome, case, training, place, value):
    """A negative number anywhere raises a ValueError in both modes."""
    x, kernel = case
    x[-1, -1, place, place] = value
    same_outcome(lambda m: m.StochasticPooling(kernel).train(training)(x), raises=ValueError)


@points(0.5)
@settings(max_examples=16)
@given(case=positive())
def test_gradient(same_outcome, case):
    """In evaluation the gradient flows through activations and probabilities; in training it reaches the input too."""
    x, kernel = case

    def probe(m):
        layer = m.StochasticPooling(kernel)
        in_training = gradients(layer.train(), x)[0]
        return {
            "gradient": gradients(layer.eval(), x)[0],
            'answer to "does a gradient arrive in training?"': in_training is not None,
        }

    same_outcome(probe)


@points(0.25)
@settings(max_examples=15)
@given(case=positive(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x, kernel = case
    same_outcome(lambda m: m.StochasticPooling(kernel).eval()(x))


@points(0.25)
@settings(max_examples=12)
@given(case=one_window_cases(((1, 2), (1, 2))), training=training_modes)
def test_window_as_large_as_the_map(same_outcome, case, training):
    """A window as large as the map gives one number per channel, and the result has four dimensions."""
    x, kernel = case
    same_outcome(lambda m: m.StochasticPooling(kernel).train(training)(x + 0.5).shape)


@points(0.5)
@settings(max_examples=12)
@given(case=positive(dtype=float64), number=thirds, training=training_modes)
def test_dtype(same_outcome, case, number, training):
    """The result has the input's dtype and device, in both modes; with float64 it has that precision."""
    x, kernel = case
    single, constant = x.float(), torch.full_like(x, number)
    same_outcome(
        lambda m: {
            f"dtype for {one.dtype}": m.StochasticPooling(kernel).train(training)(one).dtype for one in (single, x)
        }
    )
    same_outcome(
        lambda m: {"first number": m.StochasticPooling(kernel).train(training)(constant)[0, 0, 0, 0]}, exact="dtype"
    )
    same_outcome(lambda m: stays_on_device(m.StochasticPooling(kernel).train(training), x))


@points(0.25)
@settings(max_examples=12)
@given(case=positive())
def test_one_layer_used_twice(same_outcome, case):
    """A layer can be used for images of different sizes, and modifies neither its input nor an earlier result."""
    x, kernel = case

    def probe(m):
        again = used_again(lambda: m.StochasticPooling(kernel).eval(), x, OTHER_IMAGES)
        m.StochasticPooling(kernel).train()(x)
        return {"input after the calls": x, **again}

    same_outcome(probe)


@points(0.25)
@given(case=too_large_windows(), training=training_modes)
def test_window_that_does_not_fit(same_outcome, case, training):
    """A window larger than the map raises a ValueError."""
    same_outcome(lambda m: m.StochasticPooling(case[1]).train(training)(case[0]), raises=ValueError)


@points(0.5)
@given(case=image_cases(values="non-negative"))
def test_everything_together(same_outcome, case):
    """In evaluation: images of any number, size and memory layout, with any window and stride."""
    x, kernel, stride = case
    same_outcome(lambda m: m.StochasticPooling(kernel, stride).eval()(x), exact="shape")
