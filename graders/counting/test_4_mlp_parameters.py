"""`mlp_parameters(sizes, bias=True)`: fully connected layers in a row."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import difference, near, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("mlp_parameters")


def sizes(least=2, most=5):
    return st.lists(near(2, 1, 20), min_size=least, max_size=most)


@points(1.5)
@given(sizes=sizes(least=3))
def test_weights(same_outcome, sizes):
    """Every layer has weights; with bias=False nothing else counts."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes, bias=False)))


@points(1)
@given(sizes=sizes(least=3))
def test_biases(same_outcome, sizes):
    """By default every layer has a bias for each of its outputs."""

    def probe(m):
        with_bias, without = m.mlp_parameters(list(sizes)), m.mlp_parameters(list(sizes), bias=False)
        return {"parameters with biases, less those without": difference(with_bias, without)}

    same_outcome(probe)


@points(0.5)
@given(sizes=sizes(most=2))
def test_one_layer(same_outcome, sizes):
    """Two sizes make one layer, in which another input needs another weight for each output."""
    first, last = sizes

    def probe(m):
        more, fewer = m.mlp_parameters([first + 1, last]), m.mlp_parameters([first, last])
        return {"parameters that another input adds": difference(more, fewer)}

    same_outcome(probe)


@points(1)
@given(sizes=sizes(most=6), bias=st.booleans())
def test_everything_together(same_outcome, sizes, bias):
    """Any number of layers, with and without biases."""
    same_outcome(lambda m: whole(m.mlp_parameters(sizes, bias)))


@points(1)
@given(sizes=sizes(least=3), bias=st.booleans())
def test_arguments(same_outcome, sizes, bias):
    """Arguments may be given by position or by name."""

    def probe(m):
        by_name = m.mlp_parameters(bias=bias, sizes=list(sizes))
        return {"parameters by name, less those by position": difference(by_name, m.mlp_parameters(sizes, bias))}

    same_outcome(probe)


@points(2)
@given(sizes=sizes(least=0, most=1), bias=st.booleans())
def test_too_few_sizes(same_outcome, sizes, bias):
    """Fewer than two sizes raise a ValueError."""
    same_outcome(lambda m: m.mlp_parameters(sizes, bias=bias), raises=ValueError)


@points(0.5)
@given(sizes=sizes(least=3), bias=st.booleans())
def test_argument_is_not_modified(same_outcome, sizes, bias):
    """The list that was passed in is the same afterwards."""

    def probe(m):
        m.mlp_parameters(sizes, bias)
        return {"sizes after the call": sizes}

    same_outcome(probe)


@points(0.5)
@given(sizes=sizes(least=3), bias=st.booleans())
def test_plain_int(same_outcome, sizes, bias):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.mlp_parameters(sizes, bias))})
