"""`Conv2D(kernel_size)`: a layer that owns its kernel and its bias."""

import copy

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import OTHER_MAP, cases, float32, float64, gradients_of, made, too_large_kernels

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


@points(1.5)
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


@points(2.5)
@given(case=cases(), bias=biases, training=st.booleans())
def test_values(same_outcome, case, bias, training):
    """The result is the cross-correlation with `weight`, plus `bias`, in training and in evaluation mode."""
    x, k = case
    same_outcome(lambda m: made(m, k, bias).train(training)(x))


@points(0.5)
@given(case=cases(kernels=(1, 1), sides=(1, 2)), whole=cases(sides=(3, 3), kernels=(3, 3)), bias=biases)
def test_extents_of_one(same_outcome, case, whole, bias):
    """The result has two dimensions, even for a kernel of one pixel, for one row, and for one result."""
    same_outcome(lambda m: [made(m, case[1], bias)(case[0]), made(m, whole[1], bias)(whole[0])], exact="shape")


@points(1)
@given(case=cases(), bias=biases, training=st.booleans())
def test_gradients(same_outcome, case, bias, training):
    """The gradient reaches the input, the weight and the bias, in training and in evaluation mode."""
    same_outcome(lambda m: gradients_of(made(m, case[1], bias).train(training), case[0]))


@points(0.5)
@given(case=cases(dtype=float64), bias=biases)
def test_dtype(same_outcome, case, bias):
    """The result has the input's device, and its dtype too; after `.double()` the layer computes in float64."""
    same_outcome(lambda m: made(m, case[1] / 3, bias / 3)(case[0] / 7), exact="dtype")
    same_outcome(lambda m: made(m, case[1].float(), bias)(case[0].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(made(m, case[1], bias), case[0]))


@points(0.5)
@given(case=cases(), bias=biases)
def test_copies(same_outcome, case, bias):
    """Copies of the module behave as it does: a deep copy, and a new module that loads its state."""

    def probe(m):
        layer = made(m, case[1], bias)
        other = m.Conv2D(tuple(case[1].shape))
        other.load_state_dict(layer.state_dict())
        return {"copy's result": copy.deepcopy(layer)(case[0]), "loaded layer's result": other(case[0])}

    same_outcome(probe)


@points(0.5)
@given(case=cases(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed or cut out of a larger tensor."""
    same_outcome(lambda m: made(m, case[1])(case[0]))


@points(0.5)
@given(case=cases(), bias=biases)
def test_one_layer_used_twice(same_outcome, case, bias):
    """A layer can be used for maps of any size, and leaves inputs, parameters and earlier results alone."""
    x, k = case

    def probe(m):
        layer = made(m, k, bias)
        results = [layer(x), layer(2 * x), layer(x)]
        after = {"results": results, "input": x, "weight": layer.weight.detach(), "bias": layer.bias.detach()}
        return {**after, **used_again(lambda: made(m, k, bias), x, OTHER_MAP)}

    same_outcome(probe)


@points(0.5)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel larger than the input raises a ValueError when the layer is called."""
    same_outcome(lambda m: made(m, case[1])(case[0]), raises=ValueError)
