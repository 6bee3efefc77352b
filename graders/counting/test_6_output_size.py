"""`output_size(input_size, kernel_size, stride=1, padding=0)`: how often a window fits."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import accepts, difference, plain_windows, too_large_windows, type_of, whole, windows

from autograder.grading import exercise, points

pytestmark = exercise("output_size")


@points(1.5)
@given(case=plain_windows())
def test_kernel(same_outcome, case):
    """Without stride and padding, the map shrinks by the kernel size minus one."""
    size, kernel, _, _ = case
    same_outcome(lambda m: whole(m.output_size(size, kernel)))


@points(1)
@given(case=windows(strides=(1, 1), paddings=(1, 4)))
def test_window_that_just_fits(same_outcome, case):
    """A window may be as large as the input, or as the padded input."""
    size, _, _, padding = case

    def probe(m):
        return {
            'answer to "is a window as large as the input accepted?"': accepts(lambda: m.output_size(size, size)),
            f'answer to "and one that is larger by {2 * padding}, with a padding of {padding}?"': accepts(
                lambda: m.output_size(size, size + 2 * padding, padding=padding)
            ),
        }

    same_outcome(probe)


@points(1)
@given(case=plain_windows(paddings=(1, 3)))
def test_padding(same_outcome, case):
    """The padding is on both sides."""
    size, kernel, _, padding = case

    def probe(m):
        padded, bare = m.output_size(size, kernel, padding=padding), m.output_size(size, kernel)
        return {"size with padding, less that without": difference(padded, bare)}

    same_outcome(probe)


@points(1)
@given(case=plain_windows(strides=(2, 5)))
def test_stride(same_outcome, case):
    """There is another place for the window as soon as the map is longer by a whole step."""
    size, kernel, stride, _ = case

    def probe(m):
        longer, shorter = m.output_size(size + stride, kernel, stride), m.output_size(size, kernel, stride)
        return {"places that another step adds": difference(longer, shorter)}

    same_outcome(probe)


@points(1)
@given(case=plain_windows(strides=(2, 5)), data=st.data())
def test_step_over_the_edge(same_outcome, case, data):
    """A last step that would push the window over the edge is not taken."""
    size, kernel, stride, _ = case
    rest = data.draw(st.integers(1, stride - 1))

    def probe(m):
        longer, shorter = m.output_size(size + rest, kernel, stride), m.output_size(size, kernel, stride)
        return {"places that a part of a step adds": difference(longer, shorter)}

    same_outcome(probe)


@points(1.5)
@given(case=windows(sizes=(1, 1000)))
def test_everything_together(same_outcome, case):
    """Kernel, stride and padding at once, including large maps."""
    same_outcome(lambda m: whole(m.output_size(*case)))


@points(1.5)
@given(case=too_large_windows())
def test_window_that_does_not_fit(same_outcome, case):
    """A window that is larger than the padded input raises a ValueError, whatever the stride."""
    same_outcome(lambda m: m.output_size(*case), raises=ValueError)


@points(0.5)
@given(case=windows(), stride=st.integers(-3, 0))
def test_stride_below_one(same_outcome, case, stride):
    """A stride of 0 or less raises a ValueError."""
    size, kernel, _, padding = case
    same_outcome(lambda m: m.output_size(size, kernel, stride, padding), raises=ValueError)


@points(0.5)
@given(case=windows())
def test_arguments_by_name(same_outcome, case):
    """Arguments may be given by name."""
    size, kernel, stride, padding = case

    def probe(m):
        by_name = m.output_size(padding=padding, stride=stride, kernel_size=kernel, input_size=size)
        return {"size by name, less that by position": difference(by_name, m.output_size(*case))}

    same_outcome(probe)


@points(0.5)
@given(case=plain_windows((1, 3), (0, 2)))
def test_plain_int(same_outcome, case):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.output_size(*case))})
