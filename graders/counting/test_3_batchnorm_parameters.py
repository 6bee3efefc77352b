"""`batchnorm_parameters(num_features, affine=True)`: what is learned, not what is kept."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import near, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("batchnorm_parameters")

features = near(8, 1, 512)


@points(2.5)
@given(features=features)
def test_learnable_numbers(same_outcome, features):
    """Only what is learned for each channel counts; running statistics are buffers."""
    same_outcome(lambda m: whole(m.batchnorm_parameters(features)))


@points(2)
@given(features=features)
def test_without_affine(same_outcome, features):
    """With affine=False nothing is learned."""
    same_outcome(lambda m: whole(m.batchnorm_parameters(features, affine=False)))


@points(0.5)
@given(features=features, affine=st.booleans())
def test_arguments(same_outcome, features, affine):
    """Arguments may be given by position or by name."""
    same_outcome(lambda m: whole(m.batchnorm_parameters(features, affine)))
    same_outcome(lambda m: whole(m.batchnorm_parameters(affine=affine, num_features=features)))


@points(1)
@given(features=features)
def test_plain_int(same_outcome, features):
    """The result is a plain int: 12, not 12.0, not a tensor, and not False for 0."""
    same_outcome(lambda m: {"type of the result": type_of(m.batchnorm_parameters(features))})
    same_outcome(lambda m: {"type of the result": type_of(m.batchnorm_parameters(features, affine=False))})
