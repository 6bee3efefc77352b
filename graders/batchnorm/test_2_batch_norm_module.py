"""`BatchNorm(num_features, num_dims, eps=1e-5, momentum=0.1)`: the module."""

import copy

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EQUAL_EXTENTS,
    EVERYTHING,
    EXTENTS_OF_ONE,
    IMAGES,
    ONE_VALUE,
    ROUGH,
    SMALL,
    VECTORS,
    batches,
    cases,
    float64,
    layer_for,
    make_batch,
    neutral,
    remember,
    scaled,
    statistics_of,
    step,
)
from torch import nn

from autograder.grading import NORMALISATION, Tolerance, exercise, forbids, points
from autograder.grading.strategies import normal, tensors
from autograder.probes import gradients, on_meta_device

pytestmark = [exercise("BatchNorm"), forbids(NORMALISATION)]

kinds = st.sampled_from([(3, 2), (1, 2), (4, 4), (1, 4)])  # num_features, num_dims
STATISTICS = ("moving_mean", "moving_var")


@points(1)
@given(kind=kinds)
def test_parameters(same_outcome, kind):
    """gamma (ones) and beta (zeros) are parameters of shape (1, F) or (1, C, 1, 1), so they can be learned."""

    def probe(m):
        layer = m.BatchNorm(*kind)
        parameters = dict(layer.named_parameters())
        names = "gamma", "beta"
        learned = {
            f'answer to "can {name} be learned?"': name in parameters and parameters[name].requires_grad
            for name in names
        }
        return {"gamma": layer.gamma, "beta": layer.beta, **learned}

    same_outcome(probe, exact="shape")


@points(1.5)
@given(kind=kinds)
def test_buffers(same_outcome, kind):
    """moving_mean (zeros) and moving_var (ones) are buffers of shape (1, F) or (1, C, 1, 1)."""

    def probe(m):
        layer = m.BatchNorm(*kind)
        parameters, buffers = dict(layer.named_parameters()), dict(layer.named_buffers())
        return {
            "moving_mean": layer.moving_mean,
            "moving_var": layer.moving_var,
            **{f'answer to "is {name} a parameter?"': name in parameters for name in STATISTICS},
            **{f'answer to "is {name} a buffer?"': name in buffers for name in STATISTICS},
        }

    same_outcome(probe, exact="shape")


@points(1.5)
@settings(max_examples=12)
@given(x=batches(IMAGES))
def test_state_dict(same_outcome, x):
    """gamma, beta, moving_mean and moving_var are in the state_dict, before and after a training step."""

    def probe(m):
        layer = layer_for(m, x)
        at_first = layer.state_dict()
        later = step(layer, x).state_dict()
        return {
            f'answer to "is {name} in the state_dict, before and after a step?"': [name in at_first, name in later]
            for name in names
        }

    names = ("gamma", "beta", *STATISTICS)
    same_outcome(probe)


@points(1.5)
@settings(max_examples=12)
@given(x=batches(VECTORS))
def test_training_with_vectors(same_outcome, x):
    """In training a batch (N, F) is normalised with its own statistics."""
    same_outcome(lambda m: layer_for(m, x)(x), tolerance=ROUGH)


@points(1.5)
@settings(max_examples=10)
@given(case=cases(VECTORS))
def test_vectors_otherwise(same_outcome, case):
    """With (N, F), the statistics move, evaluation uses them, and the gradient flows through those of the batch."""
    x, _, _, mean, var = case

    def probe(m):
        layer = layer_for(m, x, momentum=0.5)
        gradient = gradients(lambda x: (layer(x) + 0.5) ** 2, x)[0]
        layer = step(remember(layer_for(m, x, momentum=0.5), mean, var), x)
        in_evaluation = remember(layer_for(m, x), mean, var).eval()(x)
        return {"result in evaluation": in_evaluation, **statistics_of(layer), "gradient in training": gradient}

    same_outcome(probe, tolerance=ROUGH)


@points(1.5)
@given(x=batches(IMAGES))
def test_training_with_images(same_outcome, x):
    """In training a batch (N, C, H, W) is normalised with its own statistics."""
    same_outcome(lambda m: layer_for(m, x)(x), tolerance=ROUGH)


@points(1)
@settings(max_examples=12)
@given(case=cases(EQUAL_EXTENTS, settled=True), training=st.booleans())
def test_equal_extents(same_outcome, case, training):
    """What belongs to a channel reaches that channel, even if N, H or W happens to equal C."""
    x, _, _, mean, var = case
    same_outcome(lambda m: remember(layer_for(m, x), mean, var).train(training)(x), tolerance=ROUGH)


@points(1.5)
@settings(max_examples=12)
@given(case=cases(IMAGES, scaled=True, settled=True, alike=True), training=st.booleans())
def test_scale_and_shift(same_outcome, case, training):
    """The result is scaled by the parameter gamma and shifted by the parameter beta, in both modes."""
    x, gamma, beta, mean, var = case
    same_outcome(
        lambda m: scaled(remember(layer_for(m, x), mean, var), gamma, beta).train(training)(x), tolerance=ROUGH
    )


@points(1.5)
@given(x=batches(SMALL))
def test_biased_variance(same_outcome, x):
    """Training normalises with the biased variance, as nn.BatchNorm does; a batch with few values shows it."""
    same_outcome(lambda m: layer_for(m, x, eps=1e-5)(x))


@points(1)
@settings(max_examples=15)
@given(x=batches(EXTENTS_OF_ONE), single=batches(ONE_VALUE))
def test_extents_of_one(same_outcome, x, single):
    """One feature, one sample or one pixel; in evaluation also a single value per feature."""

    def probe(m):
        layer = layer_for(m, x)
        before = layer.moving_mean.shape, layer.moving_var.shape
        result = layer(x)
        after = layer.moving_mean.shape, layer.moving_var.shape
        return {"result": result, 'answer to "do the moving statistics keep their shapes?"': before == after}

    same_outcome(probe, tolerance=ROUGH, exact="shape")
    same_outcome(lambda m: layer_for(m, single).eval()(single), tolerance=ROUGH, exact="shape")


@points(2)
@given(case=cases(IMAGES), steps=st.integers(1, 3), momentum=st.sampled_from([0.1, 0.3, 0.9]))
def test_moving_statistics(same_outcome, case, steps, momentum):
    """Each batch in training moves both statistics a fraction `momentum` of the way; several batches add up."""
    x, _, _, mean, var = case

    def probe(m):
        layer = remember(layer_for(m, x, momentum=momentum), mean, var)
        for k in range(steps):
            step(layer, x * (k + 1) + k)
        return statistics_of(layer)

    same_outcome(probe, tolerance=ROUGH)


@points(1.5)
@given(x=batches(SMALL))
def test_moving_variance_is_unbiased(same_outcome, x):
    """The moving variance uses the unbiased variance, as nn.BatchNorm does; a batch with few values shows it."""
    same_outcome(lambda m: {"moving_var": step(layer_for(m, x, momentum=0.5), x).moving_var.flatten()})


@points(0.5)
@settings(max_examples=15)
@given(x=batches(SMALL))
def test_batches_of_other_sizes(same_outcome, x):
    """Batches may differ in size: a module remembers nothing about earlier ones but its moving statistics."""

    def probe(m):
        larger = torch.cat([x, x * 2 + 1, x - 1])
        layer = step(layer_for(m, x, momentum=0.5), larger)
        new = remember(layer_for(m, x, momentum=0.5), layer.moving_mean, layer.moving_var)
        pairs = {
            "the same result in training": [layer(x), new(x)],
            "the same moving_mean": [layer.moving_mean, new.moving_mean],
            "the same moving_var": [layer.moving_var, new.moving_var],
            "the same result in evaluation": [layer.eval()(larger), new.eval()(larger)],
        }
        same = {what: one.shape == other.shape and torch.allclose(one, other) for what, (one, other) in pairs.items()}
        return {f'answer to "would a new module with these statistics have {what}?"': same[what] for what in pairs}

    same_outcome(probe)


@points(1.5)
@given(case=cases(IMAGES))
def test_evaluation(same_outcome, case):
    """Evaluation normalises with the moving statistics, whatever the batch looks like."""
    x, _, _, mean, var = case
    same_outcome(lambda m: remember(layer_for(m, x, eps=1e-5), mean, var).eval()(x))


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES))
def test_evaluation_between_training_steps(same_outcome, case):
    """Evaluation uses the current moving statistics, even after an earlier evaluation followed by more training."""
    x, _, _, mean, var = case

    def probe(m):
        layer = remember(layer_for(m, x), mean, var).eval()
        layer(x)
        result = step(layer, x * 2 + 1).eval()(x)
        new = remember(layer_for(m, x), layer.moving_mean, layer.moving_var).eval()
        return {'answer to "does a new module with these statistics agree?"': torch.allclose(result, new(x))}

    same_outcome(probe)


@points(1)
@settings(max_examples=15)
@given(x=batches(IMAGES))
def test_evaluation_keeps_the_statistics(same_outcome, x):
    """Evaluation does not touch the moving statistics."""

    def probe(m):
        layer = step(layer_for(m, x), x).eval()
        before = [getattr(layer, name).clone() for name in STATISTICS]
        layer(x + 5)
        layer(x * 3)
        pairs = zip(STATISTICS, before, strict=True)
        return {
            f'answer to "is {name} the same as before?"': torch.equal(getattr(layer, name), value)
            for name, value in pairs
        }

    same_outcome(probe)


@points(1.5)
@given(x=batches(IMAGES, spread=4), training=st.booleans(), recording=st.booleans())
def test_mode_is_the_modules_own(same_outcome, x, training, recording):
    """train() and eval() choose the statistics, whether or not gradients are recorded."""

    def probe(m):
        layer = layer_for(m, x).train(training)
        before = layer.moving_mean.clone()
        with torch.set_grad_enabled(recording):
            result = layer(x.clone().requires_grad_(recording))
        return {"result": result, 'answer to "did moving_mean change?"': not torch.equal(before, layer.moving_mean)}

    same_outcome(probe, tolerance=ROUGH)


@points(1.5)
@given(x=batches(IMAGES, spread=4))
def test_gradient_of_the_input(same_outcome, x):
    """In training, the gradient flows through the mean and the variance of the batch, as in nn.BatchNorm."""

    def probe(m):
        layer = layer_for(m, x)
        return {"gradient": gradients(lambda x: (layer(x) + 0.5) ** 2, x)[0]}

    same_outcome(probe, tolerance=ROUGH)


@points(1)
@settings(max_examples=15)
@given(x=batches(IMAGES, spread=4), training=st.booleans())
def test_other_gradients(same_outcome, x, training):
    """The gradient reaches gamma and beta in both modes, and the input in evaluation."""

    def flat(gradient):
        return None if gradient is None else gradient.flatten()

    def probe(m):
        layer = layer_for(m, x).train(training)
        leaf = x.clone().requires_grad_()
        (layer(leaf) + 0.5).square().sum().backward()
        found = {f"gradient of {name}": flat(getattr(layer, name).grad) for name in ("gamma", "beta")}
        return found if training else {**found, "gradient of x": leaf.grad}

    same_outcome(probe, tolerance=ROUGH)


@points(1.5)
@settings(max_examples=12)
@given(x=batches(IMAGES))
def test_training_steps_in_a_row(same_outcome, x):
    """Two training steps and one in evaluation, each with backward; the moving statistics never require a gradient."""

    def probe(m):
        layer = layer_for(m, x)
        leaf = x.clone().requires_grad_()
        found = []
        for training in (True, True, False):
            y = layer.train(training)(leaf * 2)
            if y.requires_grad:
                y.sum().backward()
            found.append([getattr(layer, name).requires_grad for name in STATISTICS])
        return {"requires_grad of moving_mean and moving_var after each step": found}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=15)
@given(case=cases(IMAGES))
def test_save_and_load(same_outcome, case):
    """A new module that loads the state_dict of a trained one computes the same result, and can be trained further."""
    x, _, _, mean, var = case

    def probe(m):
        layer = remember(layer_for(m, x), mean, 16 * var)
        with torch.no_grad():
            layer.gamma.add_(1)
        other = layer_for(m, x)
        other.load_state_dict(layer.state_dict())
        result = other.eval()(x)
        before = other.moving_mean.clone()
        moved = not torch.equal(before, step(other, x + 5).moving_mean)
        return {"result of the loaded module": result, 'answer to "does one more step move its statistics?"': moved}

    same_outcome(probe, tolerance=ROUGH)


@points(1)
@settings(max_examples=12)
@given(x=batches(IMAGES))
def test_copies_are_independent(same_outcome, x):
    """A deep copy has the same state, and each module has its own: training one does not change the others."""

    def probe(m):
        other = layer_for(m, x)
        with torch.no_grad():  # what a module remembers from a pass with a graph cannot be copied
            layer = step(layer_for(m, x), x)
        twin, mean = copy.deepcopy(layer), layer.moving_mean.clone()
        found = {'answer to "does the copy have the same moving_mean?"': torch.equal(twin.moving_mean, mean)}
        step(twin, x * 3 + 1)
        found['answer to "does a step of the copy leave the original alone?"'] = torch.equal(layer.moving_mean, mean)
        found['answer to "does a step of the copy change its own mean?"'] = not torch.equal(twin.moving_mean, mean)
        found['answer to "does another module still have zeros?"'] = not other.moving_mean.any().item()
        return found

    same_outcome(probe)


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES, dtype=float64))
def test_double(same_outcome, case):
    """A float32 module gives float32. After double() all is float64, and evaluation has the precision of float64."""
    x, _, _, mean, var = (tensor / 3 for tensor in case)

    def single(m):
        layer = layer_for(m, x.float())
        return {
            f"dtype of the result in mode {mode}": str(layer.train(mode)(x.float()).dtype) for mode in (True, False)
        }

    def probe(m):
        layer = remember(layer_for(m, x, eps=1e-12).double(), mean, var)
        in_evaluation = layer.eval()(x)
        tensors = step(layer, x).gamma, layer.beta, layer.moving_mean, layer.moving_var, layer(x)
        names = "gamma", "beta", "moving_mean", "moving_var", "the result in training"
        dtypes = {f"dtype of {name}": str(tensor.dtype) for name, tensor in zip(names, tensors, strict=True)}
        return {"result in evaluation": in_evaluation, **dtypes}

    same_outcome(single)
    same_outcome(probe, exact="dtype")


@points(0.5)
@settings(max_examples=15)
@given(case=cases(SMALL, dtype=float64))
def test_precision_of_training(same_outcome, case):
    """After double(), training has the precision of float64: results, moving statistics and the input's gradient."""
    x, _, _, mean, var = (tensor / 3 for tensor in case)

    def probe(m):
        layer = remember(layer_for(m, x, eps=1e-12).double(), mean, var)
        found = {"result": layer(x), **{name: value.clone() for name, value in statistics_of(layer).items()}}
        return {**found, "gradient": gradients(lambda x: (layer(x) + 0.5) ** 2, x)[0]}

    same_outcome(probe, exact="dtype")


@points(0.5)
@settings(max_examples=4)
@given(x=batches(IMAGES), training=st.booleans())
def test_device(same_outcome, x, training):
    """A module on another device gives results there. (Here: "meta", which has no numbers and stands in for a GPU.)"""

    def probe(m):
        layer = layer_for(m, x).train(training)
        layer(x)
        layer = layer_for(m, x).train(training).to("meta")
        same = on_meta_device(lambda: [layer(x.to("meta")), layer.moving_mean, layer.moving_var])
        return {'answer to "are result and moving statistics on the device of the input?"': same}

    same_outcome(probe)


@points(1)
@given(num_dims=st.sampled_from([3, 1, 5, 0]), num_features=st.integers(1, 4))
def test_other_num_dims(same_outcome, num_dims, num_features):
    """A num_dims other than 2 or 4 raises a ValueError as soon as the module is built."""

    def probe(m):
        return isinstance(m.BatchNorm(num_features, num_dims), nn.Module)

    same_outcome(probe, raises=ValueError)


@points(1)
@settings(max_examples=15)
@given(x=batches(IMAGES))
def test_defaults(same_outcome, x):
    """By default, eps is 1e-5 and momentum is 0.1."""

    def probe(m):
        layer = layer_for(m, x)
        return {"result": layer(x / 1000), "moving_mean times 1000": layer.moving_mean.flatten() * 1000}

    same_outcome(probe, tolerance=ROUGH)


@points(1)
@settings(max_examples=15)
@given(x=batches(IMAGES), eps=st.sampled_from([0.5, 1.0, 4.0]), momentum=st.sampled_from([0.2, 0.7, 1.0]))
def test_eps_and_momentum(same_outcome, x, eps, momentum):
    """eps and momentum can be given by position or by name."""
    features, dims = x.shape[1], x.dim()
    named = {"num_features": features, "num_dims": dims, "eps": eps, "momentum": momentum}

    def probe(m):
        by_position, by_name = m.BatchNorm(features, dims, eps, momentum), m.BatchNorm(**named)
        return [{"result": layer(x), **statistics_of(layer)} for layer in map(neutral, (by_position, by_name))]

    same_outcome(probe, tolerance=ROUGH)


@points(0.5)
@settings(max_examples=15)
@given(x=tensors(st.sampled_from(IMAGES), values="distinct"), training=st.booleans())
def test_any_memory_layout(same_outcome, x, training):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""

    def probe(m):
        one, other = (layer_for(m, x).train(training)(value) for value in (x, x.contiguous()))
        return {'answer to "does a contiguous copy give the same?"': torch.allclose(one, other, rtol=1e-3, atol=1e-3)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=12)
@given(x=batches(IMAGES), training=st.booleans())
def test_argument_is_not_modified(same_outcome, x, training):
    """The tensor that was passed in is the same afterwards."""

    def probe(m):
        layer_for(m, x).train(training)(x)
        return {"input after the call": x}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(x=batches(IMAGES), training=st.booleans(), recording=st.booleans())
def test_two_calls(same_outcome, x, training, recording):
    """A second call does not change the result of the first one."""

    def probe(m):
        layer = layer_for(m, x).train(training)
        with torch.set_grad_enabled(recording):
            first = layer(x)
            before = first.detach().clone()
            layer(x * 2 + 1)
        return {'answer to "is the first result still the same?"': torch.equal(first, before)}

    same_outcome(probe)


@points(1)
def test_speed(forward_time):
    """In training, a large batch of images is normalised with few operators and no loop."""
    forward_time(lambda m: m.BatchNorm(32, 4).train(), normal((16, 32, 28, 28)), cpu=(18, 72), cuda=(18, 72))


@points(3.5)
@given(case=cases(EVERYTHING, scaled=True), eps=st.sampled_from([1e-5, 0.5]), momentum=st.sampled_from([0.1, 0.7]))
def test_everything_at_once(same_outcome, case, eps, momentum):
    """Everything together: small, square and flat inputs, two training steps with gradients, then evaluation."""
    x, gamma, beta, mean, var = case
    larger = torch.cat([x, make_batch(x.shape, 0)])

    def probe(m):
        layer = scaled(remember(layer_for(m, x, eps=eps, momentum=momentum), mean, var), gamma, beta)
        gradient = gradients(lambda x: layer(x) ** 2, x)[0]
        result = layer(larger)
        statistics = statistics_of(layer)
        return {
            "gradient in the first step": gradient,
            "result of the second step": result,
            **statistics,
            "result in evaluation": layer.eval()(x),
        }

    same_outcome(probe, tolerance=Tolerance(1e-3, 1e-3))
