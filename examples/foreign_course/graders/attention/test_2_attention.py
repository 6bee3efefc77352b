import torch
from hypothesis import given

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors

pytestmark = exercise("attention")
matrices = tensors(shapes((2, 4), (2, 2)), values="distinct")
batches = tensors(shapes((2, 3), (3, 4), (2, 2)), values="distinct", dtype=torch.float64)


@points(2)
@given(q=matrices)
def test_one_key(same_outcome, q):
    """With a single key, every query gets its value."""
    same_outcome(lambda m: m.attention(q, q[:1], q[:1]))


@points(2)
@given(k=matrices)
def test_scaled_scores(same_outcome, k):
    """Scores are divided by the root of d before the softmax."""
    same_outcome(lambda m: m.attention(k[:1], k, k))


@points(2)
@given(k=matrices)
def test_mask(same_outcome, k):
    """A key that is masked gets no weight, and the other weights add up to 1."""
    mask = torch.arange(len(k))[None] > 0
    same_outcome(lambda m: m.attention(0 * k[:1], k, k, mask))


@points(2)
@given(k=matrices)
def test_no_look_ahead(same_outcome, k):
    """With a triangular mask, a word sees itself and the words before it."""
    same_outcome(lambda m: m.attention(0 * k, k, k, torch.ones(len(k), len(k)).tril() > 0))


@points(1)
@given(x=batches)
def test_batch(same_outcome, x):
    """Each sentence of a batch is looked at by itself."""
    same_outcome(lambda m: m.attention(0 * x, x, x), exact="shape")


@points(1)
@given(x=batches)
def test_everything_together(same_outcome, x):
    """Batches in float64 with a mask."""
    same_outcome(lambda m: m.attention(x, x + 1, x - 1, torch.ones(x.shape[1], x.shape[1]).tril() > 0), exact="dtype")
