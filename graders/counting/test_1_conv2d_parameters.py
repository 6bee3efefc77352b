"""`conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1)`."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import channels, difference, groups_of_channels, near, sides, type_of, whole

from autograder.grading import exercise, points

pytestmark = exercise("conv2d_parameters")

pairs = st.tuples(near(2, 1, 7), near(3, 1, 7))


@points(2.5)
@given(channels=channels, kernel=sides)
def test_weights_and_biases(same_outcome, channels, kernel):
    """A square kernel per input and output channel, and a bias per output channel by default."""
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel)))
    same_outcome(lambda m: whole(m.conv2d_parameters(*channels, kernel, bias=True)))


@points(1.5)
@given(channels=channels, kernel=sides)
def test_without_bias(same_outcome, channels, kernel):
    """With bias=False, one number per output channel is left out."""

    def probe(m):
        with_bias, without = (m.conv2d_parameters(*channels, kernel, bias=bias) for bias in (True, False))
        return {"parameters with bias, less those without": difference(with_bias, without)}

    same_outcome(probe)


@points(1.5)
@given(out_channels=near(5, 1, 9), kernel=pairs)
def test_rectangular_kernel(same_outcome, out_channels, kernel):
    """The kernel size may be a pair (height, width); here it is compared with (1, 1), for one input channel."""

    def probe(m):
        large, small = (m.conv2d_parameters(1, out_channels, size) for size in (kernel, (1, 1)))
        return {f"parameters of a {kernel} kernel, less those of a (1, 1) kernel": difference(large, small)}

    same_outcome(probe)


@points(1.5)
@given(case=groups_of_channels)
def test_groups(same_outcome, case):
    """With groups, a filter is only as deep as the number of input channels in its group (here without bias)."""
    *channels, groups = case

    def probe(m):
        one_group, several = (m.conv2d_parameters(*channels, 1, False, count) for count in (1, groups))
        return {"parameters with one group, less those with several": difference(one_group, several)}

    same_outcome(probe)


@points(1)
@given(case=groups_of_channels, kernel=st.one_of(sides, pairs), bias=st.booleans())
def test_everything_together(same_outcome, case, kernel, bias):
    """Groups, bias and any kernel at once; arguments may be given by position or by name."""
    in_channels, out_channels, groups = case
    same_outcome(lambda m: whole(m.conv2d_parameters(in_channels, out_channels, kernel, bias, groups)))
    same_outcome(
        lambda m: whole(
            m.conv2d_parameters(
                groups=groups, bias=bias, kernel_size=kernel, out_channels=out_channels, in_channels=in_channels
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


@points(0.5)
@given(case=groups_of_channels, kernel=sides, bias=st.booleans())
def test_plain_int(same_outcome, case, kernel, bias):
    """The result is a plain int: 9408, not 9408.0 and not a tensor."""
    *channels, groups = case
    same_outcome(lambda m: {"type of the result": type_of(m.conv2d_parameters(*channels, kernel, bias=bias))})
    same_outcome(lambda m: {"type of the result": type_of(m.conv2d_parameters(*channels, kernel, bias, groups))})
