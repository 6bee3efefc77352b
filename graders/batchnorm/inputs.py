"""Batches for normalisation, and layers to be folded.

A mistake should only cost the check about it. So most checks take plain inputs: images whose four extents differ, with
many values per feature, so that the biased and the unbiased variance nearly agree; gamma is 1 and beta is 0. Results
are compared roughly (ROUGH). What a check is about is what differs in its inputs: vectors, extents that are equal or 1,
few values per feature, another gamma. One check of each exercise takes everything at once.
No feature has a variance that is small compared with its mean, so that every sensible way to compute it will do.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import nn

from autograder.grading import Tolerance
from autograder.grading.strategies import tensors
from autograder.probes import fill

float32, float64 = torch.float32, torch.float64

# Accepts n − 1 in place of n for n ≥ 24, but nothing that is really wrong.
ROUGH = Tolerance(0.05, 0.03)

# At least 24 values per feature.
VECTORS = [(24, 3), (30, 4), (48, 2)]
IMAGES = [(2, 3, 4, 5), (3, 2, 5, 4), (4, 5, 3, 2), (5, 4, 2, 3)]
EQUAL_EXTENTS = [(2, 3, 5, 3), (3, 3, 3, 3), (2, 4, 4, 5), (4, 4, 3, 3), (4, 4, 4, 4)]
EXTENTS_OF_ONE = [(1, 3, 4, 6), (2, 1, 3, 5), (24, 2, 1, 1), (1, 1, 5, 6), (6, 3, 5, 1), (1, 2, 1, 24)]
# Few values per feature: here it matters what you divide by.
SMALL = [(2, 3, 2, 2), (2, 5, 2, 2), (3, 4, 2, 2), (2, 4, 2, 3)]
TWO_VALUES = [(2, 3, 1, 1), (1, 2, 2, 1), (1, 3, 1, 2)]
ONE_VALUE = [(1, 3, 1, 1), (1, 2, 1, 1), (1, 1, 1, 1)]
ONE_ROW = [(1, 3), (1, 2), (1, 1)]
EVERYTHING = [(2, 3), (3, 3), (5, 1), (24, 24), (2, 3, 1, 1), (2, 2, 1, 2), (2, 3, 2, 1), (3, 2, 1, 2), (4, 4, 2, 4)]


def per_feature(shape):
    """(1, F) or (1, C, 1, 1): the shape of a tensor with one number per feature."""
    return (1, shape[1], *(1,) * (len(shape) - 2))


@st.composite
def batches(draw, shapes, dtype=float32, spread=1):
    """X of one of these shapes: multiples of 0.25 with a different mean and spread for every feature.

    Where the `spread` is large, eps does not matter.
    """
    shape = draw(st.sampled_from(shapes))
    return spread * make_batch(shape, draw(st.integers(0, 999)), dtype)


@st.composite
def cases(draw, shapes, dtype=float32, layouts=False, scaled=False, settled=False, alike=False):
    """(X, gamma, beta, moving_mean, moving_var).

    Args:
        alike: whether every channel of every sample holds the same numbers, each in an order of its own: then it does
            not matter over which of them the mean is taken.
        layouts: whether X may be laid out in memory like a transposed or sliced tensor.
        scaled: whether gamma and beta are other numbers than 1 and 0.
        settled: whether the moving statistics are those of X, with the biased variance: then both modes agree.
    """
    shape = draw(st.sampled_from(shapes))
    seed = draw(st.integers(0, 999))
    X = make_alike(shape, seed, dtype) if alike else make_batch(shape, seed, dtype)
    gamma, beta, mean, var = make_parameters(shape, seed, dtype)
    if not scaled:
        gamma, beta = torch.ones_like(gamma), torch.zeros_like(beta)
    if settled:
        dims = [dim for dim in range(X.dim()) if dim != 1]
        mean, var = X.mean(dims, keepdim=True), X.var(dims, unbiased=False, keepdim=True)
    if layouts:
        X = draw(tensors(shape, dtype=dtype)).copy_(X)
    return X, gamma, beta, mean, var


def make_batch(shape, seed, dtype=float32):
    generator = torch.Generator().manual_seed(seed)
    features = shape[1]
    values = (2 * torch.randn(features, torch.Size(shape).numel() // features, generator=generator)).round()
    if values.shape[1] > 1:  # no feature is constant
        values[:, 0], values[:, 1] = 2, -1
    scale = pick([0.5, 1, 2], features, generator)
    shift = pick([-2, -1, 0.5, 1, 3], features, generator)
    values = (values + shift[:, None]) * scale[:, None]
    order = [shape[1], shape[0], *shape[2:]]
    return values.reshape(order).transpose(0, 1).contiguous().to(dtype)


def make_alike(shape, seed, dtype=float32):
    generator = torch.Generator().manual_seed(seed)
    values = make_batch((shape[2] * shape[3], 1), seed, dtype).flatten()
    orders = [torch.randperm(len(values), generator=generator) for _ in range(shape[0] * shape[1])]
    return torch.stack([values[order] for order in orders]).reshape(shape)


def make_parameters(shape, seed, dtype=float32):
    """gamma, beta, moving_mean, moving_var: readable numbers, gamma of both signs, none of them 0."""
    generator = torch.Generator().manual_seed(seed + 1000)
    tables = [-2, -1.5, 0.5, 1, 2, 3], [-2, -1, 0.5, 1, 1.5], [-3, -1, 0.5, 2, 4], [0.25, 0.5, 2, 4, 9]
    few = per_feature(shape)
    return [pick(table, shape[1], generator).reshape(few).to(dtype) for table in tables]


def pick(table, count, generator):
    """`count` entries of a table, with as few repeats as possible."""
    rounds = [torch.randperm(len(table), generator=generator) for _ in range(count // len(table) + 1)]
    return torch.tensor(table)[torch.cat(rounds)[:count]]


def results(module, *args, **named):
    """What batch_norm returns, by name: any three things that come in this order."""
    Y, mean, var = module.batch_norm(*args, **named)
    return {"result Y": Y, "moving mean": mean, "moving variance": var}


def layer_for(module, x, **options):
    """The submission's BatchNorm for inputs like x, which neither scales nor shifts."""
    return neutral(module.BatchNorm(x.shape[1], x.dim(), **options))


def neutral(layer):
    """Only one check is about the numbers that gamma and beta start with, and another about where they are kept."""
    for name, number in (("gamma", 1), ("beta", 0)):
        if isinstance(value := getattr(layer, name, None), torch.Tensor):
            with torch.no_grad():
                value.fill_(number)
    return layer


def remember(layer, mean, var):
    """Writes these moving statistics into a BatchNorm. Other checks are about whether a new one has any."""
    with torch.no_grad():
        for name, value in (("moving_mean", mean), ("moving_var", var)):
            if isinstance(kept := getattr(layer, name, None), torch.Tensor):
                kept.copy_(value.reshape(kept.shape))
            else:
                setattr(layer, name, value.clone())
    return layer


def scaled(layer, gamma, beta):
    """Writes this gamma and beta into a BatchNorm."""
    with torch.no_grad():
        layer.gamma.copy_(gamma.reshape(layer.gamma.shape))
        layer.beta.copy_(beta.reshape(layer.beta.shape))
    return layer


def statistics_of(layer):
    """As flat vectors: only one check is about their shape."""
    return {"moving_mean": layer.moving_mean.flatten(), "moving_var": layer.moving_var.flatten()}


def step(layer, x):
    """One training step of a module, as far as its moving statistics are concerned."""
    layer.train()
    layer(x)
    return layer


# --- layers to be folded ---------------------------------------------------------------------------------------------


def conv_and_bn(
    seed=0,
    dtype=float32,
    *,
    affine=True,
    eps=1e-5,
    variance=1.0,
    training=False,
    channels=(3, 3),
    conv_bias=False,
    mean=False,
    scale=False,
    shift=False,
    mixed=False,
    **options,
):
    """A convolution, and the batch normalisation after it, which divides all channels by the same number.

    Args:
        variance: what the running variance is about.
        conv_bias, mean, scale, shift: whether the bias of the convolution, the running mean, gamma and beta are not 0,
            0, 1 and 0, as they are by default, where a mistake in them does not show.
        mixed: whether channels differ in their running variance, and in what the four switches above set.
        options: for nn.Conv2d.
    """
    options = {"kernel_size": (3, 3), **options}
    conv = fill(nn.Conv2d(*channels, **options, dtype=dtype), seed)
    bn = fill(nn.BatchNorm2d(channels[1], eps=eps, affine=affine, dtype=dtype), seed + 1)
    with torch.no_grad():
        bn.running_var *= variance
        switches = (conv.bias, conv_bias, 0), (bn.running_mean, mean, 0), (bn.weight, scale, 1), (bn.bias, shift, 0)
        for tensor, drawn, otherwise in switches:
            if tensor is not None and not drawn:
                tensor.fill_(otherwise)
        if not mixed:
            for tensor in (conv.bias, bn.running_mean, bn.running_var, bn.weight, bn.bias):
                if tensor is not None:
                    tensor.fill_(tensor[0].item())
    return conv.train(training), bn.train(training)


def folded_output(module, x, **options):
    """The output of the folded convolution for x. It asks for no gradient: the contract does not promise one."""
    folded = module.fold_batchnorm(*conv_and_bn(dtype=x.dtype, **options))
    with torch.no_grad():
        return folded(x)


def folded_geometry(module, x, **options):
    """The same with the weights of the original convolution: only its stride, padding and so on matter."""
    conv, bn = conv_and_bn(dtype=x.dtype, **options)
    weight, bias = conv.weight.detach().clone(), torch.zeros_like(bn.running_mean)
    folded = module.fold_batchnorm(conv, bn)
    folded.weight, folded.bias = nn.Parameter(weight), nn.Parameter(bias)
    with torch.no_grad():
        return folded(x)
