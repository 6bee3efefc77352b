"""`receptive_field(layers, input_size=224)`: how much one output sees, and where."""

from hypothesis import given, settings
from inputs import centers_of, halves_of_pair, kind_of_number, networks, outlasts_another_call, size_of

from autograder.grading import exercise, points

pytestmark = exercise("receptive_field")


@points(1.5)
@given(case=networks(strides=(1, 1), paddings=(0, 0)))
def test_size_at_stride_one(same_outcome, case):
    """At stride 1, every layer widens the field by its kernel size minus one."""
    size, layers = case
    same_outcome(lambda m: {"size": size_of(m.receptive_field(layers, size))})


@points(2)
@given(case=networks(lengths=(2, 4), sizes=(24, 48), paddings=(0, 0)))
def test_size_with_strides(same_outcome, case):
    """A stride makes later layers count for more, but not its own layer."""
    size, layers = case
    same_outcome(lambda m: {"size": size_of(m.receptive_field(layers, size))})


@points(0.5)
@given(case=networks(sizes=(1, 12), strides=(1, 1), paddings=(1, 3), kernels=(2, 6)))
def test_size_with_padding(same_outcome, case):
    """Padding does not change the size, which may be larger than the image."""
    size, layers = case
    same_outcome(lambda m: {"size": size_of(m.receptive_field(layers, size))})


@points(1)
@given(case=networks(lengths=(1, 4), paddings=(0, 0)))
def test_number_of_centers(same_outcome, case):
    """There are as many centres as the network has outputs for an image of that size."""
    size, layers = case
    same_outcome(lambda m: {"number of centres": len(centers_of(m.receptive_field(layers, size)))})


@points(1.5)
@given(case=networks(sizes=(24, 32), lengths=(1, 3), strides=(1, 1), paddings=(0, 0)))
def test_centers_at_stride_one(same_outcome, case):
    """The first centre is in the middle of the first field; the others follow pixel by pixel."""
    size, layers = case
    same_outcome(lambda m: {"first centres": centers_of(m.receptive_field(layers, size))[:4]})


@points(1)
@given(case=networks(sizes=(24, 40), lengths=(1, 3), paddings=(0, 0)))
def test_centers_with_strides(same_outcome, case):
    """The strides of all layers together determine how far apart the centres are."""
    size, layers = case
    same_outcome(lambda m: {"first centres": centers_of(m.receptive_field(layers, size))[:2]})


@points(1)
@given(case=networks(sizes=(24, 32), lengths=(1, 3), strides=(1, 1), paddings=(1, 4)))
def test_centers_with_padding(same_outcome, case):
    """Padding moves the centres to the left; some may be outside the image."""
    size, layers = case
    same_outcome(lambda m: {"first centres": centers_of(m.receptive_field(layers, size))[:2]})


@points(0.5)
@given(case=networks(sizes=(24, 32), lengths=(2, 3), strides=(2, 3), paddings=(0, 4)))
def test_centers_with_padding_after_strides(same_outcome, case):
    """Padding behind a stride moves the centres further."""
    size, layers = case
    same_outcome(lambda m: {"first centres": centers_of(m.receptive_field(layers, size))[:2]})


@points(1)
@given(case=networks(sizes=(3, 24), paddings=(0, 4)))
def test_everything_together(same_outcome, case):
    """Kernels, strides and paddings of all kinds: the size, and every centre."""
    size, layers = case

    def probe(m):
        result = m.receptive_field(layers, size)
        return {"size": size_of(result), "centres": centers_of(result)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=6)
@given(case=networks(sizes=(30, 40)))
def test_input_size(same_outcome, case):
    """The image has 224 pixels by default; arguments may be given by name."""
    size, layers = case
    same_outcome(lambda m: {"number of centres": len(centers_of(m.receptive_field(layers)))})
    same_outcome(lambda m: {"number of centres": len(centers_of(m.receptive_field(input_size=size, layers=layers)))})


@points(0.5)
@given(case=networks())
def test_argument_is_not_modified(same_outcome, case):
    """Neither the list that was passed in nor the result of an earlier call is modified."""
    size, layers = case

    def probe(m):
        m.receptive_field(layers, size)
        after = list(layers)
        outlasts = outlasts_another_call(
            lambda: m.receptive_field(list(after), size), lambda: m.receptive_field(list(after), 2 * size)
        )
        return {"layers after the call": after, **outlasts}

    same_outcome(probe)


@points(1)
@given(case=networks(sizes=(8, 16)))
def test_numbers(same_outcome, case):
    """The size comes first and is a number, and the centres are a list of numbers."""
    size, layers = case

    def probe(m):
        size_, centers = halves_of_pair(m.receptive_field(layers, size))
        return {
            "type of the size": kind_of_number(size_),
            "type of the centres": "list" if isinstance(centers, list | tuple) else type(centers).__name__,
            "types of the individual centres": sorted({kind_of_number(center) for center in centers}),
        }

    same_outcome(probe)
