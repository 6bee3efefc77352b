"""`pool2d(X, pool_size, mode="max")`: oblong windows at stride 1."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import below_zero, energy, feature_maps, float64, oblong_cases, square_maps

from autograder.grading import POOLING, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("pool2d"), forbids(POOLING)]

modes = st.sampled_from(["max", "avg"])
plain_maps = square_maps(sides=(4, 5))  # for the window (2, 2)


@points(0.5)
@given(x=feature_maps(values="non-negative", smallest=3))
def test_shape(same_outcome, x):
    """The output has H - p_h + 1 rows and W - p_w + 1 columns."""
    same_outcome(lambda m: m.pool2d(x, (2, 2), "avg").shape)


@points(1)
@given(x=plain_maps, side=st.integers(2, 3))
def test_maximum(same_outcome, x, side):
    """The maximum of each window, which is also what the function returns when no mode is given."""
    same_outcome(lambda m: m.pool2d(x, (side, side)))
    same_outcome(lambda m: m.pool2d(x, (side, side), "max"))


@points(1)
@given(x=plain_maps, side=st.integers(2, 3))
def test_average(same_outcome, x, side):
    """With mode="avg" the first number is the mean of the first window."""
    same_outcome(lambda m: {"first number": m.pool2d(x, (side, side), mode="avg")[0, 0]})


@points(1)
@given(x=plain_maps, window=st.sampled_from([(1, 2), (2, 1), (2, 3), (3, 2), (3, 1)]))
def test_oblong_windows(same_outcome, x, window):
    """The window has p_h rows and p_w columns, in this order."""
    same_outcome(lambda m: m.pool2d(x, window, "avg"))


@points(0.5)
@settings(max_examples=15)
@given(x=plain_maps, number=below_zero)
def test_negative_numbers(same_outcome, x, number):
    """The maximum of negative numbers is negative, however small they are."""
    same_outcome(lambda m: {"first number": m.pool2d(torch.full_like(x, number), (2, 2))[0, 0]})


@points(0.5)
@settings(max_examples=10)
@given(x=square_maps(sides=(2, 3)))
def test_window_as_large_as_the_map(same_outcome, x):
    """A window as large as the map gives one number, as a map of one row and one column."""
    window = tuple(x.shape)
    same_outcome(lambda m: m.pool2d(x, window), exact="shape")


@points(1)
@given(x=plain_maps, mode=st.sampled_from(["sum", "median", "", "maximum", "mean", "average", "MAX", "Avg", "m"]))
def test_unknown_mode(same_outcome, x, mode):
    """A mode other than "max" and "avg" raises a ValueError."""
    same_outcome(lambda m: m.pool2d(x, (2, 2), mode), raises=ValueError)


@points(1)
@given(x=square_maps(), extra=st.sampled_from([(1, 0), (0, 1), (2, 2)]), mode=modes)
def test_window_that_does_not_fit(same_outcome, x, extra, mode):
    """A window taller or wider than the map raises a ValueError."""
    window = x.shape[0] + extra[0], x.shape[1] + extra[1]
    same_outcome(lambda m: m.pool2d(x, window, mode), raises=ValueError)


@points(0.5)
@settings(max_examples=15)
@given(x=square_maps(sides=(4, 5), layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The map may be transposed or cut out of a larger one."""
    same_outcome(lambda m: m.pool2d(x, (2, 2), "avg"))


@points(1)
@settings(max_examples=12)
@given(x=square_maps(dtype=float64, sides=(4, 5)), mode=modes)
def test_dtype(same_outcome, x, mode):
    """The result has the map's dtype and device; with float64 it has that precision."""
    single = x.float()
    same_outcome(lambda m: {f"dtype for {one.dtype}": m.pool2d(one, (2, 2), mode).dtype for one in (single, x)})
    same_outcome(lambda m: {"first number": m.pool2d(x / 3, (2, 2), mode)[0, 0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: m.pool2d(x, (2, 2), mode), x))


@points(0.5)
@settings(max_examples=16)
@given(x=square_maps(values="distinct", sides=(4, 5)), mode=modes)
def test_gradient(same_outcome, x, mode):
    """The gradient reaches the map, with either mode."""
    x = x + 50  # all positive: another check is about negative numbers
    same_outcome(lambda m: {"gradient": gradients(energy(lambda x: m.pool2d(x, (2, 2), mode)), x)[0]})


@points(0.5)
@settings(max_examples=15)
@given(x=plain_maps, mode=modes)
def test_argument_is_not_modified(same_outcome, x, mode):
    """The call modifies neither the map nor the result of an earlier call."""

    def probe(m):
        outlasts = after_another_call(lambda x: m.pool2d(x, (2, 2), mode), x, x + 1)
        return {"map after the call": x, **outlasts}

    same_outcome(probe)


@points(1)
@settings(max_examples=30)
@given(case=oblong_cases(), mode=modes)
def test_everything_together(same_outcome, case, mode):
    """Maps of any size, sign and memory layout, with windows of any size."""
    same_outcome(lambda m: m.pool2d(*case, mode))
