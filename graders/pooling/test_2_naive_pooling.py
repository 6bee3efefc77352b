"""`naive_pooling(feature_map, kernel_size, strides, padding, avg=False)`: loops, windows and padding by hand."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import feature_maps, float64, padded_cases, too_large_windows

from autograder.grading import POOLING, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("naive_pooling"), forbids(POOLING)]

no_padding, some_padding = (0, 0), (1, 2)


@points(2)
@given(case=padded_cases(), avg=st.booleans())
def test_shape(same_outcome, case, avg):
    """The output has floor((size - kernel + 2·padding) / stride) + 1 rows and columns."""
    same_outcome(lambda m: m.naive_pooling(*case, avg).shape)


@points(4)
@given(case=padded_cases(paddings=no_padding))
def test_max_pooling(same_outcome, case):
    """Max pooling without padding equals the reference, for inputs of every sign."""
    same_outcome(lambda m: m.naive_pooling(*case))


@points(4)
@given(case=padded_cases(values="negative", paddings=some_padding), signed=padded_cases(paddings=some_padding))
def test_max_pooling_with_padding(same_outcome, case, signed):
    """Max pooling with padding equals the reference, even where all numbers are negative."""
    x, *window = case
    same_outcome(lambda m: m.naive_pooling(x * 1000, *window))
    same_outcome(lambda m: m.naive_pooling(*signed))


@points(2)
@given(case=padded_cases(paddings=no_padding))
def test_average_pooling(same_outcome, case):
    """Average pooling without padding equals the reference."""
    same_outcome(lambda m: m.naive_pooling(*case, avg=True))


@points(3)
@given(case=padded_cases(paddings=some_padding))
def test_average_pooling_with_padding(same_outcome, case):
    """Average pooling counts the padding as zeros, so every mean is over kernel_size² numbers."""
    same_outcome(lambda m: m.naive_pooling(*case, avg=True))


@points(1)
@given(case=padded_cases(dtype=float64, paddings=no_padding), padded=padded_cases(dtype=float64))
def test_dtype(same_outcome, case, padded):
    """The result has the map's dtype and device; with float64 it has that precision."""
    x, *window = case
    same_outcome(lambda m: m.naive_pooling(x / 3, *window), exact="dtype")
    same_outcome(lambda m: m.naive_pooling(x.float(), *window), exact="dtype")
    y, *window_y = padded
    same_outcome(lambda m: m.naive_pooling(y / 3, *window_y, avg=True), exact="dtype")
    same_outcome(lambda m: m.naive_pooling(y.float(), *window_y, avg=True), exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: m.naive_pooling(x, *window), x))
    same_outcome(lambda m: stays_on_device(lambda y: m.naive_pooling(y, *window_y, avg=True), y))


@points(1)
@given(case=padded_cases(layouts=True, paddings=no_padding), avg=st.booleans())
def test_any_memory_layout(same_outcome, case, avg):
    """The map may be transposed or cut out of a larger one."""
    same_outcome(lambda m: m.naive_pooling(*case, avg))


@points(1)
@given(case=padded_cases(values="distinct"))
def test_gradient_of_max_pooling(same_outcome, case):
    """The gradient of a maximum reaches the entry it came from."""
    x, *window = case
    x = x + 50  # all positive: another check covers what the border contains
    same_outcome(lambda m: {"gradient": gradients(lambda x: m.naive_pooling(x, *window), x)[0]})


@points(1)
@given(case=padded_cases())
def test_gradient_of_average_pooling(same_outcome, case):
    """The gradient of a mean is shared by all entries of its window."""
    x, *window = case
    same_outcome(lambda m: {"gradient": gradients(lambda x: m.naive_pooling(x, *window, True), x)[0]})


@points(1)
@given(case=padded_cases(), avg=st.booleans())
def test_argument_is_not_modified(same_outcome, case, avg):
    """The call modifies neither the map nor the result of an earlier call."""
    x, *window = case

    def probe(m):
        outlasts = after_another_call(lambda x: m.naive_pooling(x, *window, avg), x, x + 1)
        return {"map after the call": x, **outlasts}

    same_outcome(probe)


@points(1)
@given(case=too_large_windows(leading=()), avg=st.booleans(), stride=st.integers(1, 3))
def test_window_larger_than_the_map(same_outcome, case, avg, stride):
    """A window larger than the map raises a ValueError."""
    same_outcome(lambda m: m.naive_pooling(*case, stride, 0, avg), raises=ValueError)


@points(1)
@given(x=feature_maps().filter(lambda x: min(x.shape) < 3), avg=st.booleans())
def test_window_larger_than_the_padded_map(same_outcome, x, avg):
    """A window larger than the padded map raises a ValueError."""
    same_outcome(lambda m: m.naive_pooling(x, 5, 1, 1, avg), raises=ValueError)
