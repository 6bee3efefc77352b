"""`Conv2D(kernel_size)`: a layer that owns its kernel and its bias."""

import copy

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    MAPS,
    OTHER_MAP,
    as_large,
    cases,
    expect_answers,
    expect_any_layout,
    float32,
    gradients_of,
    made,
    numbers,
    squares,
    too_large_kernels,
)

from autograder.grading import CONVOLUTION, exercise, expect, expect_tensor, forbids, points
from autograder.probes import stays_on_device, used_again

pytestmark = [exercise("Conv2D"), forbids(CONVOLUTION)]

sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
biases = st.sampled_from([-2.5, -0.5, 0.0, 0.25, 1.0, 30.0])


@points(1.5)
@given(size=sizes)
def test_parameters(same_outcome, size):
    """The layer has two learnable parameters: `weight` with the shape of the kernel, and `bias` with shape (1,)."""

    def probe(m):
        named = dict(m.Conv2D(kernel_size=size).named_parameters())
        shapes = {name: list(parameter.shape) for name, parameter in named.items()}
        learnable = {name: parameter.requires_grad for name, parameter in named.items()}
        return {"shapes of the parameters": shapes, "requires_grad of": learnable}

    same_outcome(probe)


@points(0.5)
@given(size=sizes)
def test_bias_starts_at_zero(same_outcome, size):
    """The bias is zero at the start."""
    same_outcome(lambda m: {"bias of a new layer": m.Conv2D(size).bias.detach()})


@points(1)
def test_weight_starts_at_random(student):
    """The weight is random at the start, drawn from torch's generator: the same seed gives the same weight."""

    def probe(m):
        weights = []
        for seed in (1, 2, 1):
            torch.manual_seed(seed)
            weights.append(m.Conv2D((3, 2)).weight.detach())
        return [*weights, m.Conv2D((3, 2)).weight.detach()]

    results = student(probe)
    expect(isinstance(results, list) and len(results) == 4, "The layer does not have a tensor `weight`.")
    first, other, again, later = (expect_tensor(value, torch.empty(3, 2, dtype=float32)) for value in results)
    expect(first.isfinite().all(), f"A new weight contains {first.flatten().tolist()}.")
    expect(first.unique().numel() > 1, "All numbers in a new weight are the same: they should be random.")
    hint = "torch.rand and torch.randn draw from torch's global generator; torch.empty does not draw at all."
    expect(torch.equal(first, again), "The same torch.manual_seed gave two different weights.", hint=hint)
    expect(not torch.equal(first, other), "Different seeds gave the same weight.", hint="Does your code set a seed?")
    expect(not torch.equal(again, later), "Two layers in a row have the same weight.")


@points(1.5)
@given(case=squares(), training=st.booleans())
def test_values(same_outcome, case, training):
    """The result is the cross-correlation with `weight`, in training and in evaluation mode (here the bias is 0)."""
    x, k = case
    same_outcome(lambda m: made(m, k).train(training)(x))


@points(0.5)
@settings(max_examples=10)
@given(case=squares(), bias=biases)
def test_bias(same_outcome, case, bias):
    """The bias is added to every number of the result."""
    x, k = case
    same_outcome(lambda m: made(m, k, bias)(x))


@points(0.5)
@settings(max_examples=10)
@given(case=as_large())
def test_kernel_as_large_as_the_map(same_outcome, case):
    """A kernel as tall or as wide as the map fits, and the result still has two dimensions."""
    x, k = case
    same_outcome(lambda m: {"number of dimensions": made(m, k)(x).dim()})


@points(1)
@given(case=cases(), bias=biases, training=st.booleans())
def test_everything_together(same_outcome, case, bias, training):
    """Maps and kernels of any size, oblong ones too, with any bias, in training and in evaluation mode."""
    x, k = case
    same_outcome(lambda m: made(m, k, bias).train(training)(x))


@points(1)
@settings(max_examples=12)
@given(case=squares(), training=st.booleans())
def test_gradients(same_outcome, case, training):
    """The gradient reaches the input, the weight and the bias, in training and in evaluation mode."""
    same_outcome(lambda m: gradients_of(made(m, case[1]).train(training), case[0]))


@points(0.5)
@settings(max_examples=6)
@given(case=squares(), bias=biases)
def test_dtype(same_outcome, case, bias):
    """The result has the input's device, and its dtype too; after `.double()` the layer computes in float64."""
    x, k = case
    same_outcome(lambda m: made(m, k.double() / 3, bias / 3)(x.double() / 7), exact="dtype")
    same_outcome(lambda m: made(m, k, bias)(x), exact="dtype")
    same_outcome(lambda m: stays_on_device(made(m, k.double(), bias), x.double()))


@points(0.5)
def test_copies(student):
    """Copies of the module behave as it does: a deep copy, and a new module that loads its state."""
    x, k = (numbers(shape) for shape in MAPS)

    def probe(m):
        layer = made(m, k, 2.5)
        loaded = m.Conv2D(tuple(k.shape))
        loaded.load_state_dict(layer.state_dict())
        return [each(x).detach() for each in (copy.deepcopy(layer), layer, loaded)]

    copied, result, after_loading = expect_answers(student(probe), 3)
    text = "{} does not give the result of the layer itself."
    expect(torch.allclose(expect_tensor(copied, result), result), text.format("A deep copy"))
    text = text.format("A new layer that has loaded its state")
    expect(torch.allclose(expect_tensor(after_loading, result), result), text)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """The input may be transposed or cut out of a larger tensor."""
    expect_any_layout(same_outcome, student, lambda m, x, k: made(m, k)(x).detach(), MAPS)


@points(0.5)
@settings(max_examples=8)
@given(case=squares())
def test_one_layer_used_twice(same_outcome, case):
    """A layer can be used for maps of any size, and leaves inputs, parameters and earlier results alone."""
    x, k = case

    def probe(m):
        layer = made(m, k)
        layer(x)
        after = {"input": x.clone(), "weight": layer.weight.detach(), "bias": layer.bias.detach()}
        return {**after, **used_again(lambda: made(m, k), x, OTHER_MAP)}

    same_outcome(probe)


@points(0.5)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel larger than the input raises a ValueError when the layer is called."""
    same_outcome(lambda m: made(m, case[1])(case[0]), raises=ValueError)
