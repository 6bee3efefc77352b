"""`accuracy(logits, labels)`: the share of rows whose first maximum is at the label."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import SHARES, TYPE, number, type_of

from autograder.grading import exercise, points
from autograder.grading.strategies import tensors

pytestmark = exercise("accuracy")


@st.composite
def cases(draw, rows=(2, 7), classes=(2, 5), values="distinct"):
    """Logits, and labels of which some are right."""
    n, k = draw(st.integers(*rows)), draw(st.integers(*classes))
    logits = draw(tensors((n, k), values=values))
    right = logits.argmax(dim=1)
    offset = torch.tensor(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    return logits, (right + offset) % k


def share(m, logits, labels):
    return {"accuracy": number(m.accuracy(logits, labels))}


@points(1.5)
@given(case=cases())
def test_share(same_outcome, case):
    """The accuracy is the number of rows whose largest logit is at the label, divided by the number of rows."""
    logits, labels = case
    same_outcome(lambda m: share(m, logits, labels), tolerance=SHARES)


def counted(m, logits, label):
    """Whether the only row counts as right."""
    return {'answer to "does the row count as right?"': number(m.accuracy(logits, torch.tensor([label]))) > 0}


@points(1)
@given(row=st.permutations([1, 1, 0, 0]), second=st.booleans())
def test_first_maximum(same_outcome, row, second):
    """If several logits of a row are equally large, the first of them counts."""
    logits = torch.tensor([row]).float()
    maxima = [index for index, value in enumerate(row) if value]
    same_outcome(lambda m: counted(m, logits, maxima[second]))


@points(0.5)
def test_one_row_or_one_class(same_outcome):
    """There may be one sample only, or one class only, and all or none may be right."""
    row = torch.tensor([[0.5, 2.0, -1.0]])
    for label in (0, 1, 2):
        same_outcome(lambda m, label=label: counted(m, row, label))
    same_outcome(lambda m: counted(m, torch.tensor([[-1.0]]), 0))


@points(0.5)
@settings(max_examples=3)
@given(case=cases())
def test_python_float(same_outcome, case):
    """The result is a Python float, not a tensor."""
    logits, labels = case
    same_outcome(lambda m: {TYPE: type_of(m.accuracy(logits, labels))})


@points(0.75)
@settings(max_examples=8)
@given(logits=tensors((3, 2)), count=st.sampled_from([1, 2, 4]))
def test_lengths_that_differ(same_outcome, logits, count):
    """More or fewer labels than rows raise a ValueError."""
    labels = torch.zeros(count, dtype=torch.int64)
    same_outcome(lambda m: m.accuracy(logits, labels), raises=ValueError)


@points(0.75)
def test_no_samples(same_outcome):
    """No samples at all raise a ValueError."""
    labels = torch.zeros(0, dtype=torch.int64)
    same_outcome(lambda m: m.accuracy(torch.zeros(0, 3), labels), raises=ValueError)


@points(0.5)
@settings(max_examples=5)
@given(case=cases())
def test_arguments_stay(same_outcome, case):
    """Logits and labels are not modified."""
    logits, labels = case

    def probe(m):
        m.accuracy(logits, labels)
        return {"logits after the call": logits, "labels after the call": labels}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=8)
@given(case=cases(rows=(20, 40), classes=(1, 6), values="signed"), double=st.booleans())
def test_everything_at_once(same_outcome, case, double):
    """Many samples with ties, in float32 and float64, with logits that belong to a graph."""
    logits, labels = case
    leaf = (logits.double() if double else logits).clone().requires_grad_()
    same_outcome(lambda m: share(m, leaf * 2, labels), tolerance=SHARES)
