"""`NiN(in_channels=1, num_classes=10)`: blocks, poolings, a dropout, and a mean instead of linear layers."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    VALUES,
    agree,
    any_layout,
    float64,
    images,
    in_double,
    learned_in_evaluation,
    result,
    seeds,
    shape_of,
    stages_of,
    trainable,
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


@points(0.75)
def test_number_of_parameters(same_outcome):
    """The number of parameters is right, for one channel and ten classes (the defaults) and for others."""
    same_outcome(lambda m: {"number of parameters": trainable(m.NiN, (1, 1, 99, 99))})
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.NiN(3, 4), (1, 3, 99, 99))})


@points(2)
def test_stages(same_outcome):
    """For 1×224×224 the stages in `net` return maps of 54, 26, 26, 12, 12, 5, 5, 5 and 1 pixels, then the scores."""

    def probe(m):
        shapes = shapes_through(stages_of(outline(m.NiN, (1, 1, 224, 224)).net), (1, 1, 224, 224))
        maps = [shape[1:] for shape in shapes if len(shape) == 4]
        if maps and maps[-1][1:] == [1, 1]:
            del maps[-1]  # the mean and the flattening may be one layer
        return {"shapes of the maps after the stages": maps, "shape of the result": shapes[-1]}

    same_outcome(probe)


@points(2)
@settings(max_examples=2)
@given(seed=seeds, batch=st.integers(1, 2), width=st.integers(LARGER, WIDE))
def test_values(same_outcome, seed, batch, width):
    """With the same parameters the scores in evaluation mode are those of NiN."""
    x = images(batch, 1, LARGER, width, seed=seed)
    same_outcome(lambda m: result(m.NiN, x), tolerance=VALUES)


@points(0.25)
@settings(max_examples=2)
@given(channels=st.integers(2, 4), classes=st.sampled_from([1, 2, 12]))
def test_channels_and_classes(same_outcome, channels, classes):
    """Images may have any number of channels; there is one score per class, even for a single class."""
    x = images(1, channels, SMALLEST, SMALLEST)
    build = {"in_channels": channels, "num_classes": classes}
    same_outcome(lambda m: shape_of(lambda: m.NiN(**build), x))


@points(1.5)
def test_gradients(same_outcome):
    """In evaluation mode the gradients of the input and of all parameters are those of NiN."""
    x = images(1, 1, LARGER, WIDE, dtype=float64)
    same_outcome(lambda m: learned_in_evaluation(m.NiN, x), tolerance=EXACT)


@points(1.5)
def test_dropout(student):
    """In training mode half of the activations are dropped before the last block, each independently."""

    def probe(m):
        x = torch.zeros(4, 1, LARGER, SMALLEST)
        model = revealing_dropout(zeroed(lambda: m.NiN(1, CHANNELS), x))
        with torch.no_grad():
            return model(x)

    scores = expect_tensor(student(probe), torch.empty(4, CHANNELS))
    # Each score is the mean over two pixels: 3, plus twice 3 where the activation was not dropped.
    for value, chance in {3.0: 1 / 4, 6.0: 1 / 2, 9.0: 1 / 4}.items():
        share = float(((scores - value).abs() < 0.01).double().mean())
        bound = 6 * math.sqrt(chance * (1 - chance) / scores.numel())
        message = "The share of activations that is dropped before the last block is not one half."
        expect(abs(share - chance) < bound, message, hint="How do training and evaluation mode differ in your network?")


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


@points(0.5)
def test_dtype(same_outcome):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(1, 1, SMALLEST, SMALLEST)
    same_outcome(lambda m: in_double(m.NiN, x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(1, 3, SMALLEST, SMALLEST)
    same_outcome(lambda m: any_layout(lambda: m.NiN(3), x))


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x, larger = images(1, 1, SMALLEST, SMALLEST), images(2, 1, SMALLEST, LARGER)
    same_outcome(lambda m: used_again(m.NiN, x, larger))
