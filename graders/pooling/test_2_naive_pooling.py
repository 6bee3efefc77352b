"""`naive_pooling(feature_map, kernel_size, strides, padding, avg=False)`: loops, windows and padding by hand."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    below_zero,
    energy,
    float64,
    left_over_cases,
    one_window_cases,
    other_strides,
    padded_cases,
    padded_squares,
    plain_cases,
    square_maps,
    too_large_windows,
)

from autograder.grading import POOLING, exercise, forbids, points
from autograder.grading.strategies import tensors
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("naive_pooling"), forbids(POOLING)]

modes = st.booleans()


@points(2)
@given(case=left_over_cases(), padded=padded_squares(st.just(1.0)))
def test_shape(same_outcome, case, padded):
    """The output has floor((size - kernel + 2·padding) / stride) + 1 rows and columns."""
    x, kernel = case
    same_outcome(lambda m: m.naive_pooling(x, kernel, kernel, 0).shape)
    same_outcome(lambda m: m.naive_pooling(*padded).shape)


@points(2.5)
@given(case=plain_cases())
def test_max_pooling(same_outcome, case):
    """Max pooling with windows side by side takes the largest number of each window."""
    x, kernel = case
    same_outcome(lambda m: m.naive_pooling(x, kernel, kernel, 0))


@points(2)
@given(case=plain_cases(counts=(3, 3)))
def test_average_pooling(same_outcome, case):
    """The first numbers of average pooling are the means of the first windows."""
    x, kernel = case
    same_outcome(lambda m: {"first numbers": m.naive_pooling(x, kernel, kernel, 0, avg=True)[:2, :2]})


@points(2)
@given(case=other_strides())
def test_stride(same_outcome, case):
    """The window moves by the stride, which may be smaller or larger than the kernel size."""
    same_outcome(lambda m: m.naive_pooling(*case, 0))


@points(1)
@settings(max_examples=10)
@given(x=tensors(st.sampled_from([(4, 6), (6, 4), (4, 8)]), values="non-negative", layouts=False))
def test_oblong_maps(same_outcome, x):
    """The map may be wider than it is high, or higher than it is wide."""
    same_outcome(lambda m: m.naive_pooling(x, 2, 2, 0))


@points(1)
@settings(max_examples=15)
@given(case=plain_cases(), number=below_zero)
def test_negative_numbers(same_outcome, case, number):
    """The maximum of negative numbers is negative, however small they are."""
    x, kernel = case
    same_outcome(lambda m: {"first number": m.naive_pooling(torch.full_like(x, number), kernel, kernel, 0)[0, 0]})


@points(2.5)
@given(case=padded_squares(below_zero))
def test_max_pooling_with_padding(same_outcome, case):
    """Max pooling never takes a number of the border, even if all numbers of the map are negative."""
    same_outcome(lambda m: {"first number": m.naive_pooling(*case)[0, 0]})


@points(2)
@given(case=padded_squares(st.sampled_from([1.0, 6.0, -2.5])))
def test_average_pooling_with_padding(same_outcome, case):
    """Average pooling counts the border as zeros, so every mean is over kernel_size² numbers."""
    same_outcome(lambda m: {"first number": m.naive_pooling(*case, avg=True)[0, 0]})


@points(1)
@settings(max_examples=10)
@given(case=one_window_cases())
def test_window_as_large_as_the_map(same_outcome, case):
    """A window as large as the map gives one number, as a map of one row and one column."""
    x, kernel = case
    same_outcome(lambda m: m.naive_pooling(x, kernel, kernel, 0), exact="shape")


@points(1)
@settings(max_examples=12)
@given(case=plain_cases(dtype=float64), avg=modes)
def test_dtype(same_outcome, case, avg):
    """The result has the map's dtype and device; with float64 it has that precision."""
    x, kernel = case
    single = x.float()
    same_outcome(
        lambda m: {f"dtype for {one.dtype}": m.naive_pooling(one, kernel, kernel, 0, avg).dtype for one in (single, x)}
    )
    same_outcome(lambda m: {"first number": m.naive_pooling(x / 3, kernel, kernel, 0, avg)[0, 0]}, exact="dtype")
    # Among positive numbers it does not matter what the border contains.
    same_outcome(lambda m: {"first number": m.naive_pooling((x + 1) / 3, 3, 3, 1)[0, 0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: m.naive_pooling(x, 3, 3, 1, avg), x))


@points(0.5)
@settings(max_examples=15)
@given(case=plain_cases(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The map may be transposed or cut out of a larger one."""
    x, kernel = case
    same_outcome(lambda m: m.naive_pooling(x, kernel, kernel, 0))


@points(0.5)
@settings(max_examples=15)
@given(case=plain_cases(values="distinct"))
def test_gradient_of_max_pooling(same_outcome, case):
    """The gradient of a maximum reaches the entry it came from."""
    x, kernel = case
    x = x + 50  # all positive: other checks are about negative numbers
    same_outcome(lambda m: {"gradient": gradients(energy(lambda x: m.naive_pooling(x, kernel, kernel, 0)), x)[0]})
    corner = x[:4, :4]
    same_outcome(lambda m: {"gradient": gradients(energy(lambda x: m.naive_pooling(x, 3, 3, 1)), corner)[0]})


@points(0.5)
@settings(max_examples=15)
@given(case=plain_cases())
def test_gradient_of_average_pooling(same_outcome, case):
    """The gradient of a mean is shared by all entries of its window."""
    x, kernel = case
    same_outcome(
        lambda m: {"gradient": gradients(energy(lambda x: m.naive_pooling(x, kernel, kernel, 0, True)), x + 1)[0]}
    )


@points(0.5)
@settings(max_examples=15)
@given(case=plain_cases(), avg=modes)
def test_argument_is_not_modified(same_outcome, case, avg):
    """The call modifies neither the map nor the result of an earlier call."""
    x, kernel = case

    def probe(m):
        outlasts = after_another_call(lambda x: m.naive_pooling(x, kernel, kernel, 0, avg), x, x + 1)
        return {"map after the call": x, **outlasts}

    same_outcome(probe)


@points(0.5)
@given(case=too_large_windows(leading=()), avg=modes)
def test_window_larger_than_the_map(same_outcome, case, avg):
    """A window larger than the map raises a ValueError."""
    x, kernel = case
    same_outcome(lambda m: m.naive_pooling(x, kernel, kernel, 0, avg), raises=ValueError)


@points(0.5)
@settings(max_examples=10)
@given(x=square_maps(sides=(1, 2)), avg=modes)
def test_window_larger_than_the_padded_map(same_outcome, x, avg):
    """A window larger than the padded map raises a ValueError."""
    same_outcome(lambda m: m.naive_pooling(x, 5, 5, 1, avg), raises=ValueError)


@points(2)
@settings(max_examples=30)
@given(case=padded_cases(), avg=modes)
def test_everything_together(same_outcome, case, avg):
    """Maps of any size, sign and memory layout, with windows, strides and borders of any size."""
    same_outcome(lambda m: m.naive_pooling(*case, avg))
