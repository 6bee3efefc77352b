"""`conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1)`."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import channels, groups_of_channels, near, sides, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("conv2d_parameters")

pairs = st.tuples(near(2, 1, 7), near(3, 1, 7))


@points(2)
@given(channels=channels, kernel=sides)
def test_weights_and_biases(same_outcome, channels, kernel):
    """A square kernel per input and output channel, and a bias per output channel by default."""
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel)))
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel, bias=True)))


@points(1.5)
@given(channels=channels, kernel=sides)
def test_without_bias(same_outcome, channels, kernel):
    """With bias=False only the weights count."""
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel, bias=False)))


@points(1.5)
@given(channels=channels, kernel=pairs)
def test_rectangular_kernel(same_outcome, channels, kernel):
    """The kernel size may be a pair (height, width)."""
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel)))


@points(2)
@given(case=groups_of_channels, kernel=sides)
def test_groups(same_outcome, case, kernel):
    """With groups, a filter is only as deep as the number of input channels in its group (here without bias)."""
    *channels, groups = case
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel, bias=False, groups=groups)))


@points(0.5)
@given(case=groups_of_channels, kernel=pairs)
def test_everything_together(same_outcome, case, kernel):
    """Groups, bias and a pair at once; arguments may be given by position or by name."""
    in_channels, out_channels, groups = case
    same_outcome(lambda m: whole(m.conv2d_parameters(in_channels, out_channels, kernel, True, groups)))
    same_outcome(
        lambda m: whole(
            m.conv2d_parameters(
                groups=groups, bias=True, kernel_size=kernel, out_channels=out_channels, in_channels=in_channels
            )
        )
    )


@points(1)
@given(case=groups_of_channels, more=st.integers(1, 3), kernel=sides, bias=st.booleans())
def test_input_channels_that_cannot_be_grouped(same_outcome, case, more, kernel, bias):
    """Input channels that cannot be divided into groups of equal size raise a ValueError."""
    in_channels, out_channels, groups = case
    in_channels += min(more, groups - 1)
    same_outcome(
        lambda m: m.conv2d_parameters(in_channels, out_channels, kernel, bias=bias, groups=groups), raises=ValueError
    )


@points(0.5)
@given(case=groups_of_channels, more=st.integers(1, 3), kernel=sides, bias=st.booleans())
def test_output_channels_that_cannot_be_grouped(same_outcome, case, more, kernel, bias):
    """Output channels that cannot be divided into groups of equal size raise a ValueError, too."""
    in_channels, out_channels, groups = case
    out_channels += min(more, groups - 1)
    same_outcome(
        lambda m: m.conv2d_parameters(in_channels, out_channels, kernel, bias=bias, groups=groups), raises=ValueError
    )


@points(1)
@given(case=groups_of_channels, kernel=sides, bias=st.booleans())
def test_plain_int(same_outcome, case, kernel, bias):
    """The result is a plain int: 9408, not 9408.0 and not a tensor."""
    *channels, groups = case
    same_outcome(lambda m: {"type of the result": type_of(m.conv2d_parameters(*channels, kernel, bias=bias))})
    same_outcome(lambda m: {"type of the result": type_of(m.conv2d_parameters(*channels, kernel, bias, groups))})
