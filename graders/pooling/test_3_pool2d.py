"""`pool2d(X, pool_size, mode="max")`: oblong windows at stride 1."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import feature_maps, float64, oblong_cases

from autograder.grading import POOLING, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("pool2d"), forbids(POOLING)]

modes = st.sampled_from(["max", "avg"])


@points(1)
@given(case=oblong_cases(), mode=modes)
def test_shape(same_outcome, case, mode):
    """The output has H - p_h + 1 rows and W - p_w + 1 columns."""
    same_outcome(lambda m: m.pool2d(*case, mode).shape)


@points(1.5)
@given(case=oblong_cases(), negative=oblong_cases(values="negative"))
def test_maximum(same_outcome, case, negative):
    """The maximum over oblong windows, which is also what the function returns when no mode is given."""
    same_outcome(lambda m: m.pool2d(*case))
    same_outcome(lambda m: m.pool2d(negative[0] * 1000, negative[1], "max"))


@points(1.5)
@given(case=oblong_cases())
def test_average(same_outcome, case):
    """The mean over oblong windows with mode="avg"."""
    same_outcome(lambda m: m.pool2d(*case, mode="avg"))


@points(1)
@given(
    case=oblong_cases(), mode=st.sampled_from(["sum", "median", "", "maximum", "mean", "average", "MAX", "Avg", "m"])
)
def test_unknown_mode(same_outcome, case, mode):
    """A mode other than "max" and "avg" raises a ValueError."""
    same_outcome(lambda m: m.pool2d(*case, mode), raises=ValueError)


@points(1)
@given(x=feature_maps(), extra=st.sampled_from([(1, 0), (0, 1), (2, 2)]), mode=modes)
def test_window_that_does_not_fit(same_outcome, x, extra, mode):
    """A window taller or wider than the map raises a ValueError."""
    window = x.shape[0] + extra[0], x.shape[1] + extra[1]
    same_outcome(lambda m: m.pool2d(x, window, mode), raises=ValueError)


@points(1)
@given(case=oblong_cases(layouts=True), mode=modes)
def test_any_memory_layout(same_outcome, case, mode):
    """The map may be transposed or cut out of a larger one."""
    same_outcome(lambda m: m.pool2d(*case, mode))


@points(1)
@given(case=oblong_cases(dtype=float64), mode=modes)
def test_dtype(same_outcome, case, mode):
    """The result has the map's dtype and device; with float64 it has that precision."""
    x, window = case
    same_outcome(lambda m: m.pool2d(x / 3, window, mode), exact="dtype")
    same_outcome(lambda m: m.pool2d(x.float(), window, mode), exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: m.pool2d(x, window, mode), x))


@points(1)
@given(case=oblong_cases(values="distinct"), mode=modes)
def test_gradient(same_outcome, case, mode):
    """The gradient reaches the map."""
    x, window = case
    same_outcome(lambda m: {"gradient": gradients(lambda x: m.pool2d(x, window, mode), x)[0]})


@points(1)
@given(case=oblong_cases(), mode=modes)
def test_argument_is_not_modified(same_outcome, case, mode):
    """The call modifies neither the map nor the result of an earlier call."""
    x, window = case

    def probe(m):
        outlasts = after_another_call(lambda x: m.pool2d(x, window, mode), x, x + 1)
        return {"map after the call": x, **outlasts}

    same_outcome(probe)
