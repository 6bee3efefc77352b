"""`fold_batchnorm(conv, bn)`: one convolution for two layers.

The checks call the folded convolution, not the layers that it replaces: a submission would be blamed for that operator.
"""

import copy

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import conv_and_bn, float64, folded_geometry, folded_output
from torch import nn

from autograder.grading import NORMALISATION, exercise, forbids, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import on_meta_device, snapshot

pytestmark = [exercise("fold_batchnorm"), forbids(NORMALISATION)]

seeds = st.integers(0, 99)


def images(channels=3, layouts=False, **options):
    """(N, C, H, W), large enough for every convolution below."""
    return tensors(shapes((1, 2), (channels, channels), (5, 7), (6, 8)), layouts=layouts, **options)


@points(2)
@given(x=images(), seed=seeds)
def test_running_variance(same_outcome, x, seed):
    """The result computes what conv followed by bn does: it divides by the root of the running variance."""
    same_outcome(lambda m: folded_output(m, x, seed=seed))


@points(1.5)
@settings(max_examples=12)
@given(x=images(), seed=seeds)
def test_running_mean(same_outcome, x, seed):
    """The running mean is subtracted from what conv computes, before that is divided."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, mean=True))


@points(1.5)
@settings(max_examples=12)
@given(x=images(), seed=seeds)
def test_scale_and_shift(same_outcome, x, seed):
    """What is normalised is multiplied by the weight of bn; its bias is added at the end."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, scale=True, shift=True))


@points(1.5)
@settings(max_examples=12)
@given(x=images(), seed=seeds)
def test_convolution_with_bias(same_outcome, x, seed):
    """The bias of conv is normalised, too."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, conv_bias=True))


@points(1)
@settings(max_examples=12)
@given(x=images(), seed=seeds)
def test_convolution_without_bias(same_outcome, x, seed):
    """conv may have no bias; the result has one."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, bias=False))


@points(1.5)
@settings(max_examples=12)
@given(x=images(), seed=seeds)
def test_normalisation_without_affine(same_outcome, x, seed):
    """With affine=False bn has no weight and no bias: it only normalises."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, affine=False))


@points(1.5)
@settings(max_examples=15)
@given(x=images(channels=2), seed=seeds)
def test_every_channel_by_itself(same_outcome, x, seed):
    """Every output channel has numbers of its own."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, channels=(2, 3), kernel_size=(2, 3), mixed=True))


@points(0.5)
@settings(max_examples=15)
@given(channels=st.sampled_from([(2, 2), (2, 1), (4, 3)]), seed=seeds, data=st.data())
def test_any_number_of_channels(same_outcome, channels, seed, data):
    """That is so even if there are as many inputs as outputs, only one output, or more inputs than outputs."""
    x = data.draw(images(channels=channels[0]))
    same_outcome(lambda m: folded_output(m, x, seed=seed, channels=channels, kernel_size=2, mixed=True))


@points(1)
@settings(max_examples=15)
@given(x=images(), seed=seeds, eps=st.sampled_from([0.5, 1e-2, 2.0]), variance=st.sampled_from([1.0, 1e-3]))
def test_eps(same_outcome, x, seed, eps, variance):
    """The eps of bn is inside the root, next to the running variance."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, eps=eps, variance=variance))


@points(1)
@given(
    x=images(),
    stride=st.sampled_from([1, (2, 1), (2, 3)]),
    padding=st.sampled_from([0, 1, (2, 1)]),
    dilation=st.sampled_from([1, (1, 2), 2]),
)
def test_stride_padding_dilation(same_outcome, x, stride, padding, dilation):
    """Stride, padding and dilation are those of conv, even if rows and columns differ."""
    same_outcome(lambda m: folded_geometry(m, x, kernel_size=(2, 3), stride=stride, padding=padding, dilation=dilation))


@points(1)
@settings(max_examples=15)
@given(x=images(channels=4), groups=st.sampled_from([2, 4]), seed=seeds)
def test_groups(same_outcome, x, groups, seed):
    """Grouped and depthwise convolutions are folded as well, with several outputs per group."""
    same_outcome(lambda m: folded_output(m, x, seed=seed, channels=(4, 8), groups=groups))


@points(0.5)
@given(
    x=images(),
    mode=st.sampled_from(["reflect", "circular", "replicate", "zeros"]),
    padding=st.sampled_from([(2, 1), 1, "same", "valid"]),
)
def test_padding_in_words(same_outcome, x, mode, padding):
    """The padding mode is kept, and a padding given as a word ("same", "valid") means the same as before."""
    same_outcome(lambda m: folded_geometry(m, x, kernel_size=(2, 3), padding_mode=mode, padding=padding))


@points(0.5)
@settings(max_examples=15)
@given(x=images(dtype=float64), seed=seeds)
def test_dtype(same_outcome, x, seed):
    """The new layer has the dtype of the old ones; with float64 it has that precision."""

    def single(m):
        folded = m.fold_batchnorm(*conv_and_bn(seed))
        return {"dtypes of weight and bias": [str(folded.weight.dtype), str(folded.bias.dtype)]}

    def probe(m):
        folded = m.fold_batchnorm(*conv_and_bn(seed, float64, conv_bias=True, eps=1e-12))
        with torch.no_grad():
            result = folded(x / 3)
        return {"dtypes of weight and bias": [str(folded.weight.dtype), str(folded.bias.dtype)], "result": result}

    same_outcome(single)
    same_outcome(probe, exact="dtype")


@points(0.5)
@settings(max_examples=4)
@given(seed=seeds)
def test_device(same_outcome, seed):
    """The new layer is on the device of the old ones. (Here: "meta", which has no numbers and stands in for a GPU.)"""

    def probe(m):
        m.fold_batchnorm(*conv_and_bn(seed))
        elsewhere = [layer.to("meta") for layer in conv_and_bn(seed)]
        same = on_meta_device(lambda: m.fold_batchnorm(*elsewhere).parameters())
        return {'answer to "are weight and bias on the device of conv and bn?"': same}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(x=images(), seed=seeds)
def test_normalisation_in_training_mode(same_outcome, x, seed):
    """What gets folded is evaluation, even if conv and bn happen to be in training mode."""

    def probe(m):
        one, other = (folded_output(m, x, seed=seed, training=training) for training in (True, False))
        return {'answer to "does evaluation mode give the same?"': torch.allclose(one, other, rtol=1e-3, atol=1e-3)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=8)
@given(seed=seeds)
def test_new_convolution(same_outcome, seed):
    """The result is an nn.Conv2d with a bias, is not conv itself, and shares no memory with the arguments."""

    def probe(m):
        conv, bn = conv_and_bn(seed)
        folded = m.fold_batchnorm(conv, bn)
        before = [*conv.parameters(), *bn.parameters(), *bn.buffers()]
        old = {tensor.untyped_storage().data_ptr() for tensor in before}
        return {
            'answer to "is it an nn.Conv2d?"': isinstance(folded, nn.Conv2d),
            'answer to "does it have a bias?"': isinstance(folded.bias, torch.Tensor),
            'answer to "is it conv itself?"': folded is conv,
            'answer to "does its weight share memory?"': folded.weight.untyped_storage().data_ptr() in old,
            'answer to "does its bias share memory?"': folded.bias.untyped_storage().data_ptr() in old,
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=4)
@given(x=images(), seed=seeds)
def test_folding_again(same_outcome, x, seed):
    """After more training the same layers can be folded again; the first result stays as it was."""

    def probe(m):
        conv, bn = conv_and_bn(seed)
        with torch.no_grad():
            first = m.fold_batchnorm(conv, bn)
            before = first(x)
            for tensor in (*conv.parameters(), *bn.parameters(), bn.running_mean, bn.running_var):
                tensor.mul_(1.5)
            second = m.fold_batchnorm(conv, bn)
            wanted = m.fold_batchnorm(copy.deepcopy(conv), copy.deepcopy(bn))(x)
            pairs = {
                "does the first result still compute the same": [first(x), before],
                "is the second result the same as for copies of the layers": [second(x), wanted],
            }
        return {f'answer to "{what}?"': torch.allclose(*pair, rtol=1e-3, atol=1e-3) for what, pair in pairs.items()}

    same_outcome(probe)


@points(1)
@settings(max_examples=12)
@given(training=st.booleans(), frozen=st.booleans(), seed=seeds)
def test_arguments_are_untouched(same_outcome, training, frozen, seed):
    """conv and bn are the same afterwards: their numbers, their modes, and what requires a gradient."""

    def probe(m):
        conv, bn = conv_and_bn(seed, training=training, conv_bias=True, mean=True, scale=True, shift=True)
        conv.requires_grad_(not frozen)
        m.fold_batchnorm(conv, bn)
        return {"conv": snapshot(conv), "bn": snapshot(bn)}

    same_outcome(probe)


@points(2)
@given(
    x=images(channels=4),
    seed=seeds,
    groups=st.sampled_from([1, 2]),
    stride=st.sampled_from([1, (2, 1)]),
    eps=st.sampled_from([1e-5, 0.5]),
    bias=st.booleans(),
    affine=st.booleans(),
)
def test_everything_at_once(same_outcome, x, seed, groups, stride, eps, bias, affine):
    """All numbers of all channels together, with and without bias, affine parameters, groups and stride."""
    numbers = {"conv_bias": True, "mean": True, "scale": True, "shift": True, "mixed": True}
    options = {"channels": (4, 6), "kernel_size": (2, 3), "groups": groups, "stride": stride, "padding": (0, 1)}
    same_outcome(lambda m: folded_output(m, x, seed=seed, eps=eps, bias=bias, affine=affine, **numbers, **options))
