"""`same_padding(kernel_size)`: what keeps the size at stride 1."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import difference, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("same_padding")

odd = st.integers(1, 15).map(lambda half: 2 * half + 1)


@points(2)
@given(kernel=odd)
def test_odd_kernels(same_outcome, kernel):
    """With this padding on each side, an odd kernel keeps the size."""
    same_outcome(lambda m: whole(m.same_padding(kernel)))


@points(0.5)
@given(kernel=odd)
def test_next_odd_kernel(same_outcome, kernel):
    """A kernel that is larger by two pixels needs another pixel on each side."""

    def probe(m):
        return {"more padding for the larger kernel": difference(m.same_padding(kernel + 2), m.same_padding(kernel))}

    same_outcome(probe)


@points(0.5)
def test_kernel_of_one(same_outcome):
    """A kernel of 1 needs no padding."""
    same_outcome(lambda m: whole(m.same_padding(1)))


@points(1.5)
@given(half=st.integers(1, 15))
def test_even_kernels(same_outcome, half):
    """An even kernel raises a ValueError."""
    same_outcome(lambda m: m.same_padding(2 * half), raises=ValueError)


@points(0.5)
@given(kernel=odd)
def test_argument_by_name(same_outcome, kernel):
    """The argument may be given by name."""

    def probe(m):
        by_name = m.same_padding(kernel_size=kernel)
        return {"padding by name, less that by position": difference(by_name, m.same_padding(kernel))}

    same_outcome(probe)


@points(1)
@given(kernel=odd)
def test_plain_int(same_outcome, kernel):
    """The result is a plain int: 1, not 1.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.same_padding(kernel))})
