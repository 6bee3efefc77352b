"""`batchnorm_parameters(num_features, affine=True)`: what is learned, not what is kept."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import difference, near, ratio, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("batchnorm_parameters")

features = near(8, 1, 512)


@points(1.5)
@given(features=features)
def test_learnable_numbers(same_outcome, features):
    """Only what is learned for each channel counts; running statistics are buffers."""
    same_outcome(lambda m: whole(m.batchnorm_parameters(features)))


@points(1.5)
@given(features=features)
def test_without_affine(same_outcome, features):
    """With affine=False nothing is learned."""
    same_outcome(lambda m: whole(m.batchnorm_parameters(features, affine=False)))


@points(1)
@given(features=features)
def test_twice_as_many_channels(same_outcome, features):
    """Every channel has its own numbers: twice as many channels learn twice as much."""

    def probe(m):
        return {"ratio": ratio(m.batchnorm_parameters(2 * features), m.batchnorm_parameters(features))}

    same_outcome(probe)


@points(1)
@given(features=features, affine=st.booleans())
def test_arguments(same_outcome, features, affine):
    """Arguments may be given by position or by name."""

    def probe(m):
        by_name = m.batchnorm_parameters(affine=affine, num_features=features)
        return {"by name, less by position": difference(by_name, m.batchnorm_parameters(features, affine))}

    same_outcome(probe)


@points(1)
@given(features=features)
def test_plain_int(same_outcome, features):
    """The result is a plain int: 12, not 12.0, not a tensor, and not False for 0."""
    same_outcome(lambda m: {"type of the result": type_of(m.batchnorm_parameters(features))})
    same_outcome(lambda m: {"type of the result": type_of(m.batchnorm_parameters(features, affine=False))})
