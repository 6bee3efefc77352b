"""`conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1)`."""

from hypothesis import given
from inputs import channels, groups_of_channels, ratio, type_of, whole, windows

from autograder.grading import exercise, points

pytestmark = exercise("conv_macs")


@points(2)
@given(channels=channels, case=windows(sizes=(1, 12), kernels=(1, 5), strides=(1, 1), paddings=(0, 0)))
def test_stride_one(same_outcome, channels, case):
    """Every weight is used once for every pixel of the output; a bias costs nothing."""
    size, kernel, _, _ = case
    same_outcome(lambda m: whole(m.conv_macs(*channels, kernel, size)))


@points(1.5)
@given(channels=channels, case=windows(sizes=(2, 16), kernels=(1, 5), strides=(2, 4), paddings=(0, 0)))
def test_stride(same_outcome, channels, case):
    """With a stride, the output has fewer pixels in both directions, and the work shrinks in the same proportion."""
    size, kernel, stride, _ = case

    def probe(m):
        with_stride = m.conv_macs(*channels, kernel, size, stride)
        return {
            "ratio of the work with and without the stride": ratio(with_stride, m.conv_macs(*channels, kernel, size))
        }

    same_outcome(probe)


@points(1.5)
@given(channels=channels, case=windows(sizes=(1, 12), kernels=(1, 5), strides=(1, 1), paddings=(1, 3)))
def test_padding(same_outcome, channels, case):
    """With padding, the output has more pixels; multiplications by zeros in the border count."""
    size, kernel, _, padding = case
    size = max(size, kernel)

    def probe(m):
        padded = m.conv_macs(*channels, kernel, size, padding=padding)
        return {"ratio of the work with and without the padding": ratio(padded, m.conv_macs(*channels, kernel, size))}

    same_outcome(probe)


@points(1.5)
@given(channels=groups_of_channels, case=windows(sizes=(1, 8), kernels=(1, 4), strides=(1, 1), paddings=(0, 0)))
def test_groups(same_outcome, channels, case):
    """With groups, an output pixel only needs the input channels of its own group."""
    *channels, groups = channels
    size, kernel, _, _ = case

    def probe(m):
        grouped = m.conv_macs(*channels, kernel, size, groups=groups)
        return {"ratio of the work with and without groups": ratio(grouped, m.conv_macs(*channels, kernel, size))}

    same_outcome(probe)


@points(0.5)
@given(channels=groups_of_channels, case=windows(sizes=(1, 12), kernels=(1, 5)))
def test_everything_together(same_outcome, channels, case):
    """Stride, padding and groups at once; arguments may be given by position or by name."""
    in_channels, out_channels, groups = channels
    size, kernel, stride, padding = case
    same_outcome(lambda m: whole(m.conv_macs(in_channels, out_channels, kernel, size, stride, padding, groups)))
    same_outcome(
        lambda m: whole(
            m.conv_macs(
                groups=groups,
                padding=padding,
                stride=stride,
                input_size=size,
                kernel_size=kernel,
                out_channels=out_channels,
                in_channels=in_channels,
            )
        )
    )


@points(1)
@given(channels=groups_of_channels, case=windows(sizes=(1, 12), kernels=(1, 5)))
def test_plain_int(same_outcome, channels, case):
    """The result is a plain int: 9408, not 9408.0 and not a tensor."""
    *channels, groups = channels
    size, kernel, stride, padding = case
    same_outcome(
        lambda m: {
            "type of the result": type_of(m.conv_macs(*channels, kernel, size, stride, padding, groups)),
        }
    )
