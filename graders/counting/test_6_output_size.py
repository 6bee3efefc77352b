"""`output_size(input_size, kernel_size, stride=1, padding=0)`: how often a window fits."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import too_large_windows, type_of, whole, windows

from autograder.grading import exercise, points

pytestmark = exercise("output_size")


@points(1.5)
@given(case=windows(strides=(1, 1), paddings=(0, 0)))
def test_kernel(same_outcome, case):
    """Without stride and padding, the map shrinks by the kernel size minus one, down to a single place."""
    size, kernel, _, _ = case
    same_outcome(lambda m: whole(m.output_size(size, kernel)))
    same_outcome(lambda m: whole(m.output_size(kernel, kernel)))


@points(1.5)
@given(case=windows(strides=(1, 1), paddings=(1, 4)))
def test_padding(same_outcome, case):
    """The padding is on both sides, and a window may be larger than the unpadded map."""
    size, kernel, _, padding = case
    same_outcome(lambda m: whole(m.output_size(size, kernel, padding=padding)))
    same_outcome(lambda m: whole(m.output_size(size, size + 2 * padding, padding=padding)))


@points(2.5)
@given(case=windows(strides=(2, 5), paddings=(0, 0)))
def test_stride(same_outcome, case):
    """A last step that would push the window over the edge is not taken."""
    same_outcome(lambda m: whole(m.output_size(*case[:3])))


@points(1)
@given(case=windows(sizes=(1, 1000)))
def test_everything_together(same_outcome, case):
    """Kernel, stride and padding at once, including large maps."""
    same_outcome(lambda m: whole(m.output_size(*case)))


@points(1.5)
@given(case=too_large_windows())
def test_window_that_does_not_fit(same_outcome, case):
    """A window that is larger than the padded input raises a ValueError, whatever the stride."""
    same_outcome(lambda m: m.output_size(*case), raises=ValueError)


@points(1)
@given(case=windows(), stride=st.integers(-3, 0))
def test_stride_below_one(same_outcome, case, stride):
    """A stride of 0 or less raises a ValueError."""
    size, kernel, _, padding = case
    same_outcome(lambda m: m.output_size(size, kernel, stride, padding), raises=ValueError)


@points(0.5)
@given(case=windows(strides=(1, 1), paddings=(0, 0)))
def test_arguments_by_name(same_outcome, case):
    """Arguments may be given by name."""
    size, kernel, stride, padding = case
    same_outcome(lambda m: whole(m.output_size(padding=padding, stride=stride, kernel_size=kernel, input_size=size)))


@points(0.5)
@given(case=windows())
def test_plain_int(same_outcome, case):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.output_size(*case))})
