import torch
from hypothesis import given

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors

pytestmark = exercise("layer_norm")
ROW, ROWS = shapes((1, 1), (3, 6)), shapes((2, 3), (3, 6))
ONE, NIL = torch.ones(()), torch.zeros(())


@points(2)
@given(x=tensors(ROW, values="distinct"))
def test_spread(same_outcome, x):
    """The variance of the result is 1."""
    same_outcome(lambda m: {"variance": m.layer_norm(x, ONE, NIL).var(-1, correction=0)})


@points(2)
@given(x=tensors(ROW, values="distinct"))
def test_small_numbers(same_outcome, x):
    """eps keeps numbers that hardly differ from being blown up."""
    same_outcome(lambda m: m.layer_norm(x * 1e-5, ONE, NIL))


@points(2)
@given(x=tensors(ROW, values="distinct"))
def test_weight_and_bias(same_outcome, x):
    """The bias is added last, after the weight."""
    same_outcome(lambda m: {"what the bias adds": m.layer_norm(x, 3 * ONE, 2 * ONE) - m.layer_norm(x, 3 * ONE, NIL)})


@points(2)
@given(x=tensors(ROWS, values="distinct"))
def test_every_row_by_itself(same_outcome, x):
    """Every row has a mean of its own."""
    same_outcome(lambda m: {"means": m.layer_norm(x, ONE, NIL).mean(-1)})


@points(1)
@given(x=tensors(shapes((2, 2), (2, 3), (3, 4)), values="distinct"))
def test_sentences(same_outcome, x):
    """A batch of sentences is normalised over its last dimension."""
    same_outcome(lambda m: {"means": m.layer_norm(x, ONE, NIL).mean(-1)}, exact="shape")


@points(1)
@given(x=tensors(ROWS, values="distinct", dtype=torch.float64))
def test_everything_together(same_outcome, x):
    """Rows of any size in float64, with weight and bias."""
    same_outcome(lambda m: m.layer_norm(x, x[0], x[1]), exact="dtype")
