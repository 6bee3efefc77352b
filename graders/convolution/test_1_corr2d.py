"""`corr2d(X, K)`: cross-correlation of one map with one kernel."""

from hypothesis import given
from inputs import cases, float64, too_large_kernels

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d"), forbids(CONVOLUTION)]


@points(2)
@given(case=cases())
def test_shape(same_outcome, case):
    """(H, W) and (h, w) give (H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d(*case).shape))


@points(2.5)
@given(case=cases(kernels=(2, 2), sides=(4, 4)), larger=cases(kernels=(3, 3), sides=(5, 5)))
def test_square(same_outcome, case, larger):
    """Each result is the sum of the products of kernel and window; the kernel is not flipped."""
    same_outcome(lambda m: m.corr2d(*case))
    same_outcome(lambda m: m.corr2d(*larger))


@points(2.5)
@given(case=cases(sides=(2, 6)), large=cases(values="negative"))
def test_oblong(same_outcome, case, large):
    """The map and the kernel may be oblong, and the numbers may be large or negative."""
    same_outcome(lambda m: m.corr2d(*case))
    same_outcome(lambda m: m.corr2d(large[0] * 1000, large[1]))


@points(1)
@given(case=cases(kernels=(1, 1)), row=cases(sides=(1, 2)), whole=cases(sides=(3, 3), kernels=(3, 3)))
def test_extents_of_one(same_outcome, case, row, whole):
    """The result has two dimensions, even for a kernel of one pixel, for one row, and for one result."""
    same_outcome(lambda m: [m.corr2d(*case), m.corr2d(*row), m.corr2d(*whole)])


@points(1)
@given(case=cases())
def test_gradient_of_the_input(same_outcome, case):
    """The gradient reaches the map."""
    same_outcome(lambda m: {"gradient of X": gradients(m.corr2d, *case)[0]})


@points(1)
@given(case=cases())
def test_gradient_of_the_kernel(same_outcome, case):
    """The gradient reaches the kernel."""
    same_outcome(lambda m: {"gradient of K": gradients(m.corr2d, *case)[1]})


@points(1)
@given(case=cases(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the dtype and the device of the map; with float64 it has that precision."""
    same_outcome(lambda m: m.corr2d(case[0] / 3, case[1] / 7), exact="dtype")
    same_outcome(lambda m: m.corr2d(case[0].float(), case[1].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.corr2d, *case))


@points(1)
@given(case=cases(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """Map and kernel may be transposed or cut out of larger ones."""
    same_outcome(lambda m: m.corr2d(*case))


@points(1)
@given(case=cases())
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor the result of an earlier call."""
    x, k = case

    def probe(m):
        m.corr2d(x, k)
        after = {"X after the call": x.clone(), "K after the call": k.clone()}
        return {**after, **after_another_call(lambda x: m.corr2d(x, k), x, x + 1)}

    same_outcome(probe)


@points(1)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel larger than the map, in one direction or both, raises a ValueError."""
    same_outcome(lambda m: m.corr2d(*case), raises=ValueError)
