"""`positions(length, dim)`: sines and cosines, as a NumPy array."""

from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import exercise, points

pytestmark = exercise("positions")

lengths = st.integers(2, 6)
dims = st.integers(2, 4).map(lambda half: 2 * half)


@points(3)
@given(length=lengths)
def test_first_columns(same_outcome, length):
    """The first two columns are the sine and the cosine of the position."""
    same_outcome(lambda m: m.positions(length, 2))


@points(2)
@given(length=lengths, dim=dims)
def test_columns_take_turns(same_outcome, length, dim):
    """Sines and cosines take turns: position 0 is 0, 1, 0, 1, …"""
    same_outcome(lambda m: {"position 0": m.positions(length, dim)[0]})


@points(3)
@given(length=lengths, dim=dims)
def test_wavelengths(same_outcome, length, dim):
    """Each pair of columns is slower than the one before."""
    same_outcome(lambda m: {"sum of squares of neighbours": (m.positions(length, dim)[1:] ** 2).sum(0)})


@points(2)
def test_dtype(same_outcome):
    """The result is an array of float64."""
    same_outcome(lambda m: {"type": type(m.positions(3, 2)).__name__, "dtype": str(m.positions(3, 2).dtype)})
