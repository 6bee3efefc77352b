"""The reference solution of `batchnorm`, compared with torch.nn, torch.nn.functional and plain arithmetic."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from reference_solutions import load_solution

batchnorm = load_solution("batchnorm")

dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
modes = pytest.mark.parametrize("training", [True, False])
SHAPES = [
    (7, 3),
    (2, 5),
    (4, 1),
    (3, 3),
    (2, 3, 4, 5),
    (1, 3, 2, 4),
    (4, 3, 1, 1),
    (2, 1, 3, 2),
    (3, 3, 3, 3),
    (2, 4, 3, 4),
    (1, 2, 1, 2),
    (5, 2, 3, 1),
]
several_shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def case(shape, dtype=torch.float64, seed=0):
    """X, gamma, beta, moving_mean, moving_var."""
    few = (1, shape[1], *(1,) * (len(shape) - 2))
    x = 2 * normal(*shape, seed=seed, dtype=dtype) + 1
    gamma, beta, mean, spread = (normal(*few, seed=seed + k, dtype=dtype) for k in (1, 2, 3, 4))
    return x, gamma, beta, mean, spread**2 + 0.3


def library(x, gamma, beta, mean, var, eps, momentum, training):
    """What F.batch_norm computes, in the form of our function."""
    new_mean, new_var = mean.detach().flatten().clone(), var.detach().flatten().clone()
    y = F.batch_norm(x, new_mean, new_var, gamma.flatten(), beta.flatten(), training, momentum, eps)
    return y, new_mean.reshape(mean.shape), new_var.reshape(var.shape)


class Operators(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func._schema.name)
        return func(*args, **(kwargs or {}))


class TestBatchNormFunction:
    @several_shapes
    @dtypes
    @modes
    @pytest.mark.parametrize(("eps", "momentum"), [(1e-5, 0.1), (0.5, 0.9), (1e-3, 0.0), (2.0, 1.0)])
    def test_equals_the_library(self, shape, dtype, training, eps, momentum):
        args = case(shape, dtype)
        results = batchnorm.batch_norm(*args, eps, momentum, training)
        tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {}
        for one, other in zip(results, library(*args, eps, momentum, training), strict=True):
            assert_close(one, other, **tolerance)

    def test_worked_example(self):
        x = torch.tensor([[1.0], [3.0], [5.0], [7.0]])
        one, zero = torch.ones(1, 1), torch.zeros(1, 1)
        y, mean, var = batchnorm.batch_norm(x, one, zero, zero, one, 4.0, 0.1)
        assert_close(y, torch.tensor([[-1.0], [-1 / 3], [1 / 3], [1.0]]))
        assert_close(mean, torch.tensor([[0.4]]))
        assert_close(var, torch.tensor([[0.9 + 0.1 * 20 / 3]]))

    def test_training_is_the_default(self):
        args = case((6, 2))
        for one, other in zip(
            batchnorm.batch_norm(*args, 1e-5, 0.1), batchnorm.batch_norm(*args, 1e-5, 0.1, True), strict=True
        ):
            assert torch.equal(one, other)

    def test_arguments_by_name(self):
        names = ("X", "gamma", "beta", "moving_mean", "moving_var")
        args = case((6, 2))
        by_name = batchnorm.batch_norm(**dict(zip(names, args, strict=True)), eps=1e-3, momentum=0.3, training=False)
        assert torch.equal(by_name[0], batchnorm.batch_norm(*args, 1e-3, 0.3, False)[0])

    @several_shapes
    @modes
    def test_gradients_equal_the_library(self, shape, training):
        args = case(shape)
        gradients = []
        for function in (batchnorm.batch_norm, library):
            leaves = [arg.clone().requires_grad_() for arg in args[:3]]
            y = function(*leaves, *args[3:], 1e-5, 0.1, training)[0]
            gradients.append(torch.autograd.grad((y * normal(*shape, seed=9)).sum(), leaves))
        for one, other in zip(*gradients, strict=True):
            assert_close(one, other)

    @modes
    def test_gradcheck(self, training):
        args = case((2, 2, 2, 3))
        leaves = [arg.clone().requires_grad_() for arg in args[:3]]
        assert torch.autograd.gradcheck(
            lambda *leaves: batchnorm.batch_norm(*leaves, *args[3:], 1e-3, 0.1, training)[0], leaves
        )

    @modes
    def test_moving_statistics_carry_no_graph(self, training):
        args = case((6, 2))
        leaves = [arg.clone().requires_grad_() for arg in args[:3]]
        _, mean, var = batchnorm.batch_norm(*leaves, *args[3:], 1e-5, 0.1, training)
        assert not mean.requires_grad
        assert not var.requires_grad

    @several_shapes
    def test_training_makes_new_statistics(self, shape):
        args = case(shape)
        _, mean, var = batchnorm.batch_norm(*args, 1e-5, 0.0)
        mean.zero_()
        var.zero_()
        for arg, before in zip(args, case(shape), strict=True):
            assert torch.equal(arg, before)

    def test_evaluation_returns_the_statistics(self):
        args = case((6, 2))
        _, mean, var = batchnorm.batch_norm(*args, 1e-5, 0.1, training=False)
        assert torch.equal(mean, args[3])
        assert torch.equal(var, args[4])

    @pytest.mark.parametrize("shape", SHAPES[:8], ids=str)
    @modes
    def test_any_strides(self, shape, training):
        x, *rest = case(shape)
        expected = batchnorm.batch_norm(x, *rest, 1e-5, 0.1, training)[0]
        for order in itertools.permutations(range(len(shape))):
            moved = x.permute(order).contiguous().permute([order.index(d) for d in range(len(shape))])
            assert_close(batchnorm.batch_norm(moved, *rest, 1e-5, 0.1, training)[0], expected)
        sliced = torch.stack([x, x], dim=-1)[..., 0]
        assert_close(batchnorm.batch_norm(sliced, *rest, 1e-5, 0.1, training)[0], expected)
        expanded = x[:1].expand(4, *shape[1:])
        copied = expanded.contiguous()
        for one, other in zip(
            batchnorm.batch_norm(expanded, *rest, 1e-5, 0.1, training),
            batchnorm.batch_norm(copied, *rest, 1e-5, 0.1, training),
            strict=True,
        ):
            assert_close(one, other)

    def test_large_mean_and_tiny_variance(self):
        for offset, scale in ((1e4, 1.0), (0.0, 1e-4), (100.0, 1e-2)):
            x, *rest = case((50, 3), torch.float64)
            x = x * scale + offset
            assert_close(batchnorm.batch_norm(x, *rest, 1e-5, 0.1)[0], library(x, *rest, 1e-5, 0.1, True)[0])

    def test_constant_feature(self):
        x, *rest = case((5, 2), torch.float32)
        y, *_ = batchnorm.batch_norm(torch.full_like(x, 3.0), *rest, 1e-5, 0.1)
        assert_close(y, rest[1].expand_as(y))

    @pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (2, 3, 4, 5, 6)], ids=str)
    @modes
    def test_other_ranks(self, shape, training):
        few = torch.ones(1, 1) if len(shape) < 3 else torch.ones(1, 3, *(1,) * (len(shape) - 2))
        with pytest.raises(ValueError, match=r".+"):
            batchnorm.batch_norm(torch.rand(shape), few, few, few, few, 1e-5, 0.1, training)

    @pytest.mark.parametrize("shape", [(1, 3), (1, 1), (1, 3, 1, 1)], ids=str)
    def test_one_value_per_feature(self, shape):
        args = case(shape)
        with pytest.raises(ValueError, match=r".+"):
            batchnorm.batch_norm(*args, 1e-5, 0.1)
        assert_close(batchnorm.batch_norm(*args, 1e-5, 0.1, False)[0], library(*args, 1e-5, 0.1, False)[0])

    @modes
    def test_device_and_forbidden_operators(self, training):
        args = case((2, 3, 4, 5))
        with Operators() as operators:
            results = batchnorm.batch_norm(*(arg.to("meta") for arg in args), 1e-5, 0.1, training)
        assert all(result.device.type == "meta" for result in results)
        assert not [name for name in operators.names if "norm" in name]


def library_layer(num_features, num_dims, **options):
    return (nn.BatchNorm1d if num_dims == 2 else nn.BatchNorm2d)(num_features, **options)


def pair(num_features, num_dims, **options):
    """Our module and the library's with equal parameters, float64."""
    ours = batchnorm.BatchNorm(num_features, num_dims, **options).double()
    theirs = library_layer(num_features, num_dims, **options).double()
    with torch.no_grad():
        for one, other, seed in ((ours.gamma, theirs.weight, 1), (ours.beta, theirs.bias, 2)):
            other.copy_(normal(num_features, seed=seed))
            one.copy_(other.reshape(one.shape))
    return ours, theirs


class TestBatchNormModule:
    @pytest.mark.parametrize(("num_dims", "shape"), [(2, (1, 5)), (4, (1, 5, 1, 1))])
    def test_state(self, num_dims, shape):
        layer = batchnorm.BatchNorm(5, num_dims)
        assert dict(layer.named_parameters()).keys() == {"gamma", "beta"}
        assert dict(layer.named_buffers()).keys() == {"moving_mean", "moving_var"}
        assert layer.state_dict().keys() == {"gamma", "beta", "moving_mean", "moving_var"}
        for name, value in (("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_var", 1.0)):
            assert torch.equal(getattr(layer, name), torch.full(shape, value))

    @pytest.mark.parametrize("num_dims", [0, 1, 3, 5, "4"])
    def test_other_num_dims(self, num_dims):
        with pytest.raises(ValueError, match=r".+"):
            batchnorm.BatchNorm(3, num_dims)

    @pytest.mark.parametrize("shape", [s for s in SHAPES if s[0] * s[-1] > 1], ids=str)
    @pytest.mark.parametrize("options", [{}, {"eps": 0.3, "momentum": 0.4}], ids=str)
    def test_a_life_like_the_library_layers(self, shape, options):
        ours, theirs = pair(shape[1], len(shape), **options)
        for step, training in enumerate([True, True, False, True, False]):
            x = normal(*shape, seed=step) * (step + 1) + step
            results = []
            for layer in (ours.train(training), theirs.train(training)):
                layer.zero_grad()
                leaf = x.clone().requires_grad_()
                y = layer(leaf)
                (y * normal(*shape, seed=50 + step)).sum().backward()
                results.append((y, leaf.grad, *(p.grad.flatten() for p in layer.parameters())))
            for one, other in zip(*results, strict=True):
                assert_close(one, other)
            assert_close(ours.moving_mean.flatten(), theirs.running_mean)
            assert_close(ours.moving_var.flatten(), theirs.running_var)
            assert not ours.moving_mean.requires_grad
            assert not ours.moving_var.requires_grad

    def test_eps_and_momentum_by_position(self):
        x = normal(6, 2, seed=1).float()
        ours, theirs = batchnorm.BatchNorm(2, 2, 0.3, 0.4), nn.BatchNorm1d(2, 0.3, 0.4)
        assert_close(ours(x), theirs(x))
        assert_close(ours.moving_var.flatten(), theirs.running_var)

    @pytest.mark.parametrize("recording", [True, False])
    @modes
    def test_the_mode_is_the_modules_own(self, recording, training):
        ours, theirs = pair(3, 4)
        ours.train(training)
        theirs.train(training)
        x = normal(2, 3, 4, 5, seed=8)
        with torch.set_grad_enabled(recording):
            assert_close(ours(x), theirs(x))
        assert_close(ours.moving_mean.flatten(), theirs.running_mean)

    def test_evaluation_changes_nothing(self):
        layer = pair(3, 4)[0]
        layer(normal(2, 3, 4, 5))
        before = copy.deepcopy(layer.state_dict())
        layer.eval()(normal(2, 3, 4, 5, seed=7))
        for name, value in layer.state_dict().items():
            assert torch.equal(value, before[name])

    def test_state_dict_round_trip(self):
        layer = pair(3, 4)[0]
        layer(normal(2, 3, 4, 5))
        other = batchnorm.BatchNorm(3, 4).double()
        other.load_state_dict(layer.state_dict())
        x = normal(2, 3, 4, 5, seed=7)
        assert torch.equal(layer.eval()(x), other.eval()(x))
        assert torch.equal(layer.train()(x), other.train()(x))
        assert torch.equal(layer.moving_var, other.moving_var)

    def test_copies_live_their_own_lives(self):
        layer = pair(3, 4)[0]
        layer(normal(2, 3, 4, 5))
        twin = copy.deepcopy(layer)
        stranger = batchnorm.BatchNorm(3, 4)
        before = copy.deepcopy(layer.state_dict())
        twin(normal(2, 3, 4, 5, seed=7))
        for name, value in layer.state_dict().items():
            assert torch.equal(value, before[name])
        assert not torch.equal(twin.moving_mean, layer.moving_mean)
        assert torch.equal(stranger.moving_mean, torch.zeros(1, 3, 1, 1))

    def test_the_buffers_follow_the_module(self):
        layer = batchnorm.BatchNorm(3, 2).double()
        assert {value.dtype for value in layer.state_dict().values()} == {torch.float64}
        layer.to("meta")
        assert {value.device.type for value in layer.state_dict().values()} == {"meta"}

    def test_one_value_per_feature_in_evaluation(self):
        ours, theirs = pair(3, 2)
        x = normal(1, 3)
        assert_close(ours.eval()(x), theirs.eval()(x))


def trained(conv, affine=True, eps=1e-5, seed=0):
    """A batch norm for the outputs of `conv`, with statistics and parameters of a trained one."""
    bn = nn.BatchNorm2d(conv.out_channels, eps=eps, affine=affine, dtype=conv.weight.dtype)
    count = conv.out_channels
    with torch.no_grad():
        bn.running_mean.copy_(normal(count, seed=seed + 1))
        bn.running_var.copy_(normal(count, seed=seed + 2) ** 2 + 0.2)
        if affine:
            bn.weight.copy_(normal(count, seed=seed + 3))
            bn.bias.copy_(normal(count, seed=seed + 4))
    return bn


class TestFold:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("affine", [True, False])
    @pytest.mark.parametrize(
        "options",
        [
            {"kernel_size": 3},
            {"kernel_size": (2, 3), "stride": (1, 2), "padding": (2, 1), "dilation": (2, 1)},
            {"kernel_size": 3, "padding": "same"},
            {"kernel_size": 3, "padding": "valid", "dilation": 2},
            {"kernel_size": (3, 1), "padding": (1, 0), "padding_mode": "reflect"},
            {"kernel_size": 3, "padding": 2, "padding_mode": "circular"},
            {"kernel_size": 3, "padding": "same", "padding_mode": "replicate"},
            {"kernel_size": 1, "groups": 2},
            {"kernel_size": 3, "groups": 4, "stride": 2, "eps": 0.7},
        ],
        ids=str,
    )
    @dtypes
    def test_equals_convolution_and_normalisation(self, options, bias, affine, dtype):
        options = dict(options)
        eps = options.pop("eps", 1e-5)
        conv = nn.Conv2d(4, 8, **options, bias=bias, dtype=dtype)
        bn = trained(conv, affine, eps)
        folded = batchnorm.fold_batchnorm(conv, bn)
        x = normal(2, 4, 8, 9, dtype=dtype)
        tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {}
        assert_close(folded(x), bn.eval()(conv(x)), **tolerance)
        assert type(folded) is nn.Conv2d
        assert folded.bias is not None
        for name in ("stride", "padding", "dilation", "groups", "padding_mode", "kernel_size"):
            assert getattr(folded, name) == getattr(conv, name)

    def test_one_channel(self):
        conv = nn.Conv2d(1, 1, 1)
        bn = trained(conv)
        x = normal(1, 1, 1, 1, dtype=torch.float32)
        assert_close(batchnorm.fold_batchnorm(conv, bn)(x), bn.eval()(conv(x)))

    @modes
    def test_the_arguments_are_untouched(self, training):
        conv = nn.Conv2d(3, 4, 3)
        bn = trained(conv).train(training)
        conv.weight.requires_grad_(False)
        before = copy.deepcopy((conv.state_dict(), bn.state_dict()))
        folded = batchnorm.fold_batchnorm(conv, bn)
        with torch.no_grad():
            for parameter in folded.parameters():
                parameter.zero_()
        for module, state in zip((conv, bn), before, strict=True):
            for name, value in module.state_dict().items():
                assert torch.equal(value, state[name])
        assert conv.training
        assert bn.training is training
        assert [p.requires_grad for p in (*conv.parameters(), *bn.parameters())] == [False, True, True, True]

    def test_keeps_the_device(self):
        conv = nn.Conv2d(3, 4, 3, device="meta")
        bn = nn.BatchNorm2d(4, device="meta")
        assert batchnorm.fold_batchnorm(conv, bn).weight.device.type == "meta"

    def test_uses_no_forbidden_operator(self):
        conv = nn.Conv2d(3, 4, 3)
        with Operators() as operators:
            batchnorm.fold_batchnorm(conv, trained(conv))
        assert not [name for name in operators.names if "norm" in name]

    def test_resnets_first_layers(self):
        """A larger one: the folded convolution serves a whole trained block."""
        torch.manual_seed(0)
        block = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        for _ in range(5):
            block(torch.randn(4, 3, 32, 32) * 2 + 1)
        block.eval()
        folded = nn.Sequential(batchnorm.fold_batchnorm(block[0], block[1]), nn.ReLU())
        x = torch.randn(2, 3, 32, 32)
        assert_close(folded(x), block(x), rtol=1e-4, atol=1e-5)
