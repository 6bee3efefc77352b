"""Two models that compute the same look the same through the probes, however they are written; others do not."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.probes import (
    all_gradients,
    built,
    fill,
    filled,
    gradients,
    outline,
    parameter_count,
    parameter_gradients,
    shapes_through,
    snapshot,
    state_shapes,
    statistics,
    zeroed,
)
from autograder.probes.filling import NoDraws


class Plain(nn.Module):
    """Two convolutions of one shape, batch normalisation after each, a 1×1 convolution as a gate, a linear layer."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.gate = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.head(x.mean((2, 3)))


class Norm(nn.Module):
    """Batch normalisation by hand, with names and shapes of its own."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("moving_mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("moving_var", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if not self.training:
            return (x - self.moving_mean) / (self.moving_var + 1e-5).sqrt() * self.gamma + self.beta
        mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
        with torch.no_grad():
            self.moving_mean.lerp_(mean, 0.1)
            self.moving_var.lerp_(x.var((0, 2, 3), keepdim=True), 0.1)
        return (x - mean) / (var + 1e-5).sqrt() * self.gamma + self.beta


class Odd(nn.Module):
    """The same, in another order: lazy layers, a linear layer for the gate, a kernel beside gamma in one module."""

    def __init__(self):
        super().__init__()
        self.out = nn.LazyLinear(4)
        self.squeeze = nn.Linear(3, 3)
        self.norm = Norm(3)
        self.norm.kernel = nn.Parameter(torch.randn(3, 3, 3, 3))
        self.first = nn.Sequential(nn.LazyConv2d(3, 3, padding=1, bias=False), nn.LazyBatchNorm2d(), nn.ReLU())

    def forward(self, x):
        x = self.norm(F.conv2d(self.first(x), self.norm.kernel, padding=1))
        x = x * self.squeeze(x.mean((2, 3))).sigmoid()[..., None, None]
        return self.out(x.flatten(2).mean(2))


class Twice(Plain):
    """One convolution used twice, its twin never."""

    def forward(self, x):
        self.conv2.forward = self.conv1.forward
        return super().forward(x)


X = torch.linspace(-2, 3, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4)


def account(build):
    model = filled(build, X)
    gradients = parameter_gradients(model, X)
    return {"output": model.eval()(X), "statistics": statistics(model), "gradients": gradients}


def test_names_order_and_style_do_not_matter():
    one, other = account(Plain), account(Odd)
    torch.testing.assert_close(one["output"], other["output"])
    for what in ("statistics", "gradients"):
        assert one[what].keys() == other[what].keys()
        for key, sums in one[what].items():
            torch.testing.assert_close(sums["sum"], other[what][key]["sum"], msg=key)
            torch.testing.assert_close(sums["sum of squares"], other[what][key]["sum of squares"], msg=key)


def test_a_layer_used_twice_instead_of_its_twin_shows_in_the_gradients_only():
    one, other = account(Plain), account(Twice)
    torch.testing.assert_close(one["output"], other["output"])
    key = "gradient of the weights of layers with 3 outputs from 27 numbers each"
    torch.testing.assert_close(one["gradients"][key]["sum"], other["gradients"][key]["sum"])
    assert not torch.allclose(one["gradients"][key]["sum of squares"], other["gradients"][key]["sum of squares"])


def test_filling_depends_on_the_seed_and_on_nothing_else():
    first, again, other = (fill(Plain(), seed).state_dict() for seed in (0, 0, 1))
    for name, tensor in first.items():
        assert torch.equal(tensor, again[name])
        assert torch.equal(tensor, other[name]) == ("tracked" in name), name
    assert (first["bn1.running_var"] > 0).all()


def test_large_and_strided_tensors_are_filled_to_the_end():
    layer = nn.Linear(300, 500)
    layer.weight = nn.Parameter(torch.full((300, 500), 9.0).t())
    fill(layer)
    wanted = fill(nn.Linear(300, 500)).weight
    assert torch.equal(layer.weight, wanted)
    assert (wanted.abs() < 1).all()
    assert len(wanted.unique()) > 60_000


def test_double_precision_holds_the_same_numbers():
    assert torch.equal(fill(nn.Linear(3, 4).double()).weight.float(), fill(nn.Linear(3, 4)).weight)


def test_filled_takes_the_inputs_dtype_and_leaves_training_mode():
    model = filled(lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Dropout(), nn.LazyBatchNorm2d()).eval(), X)
    assert model.training
    assert model[1].training
    assert model[0].weight.dtype == torch.float64
    with pytest.raises(TypeError, match=r"nn\.Module was expected, but this is a Tensor"):
        filled(lambda: torch.ones(2), X)


def test_parameters_that_no_gradient_reaches():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 5))
    model.forward = model[0].forward
    found = parameter_gradients(model, torch.ones(2, 3))
    assert found["gradient of the weights of layers with 5 outputs from 3 numbers each"] is None
    assert found["gradient of the weights of layers with 2 outputs from 3 numbers each"] is not None
    assert model[0].weight.grad is None
    frozen = nn.Linear(3, 2).requires_grad_(False)
    assert parameter_gradients(frozen, torch.ones(2, 3))["gradient of the biases of shape 2"] is not None
    assert not frozen.weight.requires_grad
    assert parameter_gradients(nn.ReLU(), torch.ones(2, 3)) == {}


def test_one_pass_finds_what_two_do():
    for model in (filled(Plain, X), nn.ReLU(), nn.Flatten()):
        x = X.clone()
        found = all_gradients(model, x)
        assert torch.equal(x, X)
        assert not x.requires_grad
        wanted = {"gradient of the input": gradients(model, X)[0], **parameter_gradients(model, X)}
        torch.testing.assert_close(found, wanted, equal_nan=True)
    assert all_gradients(filled(lambda: Blind(3, 2), X), X)["gradient of the input"] is None


class Blind(nn.Linear):
    """Looks at no input."""

    def forward(self, x):
        return self.bias.expand(len(x), -1)


def test_a_large_gradient_in_the_wrong_places_shows():
    x = torch.randn(7, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    name = "gradient of the weights of layers with 40 outputs from 50 numbers each"
    wanted = parameter_gradients(fill(nn.Linear(50, 40).double()), x)[name]
    for order in (range(40), [1, 0, *range(2, 40)], [*range(38), 39, 38]):
        layer = fill(nn.Linear(50, 40).double())
        permuted = lambda x, layer=layer, order=order: layer(x)[:, list(order)]  # noqa: E731
        model = nn.Module()
        model.layer, model.forward = layer, permuted
        found = parameter_gradients(model, x)[name]
        same = list(order) == list(range(40))
        for sums in ("sum", "sum of squares"):
            assert torch.allclose(found[sums], wanted[sums]) == same


def test_an_outline_costs_no_memory_and_knows_all_shapes():
    wide = lambda: nn.Sequential(nn.Linear(100_000, 100_000), nn.Linear(100_000, 10))  # noqa: E731
    assert outline(wide)[0].weight.is_meta
    assert parameter_count(wide) == 100_000 * 100_001 + 1_000_010
    lazy = lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(5))  # noqa: E731
    assert parameter_count(lazy, (1, 2, 5, 6)) == 4 * 2 * 9 + 4 + 8 + 4 * 3 * 4 * 5 + 5
    layers = outline(lazy, (1, 2, 5, 6))
    assert shapes_through(layers, (1, 2, 5, 6)) == [[1, 4, 3, 4], [1, 4, 3, 4], [1, 48], [1, 5]]
    assert layers[1].training
    assert state_shapes(lazy, (1, 2, 5, 6))["3.weight"] == [5, 48]


def test_code_that_looks_at_numbers_is_built_for_real():
    class Curious(nn.Linear):
        def __init__(self):
            super().__init__(3, 2)
            self.norm = self.weight.abs().sum().item()

    assert not outline(Curious).weight.is_meta
    assert parameter_count(Curious) == 8


def test_a_snapshot_sees_whatever_was_changed():
    model = Plain()
    before = snapshot(model)
    assert str(snapshot(copy.deepcopy(model))) == str(before)
    changes = [
        lambda m: m.bn1.eval(),
        lambda m: m.head.requires_grad_(False),
        lambda m: m.gate.register_forward_hook(lambda *_: None),
        lambda m: m.bn2.running_mean.add_(1),
        lambda m: setattr(m.head, "weight", nn.Parameter(m.head.weight * 2)),
        lambda m: setattr(m, "bn1", nn.Identity()),
        lambda m: m(X.float()).sum().backward(),
    ]
    for change in changes:
        changed = copy.deepcopy(model)
        change(changed)
        assert str(snapshot(changed)) != str(before)


class Terse(nn.Module):
    """Batch normalisation whose names say little: only the numbers it starts with tell what is what."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.h = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("m", torch.zeros(1, channels, 1, 1))
        self.register_buffer("v", torch.ones(1, channels, 1, 1))
        self.register_buffer("multiplier", torch.ones(1), persistent=False)

    def forward(self, x):
        return (x - self.m) / (self.v + 1e-5).sqrt() * self.weight * self.multiplier + self.h


def test_where_names_say_nothing_the_first_numbers_do():
    for seed in (0, 1):  # what was filled once is known by then
        model = fill(Terse(3).double().eval(), 0)
        model, wanted = fill(model, seed), fill(nn.BatchNorm2d(3).double().eval(), seed)
        torch.testing.assert_close(model(X), wanted(X))
        assert model.multiplier == 1
        assert statistics(model).keys() == statistics(wanted).keys()


def test_words_inside_other_words_say_nothing():
    model = nn.Module()
    model.again = nn.Parameter(torch.zeros(3))
    model.scale_bias = nn.Parameter(torch.zeros(3))
    model.register_buffer("cumulative", torch.ones(5))
    fill(model)
    assert torch.equal(model.again, model.scale_bias)
    assert torch.equal(model.cumulative, torch.ones(5))


def test_the_weight_of_a_layer_is_one_whatever_it_starts_with():
    one_output = nn.Linear(4, 1)
    nn.init.zeros_(one_output.weight)
    assert torch.equal(fill(one_output).weight, fill(nn.Linear(4, 1)).weight)


def test_no_time_goes_into_first_numbers_of_large_layers():
    with torch.random.fork_rng():
        state = torch.get_rng_state()
        filled(lambda: nn.Conv2d(64, 64, 3, bias=False), torch.zeros(1, 64, 8, 8))
        assert torch.equal(torch.get_rng_state(), state)


def test_what_is_not_drawn_is_zero_in_small_layers_and_in_large_ones():
    """A large one's memory is not touched: it is taken back to zeros page by page, with what is before and behind."""
    for outputs in (33, 1033):
        junk = torch.full((outputs * 1031,), 7.0)
        del junk  # its memory may be what the layer gets
        layer = built(lambda outputs=outputs: nn.Linear(1031, outputs, bias=False), torch.zeros(1, 1031))
        assert (layer.weight == 0).all()
        again = zeroed(lambda outputs=outputs: fill(nn.Linear(1031, outputs)).eval(), torch.zeros(1, 1031))
        assert again.training
        assert not any(parameter.any() for parameter in again.parameters())
        shared = zeroed(lambda outputs=outputs: fill(nn.Linear(1031, outputs)).share_memory(), torch.zeros(1, 1031))
        assert not shared.weight.any()
        part = torch.full((2 * outputs * 1031 + 1,), 7.0)
        with NoDraws():
            inside = nn.Parameter(part[1 : 1 + outputs * 1031])
            inside.normal_()
        assert (inside == 0).all()
        assert part[0] == 7
        assert (part[1 + outputs * 1031 :] == 7).all()
