"""`corr2d(X, K)`: cross-correlation of one map with one kernel."""

from hypothesis import given, settings
from inputs import (
    MAPS,
    as_large,
    cases,
    expect_another_call,
    expect_any_layout,
    expect_dtype,
    expect_gradient,
    numbers,
    squares,
    too_large_kernels,
)

from autograder.grading import CONVOLUTION, exercise, forbids, points

pytestmark = [exercise("corr2d"), forbids(CONVOLUTION)]


def corr2d(m, x, k):
    return m.corr2d(x, k)


@points(1)
@given(case=squares(kernels=(1, 3), more=(1, 4)))
def test_shape(same_outcome, case):
    """A square map of side H and a square kernel of side h give a map of side H − h + 1."""
    same_outcome(lambda m: list(m.corr2d(*case).shape))


@points(3.5)
@given(case=squares(kernels=(2, 2), more=(2, 2)), larger=squares(kernels=(3, 3), more=(2, 2)))
def test_square(same_outcome, case, larger):
    """Each result is the sum of the products of kernel and window; the kernel is not flipped."""
    same_outcome(lambda m: m.corr2d(*case))
    same_outcome(lambda m: m.corr2d(*larger))


@points(1)
@settings(max_examples=12)
@given(case=cases(kernels=(1, 3), sides=(4, 7)))
def test_oblong(same_outcome, case):
    """The map and the kernel may be oblong."""
    x, k = case
    same_outcome(lambda m: m.corr2d(x, k))


@points(1)
@given(case=as_large())
def test_kernel_as_large_as_the_map(same_outcome, case):
    """A kernel as tall or as wide as the map fits, and the result still has two dimensions."""
    same_outcome(lambda m: {"number of dimensions": m.corr2d(*case).dim()})


@points(1.5)
@given(case=cases(), large=cases(values="negative"))
def test_everything_together(same_outcome, case, large):
    """Maps and kernels of any size, down to a single pixel, with large and with negative numbers."""
    same_outcome(lambda m: m.corr2d(*case))
    same_outcome(lambda m: m.corr2d(large[0] * 1000, large[1]))


@points(1)
def test_gradient_of_the_input(student):
    """The gradient reaches the map: it says how the result changes with X."""
    expect_gradient(student, corr2d, MAPS, "X")


@points(1)
def test_gradient_of_the_kernel(student):
    """The gradient reaches the kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d, MAPS, "K")


@points(1)
def test_dtype(same_outcome, student):
    """The result has the dtype and the device of the map; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d, MAPS)


@points(1)
def test_any_memory_layout(same_outcome, student):
    """Map and kernel may be transposed or cut out of larger ones."""
    expect_any_layout(same_outcome, student, corr2d, MAPS)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments."""
    x, k = (numbers(shape) for shape in MAPS)

    def probe(m):
        m.corr2d(x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(probe)


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d, MAPS)


@points(1)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel larger than the map, in one direction or both, raises a ValueError."""
    same_outcome(lambda m: m.corr2d(*case), raises=ValueError)
