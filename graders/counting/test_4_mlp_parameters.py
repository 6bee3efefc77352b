"""`mlp_parameters(sizes, bias=True)`: fully connected layers in a row."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import near, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("mlp_parameters")


def sizes(least=2, most=5):
    return st.lists(near(2, 1, 20), min_size=least, max_size=most)


@points(2.5)
@given(sizes=sizes(least=3))
def test_several_layers(same_outcome, sizes):
    """Every layer counts, with its biases."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes)))


@points(1.5)
@given(sizes=sizes(least=3))
def test_without_bias(same_outcome, sizes):
    """With bias=False only the weights count."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes, bias=False)))


@points(1)
@given(sizes=sizes(most=2))
def test_one_layer(same_outcome, sizes):
    """Two sizes make one layer."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes)))


@points(0.5)
@given(sizes=sizes(), bias=st.booleans())
def test_arguments(same_outcome, sizes, bias):
    """Arguments may be given by position or by name."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes, bias)))
    same_outcome(lambda m: whole(m.mlp_parameters(bias=bias, sizes=sizes)))


@points(1.5)
@given(sizes=sizes(least=0, most=1), bias=st.booleans())
def test_too_few_sizes(same_outcome, sizes, bias):
    """Fewer than two sizes raise a ValueError."""
    same_outcome(lambda m: m.mlp_parameters(sizes, bias=bias), raises=ValueError)


@points(0.5)
@given(sizes=sizes(), bias=st.booleans())
def test_argument_is_not_modified(same_outcome, sizes, bias):
    """The list that was passed in is the same afterwards."""

    def probe(m):
        m.mlp_parameters(sizes, bias)
        return {"sizes after the call": sizes}

    same_outcome(probe)


@points(0.5)
@given(sizes=sizes(), bias=st.booleans())
def test_plain_int(same_outcome, sizes, bias):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.mlp_parameters(sizes, bias))})
