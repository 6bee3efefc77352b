"""`conv3x3(in_planes, out_planes, stride=1)`: the convolution that the blocks are built from."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import NETWORK, float64, images
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import filled, gradients, parameter_count

pytestmark = exercise("conv3x3")

planes = st.integers(1, 6)


@points(1.5)
@given(x=images(), out=planes)
def test_keeps_the_size(same_outcome, x, out):
    """With stride 1 it is a 3×3 convolution with padding 1."""
    same_outcome(lambda m: filled(lambda: m.conv3x3(x.shape[1], out, 1), x)(x), tolerance=NETWORK)


@points(1.5)
@given(x=images(dtype=float64), out=planes, stride=st.integers(2, 3))
def test_stride(same_outcome, x, out, stride):
    """The stride is the step in both directions, in float64 as well."""
    same_outcome(lambda m: filled(lambda: m.conv3x3(x.shape[1], out, stride), x)(x))


@points(0.5)
@given(x=images(), out=planes)
def test_arguments(same_outcome, x, out):
    """The stride is 1 by default, and the arguments have the names in the contract."""

    def probe(m):
        named = filled(lambda: m.conv3x3(in_planes=x.shape[1], out_planes=out, stride=2), x)
        return {
            "shape of the result without a stride": list(filled(lambda: m.conv3x3(x.shape[1], out), x)(x).shape),
            "shape of the result with stride=2": list(named(x).shape),
        }

    same_outcome(probe)


@points(1)
@given(x=images(), out=planes)
def test_no_bias(same_outcome, x, out):
    """There is no bias: a map of zeros stays zero, and there are 9 weights for each pair of channels."""

    def probe(m):
        zeros, channels = x * 0, x.shape[1]
        return {
            "number of parameters": parameter_count(lambda: m.conv3x3(channels, out), list(x.shape)),
            "largest result for zeros": float(filled(lambda: m.conv3x3(channels, out), zeros)(zeros).abs().max()),
        }

    same_outcome(probe)


@points(0.5)
@given(x=images(), out=planes)
def test_is_a_layer(same_outcome, x, out):
    """The result is an nn.Conv2d, a new one at each call, and gradients flow through it."""

    def probe(m):
        layer = filled(lambda: m.conv3x3(x.shape[1], out), x)
        one, other = m.conv3x3(x.shape[1], out), m.conv3x3(x.shape[1], out)
        return {
            'answer to "is it an nn.Conv2d?"': isinstance(layer, nn.Conv2d),
            'answer to "does a gradient arrive?"': gradients(layer, x)[0] is not None,
            'answer to "do two calls share their weight?"': one.weight is other.weight,
        }

    same_outcome(probe)
