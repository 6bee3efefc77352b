"""`corr2d_strided(X, K, padding=(0, 0), stride=(1, 1))`: a border of zeros, and larger steps."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    MAPS,
    as_large,
    expect_another_call,
    expect_any_layout,
    expect_dtype,
    expect_gradient,
    numbers,
    squares,
    too_large_kernels,
    with_plain_steps,
    with_steps,
)

from autograder.grading import CONVOLUTION, exercise, forbids, points

pytestmark = [exercise("corr2d_strided"), forbids(CONVOLUTION)]

none, one = st.just(0), st.just(1)
small, steps = st.integers(0, 2), st.integers(1, 4)
uneven = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda pair: pair[0] != pair[1])
uneven_steps = st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda pair: pair[0] != pair[1])
borders, strides = st.one_of(small, uneven), st.one_of(steps, uneven_steps)


def corr2d_strided(m, x, k):
    return m.corr2d_strided(x, k, (1, 1), (2, 2))


@points(1)
@given(case=squares())
def test_defaults(same_outcome, case):
    """By default there is no border, and the window moves by one pixel."""
    same_outcome(lambda m: m.corr2d_strided(*case))


@points(1)
@given(case=with_plain_steps(st.integers(1, 2), one))
def test_padding(same_outcome, case):
    """An int is the width of a border of zeros on each side."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_strided(x, k, padding=padding))


@points(1)
@given(case=with_plain_steps(uneven, one))
def test_pair_of_paddings(same_outcome, case):
    """A pair is (rows above and below, columns left and right)."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_strided(x, k, padding))


@points(1)
@given(case=with_plain_steps(none, st.integers(2, 3)))
def test_stride(same_outcome, case):
    """An int is the step in both directions."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(0.5)
@given(case=with_plain_steps(none, uneven_steps))
def test_pair_of_strides(same_outcome, case):
    """A pair is (step downwards, step to the right)."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(1)
@given(case=with_plain_steps(none, st.integers(2, 4), left_over=True))
def test_window_over_the_edge(same_outcome, case):
    """A window that would hang over the edge is left out."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(0.5)
@settings(max_examples=10)
@given(case=with_plain_steps(none, st.integers(3, 4), small_kernel=True))
def test_stride_longer_than_the_kernel(same_outcome, case):
    """The step may be longer than the kernel: some pixels are then seen by no window."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(0.5)
@settings(max_examples=10)
@given(case=with_plain_steps(st.integers(3, 4), one, small_kernel=True))
def test_wide_border(same_outcome, case):
    """The border may be wider than the kernel: some windows then see nothing but zeros."""
    same_outcome(lambda m: m.corr2d_strided(*case))


@points(0.5)
@settings(max_examples=10)
@given(plain=as_large(), padded=as_large(border=1))
def test_kernel_as_large_as_the_map(same_outcome, plain, padded):
    """A kernel as tall or as wide as the map with its border fits, and the result still has two dimensions."""
    same_outcome(lambda m: {"number of dimensions": m.corr2d_strided(*plain).dim()})
    same_outcome(lambda m: {"number of dimensions": m.corr2d_strided(*padded, (1, 1)).dim()})


@points(1.5)
@given(case=with_steps(borders, strides), other=with_steps(uneven, uneven_steps, values="negative"))
def test_everything_together(same_outcome, case, other):
    """Padding and stride together, ints and pairs in any combination, oblong maps, large and negative numbers."""
    same_outcome(lambda m: m.corr2d_strided(*case))
    x, k, padding, stride = other
    same_outcome(lambda m: m.corr2d_strided(1000 * x, k, stride=stride, padding=padding))


@points(0.5)
def test_gradient_of_the_input(student):
    """The gradient reaches the map: it says how the result changes with X."""
    expect_gradient(student, corr2d_strided, MAPS, "X")


@points(0.5)
def test_gradient_of_the_kernel(student):
    """The gradient reaches the kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d_strided, MAPS, "K")


@points(0.5)
def test_dtype(same_outcome, student):
    """The result has the dtype and the device of the map; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d_strided, MAPS)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """Map and kernel may be transposed or cut out of larger ones."""
    expect_any_layout(same_outcome, student, corr2d_strided, MAPS)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments."""
    x, k = (numbers(shape) for shape in MAPS)

    def probe(m):
        corr2d_strided(m, x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(probe)


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d_strided, MAPS)


@points(0.5)
@given(plain=too_large_kernels(), padded=too_large_kernels(padding=1), stride=strides)
def test_kernel_that_does_not_fit(same_outcome, plain, padded, stride):
    """A kernel larger than the map with its border raises a ValueError; the border counts."""
    same_outcome(lambda m: m.corr2d_strided(*plain, stride=stride), raises=ValueError)
    same_outcome(lambda m: m.corr2d_strided(*padded, 1, stride), raises=ValueError)
