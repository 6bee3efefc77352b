"""`compute_receptive_field(model, input_size=224)`: what an output of a network sees, and where.

Except where a check is about this, a field is smaller than the image: one that is measured there is right, too.
"""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    called_in_another_order,
    called_twice,
    centers_of,
    chain,
    concatenations,
    contents,
    elementwise,
    halves_of_pair,
    hooks,
    kind_of_number,
    lived_in,
    modes,
    pools_as_functions,
    pools_with_default_strides,
    quickly,
    resnet_body,
    shortcuts,
    size_of,
    small_network,
    vgg16_features,
    windows,
    with_a_spare_layer,
    with_pools,
)
from torch import nn

from autograder.grading import exercise, points, time_limit

pytestmark = exercise("compute_receptive_field")

few = settings(max_examples=6)
seeds = st.integers(0, 99)


def sizes(m, models, image=40):
    """The sizes for several models."""
    return {"sizes for several models": [size_of(m.compute_receptive_field(model, image)) for model in models]}


def size(m, model, image=40):
    return {"size": size_of(m.compute_receptive_field(model, image))}


@points(1.5)
@few
@given(windows=windows())
def test_convolutions(same_outcome, windows):
    """Convolutions in a row: each widens the field by its kernel size minus one."""
    same_outcome(lambda m: size(m, chain(windows)))


@points(1.75)
@few
@given(windows=windows(strides=(2, 3)))
def test_strides(same_outcome, windows):
    """A stride makes later layers count for more, but not its own layer."""
    same_outcome(lambda m: size(m, chain(windows), 100))


@points(1.25)
def test_pooling_layers(same_outcome):
    """Max and average pooling widen the field as convolutions do."""
    pools = [(nn.MaxPool2d, 2), (nn.AvgPool2d, 3), (nn.MaxPool2d, 3, 2, 1), (nn.AvgPool2d, 4, 2)]
    same_outcome(lambda m: sizes(m, with_pools(pools)))


@points(0.75)
def test_pooling_functions(same_outcome):
    """Pooling counts, too, if `forward` calls a function such as `F.max_pool2d(x, 2)`."""
    same_outcome(lambda m: sizes(m, pools_as_functions()))


@points(0.25)
def test_default_stride_of_pooling(same_outcome):
    """Without a stride, a pool moves by its kernel size, whether it is a layer or a function."""
    same_outcome(lambda m: sizes(m, pools_with_default_strides()))


@points(0.25)
def test_default_padding_of_pooling(same_outcome):
    """Without a padding, a pooling function pads nothing."""

    def probe(m):
        results = [m.compute_receptive_field(model, 20) for model in pools_with_default_strides()]
        return {"numbers of centres": [len(centers_of(result)) for result in results]}

    same_outcome(probe)


@points(1)
@few
@given(kernel=st.integers(2, 4), dilation=st.integers(2, 3))
def test_dilation(same_outcome, kernel, dilation):
    """The pixels of a dilated kernel are further apart, so that it sees more of the image."""

    def probe(m):
        return size(m, nn.Sequential(chain([(2, 1, 0)]), nn.Conv2d(3, 2, kernel, dilation=dilation)))

    same_outcome(probe)


@points(1.75)
def test_residual_sums(same_outcome):
    """Where two paths are added, the larger field wins, whichever comes first."""
    same_outcome(lambda m: sizes(m, shortcuts()))


@points(1.25)
def test_concatenations(same_outcome):
    """Where several paths are concatenated, the largest field wins, whichever place it has."""
    same_outcome(lambda m: sizes(m, concatenations()))


@points(0.75)
def test_elementwise_layers(same_outcome):
    """Batch normalisation, activations, dropout and arithmetic do not widen the field, in training mode neither."""
    same_outcome(lambda m: sizes(m, [elementwise().eval(), elementwise().train()]))


@points(0.75)
def test_order_of_the_calls(same_outcome):
    """What counts is the order in which `forward` calls the layers, not the order in which they were registered."""
    same_outcome(lambda m: size(m, called_in_another_order()))


@points(0.75)
def test_layers_that_are_called_twice(same_outcome):
    """A layer that is called twice widens the field twice."""
    same_outcome(lambda m: size(m, called_twice()))


@points(0.5)
def test_layers_that_do_not_matter(same_outcome):
    """A layer that is not called, or whose result is not used, does not widen the field."""
    same_outcome(lambda m: size(m, with_a_spare_layer()))


@points(0.5)
def test_single_layers(same_outcome):
    """The model may be a single layer, even one that only looks at single pixels."""
    same_outcome(lambda m: sizes(m, [nn.Conv2d(3, 2, 5), nn.MaxPool2d(3), nn.ReLU()]))


@points(1)
@few
@given(windows=windows(lengths=(3, 4), kernels=(4, 5), paddings=(2, 2)), image=st.integers(6, 9))
def test_field_larger_than_the_image(same_outcome, windows, image):
    """The padding belongs to the field, which may be larger than the image."""
    same_outcome(lambda m: size(m, chain(windows), image))


@points(1)
@few
@given(windows=windows(kernels=(2, 4), strides=(1, 2)), image=st.integers(30, 40))
def test_number_of_centers(same_outcome, windows, image):
    """There is one centre for each output along an axis."""

    def probe(m):
        return {"number of centres": len(centers_of(m.compute_receptive_field(chain(windows), image)))}

    same_outcome(probe)


@points(1.25)
@few
@given(windows=windows(kernels=(2, 3), strides=(2, 3), lengths=(2, 2)), image=st.integers(30, 40))
def test_distance_between_centers(same_outcome, windows, image):
    """The strides of all layers together determine how far apart the centres are."""

    def probe(m):
        first, second = centers_of(m.compute_receptive_field(chain(windows), image))[:2]
        return {"distance between the first two centres": second - first}

    same_outcome(probe)


def first_center(m, windows, image=40):
    return {"first centre": centers_of(m.compute_receptive_field(chain(windows), image))[0]}


@points(1.25)
@few
@given(windows=windows(kernels=(2, 4), strides=(1, 2)))
def test_first_center(same_outcome, windows):
    """The first centre is in the middle of the first field: that of pixels 0 and 1 is at 0.5."""
    same_outcome(lambda m: first_center(m, windows))


@points(1.25)
@few
@given(windows=windows(lengths=(2, 3), kernels=(3, 5), strides=(2, 2), paddings=(1, 2)))
def test_first_center_with_padding(same_outcome, windows):
    """Padding moves all centres to the left, padding behind a stride by more; a centre may be outside the image."""
    same_outcome(lambda m: first_center(m, windows, 64))


@points(1)
@time_limit(40)
def test_vgg16(same_outcome):
    """All layers of a real network: the convolutions and pools of VGG-16, with fewer channels."""
    same_outcome(lambda m: size(m, quickly(vgg16_features).eval(), 256))


@points(1)
@time_limit(40)
def test_resnet18(same_outcome):
    """All layers of a real network: ResNet-18 without its head, with fewer channels."""
    same_outcome(lambda m: size(m, quickly(lambda: resnet_body([2, 2, 2, 2], [3, 3])).eval(), 480))


@points(1)
@time_limit(40)
def test_resnet50(same_outcome):
    """All layers of a real network: ResNet-50 without its head, with fewer channels."""
    same_outcome(lambda m: size(m, quickly(lambda: resnet_body([3, 4, 6, 3], [1, 3, 1])).eval(), 480))


@points(0.75)
@few
@given(seed=seeds)
def test_modes_and_hooks(same_outcome, seed):
    """Afterwards every submodule is in the mode it was in before, and has the hooks it had before."""

    def probe(m):
        models = {
            "the model was in training mode": lived_in(small_network((3, 1, 1), [1])),
            "the model was in evaluation mode": lived_in(small_network((3, 1, 1), [1])).eval(),
            "the modes were mixed": lived_in(small_network((3, 1, 1), [1]), seed=seed),
        }
        for model in models.values():
            m.compute_receptive_field(model, 16)
        found = {f"mode (True for training; {before}) of": modes(model) for before, model in models.items()}
        return {**found, "number of hooks of": hooks(model)}

    same_outcome(probe)


@points(0.5)
def test_values(same_outcome):
    """Layers, parameters, running statistics, gradients and what requires them are the same afterwards."""

    def probe(m):
        model = lived_in(small_network((3, 1, 1), [1]))
        m.compute_receptive_field(model, 16)
        return {"kinds of the layers": [type(layer).__name__ for layer in model.modules()], **contents(model)}

    same_outcome(probe)


@points(0.75)
@few
@given(windows=windows())
def test_numbers(same_outcome, windows):
    """The size comes first and is a number, and the centres are a list of numbers."""

    def probe(m):
        size, centers = halves_of_pair(m.compute_receptive_field(chain(windows), 16))
        return {
            "type of the size": kind_of_number(size),
            "type of the centres": "list" if isinstance(centers, list | tuple) else type(centers).__name__,
            "types of the individual centres": sorted({kind_of_number(center) for center in centers}),
        }

    same_outcome(probe)


@points(0.5)
@few
@given(windows=windows(strides=(2, 2)), image=st.integers(30, 40))
def test_input_size(same_outcome, windows, image):
    """The image has 224 pixels by default; arguments may be given by name."""
    same_outcome(lambda m: {"number of centres": len(centers_of(m.compute_receptive_field(chain(windows))))})
    same_outcome(
        lambda m: {
            "number of centres": len(centers_of(m.compute_receptive_field(input_size=image, model=chain(windows))))
        }
    )


@points(1.75)
@few
@given(
    stem=st.tuples(st.integers(2, 5), st.integers(1, 2), st.integers(0, 1)),
    strides=st.lists(st.integers(1, 2), min_size=1, max_size=2),
    image=st.integers(200, 220),
    seed=seeds,
)
def test_everything_together(same_outcome, stem, strides, image, seed):
    """A network with pooling as a function, residual sums, strides, dilation and a concatenation: size and centres."""

    def probe(m):
        model = lived_in(small_network(stem, strides), seed=seed)
        result = m.compute_receptive_field(model, image)
        return {"size": size_of(result), "centres": centers_of(result)}

    same_outcome(probe)
