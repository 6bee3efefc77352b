"""`cross_entropy(logits, labels, label_smoothing=0.0)`: the mean cross-entropy of a batch, written by hand."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import float32, float64

from autograder.grading import exercise, forbids, points
from autograder.grading.strategies import tensors
from autograder.probes import gradients

pytestmark = [exercise("cross_entropy"), forbids("cross_entropy", "*nll_loss*", "*softmax*")]

smoothings = st.sampled_from([0.1, 0.25, 0.5])


@st.composite
def cases(draw, rows=(2, 5), classes=(2, 5), dtype=float64, largest=2.0, layouts=False):
    """Logits of a readable size, and labels."""
    n, k = draw(st.integers(*rows)), draw(st.integers(*classes))
    logits = draw(tensors((n, k), dtype=dtype, layouts=layouts))
    labels = torch.tensor(draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n)))
    return logits * (largest / 16), labels


def gradient(m, logits, labels, **options):
    """The gradient for the logits, however many dimensions the result has."""
    return gradients(lambda z: m.cross_entropy(z, labels, **options).reshape(()), logits)[0]


def direction(m, logits, labels):
    """The gradient without its length, which is wrong if the loss is not a mean; another check is about that."""
    found = gradient(m, logits, labels)
    return {"gradient, divided by its length": found if found is None else found / found.norm().clamp(min=1e-9)}


@points(2.5)
@given(case=cases())
def test_mean_over_the_batch(same_outcome, case):
    """The loss of a sample is log Σ exp(logits) minus the logit of its label; the result is the mean."""
    logits, labels = case
    same_outcome(lambda m: m.cross_entropy(logits, labels))


@points(2)
@given(case=cases(largest=1000.0), sign=st.sampled_from([0, 1000, -1000]))
def test_large_logits(same_outcome, case, sign):
    """Logits of ±1000 and more give a finite loss, even if those of other samples are very different."""
    logits, labels = case
    logits = logits + sign * torch.arange(len(logits)).unsqueeze(1)

    def probe(m):
        return {'answer to "is the loss finite?"': bool(m.cross_entropy(logits, labels).isfinite())}

    same_outcome(probe)


@points(2.5)
@given(case=cases(), smoothing=smoothings)
def test_label_smoothing(same_outcome, case, smoothing):
    """With label smoothing ε, the target is 1 − ε at the label, plus ε/K at each of the K classes."""
    logits, labels = case

    def probe(m):
        plain, smoothed = (m.cross_entropy(logits, labels, label_smoothing=value) for value in (0.0, smoothing))
        return {"loss with label smoothing, divided by the loss without": smoothed / plain}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=10)
@given(case=cases())
def test_gradient(same_outcome, case):
    """Gradients flow back to the logits."""
    logits, labels = case
    same_outcome(lambda m: direction(m, logits, labels))


@points(1)
@settings(max_examples=10)
@given(case=cases(largest=300.0))
def test_gradient_of_large_logits(same_outcome, case):
    """Gradients are right even where the probability of the label is nearly 0."""
    logits, labels = case
    same_outcome(lambda m: direction(m, logits, labels))


@points(0.5)
@settings(max_examples=5)
@given(case=cases())
def test_shape(same_outcome, case):
    """The result is a tensor without dimensions."""
    logits, labels = case
    same_outcome(lambda m: list(m.cross_entropy(logits, labels).shape))


@points(0.5)
@settings(max_examples=6)
@given(case=cases(), dtype=st.sampled_from([float32, float64]))
def test_dtype(same_outcome, case, dtype):
    """The result has the dtype of the logits."""
    logits, labels = case
    logits = logits.to(dtype)
    same_outcome(lambda m: {"dtype of the result": str(m.cross_entropy(logits, labels).dtype)})


@points(1)
@given(case=cases(), smoothing=st.sampled_from([-0.1, 1.1, -1.0, 2.0]))
@settings(max_examples=6)
def test_smoothing_out_of_range(same_outcome, case, smoothing):
    """A label smoothing below 0 or above 1 raises a ValueError."""
    logits, labels = case
    same_outcome(lambda m: m.cross_entropy(logits, labels, label_smoothing=smoothing), raises=ValueError)


@points(0.5)
@given(case=cases(), smoothing=st.sampled_from([0.0, 1.0, 0, 1]))
@settings(max_examples=6)
def test_smoothing_of_0_and_1(same_outcome, case, smoothing):
    """A label smoothing of exactly 0 or 1 is allowed."""
    logits, labels = case
    same_outcome(lambda m: list(m.cross_entropy(logits, labels, smoothing).flatten().shape))


@points(0.5)
@settings(max_examples=5)
@given(case=cases())
def test_arguments_stay(same_outcome, case):
    """Logits and labels are not modified."""
    logits, labels = case

    def probe(m):
        m.cross_entropy(logits, labels)
        return {"logits after the call": logits, "labels after the call": labels}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=8)
@given(case=cases(rows=(1, 1), classes=(1, 3)))
def test_one_sample(same_outcome, case):
    """There may be one sample only, and one class only, whose loss is 0."""
    logits, labels = case
    same_outcome(lambda m: m.cross_entropy(logits, labels))


@points(1)
@given(case=cases(rows=(1, 6), largest=100.0, layouts=True), smoothing=st.sampled_from([0.0, 0.1, 0.7, 1.0]))
def test_everything_at_once(same_outcome, case, smoothing):
    """Loss and gradient for logits of any size in any memory layout, with and without smoothing."""
    logits, labels = case

    def probe(m):
        loss = m.cross_entropy(logits, labels, label_smoothing=smoothing)
        return {"loss": loss, "gradient": gradient(m, logits, labels, label_smoothing=smoothing)}

    same_outcome(probe)
