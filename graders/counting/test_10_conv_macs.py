"""`conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1)`."""

from hypothesis import given
from inputs import channels, groups_of_channels, near, ratio, type_of, whole, windows

from autograder.grading import exercise, points

pytestmark = exercise("conv_macs")


@points(1)
@given(channels=channels, size=near(4, 1, 12))
def test_kernel_of_one_pixel(same_outcome, channels, size):
    """Every weight is used once for every pixel of the output; a bias costs nothing."""
    same_outcome(lambda m: whole(m.conv_macs(*channels, 1, size)))


@points(1)
@given(channels=channels, kernel=near(3, 2, 6))
def test_kernel_as_large_as_the_image(same_outcome, channels, kernel):
    """A kernel as large as the image has one place, where each of its weights is used once."""
    same_outcome(lambda m: whole(m.conv_macs(*channels, kernel, kernel)))


@points(1)
@given(channels=channels, size=near(4, 1, 12))
def test_twice_as_many_filters(same_outcome, channels, size):
    """Twice as many output channels are twice the work."""
    in_channels, out_channels = channels

    def probe(m):
        more, fewer = (m.conv_macs(in_channels, count, 1, size) for count in (2 * out_channels, out_channels))
        return {"ratio of the work": ratio(more, fewer)}

    same_outcome(probe)


@points(1)
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


@points(1)
@given(channels=channels, case=windows(sizes=(1, 12), kernels=(1, 5), strides=(1, 1), paddings=(1, 3)))
def test_padding(same_outcome, channels, case):
    """With padding, the output has more pixels; multiplications by zeros in the border count."""
    size, kernel, _, padding = case
    size = max(size, kernel)

    def probe(m):
        padded = m.conv_macs(*channels, kernel, size, padding=padding)
        return {"ratio of the work with and without the padding": ratio(padded, m.conv_macs(*channels, kernel, size))}

    same_outcome(probe)


@points(1)
@given(channels=groups_of_channels, case=windows(sizes=(1, 8), kernels=(1, 4), strides=(1, 1), paddings=(0, 0)))
def test_groups(same_outcome, channels, case):
    """With groups, an output pixel only needs the input channels of its own group."""
    *channels, groups = channels
    size, kernel, _, _ = case

    def probe(m):
        grouped = m.conv_macs(*channels, kernel, size, groups=groups)
        return {"ratio of the work with and without groups": ratio(grouped, m.conv_macs(*channels, kernel, size))}

    same_outcome(probe)


@points(1)
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
