"""`linear_parameters(in_features, out_features, bias=True)`."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import difference, near, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("linear_parameters")

features = st.tuples(near(3, 1, 40), near(5, 1, 40))


@points(1.5)
@given(features=features)
def test_weights_and_biases(same_outcome, features):
    """One weight per pair of input and output, and one bias per output by default."""
    same_outcome(lambda m: whole(m.linear_parameters(*features)))


@points(1.5)
@given(features=features)
def test_without_bias(same_outcome, features):
    """With bias=False only the weights count."""
    same_outcome(lambda m: whole(m.linear_parameters(*features, bias=False)))


@points(1)
@given(features=features)
def test_another_input(same_outcome, features):
    """Another input needs another weight for each output, and nothing else."""
    in_features, out_features = features

    def probe(m):
        more, fewer = (m.linear_parameters(count, out_features) for count in (in_features + 1, in_features))
        return {"parameters that another input adds": difference(more, fewer)}

    same_outcome(probe)


@points(1)
@given(features=features, bias=st.booleans())
def test_arguments(same_outcome, features, bias):
    """Arguments may be given by position or by name."""
    in_features, out_features = features

    def probe(m):
        by_name = m.linear_parameters(out_features=out_features, in_features=in_features, bias=bias)
        by_position = m.linear_parameters(in_features, out_features, bias)
        return {"parameters by name, less those by position": difference(by_name, by_position)}

    same_outcome(probe)


@points(1)
@given(features=features, bias=st.booleans())
def test_plain_int(same_outcome, features, bias):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.linear_parameters(*features, bias=bias))})
