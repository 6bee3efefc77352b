"""`LeNet(num_classes=10)`: twelve layers."""

import itertools

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    modes,
    result,
    seeds,
    shape_of,
    slopes,
    together,
    trainable,
    transposed,
    used_again,
)

from autograder.grading import exercise, points
from autograder.probes import outline, shapes_through, zeroed

pytestmark = exercise("LeNet")


@points(1.25)
def test_number_of_parameters(same_outcome):
    """There are 61706 parameters for ten classes, which is the default."""
    same_outcome(lambda m: {"number of parameters": trainable(m.LeNet, (1, 1, 28, 28))})


@points(1)
def test_twelve_layers(same_outcome):
    """The attribute `net` has 12 layers: every activation and the flattening are separate layers."""
    same_outcome(lambda m: {"number of layers in net": len(outline(m.LeNet, (1, 1, 28, 28)).net)})


@points(1)
def test_shapes_of_the_layers(same_outcome):
    """In `net` there are maps of 28, 14, 10 and 5 pixels, then 400, 120, 84 and 10 numbers, one after another."""

    def probe(m):
        shapes = shapes_through(outline(m.LeNet, (2, 1, 28, 28)).net, (2, 1, 28, 28))
        return {"shapes in `net`, each as long as it stays the same": [shape for shape, _ in itertools.groupby(shapes)]}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=8)
@given(seed=seeds, batch=st.integers(2, 4), training=modes)
def test_values(same_outcome, seed, batch, training):
    """With the same parameters the scores are those of LeNet, in training and in evaluation mode."""
    x = images(batch, 1, 28, 28, seed=seed)
    same_outcome(lambda m: result(m.LeNet, x, training), tolerance=VALUES)


@points(1)
@given(weight=st.sampled_from([-3.0, -2.0, 2.0, 3.0]))
def test_activations(same_outcome, weight):
    """A sigmoid follows each layer with weights but the last one, whose scores are returned as they are."""

    def probe(m):
        # Blank images, no biases, and in each layer the same multiple of the mean: neither windows nor poolings matter.
        x = torch.zeros(2, 1, 28, 28)
        model = zeroed(m.LeNet, x).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if sum(extent > 1 for extent in parameter.shape) > 1:
                    parameter.fill_(weight * len(parameter) / parameter.numel())
        return model(x)[:, 0]

    same_outcome(probe, tolerance=VALUES)


@points(0.75)
@given(classes=st.sampled_from([1, 2, 3, 84, 120]))
def test_num_classes(same_outcome, classes):
    """There is one score per class, however many classes there are."""
    x = images(2, 1, 28, 28)
    same_outcome(lambda m: shape_of(lambda: m.LeNet(num_classes=classes), x))


@points(0.5)
def test_batch_of_one_image(same_outcome):
    """A batch of one image gives scores of shape (1, 10), even if the image is blank."""
    x = images(1, 1, 28, 28)
    same_outcome(lambda m: shape_of(m.LeNet, x))
    same_outcome(lambda m: shape_of(m.LeNet, 0 * x))


@points(0.75)
@settings(max_examples=1)
@given(seed=seeds)
def test_gradients(same_outcome, seed):
    """Gradients reach the images and all parameters, in both modes, and predict how the scores change."""
    x = images(2, 1, 28, 28, seed=seed)
    same_outcome(lambda m: slopes(m.LeNet, x), tolerance=SLOPES)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_dtype(same_outcome, seed):
    """A network in float64 computes in float64, one in float32 returns float32."""
    x = images(2, 1, 28, 28, seed=seed)
    same_outcome(lambda m: in_double(m.LeNet, x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 1, 28, 28)
    same_outcome(lambda m: any_layout(m.LeNet, x))


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes image after image, and so does a copy of it; the input and earlier scores do not change."""
    x = images(2, 1, 28, 28)
    same_outcome(lambda m: used_again(m.LeNet, x, torch.cat([x, x - 1])))


@points(1)
@settings(max_examples=1)
@given(seed=seeds)
def test_everything_together(same_outcome, seed):
    """All at once: transposed images, seven classes, scores in evaluation mode, exact gradients in training mode."""
    x = transposed(images(3, 1, 28, 28, seed=seed, dtype=float64))
    same_outcome(lambda m: together(lambda: m.LeNet(7), x), tolerance=TOGETHER)
