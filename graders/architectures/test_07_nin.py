"""`NiN(in_channels=1, num_classes=10)`: blocks, poolings, a dropout, and a mean instead of linear layers."""

import itertools
import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    TOGETHER,
    VALUES,
    agree,
    any_layout,
    counts_of,
    float64,
    images,
    in_double,
    result,
    seeds,
    shape_of,
    slopes,
    stages_of,
    together_in_evaluation,
    trainable,
    transposed,
    used_again,
)

from autograder.grading import exercise, expect, expect_tensor, points
from autograder.probes import ON_ITS_DEVICE, on_meta_device, outline, shapes_through, zeroed

pytestmark = exercise("NiN")

SMALLEST, LARGER, WIDE = 67, 99, 131  # pixels per side; the last pooling leaves 1, 2 and 3 of them
CHANNELS = 384  # before the dropout


def revealing_dropout(model):
    """Sets the parameters so that the scores of a network in training mode record what its dropout did.

    Biases of 1 and identity matrices bring activations of 3 to the dropout, and bring its results to the mean,
    increased by 3.
    """
    identity = torch.eye(CHANNELS)
    with torch.no_grad():
        for parameter in model.parameters():
            if sum(extent > 1 for extent in parameter.shape) < 2:
                parameter.fill_(float(parameter.numel() == CHANNELS))
            elif parameter.numel() == CHANNELS * CHANNELS:
                parameter.copy_(identity.reshape(parameter.shape))
            elif parameter.numel() == CHANNELS * CHANNELS * 9:
                middle = torch.zeros(CHANNELS, CHANNELS, 9)
                middle[..., 4] = identity
                parameter.copy_(middle.reshape(parameter.shape))
    return model


def maps(m):
    """The shapes of the maps that the stages in `net` return, without the batch."""
    shapes = shapes_through(stages_of(outline(m.NiN, (1, 1, 224, 224)).net), (1, 1, 224, 224))
    return [shape[1:] for shape in shapes if len(shape) == 4], shapes[-1]


@points(1)
def test_number_of_parameters(same_outcome):
    """The number of parameters is right for one channel and ten classes, which are the defaults."""
    same_outcome(lambda m: {"number of parameters": trainable(m.NiN, (1, 1, 99, 99))})


@points(1)
def test_sizes_of_the_stages(same_outcome):
    """For 1×224×224 the stages in `net` return maps of 54, 26, 26, 12, 12, 5, 5, 5 and 1 pixels per side."""

    def probe(m):
        sizes = [shape[1:] for shape in maps(m)[0]]
        if sizes and sizes[-1] == [1, 1]:
            del sizes[-1]  # the mean and the flattening may be one layer
        return {"sizes of the maps after the stages": sizes, "extents of the result": len(maps(m)[1])}

    same_outcome(probe)


@points(0.75)
def test_channels_of_the_stages(same_outcome):
    """The maps have 96, 256, 384 and, after the last block, `num_classes` channels."""

    def probe(m):
        channels = [shape[0] for shape in maps(m)[0]]
        return {"channels of the maps, each as long as it stays the same": [c for c, _ in itertools.groupby(channels)]}

    same_outcome(probe)


@points(1.75)
@settings(max_examples=2)
@given(seed=seeds, width=st.integers(LARGER, WIDE))
def test_values(same_outcome, seed, width):
    """With the same parameters the scores in evaluation mode are those of NiN."""
    x = images(2, 1, LARGER, width, seed=seed)
    same_outcome(lambda m: result(m.NiN, x), tolerance=VALUES)


@points(0.75)
@settings(max_examples=2)
@given(channels=st.integers(2, 4), classes=st.sampled_from([2, 12]))
def test_channels_and_classes(same_outcome, channels, classes):
    """Images may have any number of channels, and there is one score per class; the arguments have these names."""
    x = images(2, channels, SMALLEST, SMALLEST)
    build = {"in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: counts_of(lambda: m.NiN(**build), x))


@points(0.5)
def test_one_image_and_one_class(same_outcome):
    """The scores have two dimensions, also those of a single image and of a single class."""
    x = images(2, 1, SMALLEST, SMALLEST)
    same_outcome(lambda m: shape_of(m.NiN, x[:1]))
    same_outcome(lambda m: shape_of(lambda: m.NiN(1, 1), x))


@points(0.5)
def test_gradients(same_outcome):
    """In evaluation mode gradients reach the image and all parameters, and predict how the scores change."""
    x = images(2, 1, SMALLEST, SMALLEST)
    same_outcome(lambda m: slopes(m.NiN, x, ["evaluation"]), tolerance=SLOPES)


@points(1.5)
def test_dropout(student):
    """In training mode half of the activations are dropped before the last block, each independently."""

    def probe(m):
        x = torch.zeros(4, 1, LARGER, SMALLEST)
        model = revealing_dropout(zeroed(lambda: m.NiN(1, CHANNELS), x))
        with torch.no_grad():
            return model(x)

    scores = expect_tensor(student(probe), torch.empty(4, CHANNELS))
    # Each score is the mean over two pixels. One adds twice 3 where the activation is not dropped, the same everywhere
    # else. (If a network has maps of another size, that is another check's question.)
    hint = "How do training and evaluation mode differ in your network?"
    steps = torch.unique((100 * (scores - scores.min())).round())
    pixels = len(steps) - 1
    message = "The activations before the last block are not dropped independently in training mode."
    expect(pixels > 1, message, hint=hint)
    for kept in range(pixels + 1):
        chance = math.comb(pixels, kept) / 2**pixels
        share = float(((scores - scores.min() - 6 * kept / pixels).abs() < 0.01).double().mean())
        bound = 6 * math.sqrt(chance * (1 - chance) / scores.numel())
        message = "The share of activations that is dropped before the last block is not one half."
        expect(abs(share - chance) < bound, message, hint=hint)


@points(0.25)
def test_dropout_in_every_pass(same_outcome):
    """In training mode every pass drops other activations, whatever the size of the batch and of the image."""

    def probe(m):
        x = torch.zeros(2, 1, SMALLEST, LARGER)
        model = revealing_dropout(zeroed(lambda: m.NiN(1, CHANNELS), x))
        with torch.no_grad():
            first, second = model(x).clone(), model(x)
            other = model(torch.zeros(3, 1, SMALLEST, SMALLEST))
        return {
            'answer to "are activations dropped?"': len(first.unique()) > 1,
            'answer to "does a second pass drop the same activations?"': agree(first, second),
            "shape of the scores for another batch": list(other.shape),
        }

    same_outcome(probe)


@points(0.25)
def test_device(same_outcome):
    """In training mode, too, the scores are on the image's device. (Here: "meta", which stands in for a GPU.)"""

    def probe(m):
        model = outline(m.NiN, (1, 1, SMALLEST, SMALLEST)).to("meta").train()
        return {ON_ITS_DEVICE: on_meta_device(lambda: model(torch.zeros(2, 1, SMALLEST, SMALLEST, device="meta")))}

    same_outcome(probe)


@points(0.25)
def test_dtype(same_outcome):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(2, 1, SMALLEST, SMALLEST, seed=1)  # not next to the kink of any ReLU
    same_outcome(lambda m: in_double(m.NiN, x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 1, SMALLEST, SMALLEST)
    same_outcome(lambda m: any_layout(m.NiN, x))


@points(0.25)
def test_network_used_again(same_outcome):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x, larger = images(2, 1, SMALLEST, SMALLEST), images(3, 1, SMALLEST, LARGER)
    same_outcome(lambda m: used_again(m.NiN, x, larger))


@points(1)
def test_everything_together(same_outcome):
    """All at once: transposed colour images, four classes, scores and exact gradients in evaluation mode."""
    x = transposed(images(1, 3, LARGER, WIDE, dtype=float64))
    same_outcome(lambda m: together_in_evaluation(lambda: m.NiN(3, 4), x), tolerance=TOGETHER)
