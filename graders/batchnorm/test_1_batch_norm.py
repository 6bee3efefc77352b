"""`batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True)`: the computation."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EQUAL_EXTENTS,
    EVERYTHING,
    EXTENTS_OF_ONE,
    IMAGES,
    ONE_ROW,
    ONE_VALUE,
    ROUGH,
    SMALL,
    TWO_VALUES,
    VECTORS,
    cases,
    float64,
    make_batch,
    make_parameters,
    results,
)

from autograder.grading import NORMALISATION, Tolerance, exercise, forbids, points
from autograder.probes import gradients, on_meta_device

pytestmark = [exercise("batch_norm"), forbids(NORMALISATION)]

EPS, MOMENTUM = 1e-5, 0.1
TINY_EPS = 1e-12  # so small that even float64 does not notice whether it is inside or outside the root
training_modes = st.booleans()


@points(3.5)
@given(case=cases(IMAGES))
def test_training_with_images(same_outcome, case):
    """Training, (N, C, H, W): every channel gets one mean and one variance, over all samples and all pixels."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM)[0], tolerance=ROUGH)


@points(2.5)
@settings(max_examples=12)
@given(case=cases(VECTORS))
def test_training_with_vectors(same_outcome, case):
    """Training, (N, F): every column gets its own mean and variance."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM)[0], tolerance=ROUGH)


@points(1.5)
@settings(max_examples=10)
@given(case=cases(VECTORS))
def test_statistics_of_vectors(same_outcome, case):
    """(N, F): training moves the statistics of every column; evaluation normalises with them."""

    def probe(m):
        _, mean, var = m.batch_norm(*case, EPS, 0.5)
        result, _, _ = m.batch_norm(*case, EPS, MOMENTUM, False)
        return {"moving mean": mean, "moving variance": var, "result in evaluation": result}

    same_outcome(probe, tolerance=ROUGH)


@points(2)
@settings(max_examples=12)
@given(case=cases(IMAGES, scaled=True, settled=True, alike=True), training=training_modes)
def test_scale_and_shift(same_outcome, case, training):
    """What is normalised is multiplied by γ, and then β is added, in both modes."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM, training)[0], tolerance=ROUGH)


@points(1.5)
@given(case=cases(EQUAL_EXTENTS, settled=True), training=training_modes)
def test_equal_extents(same_outcome, case, training):
    """What belongs to a channel reaches that channel, even if N, H or W happens to equal C."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM, training)[0], tolerance=ROUGH)


@points(1.5)
@given(case=cases(EXTENTS_OF_ONE, settled=True), training=training_modes)
def test_extents_of_one(same_outcome, case, training):
    """One channel, one image, one row or one column: all shapes stay as they are."""

    def probe(m):
        found = results(m, *case, EPS, MOMENTUM, training)
        shapes = {f"shape of the {name}": list(found[name].shape) for name in ("moving mean", "moving variance")}
        return {"result Y": found["result Y"], **shapes}

    same_outcome(probe, tolerance=ROUGH, exact="shape")


@points(0.5)
@settings(max_examples=6)
@given(case=cases(TWO_VALUES))
def test_two_values_per_feature(same_outcome, case):
    """In training, two values per feature are enough: the larger one becomes positive, the smaller one negative."""
    same_outcome(lambda m: {"signs of the result": m.batch_norm(*case, EPS, MOMENTUM)[0].sign()})


@points(2.5)
@given(case=cases(SMALL))
def test_biased_variance(same_outcome, case):
    """Training normalises with the biased variance of the batch; a batch with few values shows it."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM)[0])


@points(2)
@settings(max_examples=15)
@given(case=cases(IMAGES, settled=True, alike=True), eps=st.sampled_from([0.5, 1.0, 4.0]), training=training_modes)
def test_eps(same_outcome, case, eps, training):
    """eps is inside the root, in both modes; it shows when eps is large or the variance is tiny."""
    X, gamma, beta, mean, var = case
    same_outcome(lambda m: m.batch_norm(X, gamma, beta, mean, var, eps, MOMENTUM, training)[0], tolerance=ROUGH)
    X, mean, var = X / 1000, mean / 1000, var / 1e6
    same_outcome(lambda m: m.batch_norm(X, gamma, beta, mean, var, EPS, MOMENTUM, training)[0], tolerance=ROUGH)


@points(1.5)
@settings(max_examples=15)
@given(case=cases(IMAGES), momentum=st.sampled_from([0.1, 0.3, 0.9, 1.0]))
def test_moving_mean(same_outcome, case, momentum):
    """Training returns (1 − momentum) · moving mean + momentum · mean of the batch."""
    same_outcome(lambda m: {"moving mean": m.batch_norm(*case, EPS, momentum)[1]})


@points(1.5)
@settings(max_examples=15)
@given(case=cases(IMAGES), momentum=st.sampled_from([0.1, 0.3, 0.9, 1.0]))
def test_moving_variance(same_outcome, case, momentum):
    """Training returns (1 − momentum) · moving variance + momentum · variance of the batch (not its deviation)."""
    same_outcome(lambda m: {"moving variance": m.batch_norm(*case, EPS, momentum)[2]}, tolerance=ROUGH)


@points(2)
@given(case=cases(SMALL))
def test_moving_variance_is_unbiased(same_outcome, case):
    """The moving variance uses the unbiased variance of the batch; a batch with few values shows it."""
    same_outcome(lambda m: {"moving variance": m.batch_norm(*case, EPS, 0.5)[2]})


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES))
def test_statistics_without_a_graph(same_outcome, case):
    """The returned moving statistics do not require a gradient, after any number of training steps."""

    def probe(m):
        X, gamma, beta, mean, var = (tensor.clone() for tensor in case)
        X, gamma, beta = (tensor.requires_grad_() for tensor in (X, gamma, beta))
        found = []
        for training in (True, True, False):
            _, mean, var = m.batch_norm(X, gamma, beta, mean, var, EPS, MOMENTUM, training)
            found.append([mean.requires_grad, var.requires_grad])
        return {"requires_grad of the moving mean and variance after each step": found}

    same_outcome(probe)


@points(2)
@given(case=cases(IMAGES))
def test_evaluation(same_outcome, case):
    """Evaluation normalises with the moving statistics, whatever the batch looks like."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM, training=False)[0])


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES), momentum=st.sampled_from([0.1, 0.9]))
def test_evaluation_returns_the_statistics(same_outcome, case, momentum):
    """Evaluation returns the moving statistics as they are."""

    def probe(m):
        _, mean, var = m.batch_norm(*case, EPS, momentum, training=False)
        return {"returned moving mean": mean, "returned moving variance": var}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=8)
@given(case=cases(ONE_VALUE))
def test_evaluation_with_one_value_per_feature(same_outcome, case):
    """In evaluation, a single value per feature is not an error."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM, False)[0].numel())


@points(2)
@given(case=cases(IMAGES))
def test_gradient_of_the_input(same_outcome, case):
    """In training, the gradient also flows through the mean and the variance of the batch."""
    same_outcome(lambda m: gradient_of_the_input(m, *case), tolerance=ROUGH)


@points(1)
@settings(max_examples=10)
@given(case=cases(VECTORS))
def test_gradient_with_vectors(same_outcome, case):
    """For (N, F), too, the gradient flows through the mean and the variance of the batch."""
    same_outcome(lambda m: gradient_of_the_input(m, *case), tolerance=ROUGH)


def gradient_of_the_input(m, X, *rest):
    return {"gradient": gradients(lambda X: m.batch_norm(X, *rest, EPS, MOMENTUM)[0] ** 2, X)[0]}


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES, settled=True, alike=True), training=training_modes)
def test_other_gradients(same_outcome, case, training):
    """The gradient reaches γ and β in both modes, and the input in evaluation."""
    X, gamma, beta, *moving = case

    def probe(m):
        def in_mode(X, gamma, beta):
            return (m.batch_norm(X, gamma, beta, *moving, EPS, MOMENTUM, training)[0] + 0.5) ** 2

        of_x, of_gamma, of_beta = gradients(in_mode, X, gamma, beta)
        found = {"gradient of gamma": of_gamma, "gradient of beta": of_beta}
        return found if training else {**found, "gradient of X": of_x}

    same_outcome(probe, tolerance=ROUGH)


@points(0.5)
@settings(max_examples=12)
@given(case=cases(IMAGES, dtype=float64, settled=True, alike=True))
def test_dtype(same_outcome, case):
    """All three results have the input's dtype; with float64 evaluation and the moving mean have that precision."""
    X, gamma, beta, mean, var = case
    double = X / 3, gamma, beta, mean / 3, var / 3
    single = [tensor.float() for tensor in case]

    def dtypes(m):
        calls = [(mode, tensors) for mode in (True, False) for tensors in (double, single)]
        both = [results(m, *tensors, TINY_EPS, 0.5, mode) for mode, tensors in calls]
        return [{f"dtype of the {name}": str(value.dtype) for name, value in one.items()} for one in both]

    same_outcome(dtypes)
    same_outcome(lambda m: m.batch_norm(*double, TINY_EPS, MOMENTUM, False)[0], exact="dtype")
    same_outcome(lambda m: {"moving mean": m.batch_norm(*double, TINY_EPS, 0.5)[1]}, exact="dtype")


@points(0.5)
@settings(max_examples=15)
@given(case=cases(SMALL, dtype=float64))
def test_precision_of_training(same_outcome, case):
    """Training with float64 has the precision of float64: the results and the gradient of the input."""
    X, gamma, beta, mean, var = case
    X, *rest = X / 3, gamma, beta, mean / 3, var / 3
    same_outcome(lambda m: results(m, X, *rest, TINY_EPS, 0.5), exact="dtype")
    same_outcome(
        lambda m: {"gradient": gradients(lambda X: m.batch_norm(X, *rest, TINY_EPS, 0.5)[0] ** 2, X)[0]}, exact="dtype"
    )


@points(0.5)
@settings(max_examples=4)
@given(case=cases(IMAGES), training=training_modes)
def test_device(same_outcome, case, training):
    """The results are on the device of the input. (Here: "meta", which has no numbers and stands in for a GPU.)"""

    def probe(m):
        m.batch_norm(*case, EPS, MOMENTUM, training)
        elsewhere = [tensor.to("meta") for tensor in case]
        same = on_meta_device(lambda: m.batch_norm(*elsewhere, EPS, MOMENTUM, training))
        return {'answer to "are all three results on the device of the input?"': same}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(case=cases(IMAGES, layouts=True), training=training_modes)
def test_any_memory_layout(same_outcome, case, training):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    X, *rest = case

    def probe(m):
        one, other = (m.batch_norm(x, *rest, EPS, MOMENTUM, training)[0] for x in (X, X.contiguous()))
        return {'answer to "does a contiguous copy give the same?"': torch.allclose(one, other, rtol=1e-3, atol=1e-3)}

    same_outcome(probe)


@points(1)
@settings(max_examples=15)
@given(case=cases(IMAGES, scaled=True), training=training_modes)
def test_arguments_are_not_modified(same_outcome, case, training):
    """All five tensors that were passed in are the same afterwards, including the moving statistics."""
    names = ("X", "gamma", "beta", "moving_mean", "moving_var")

    def probe(m):
        m.batch_norm(*case, EPS, MOMENTUM, training)
        return {f"argument {name} after the call": tensor for name, tensor in zip(names, case, strict=True)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(case=cases(IMAGES), training=training_modes)
def test_two_calls(same_outcome, case, training):
    """Calls are independent: no call changes the results of an earlier one or those of a later one."""
    X, *rest = case
    larger = torch.cat([X, X * 2 + 1])

    def probe(m):
        m.batch_norm(*case, EPS, MOMENTUM, training)  # so that what was called before this probe does not matter
        first = results(m, *case, EPS, MOMENTUM, training)
        before = {name: tensor.clone() for name, tensor in first.items()}
        for tensors in ([tensor * 2 + 1 for tensor in case], [larger, *rest]):
            m.batch_norm(*tensors, EPS, MOMENTUM, training)
        kept = {name: torch.equal(tensor, before[name]) for name, tensor in first.items()}
        again = results(m, *case, EPS, MOMENTUM, training)
        same = {name: torch.allclose(tensor, before[name]) for name, tensor in again.items()}
        return {
            **{f'answer to "is the {name} of the first call still the same?"': kept[name] for name in kept},
            **{f'answer to "is the {name} of the same call the same later?"': same[name] for name in same},
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=10)
@given(case=cases(ONE_VALUE))
def test_one_value_per_feature(same_outcome, case):
    """In training, a single value per channel raises a ValueError."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM), raises=ValueError)


@points(0.5)
@settings(max_examples=6)
@given(case=cases(ONE_ROW))
def test_a_single_row(same_outcome, case):
    """In training, a batch (N, F) with a single row raises a ValueError; in evaluation it does not."""
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM), raises=ValueError)
    same_outcome(lambda m: m.batch_norm(*case, EPS, MOMENTUM, False)[0].numel())


@points(0.5)
@settings(max_examples=15)
@given(shape=st.sampled_from([(4,), (4, 3, 5), (2, 3, 4, 5, 2)]), training=training_modes)
def test_other_ranks(same_outcome, shape, training):
    """An input that is neither (N, F) nor (N, C, H, W) raises a ValueError, in both modes."""
    X = torch.arange(float(torch.Size(shape).numel())).reshape(shape)
    few = torch.ones([size if axis == 1 else 1 for axis, size in enumerate(shape)])
    same_outcome(lambda m: m.batch_norm(X, few, few, few, few, EPS, MOMENTUM, training), raises=ValueError)


@points(0.5)
@settings(max_examples=10)
@given(case=cases(IMAGES))
def test_arguments_by_name(same_outcome, case):
    """All arguments can be given by name; `training` is True by default."""
    names = ("X", "gamma", "beta", "moving_mean", "moving_var")
    named = {**dict(zip(names, case, strict=True)), "eps": EPS, "momentum": MOMENTUM}

    def probe(m):
        pairs = {
            'answer to "is the result the same by name and by position?"': (
                m.batch_norm(**named, training=False),
                m.batch_norm(*case, EPS, MOMENTUM, False),
            ),
            'answer to "is training on by default?"': (m.batch_norm(**named), m.batch_norm(*case, EPS, MOMENTUM, True)),
        }
        return {what: torch.allclose(one[0], other[0]) for what, (one, other) in pairs.items()}

    same_outcome(probe)


@points(3.5)
@given(
    case=cases(EVERYTHING, scaled=True),
    eps=st.sampled_from([EPS, 0.5]),
    momentum=st.sampled_from([0.1, 0.7]),
    training=training_modes,
)
def test_everything_at_once(same_outcome, case, eps, momentum, training):
    """Everything together, right after an input of the other rank: small, square and flat inputs in both modes."""
    X, gamma, beta, *moving = case
    other = (4, 3) if X.dim() == 4 else (2, 3, 2, 2)
    before = make_batch(other, 0), *make_parameters(other, 0)

    def probe(m):
        m.batch_norm(*before, EPS, MOMENTUM)
        found = results(m, *case, eps, momentum, training)

        def squared(X, gamma, beta):
            return m.batch_norm(X, gamma, beta, *moving, eps, momentum, training)[0] ** 2

        of = dict(zip(("X", "gamma", "beta"), gradients(squared, X, gamma, beta), strict=True))
        return {**found, **{f"gradient of {name}": gradient for name, gradient in of.items()}}

    same_outcome(probe, tolerance=Tolerance(1e-3, 1e-3))
