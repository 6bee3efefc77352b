"""`conv3x3(in_planes, out_planes, stride=1)`: the convolution that the blocks are built from."""

from aspects import without_constants
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import NETWORK, float64, images, other_channels
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import filled, gradients

pytestmark = exercise("conv3x3")


def middle(maps):
    """The 3×3 pixels in the middle of maps with an odd number of rows and columns: no border is near them."""
    top, left = ((extent - 3) // 2 for extent in maps.shape[2:])
    return maps[:, :, top : top + 3, left : left + 3]


@points(1.25)
@settings(max_examples=8)
@given(x=images(sides=(7, 7)))
def test_kernel(same_outcome, x):
    """It is a convolution with a 3×3 kernel: away from the border, each pixel is a weighted sum of nine."""

    def probe(m):
        layer = filled(lambda: m.conv3x3(x.shape[1], x.shape[1], 1), x)
        return {"middle of the result, minus that for zeros": middle(without_constants(layer, x))}

    same_outcome(probe, tolerance=NETWORK)


@points(0.75)
@settings(max_examples=6)
@given(x=images(channels=(3, 5), sides=(5, 5)), more=other_channels)
def test_channels(same_outcome, x, more):
    """in_planes channels go in, and out_planes come out."""
    channels = x.shape[1], x.shape[1] + more
    same_outcome(lambda m: {"number of channels": filled(lambda: m.conv3x3(*channels, 1), x)(x).shape[1]})


@points(0.75)
@settings(max_examples=6)
@given(x=images(sides=(3, 7)))
def test_padding(same_outcome, x):
    """With stride 1 the map keeps its size."""

    def probe(m):
        return {"shape of the result": list(filled(lambda: m.conv3x3(x.shape[1], x.shape[1], 1), x)(x).shape)}

    same_outcome(probe)


@points(0.75)
@settings(max_examples=8)
@given(x=images(sides=(5, 7)), stride=st.integers(2, 3))
def test_stride(same_outcome, x, stride):
    """The stride is the step in both directions: the result has every stride-th pixel of the result at stride 1."""

    def probe(m):
        layers = (filled(lambda step=step: m.conv3x3(x.shape[1], x.shape[1], step), x).eval() for step in (1, stride))
        whole, stepping = (layer(x) for layer in layers)
        return {"largest difference": float((stepping - whole[:, :, ::stride, ::stride]).abs().max())}

    same_outcome(probe, tolerance=NETWORK)


@points(0.25)
@settings(max_examples=4)
@given(x=images(sides=(5, 7)))
def test_arguments(same_outcome, x):
    """The stride is 1 by default, and the arguments have the names in the contract."""

    def probe(m):
        n = x.shape[1]
        builds = [
            lambda: m.conv3x3(n, n, 1),
            lambda: m.conv3x3(n, n),
            lambda: m.conv3x3(in_planes=n, out_planes=n, stride=1),
        ]
        usual, default, named = (filled(build, x)(x) for build in builds)
        return {
            "largest difference without a stride to stride 1": float((default - usual).abs().max()),
            "largest difference with named arguments": float((named - usual).abs().max()),
        }

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
@settings(max_examples=6)
@given(x=images(sides=(3, 5)))
def test_no_bias(same_outcome, x):
    """There is no bias: a map of zeros stays zero, and there are 9 weights for each pair of channels."""

    def probe(m):
        layer = filled(lambda: m.conv3x3(x.shape[1], x.shape[1], 1), x)
        return {
            "number of parameters": sum(parameter.numel() for parameter in layer.parameters()),
            "largest result for zeros": float(layer(x * 0).abs().max()),
        }

    same_outcome(probe)


@points(0.25)
@settings(max_examples=4)
@given(x=images(sides=(3, 5)))
def test_is_a_layer(same_outcome, x):
    """The result is an nn.Conv2d, a new one at each call, and gradients flow through it."""

    def probe(m):
        n = x.shape[1]
        layer = filled(lambda: m.conv3x3(n, n, 1), x)
        one, other = m.conv3x3(n, n, 1), m.conv3x3(n, n, 1)
        return {
            'answer to "is it an nn.Conv2d?"': isinstance(layer, nn.Conv2d),
            'answer to "does a gradient arrive?"': gradients(layer, x)[0] is not None,
            'answer to "do two calls share their weight?"': one.weight is other.weight,
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=8)
@given(x=images(sides=(1, 7), dtype=float64, layouts=True), out=st.integers(1, 6), stride=st.integers(1, 3))
def test_everything_together(same_outcome, x, out, stride):
    """Any channels, stride, size and memory layout, in float64: all of it together."""
    same_outcome(lambda m: filled(lambda: m.conv3x3(x.shape[1], out, stride), x)(x), exact="dtype")
